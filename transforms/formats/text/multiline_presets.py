"""Names for the regular expressions of `multilineStart`: how the first lines of common kinds of events begin."""

from __future__ import annotations

from dataclasses import dataclass

_CLOCK = r"[0-9]{1,2}:[0-9]{2}:[0-9]{2}"
_DATED = (
    r"(?:\x1b\[[0-9;]*[A-Za-z])*(?:<[0-9]{1,3}>(?:1 )?)?[\[(\"'*]{0,2}(?:"
    rf"[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}[Tt _:,;|-]{{1,3}}{_CLOCK}"
    rf"|[0-9]{{1,2}}[-/.][0-9]{{1,2}}[-/.](?:[0-9]{{4}}|[0-9]{{2}})[Tt _:,;|-]{{1,3}}{_CLOCK}"
    rf"|(?:[\p{{L}}\p{{M}}]{{2,4}}\.?, )?[0-9]{{1,2}}[-/. ]{{1,2}}[\p{{L}}\p{{M}}]{{3,12}}\.?"
    rf"[-/. ]{{1,2}}[0-9]{{4}}[ :,]{{1,2}}{_CLOCK}"
    rf"|(?:[\p{{L}}\p{{M}}]{{2,4}}\.?,? )?[\p{{L}}\p{{M}}]{{3,12}}\.?"
    rf" {{1,2}}[0-9]{{1,2}}(?:,? [0-9]{{4}})?,? {_CLOCK}"
    rf"|[0-9]{{8}}[T ][0-9]{{6}}|{_CLOCK}[.,][0-9]{{3}})"
)
_LEVEL = r"(?:TRACE|DEBUG|INFO|WARN|WARNING|ERROR|FATAL|SEVERE|CRITICAL)"


@dataclass(frozen=True)
class MultilinePreset:
    """A name that stands for a regular expression.

    Attributes:
        pattern: What the first line of an event matches.
        matches: What that is, in words.
    """

    pattern: str
    matches: str


MULTILINE_PRESETS = {
    "java": MultilinePreset(
        rf"^(?:{_DATED}|\[?{_LEVEL}\]?[ \t]|[0-9]+ \[|\[[0-9]+[.,][0-9]+s\]|Exception in thread )",
        "a line that begins with a date or a time of day, a level (`ERROR `, `[INFO] `), the milliseconds since the "
        "start before a thread (`12 [main]`), the JVM's uptime (`[0.012s]`), or `Exception in thread`",
    ),
    "python": MultilinePreset(
        rf"^(?:{_DATED}|\[?{_LEVEL}\]?[ \t]|{_LEVEL}:[^ :]+:)",
        "a line that begins with a date or a time of day, or a level (`ERROR `, `[INFO] `, `ERROR:root:`)",
    ),
    "postgresql": MultilinePreset(
        rf"^(?:[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}[0-9.]*Z )?"
        rf"(?:[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} {_CLOCK}|[0-9]{{10}}\.[0-9]{{3}})[ .:]",
        "a line that begins with the time of `log_line_prefix` (`%m`, `%t`, `%n`), behind CloudWatch's stamp or not",
    ),
    "dated": MultilinePreset(
        f"^{_DATED}", "a line that begins with a date and a time, or a time of day with milliseconds"
    ),
}


def multiline_pattern(start: str) -> str:
    """Return the regular expression that a preset's name stands for; any other text is one itself."""
    preset = MULTILINE_PRESETS.get(start)
    return preset.pattern if preset else start
