"""How one file writes CSV, beyond what its options say; its first records show it (`first_records`)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Dialect:
    r"""What holds for all records of an object.

    Attributes:
        delimiter: What is between two cells.
        skipped: Physical lines before the first record, among them `sep=;`.
        trims: Whether blanks behind a delimiter belong to it.
        backslashes: Whether a quote within quotes is written `\"`, and a backslash `\\`.
        trailing: Whether each row has a delimiter at its end that the header lacks.
        flow_log: Whether its columns are AWS's of VPC flow logs: `-` is absent, and `start` is the time.
    """

    delimiter: str = ","
    skipped: int = 0
    trims: bool = False
    backslashes: bool = False
    trailing: bool = False
    flow_log: bool = False
