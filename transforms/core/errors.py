"""Every error the product raises on purpose: one root, one sentence a class.

A message says what failed, where (`s3://…`, byte, line or character), the value, and what is allowed or what to do
next. The class decides the exit code (spec §3.3): 2 for what the user wrote, 1 for the surroundings, 4 for want of
`--yes`, 130 for a cancel.
"""

from __future__ import annotations


class RekindleError(Exception):
    """The root: the surroundings failed, or the job did."""

    exit_code = 1


class ConfigurationError(RekindleError):
    """What the user wrote (specification, flags, files) is wrong; nothing was requested yet."""

    exit_code = 2

    def __init__(self, message: str, *, field: str | None = None) -> None:
        """Keep the message and the name of the field it is about, where there is one."""
        super().__init__(message)
        self.field = field


class QueryError(ConfigurationError):
    """A query can't be understood; the message shows the place."""

    def __init__(self, message: str, *, position: int) -> None:
        """Keep the message and the place in the query, counted in characters from 0."""
        super().__init__(message, field="query")
        self.position = position


class AccessError(RekindleError):
    """A bucket or object can't be listed or read as things stand."""


class TierError(RekindleError):
    """The hot tier can't be used: not ours, too new, not writable, or out of disk."""


class GoneError(TierError):
    """A file that was to be read is gone from the store: another command has taken it out of the table, or the reader
    for dead.
    """


class UnconfirmedError(RekindleError):
    """What was asked for is so much that it takes a `--yes`; nothing was done."""

    exit_code = 4


class CanceledError(RekindleError):
    """Somebody canceled the job."""

    exit_code = 130


class ObjectError(RekindleError):
    """One object can't be read, or not to its end; the job goes on without the rest of it."""

    status = "failed"


class VanishedError(ObjectError):
    """The object was there when it was listed and is gone, or another, now that it is read."""

    status = "vanished"


class ArchivedError(ObjectError):
    """The store refuses the object because it is archived."""

    status = "archived"


class DeniedError(ObjectError, AccessError):
    """This object may not be read; others perhaps may."""


class CorruptStreamError(ObjectError):
    """A compressed stream is cut off or damaged; what came before can be salvaged."""


class BombError(ObjectError):
    """A stream grows beyond the allowed expansion; never salvaged."""


class UnsupportedError(ObjectError):
    """A container or binary file that holds no records we read."""
