"""The named patterns of `redact`: each begins and ends at an ASCII word boundary.

So no part of a longer word is taken.

Where a pattern is not enough, it matches text that may hold a secret, and a finder returns where the secrets are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from ipaddress import AddressValueError, IPv6Address
from itertools import accumulate

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_HEX = r"[0-9A-Fa-f]{1,4}"
_ATOM = r"[\p{L}\p{M}\p{N}_.%+-]+"
_QUOTED = r'"(?:[^"\\]|\\.){1,64}"'
_LABEL = r"[\p{L}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?"
_B, _NO_WORD = r"(?-u:\b)", r"(?-u:\B)"  # before or after a colon, \B means that no word is beside it


def _ipv6() -> str:
    """Return the forms of RFC 4291 §2.2: all eight groups, `::` for some of them, the last two also as an IPv4 address.

    More than eight groups (fingerprints) match whole, so that no eight of them are taken for an address.
    """
    forms = [rf"{_B}(?:{_HEX}:){{6}}{_IPV4}{_B}", rf"{_B}(?:{_HEX}:){{7,}}{_HEX}{_B}"]
    for before in range(7):
        lead = rf"{_B}{_HEX}(?::{_HEX}){{0,{before - 1}}}" if before else _NO_WORD
        after = 7 - before
        rest = rf"(?:(?:{_HEX}:){{0,{after - 1}}}{_IPV4}|{_HEX}(?::{_HEX}){{0,{after - 1}}})" if after > 1 else _HEX
        forms.append(rf"{lead}::{rest}{_B}")
    forms.append(rf"{_B}{_HEX}(?::{_HEX}){{0,6}}::{_NO_WORD}")
    return rf"(?:{'|'.join(forms)})"


NAMED = {
    # RFC 5321 §4.1.2 and RFC 6531 §3.3: an atom with dots, or a quoted text; a name of the DNS with a dot, or an
    # address in brackets
    "email": rf"(?:{_ATOM}|{_QUOTED})@(?:{_LABEL}(?:\.{_LABEL})+|\[[0-9A-Za-z:.]+\])",
    "ipv4": rf"{_B}{_IPV4}{_B}",
    "ipv6": _ipv6(),
    # A run of numbers with at least 13 digits, in which `cards` looks for them
    "credit_card": rf"{_B}[0-9](?:[ -]?[0-9]){{12,}}{_B}",
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    "aws_key": rf"{_B}(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{{16}}{_B}",
    "jwt": rf"{_B}eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",
    "mac": rf"{_B}[0-9A-Fa-f]{{2}}(?:[:-][0-9A-Fa-f]{{2}}){{5}}{_B}",
    "us_ssn": rf"{_B}[0-9]{{3}}-[0-9]{{2}}-[0-9]{{4}}{_B}",
    "uuid": rf"{_B}[0-9A-Fa-f]{{8}}-(?:[0-9A-Fa-f]{{4}}-){{3}}[0-9A-Fa-f]{{12}}{_B}",
}


_LENGTHS = range(13, 20)
_CARD_GROUPS: dict[int, tuple[tuple[int, ...], ...]] = {
    4: (
        (4, 4, 4, 4),
        (4, 4, 4, 4, 3),
        (4, 6, 5),
        (4, 6, 4),
        (4, 3, 3, 3),
        (4, 4, 5),
        (4, 4, 8),
        (4, 4, 4, 1),
        (4, 4, 4, 2),
        (4, 4, 4, 3),
    ),
    6: ((6, 13),),
    8: ((8, 8),),
    **{length: ((length,),) for length in _LENGTHS},
}
"""Digits of the first group -> in which groups issuers print numbers, and people type them."""
_EPOCH = re.compile(r"1[5-9][0-9]{11}(?:[0-9]{3}){0,2}")  # milli-, micro-, nanoseconds from 2017 to 2033
_DOUBLED = str.maketrans("0123456789", "0246813579")


def cards(text: str) -> Iterator[tuple[int, int]]:
    """Yield where card numbers are in digits with single blanks or hyphens, ascending, without overlap.

    A card's number (ISO/IEC 7812-1) has 13 to 19 digits that pass Luhn's check, the first no zero: one number of the
    run, or some that follow one another in the groups that issuers use. Digits beside it are others' (a date, an
    amount, a check value).
    """
    numbers = re.split("[ -]", text)
    lengths = tuple(map(len, numbers))
    starts = list(accumulate((length + 1 for length in lengths), initial=0))
    begin = end = 0
    for at, length in enumerate(lengths):
        fits = [len(groups) for groups in _CARD_GROUPS.get(length, ()) if lengths[at : at + len(groups)] == groups]
        ends = [
            starts[at + count] - 1 for count in fits if _is_card("".join(numbers[at : at + count]), alone=count == 1)
        ]
        if not ends:
            continue
        if starts[at] >= end:
            if end:
                yield begin, end
            begin = starts[at]
        end = max(end, *ends)
    if end:
        yield begin, end


def _is_card(number: str, *, alone: bool) -> bool:
    return number[0] != "0" and not (alone and _EPOCH.fullmatch(number)) and passes_luhn(number)


def passes_luhn(digits: str) -> bool:
    """Whether digits pass the check of card numbers (ISO/IEC 7812-1, annex B)."""
    return (sum(map(int, digits[-1::-2])) + sum(map(int, digits[-2::-2].translate(_DOUBLED)))) % 10 == 0


def addresses(text: str) -> Iterator[tuple[int, int]]:
    """Yield the whole text if it is an IPv6 address."""
    try:
        IPv6Address(text)
    except AddressValueError:
        return
    yield 0, len(text)


FINDERS: dict[str, Callable[[str], Iterator[tuple[int, int]]]] = {"credit_card": cards, "ipv6": addresses}
"""Name of a pattern -> where in a match the secrets are; the other patterns' matches are secrets whole."""


_CLOSE = {
    "phone",
    "phonenumber",
    "ssn",
    "ip",
    "ipaddress",
    "card",
    "cardnumber",
    "creditcardnumber",
    "token",
    "mail",
    "macaddress",
}


def misspelt(pattern: str) -> str | None:
    """Return why a word is no named pattern though it resembles one, by case, separators or a common synonym."""
    if not re.fullmatch("[A-Za-z0-9_-]+", pattern):
        return None
    plain = re.sub("[_-]", "", pattern).lower()
    for name in NAMED:
        if plain in (name.replace("_", ""), name.replace("_", "") + "s"):
            return f"is the named pattern {name} written otherwise; write {name}"
    if plain in _CLOSE or (pattern.islower() and "_" in pattern):
        return f"is none of the named patterns, {', '.join(NAMED)}"
    return None
