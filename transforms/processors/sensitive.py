"""The named patterns of `redact`. Each begins and ends at an ASCII word boundary, so that no part of a longer word is taken."""

from __future__ import annotations

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_HEX = r"[0-9A-Fa-f]{1,4}"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_B = r"(?-u:\b)"


def _ipv6() -> str:
    """Return the forms of RFC 4291 §2.2: all eight groups, `::` for some of them, the last two also as an IPv4 address."""
    tail = rf"(?:{_HEX}:{_HEX}|{_IPV4})"
    forms = [rf"(?:{_HEX}:){{6}}{tail}"]
    for before in range(7):
        lead = rf"(?:{_HEX}(?::{_HEX}){{0,{before - 1}}})" if before else ""
        after = 7 - before
        rest = rf"(?:(?:{_HEX}:){{0,{after - 1}}}{_IPV4}|{_HEX}(?::{_HEX}){{0,{after - 1}}})" if after > 1 else _HEX
        forms.append(rf"{lead}::{rest}" if lead else rf"::{rest}")
    forms.append(rf"{_HEX}(?::{_HEX}){{0,6}}::")
    return rf"(?:{'|'.join(forms)})"


NAMED = {
    # RFC 5322's common part: an atom with dots, and a name of the DNS with a dot
    "email": rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~.-]+@{_LABEL}(?:\.{_LABEL})+{_B}",
    "ipv4": rf"{_B}{_IPV4}{_B}",
    "ipv6": _ipv6(),
    # 13 to 19 digits (ISO/IEC 7812), in groups or not; those that pass Luhn's check
    "credit_card": rf"{_B}[0-9](?:[ -]?[0-9]){{12,18}}{_B}",
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    "aws_key": rf"{_B}(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z2-7]{{16}}{_B}",
    "jwt": rf"{_B}eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*",
    "mac": rf"{_B}[0-9A-Fa-f]{{2}}(?:[:-][0-9A-Fa-f]{{2}}){{5}}{_B}",
    "us_ssn": rf"{_B}[0-9]{{3}}-[0-9]{{2}}-[0-9]{{4}}{_B}",
    "uuid": rf"{_B}[0-9A-Fa-f]{{8}}-(?:[0-9A-Fa-f]{{4}}-){{3}}[0-9A-Fa-f]{{12}}{_B}",
}


def passes_luhn(text: str) -> bool:
    """Whether the digits of a text pass the check of card numbers (ISO/IEC 7812-1, annex B)."""
    digits = [int(character) for character in text if character.isdigit()]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2])
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0
