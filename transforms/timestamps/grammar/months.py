"""The names of months and weekdays: English, German, French, Spanish, Italian, Portuguese and Dutch.

The names of the other languages are those of CLDR (https://cldr.unicode.org), long and short, and what is written where
letters with marks can't be.
"""

from __future__ import annotations

import re

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_OTHER_LANGUAGES = (
    "januar januari jänner jän janner janvier janv janeiro enero ene gennaio gen",
    "februar februari feber février févr fév fevrier fevr fev fevereiro febrero febbraio",
    "märz mär maerz mrz mars maart mrt marzo março marco",
    "avril avr abril abr aprile",
    "mai mei mayo maio maggio mag",
    "juni juin junio junho giugno giu",
    "juli juillet juil julio julho luglio lug",
    "août aoû aout agosto ago augustus",
    "septembre septiembre setiembre settembre setembro set",
    "oktober okt octobre octubre ottobre ott outubro out",
    "novembre noviembre novembro",
    "dezember dez décembre déc decembre diciembre dicembre dic dezembro",
)
MONTH_NUMBERS = {
    name: f"{number:02}"
    for number, (english, others) in enumerate(zip(MONTHS, _OTHER_LANGUAGES, strict=True), 1)
    for name in (english, *others.split())
}
"""A name in lower case -> its month, as two digits."""
_OTHER_WEEKDAYS = (
    "montag dienstag mittwoch donnerstag freitag samstag sonntag mo di mi do fr sa so "
    "lundi mardi mercredi jeudi vendredi samedi dimanche lun mar mer jeu ven sam dim "
    "lunes martes miércoles jueves viernes sábado domingo mié jue vie sáb dom "
    "lunedì martedì mercoledì giovedì venerdì sabato domenica gio sab "
    "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira seg ter qua qui sex "
    "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag ma wo vr za zo"
)


def _any_name(names: list[str]) -> str:
    """Longer names first. Python's ASCII mode knows no capitals of letters with marks, so that both are written."""
    ordered = sorted(dict.fromkeys(names), key=lambda name: (-len(name), name))
    return re.sub("[à-ÿ]", lambda letter: f"[{letter[0]}{letter[0].upper()}]", "|".join(ordered))


_ENGLISH = f"(?i:{'|'.join(MONTHS)})"
_ENDINGS = "(?i:uary|ruary|ch|il|e|y|ust|tember|t|ober|ember)?"
_OTHERS = f"(?i:{_any_name([name for name in MONTH_NUMBERS if name not in MONTHS])})"

ENGLISH_MONTH = f"(?P<mon>{_ENGLISH}){_ENDINGS}"
MONTH = rf"(?P<mon>{_ENGLISH}|{_OTHERS}){_ENDINGS}\.?"
WEEKDAY_NAME = "(?P<weekday>(?i:mon|tue|wed|thu|fri|sat|sun))(?i:day|sday|nesday|rsday|urday)?"
WEEKDAY = rf"(?:(?:{WEEKDAY_NAME}|(?i:{_any_name(_OTHER_WEEKDAYS.split())}))\.?,? {{1,2}})?"
