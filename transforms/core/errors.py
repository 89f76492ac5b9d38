"""Every error the product raises on purpose: one root, one sentence a class.

A message says what failed, where (`s3://…`, byte, line or character), the value, and what is allowed or what to do
next. The class decides the exit code: 2 for what the user wrote, 1 for the environment, 4 for want of
`--yes`, 130 for a cancel.
"""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(r"(?<=://)[^/?#\s'\"]*:[^/?#\s'\"]*(?=@)")


def hide_credentials(text: str) -> str:
    """Return a text in which the user and password of each URL (`https://user:password@host`) are `***`."""
    return _CREDENTIALS.sub("***", text)


def reason_of(error: OSError | UnicodeDecodeError) -> str:
    """Return why a file can't be read, without its path and the number of the error."""
    return (error.strerror or str(error)) if isinstance(error, OSError) else f"it is not UTF-8 ({error})"


class RekindleError(Exception):
    """The root: the environment failed, or the job did. No message shows what a URL has of credentials."""

    exit_code = 1

    def __init__(self, message: str = "") -> None:
        """Keep the message."""
        super().__init__(hide_credentials(message))


class ConfigurationError(RekindleError):
    """What the user wrote (specification, flags, files) is wrong; no store was asked yet."""

    exit_code = 2

    def __init__(self, message: str, *, field: str | None = None) -> None:
        """Keep the message and the name of the field it is about, where there is one."""
        super().__init__(message)
        self.field = field


class QueryError(ConfigurationError):
    """A query can't be parsed; the message shows where."""

    def __init__(self, message: str, *, position: int) -> None:
        """Keep the message and the position in the query, counted in characters from 0."""
        super().__init__(message, field="query")
        self.position = position


class AccessError(RekindleError):
    """A bucket or object can't be listed or read as things stand."""


class TierError(RekindleError):
    """The hot tier can't be used: another product's, too new, not writable, or out of disk."""


class DamagedFileError(TierError):
    """A document of the tier is not what was written: another program or a failing disk has changed it."""


class GoneError(TierError):
    """A file that was to be read has been removed from the tier by another command."""


class ConflictError(RekindleError):
    """Another has changed what was to be changed; nothing was done."""


class UnconfirmedError(RekindleError):
    """The command would do so much that it needs `--yes`; nothing was done."""

    exit_code = 4


class TimeLimitError(RekindleError):
    """A query took longer than it may."""


class ResourceLimitError(RekindleError):
    """A statement needs more memory, or more of the disk, than it may take."""


class BusyError(RekindleError):
    """As many queries run and wait as may."""


class CanceledError(RekindleError):
    """Somebody canceled the job or query."""

    exit_code = 130


class ObjectError(RekindleError):
    """One object can't be read, or not to its end; the job goes on without the rest of it."""

    status = "failed"


class VanishedError(ObjectError):
    """The object was removed or replaced between listing and reading."""

    status = "vanished"


class ArchivedError(ObjectError):
    """The store refuses the object because it is archived."""

    status = "archived"


class DeniedError(ObjectError, AccessError):
    """The store denies access to this object, perhaps not to others."""


class CorruptStreamError(ObjectError):
    """A compressed stream is truncated or damaged; the records before that can be salvaged."""


class BombError(ObjectError):
    """A stream expands beyond the allowed ratio; nothing of it is salvaged."""


class UnsupportedError(ObjectError):
    """The object is a container or binary file, which holds no records that can be read."""
