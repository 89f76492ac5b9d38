"""Whether the first record of CSV is its header, by what it holds and what the records under it hold.

A row that is lost to a header that is none is worse than columns without names. So a first record is data where it
holds a value, or is like those below, or where nothing shows that it is a header.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

_VALUE = re.compile(
    r"""
    [-+$€£]?\.?\d[\d.,]*(?:[eE][-+]?\d+)?\s?%?          # a number, with any separators
    | v\d+(?:\.\d+)+                                    # a version
    | (?=\D*\d)[0-9a-fA-F-]{16,}                        # a hash, a UUID
    | \W?\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b.*            # what begins with a date
    | \W?\d{1,2}[-/.\s][A-Za-z]{3,9}[-/.\s,]\s?\d{2,4}\b.*
    | \W?(?:[A-Za-z]{3,9},?\s)?[A-Za-z]{3,9}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+(?:\d{4}|\d{1,2}:\d{2})\b.*
    | \W?\d{8}T\d{4,6}.*
    | \W?\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d+)?\s?(?:[AaPp][Mm]|Z|[-+]\d{2}:?\d{2})?  # a time of day
    | .{0,40}\d{1,2}:\d{2}:\d{2}\b.{0,20}
    | \[?\d{1,3}(?:\.\d{1,3}){3}\]?(?:[:/]\d+)?         # IPv4
    | \[?[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:%\w+)?\]?(?:[:/]\d+)?  # IPv6, MAC
    | \S+@\S+\.\S+ | \w+://.* | /\S* | [A-Za-z]:\\.*    # mail, URL, paths
    | \{.*\} | \[.*\]                                   # JSON
    """,
    re.VERBOSE | re.DOTALL,
)
_ABSENT = frozenset({"-", "--", "n/a", "na", "nan", "null", "none", "nil", r"\n", "true", "false"})
_YEAR = re.compile(r"(?:19|20)\d\d")
_MOST = 64  # characters of a name
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[^\W\d_]+")
_LETTER = re.compile(r"[^\W\d_]\d{0,3}|(?i:col|column|field|var|attr|key|prop)[ _]?\d{0,4}")
_COMPOUND = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+|[a-z]+(?:[A-Z][a-z0-9]*)+|[@_][A-Za-z]\w*")
# Words of headers that are hardly values.
_NAMES = frozenset(
    """
    account action activity actor addr address age agent amount answer api app application area arn asset attribute
    auth author avg az body branch browser bucket bytes calls category channel city class client cluster code
    command comment company component computer container content context cost count country cpu created currency
    customer database date datetime day db department dept desc description dest destination detail details device
    dir direction disk domain dst duration email end endpoint engine environment error etag event exception expires
    facility family field file filename firstname flag flags float folder format from fullname function geo grade
    group guid hash header height hint host hostname hour id identifier image index input instance int interface ip
    ipaddress isp item job key kind label language lastname lat latency latitude length level line link list
    location lon longitude mac mail max mean median memory message method metric min minute mode model module month
    msg name namespace node note notes num number object offset operation operator order org organisation
    organization origin os output owner package packets parameter parent password path payload percent phone pid
    place platform plugin policy port position price priority process product profile project property proto
    protocol provider publisher quantity query queue rank rate raw reason record ref referer referrer region remark
    request requestor resource response result role row rule score second section sensor seq sequence serial service
    session severity sha signature size source sourcetype span src start started state status stop street subject
    sum surname tag target team tenant text thread threat tid time timestamp timezone title to token topic total
    town trace transaction ts type tz unit updated uri url user useragent userid username uuid val value vendor
    version vlan vm volume weight when width year zip zone auteur benutzer bereich beschreibung betrag code datum
    fecha fehler größe heure hora meldung nachricht name nom nombre ort quelle rechner straße tipo uhrzeit
    utilisateur wert zeit zeitstempel
    """.split()  # noqa: SIM905 - a list would be a page
)
NOTHING_SHOWS = "nothing shows that its first row is a header"
"""The reason where a first row is data for want of a better one."""


def reason_against_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return why a first record is no header, or nothing where it is one.

    Args:
        first: Its cells.
        rows: Those of some records under it.
    """
    cells = [cell.strip() for cell in first]
    below = [[cell.strip() for cell in row] for row in rows if list(row) != list(first)]  # a header may be repeated
    under = [[row[place] for row in below if place < len(row) and row[place]] for place in range(len(cells))]
    if next(_values(cells, under), None) is not None:
        return "its first row has a number, a time or another value where a header has a name"
    if any(cell and found and all(map(is_value, found)) for cell, found in zip(cells, under, strict=True)):
        return ""
    known = sum(map(_is_known, cells))
    if known * 2 >= len([cell for cell in cells if cell]) > 0:
        return ""
    if below and (alike := _likeness(cells, under)):
        return alike
    compound = any(
        _COMPOUND.fullmatch(cell) and not any(map(_COMPOUND.fullmatch, found))
        for cell, found in zip(cells, under, strict=True)
    )
    named = known or compound or all(map(_LETTER.fullmatch, cells))
    return "" if named or not below else NOTHING_SHOWS


def is_value(cell: str) -> bool:
    """Whether a cell is a number, a time, an address or another value that is no name, or stands for none."""
    return _VALUE.fullmatch(cell) is not None or cell.lower() in _ABSENT


def _values(cells: Sequence[str], under: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the cells that are values; years over what are none are names, as in a table of years."""
    named = any(cell and not is_value(cell) for cell in cells)
    for cell, found in zip(cells, under, strict=True):
        is_name = named and _YEAR.fullmatch(cell) and found and not all(map(_YEAR.fullmatch, found))
        if is_value(cell) and not is_name:
            yield cell


def _is_known(cell: str) -> bool:
    words = [word.lower() for word in _WORD.findall(cell)]
    return 0 < len(words) <= 4 and (not _NAMES.isdisjoint(words) or cell.lower() in _NAMES)


def _likeness(cells: Sequence[str], under: Sequence[Sequence[str]]) -> str:
    """Return what of a first record is unlike a header, or like the records under it."""
    if "" in cells[1 : _last(cells)] or not (cells[0] or under[0]):
        return "its first row has an empty cell"
    if max(Counter(cell for cell in cells if cell).values(), default=0) > 1:
        return "its first row has a cell twice"
    if any(len(cell) > _MOST or cell.endswith((".", "!", ";")) for cell in cells):
        return "its first row has a text, where a header has a name"
    for cell, found in zip(cells, under, strict=True):
        if cell and (cell in found or (_shape(cell) != cell and _shape(cell) in map(_shape, found))):
            return "its first row has a cell like those under it"
    return ""


def _last(cells: Sequence[str]) -> int:
    """Return the place of the last cell that is not empty."""
    return max((place for place, cell in enumerate(cells) if cell), default=0)


def _shape(cell: str) -> str:
    return re.sub(r"\d+", "0", cell)
