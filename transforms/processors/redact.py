"""The processor `redact`: what must not be kept is masked in place (docs/pipelines.md)."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import polars as pl

from transforms.arrow import Flags
from transforms.core.errors import reason_of
from transforms.processors.kernels.events import Events
from transforms.processors.kernels.searching import locate_error
from transforms.processors.kernels.sensitive import FINDERS, NAMED, misspelt
from transforms.processors.parameters import Parameters
from transforms.processors.processor import Processor

HASH_KEY = "REKINDLE_HASH_KEY"
"""The environment's variable that holds the key of hashes."""
_MASK = "***"
_SQUARE = (
    "after each short match the engine reads on to the text's end for a longer one; "
    "leave out the alternative with .* or +"
)
_REFERENCE = re.compile(r"\$(?:\$|(?P<name>[0-9A-Za-z_]+)|\{(?P<braced>[^}]*)\})")  # as the engine reads them
_PROBE, _TOO_LONG = 32_768, 0.2  # characters, seconds
_WORD, _MOST_PROBES = re.compile(r"[^\W_]{2,}|[^\x00-\x7f]"), 20
_HASH_DIGITS = 32  # 128 bits: no two values of one tier come together by chance


@dataclass(frozen=True, slots=True)
class Redact(Processor):
    """Mask what matches in an attribute or the message.

    Attributes:
        source: Column in flight.
        pattern: Regular expression.
        replacement: What stands there instead; `$1` and `${name}` are groups.
        finder: Of the named pattern that finds secrets within its matches, or None.
        key: Of the hash that stands there instead, or None. It travels to the workers and is never written to the tier.
    """

    name: ClassVar[str] = "redact"

    source: str
    pattern: str
    replacement: str
    finder: str | None = None
    key: bytes | None = field(default=None, repr=False)

    @classmethod
    def from_parameters(cls, parameters: Parameters) -> Processor:
        """Read `source`, `pattern`, `replacement`, `hash` and `hash_key_file`."""
        parameters.allow("source", "pattern", "replacement", "hash", "hash_key_file")
        source, pattern = parameters.source(), parameters.text("pattern")
        named = NAMED.get(pattern)
        groups = _try(pattern, parameters) if pattern and named is None else ()
        hashed = parameters.flag("hash")
        if hashed and "replacement" in parameters.values:
            parameters.problem("replacement", "goes without hash: the hash is what stands there instead")
        if not hashed and "hash_key_file" in parameters.values:
            parameters.problem("hash_key_file", "goes with hash: true")
        replacement = parameters.text("replacement", default=_MASK, empty=True)
        _check_references(replacement, groups, parameters)
        finder = pattern if pattern in FINDERS else None
        return cls(source, named or pattern, replacement, finder, _key(parameters) if hashed else None)

    def apply(self, events: Events) -> Flags | None:
        """Mask every match; an event without one stays as it is."""
        texts = events.texts(self.source)
        if texts is None:
            return None
        found = texts.str.contains(self.pattern).fill_null(value=False)
        if not found.any():
            return None
        matching = texts.set(~found, None)
        if self.key is None and self.finder is None:
            masked = matching.str.replace_all(self.pattern, self.replacement)
        else:
            masked = replace_each(matching, self.pattern, self._instead)
        events.put(self.source, masked)
        return None

    def _instead(self, match: str) -> str:
        """Return what stands there instead of a match."""
        if self.finder is None:
            return self._masked(match)
        parts: list[str] = []
        done = 0
        for start, end in FINDERS[self.finder](match):
            parts += (match[done:start], self._masked(match[start:end]))
            done = end
        return "".join((*parts, match[done:]))

    def _masked(self, secret: str) -> str:
        if self.key is None:
            return _REFERENCE.sub(lambda found: "$" if found[0] == "$$" else secret, self.replacement)
        return hmac.digest(self.key, secret.encode(), "sha256").hex()[:_HASH_DIGITS]


def replace_each(texts: pl.Series, pattern: str, instead: Callable[[str], str]) -> pl.Series:
    """Replace each match by what a function makes of it, called once for matches that are equal.

    The matches are put between marks that no text holds and cut out there: in linear time, and by the engine's own idea
    of a match.
    """
    mark = f"\0{secrets.token_hex(8)}\0"
    parts = texts.str.replace_all(pattern, f"{mark}${{0}}{mark}").str.split(mark)
    frame = (
        pl.DataFrame({"row": pl.int_range(len(texts), eager=True), "piece": parts})
        .filter(texts.is_not_null())
        .explode("piece")
    )
    is_match = pl.int_range(pl.len()).over("row") % 2 == 1
    matches = frame.filter(is_match)["piece"].unique()
    made = pl.Series([instead(match) for match in matches], dtype=pl.String)
    replaced = frame.with_columns(
        pl.when(is_match)
        .then(pl.col("piece").replace_strict(matches, made, default=None))
        .otherwise("piece")
        .alias("piece")
    )
    joined = replaced.group_by("row", maintain_order=True).agg(pl.col("piece").str.join(""))
    return pl.repeat(None, len(texts), dtype=pl.String, eager=True).scatter(joined["row"], joined["piece"])


def _try(pattern: str, parameters: Parameters) -> tuple[str, ...]:
    """Compile a pattern, and return its groups' names, a number for one without; mistakes are noted."""
    text = misspelt(pattern)
    if text is not None:
        parameters.problem("pattern", f"{pattern!r} {text}; if the word itself is meant, write ({pattern})")
        return ()
    try:
        empty = bool(pl.Series([""]).str.contains(pattern)[0])
        groups = tuple(pl.Series([""]).str.extract_groups(pattern).struct.fields)
    except pl.exceptions.PolarsError as error:
        parameters.problem("pattern", locate_error(pattern, str(error)))
        return ()
    if empty:
        parameters.problem("pattern", f"'{pattern}' matches the empty text, where there is nothing to mask")
    elif _takes_square_time(pattern):
        parameters.problem(
            "pattern", f"'{pattern}' takes time that grows with the square of a text's length: {_SQUARE}"
        )
    return groups


def _check_references(replacement: str, groups: tuple[str, ...], parameters: Parameters) -> None:
    """Refuse a reference to a group that is not there, which the engine would take for the empty text."""
    if not parameters.is_fine("pattern"):
        return
    known = {"0", *(str(number) for number in range(1, len(groups) + 1)), *groups}
    for found in _REFERENCE.finditer(replacement):
        name = found["braced"] or found["name"]
        if name is None or name in known:
            continue
        number = re.match("[0-9]+", name)
        hint = (
            f"; write ${{{number[0]}}}{name[number.end() :]}"
            if number and number[0] in known
            else "; a dollar sign itself is $$"
        )
        parameters.problem("replacement", f"{found[0]!r} names no group of the pattern{hint}")


def _takes_square_time(pattern: str) -> bool:
    """Return whether finding all matches takes more than linear time.

    It is tried on every printable character and the pattern's own words.

    A single search is linear, but after a short match the engine may read on for a longer one, and do so again for each
    next match: for `.*;|x` in a run of x (https://docs.rs/regex/latest/regex/#iterating-over-matches). The probe then
    takes a second and more, else 1 ms. It is no proof: `(?:[a-z][0-9])+!|[a-z][0-9]` passes.
    """
    for run in (*map(chr, range(0x20, 0x7F)), *_WORD.findall(pattern)[:_MOST_PROBES]):
        text = pl.Series([(run * _PROBE)[:_PROBE]])
        begin = time.process_time()
        text.str.replace_all(pattern, "")
        if time.process_time() - begin > _TOO_LONG:
            return True
    return False


def _key(parameters: Parameters) -> bytes | None:
    name = parameters.values.get("hash_key_file")
    if name is None:
        key = os.environ.get(HASH_KEY, "").encode()
        if not key:
            parameters.problem(
                "hash",
                f"needs a key, or anybody could find the values by trying: set ${HASH_KEY}, or give hash_key_file",
            )
        return key
    try:
        key = Path(parameters.text("hash_key_file")).expanduser().read_bytes().strip()
    except OSError as error:
        parameters.problem("hash_key_file", f"can't be read: {reason_of(error)}")
        return None
    if not key:
        parameters.problem("hash_key_file", f"{name!r} is empty")
    return key
