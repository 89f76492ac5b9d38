"""Several globs as one: a key is in if any of them matches it.

All are one regular expression, so that many cost about what one does; those without wildcards are a set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from transforms.objects.discovery.key_glob import MAX_PREFIXES, KeyGlob, topmost

Matches = npt.NDArray[np.bool_]


class KeyGlobs:
    """Compiled patterns.

    Attributes:
        prefixes: Literal prefixes that together every matching key begins with, none of them under another.
    """

    def __init__(self, patterns: Sequence[str], name: str = "pattern") -> None:
        """Compile patterns; `name` is what messages call them, with a number behind it where there are several.

        Raises:
            ConfigurationError: one is malformed; the message says which and points at the character.
        """
        globs = [
            KeyGlob(pattern, name if len(patterns) == 1 else f"{name}[{number}]")
            for number, pattern in enumerate(patterns)
        ]
        self.prefixes = join_prefixes(prefix for glob in globs for prefix in glob.prefixes)
        self._keys = [glob.literal for glob in globs if glob.literal is not None]
        self._regexes = _join([glob.regex for glob in globs if glob.literal is None])

    def matches(self, keys: pl.Series) -> Matches:
        """Return for each key whether a pattern matches it."""
        found: Matches = np.zeros(len(keys), dtype=np.bool_)
        if self._keys:
            found |= keys.is_in(self._keys).to_numpy()
        for regex in self._regexes:
            found |= keys.str.contains(regex).to_numpy()
        return found


def join_prefixes(prefixes: Iterable[str]) -> list[str]:
    """Return prefixes in order, less those under another; of more than 1,000 the deepest give way to their folders."""
    kept = topmost(prefixes)
    while len(kept) > MAX_PREFIXES:
        deepest = max(map(_depth, kept))
        kept = topmost(_folder(prefix) if _depth(prefix) == deepest else prefix for prefix in kept)
    return kept


def _depth(prefix: str) -> int:
    """Return how many folders a prefix lies under, one more where it goes on behind the last slash."""
    return 2 * prefix.count("/") + (not prefix.endswith("/"))


def _folder(prefix: str) -> str:
    head, slash, _ = prefix.removesuffix("/").rpartition("/")
    return head + slash


def _join(regexes: list[str]) -> list[str]:
    """Return as few regular expressions as the engine compiles, which together match what any of these does."""
    if len(regexes) < 2:
        return regexes
    joined = "|".join(regexes)
    try:
        pl.Series([""]).str.contains(joined)
    except pl.exceptions.ComputeError:  # the engine bounds the size of what it compiles
        half = len(regexes) // 2
        return _join(regexes[:half]) + _join(regexes[half:])
    return [joined]
