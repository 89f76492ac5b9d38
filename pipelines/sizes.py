"""Numbers of bytes, as people write and read them (spec §13)."""

from __future__ import annotations

import re

from transforms.errors import ConfigurationError

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[KMGT]?(?:i?B)?)", re.IGNORECASE)


def parse_size(text: str | int) -> int:
    """Return a number of bytes from `1048576`, `64M`, `64MiB` or `1.5G` (powers of 1024).

    Raises:
        ConfigurationError: the text is no size.
    """
    match = _SIZE.fullmatch(str(text).strip())
    if not match:
        raise ConfigurationError(f"{text!r} is not a size: give bytes, or a number with K, M, G or KiB, MiB, GiB (64MiB)")
    unit = match["unit"].upper().rstrip("B").rstrip("I")
    return int(float(match["number"]) * 1024 ** ("KMGT".index(unit) + 1 if unit else 0))


def show_size(number: int) -> str:
    """Return a number of bytes as it is below 1 KiB, in KiB below 1 MiB, in MiB below 10 GiB, else in GiB."""
    if number < 1 << 10:
        return f"{number} byte{'s' * (number != 1)}"
    if number < 1 << 20:
        return f"{number / 2**10:,.1f} KiB"
    return f"{number / 2**20:,.1f} MiB" if number < 10 << 30 else f"{number / 2**30:,.1f} GiB"
