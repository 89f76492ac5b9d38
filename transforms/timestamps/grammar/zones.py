"""The zones that a time is written with: offsets, abbreviations, regions."""

from __future__ import annotations

# The names of RFC 822 §5.1, and those that the tz database's zones of today use for one offset; minutes east of UTC.
# CST, EST and PST are America's, as RFC 822 has them.
ZONE_NAMES = {
    "UTC": 0, "GMT": 0, "UT": 0, "Z": 0, "z": 0, "utc": 0, "gmt": 0, "EST": -300, "EDT": -240, "CST": -360,
    "CDT": -300, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420, "CET": 60, "CEST": 120, "MEZ": 60, "MESZ": 120,
    "MET": 60, "MEST": 120, "WET": 0, "WEST": 60, "EET": 120, "EEST": 180, "BST": 60, "MSK": 180, "SAST": 120,
    "PKT": 300, "HKT": 480, "SGT": 480, "JST": 540, "KST": 540, "AWST": 480, "ACST": 570, "ACDT": 630, "AEST": 600,
    "AEDT": 660, "NZST": 720, "NZDT": 780, "AKST": -540, "AKDT": -480, "HST": -600,
    "HDT": -540,
}  # fmt: skip
UNREAD_ZONES = (
    "IST", "IDT", "AST", "ADT", "NST", "NDT", "EAT", "WAT", "WAST", "SST", "CHST", "ChST", "BRT", "BRST", "CLT", "CLST",
    "PYT", "UYT", "GST", "IRST", "IRDT", "AFT", "NPT", "BDT", "ICT", "WIB", "WITA", "WIT", "PHT", "PHST", "MYT", "ULAT",
    "UZT", "YEKT", "OMST", "NOVT", "KRAT", "IRKT", "YAKT", "VLAT", "MAGT", "PETT", "SAMT", "MSD", "TRT", "CHADT",
    "CHAST",
)  # fmt: skip
"""Abbreviations that are zones, but have several meanings (IST is India's, Israel's, Ireland's) or none that the tz
database still has: a time with one of them is not read, rather than hours off."""

MINUS = "\u2212"  # the minus sign of ISO 8601 where the character set has it
_OFFSET = "[+-](?:[01][0-9]|2[0-3])"
ANY_NAME = "|".join(sorted((name for name in ZONE_NAMES), key=lambda name: (-len(name), name)))
_UTC = r"(?: ?(?:UTC|GMT|UT|utc|gmt) ?| ?)"
_AREA = "Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific"
REGION = rf"(?:{_AREA})(?:/[A-Z][A-Za-z_-]+){{1,2}}"

# Offsets before names, so that `UTC+2:00` is not UTC.
SOME_ZONE = (
    rf"(?:{_UTC}(?P<zone>{_OFFSET}:?[0-5][0-9]\b)|{_UTC}(?P<short_zone>{_OFFSET}\b)"
    rf"|{_UTC}(?P<loose_zone>[+-][0-9](?::[0-5][0-9])?\b|{MINUS}(?:[01]?[0-9]|2[0-3])(?::?[0-5][0-9])?\b)"
    rf"| ?(?P<zone_name>(?:{ANY_NAME})\b)| ?[\[(](?P<bracketed_zone>(?:{ANY_NAME})\b)[\])]?"
    rf"|(?: | ?\[)(?P<region>{REGION}|Etc/UTC)\]?)"
)
"""A zone behind a time. Those that are common are read by their place; `loose_zone` and `bracketed_zone` are not."""
COMMENT = r"(?: ?\[[A-Za-z_/+-]+\]| ?\([^()\[\]0-9]{2,60}\))?"
"""What Java and JavaScript write behind an offset: the region, or the zone's long name."""
GROUPS = ("zone", "short_zone", "loose_zone", "zone_name", "bracketed_zone")

UNREAD = (
    rf"(?:,[0-9]{{3}}(?:[0-9]{{3}}){{0,2}}(?:[Zz]|UTC|GMT)[0-9A-Za-z_]+"
    rf"| ?[+{MINUS}-][0-9]{{1,2}}:[0-9]{{2}}[0-9A-Za-z_:]*| [+-][0-9]{{4}}(?:\b|[A-Za-z_]+)"
    rf"|[+{MINUS}-][0-9][0-9A-Za-z_:]*|[0-9A-Za-z_]+| ?[\[(]?(?:{'|'.join(UNREAD_ZONES)})\b| ?[AaPp]\.? ?[Mm]\b)"
)
"""What looks like a zone, or a half of a day, but is none that is read: behind a stamp it makes the stamp none."""
