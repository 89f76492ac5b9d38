"""Numbers of bytes, as people write and read them."""

from __future__ import annotations

import re

from transforms.core.errors import ConfigurationError

_SIZE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[KMGT]?(?:i?B)?)", re.IGNORECASE)
_MOST = 1 << 60


def parse_size(text: str, flag: str) -> int:
    """Return a number of bytes from `1048576`, `64M`, `64MiB` or `1.5G` (powers of 1024).

    Args:
        text: The size.
        flag: What it was given for, such as `--wave-bytes`.

    Raises:
        ConfigurationError: the text is no size, or one that is less than a byte, or more than any store holds.
    """
    match = _SIZE.fullmatch(text.strip())
    unit = match["unit"].upper().rstrip("B").rstrip("I") if match else ""
    size = float(match["number"]) * 1024 ** ("KMGT".index(unit) + 1 if unit else 0) if match else 0
    if not 1 <= size < _MOST:
        raise ConfigurationError(
            f"{flag}: {text!r} is not a size: give bytes, at least one, or a number with K, M, G or KiB, MiB, GiB "
            "(64MiB)",
            field=flag.lstrip("-"),
        )
    return int(size)


def show_size(number: int) -> str:
    """Return a number of bytes as it is below 1 KiB, in KiB below 1 MiB, in MiB below 10 GiB, else in GiB."""
    if number < 1 << 10:
        return f"{number} byte{'s' * (number != 1)}"
    if number < 1 << 20:
        return f"{number / 2**10:,.1f} KiB"
    return f"{number / 2**20:,.1f} MiB" if number < 10 << 30 else f"{number / 2**30:,.1f} GiB"
