"""The service's log on standard error, as text or as JSON lines. No token and no query ever stands in it."""

from __future__ import annotations

import logging
import re
import sys
from datetime import datetime, timezone

import orjson

from pipelines.console import Progress

LOG = logging.getLogger("rekindle")
_FIELDS = "fields"
_SECRET = re.compile(r"rk_[A-Za-z0-9_-]{20,}|//[^/@\s]*@|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""A token, the user part of an address, and what looks like a GUID token."""
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def set_up_logging(log_format: str) -> None:
    """Send the log to standard error; other libraries' only where something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
    logging.basicConfig(level=logging.ERROR, handlers=[handler], force=True)
    LOG.setLevel(logging.INFO)


def log(message: str, *, level: int = logging.INFO, **fields: object) -> None:
    """Log a message with fields, which stand behind it, or are members of the JSON object."""
    LOG.log(level, message, extra={_FIELDS: {name: value for name, value in fields.items() if value is not None}})


def redact(text: str) -> str:
    """Return a text that a client sent without what may be a token."""
    return _SECRET.sub("…", text)


class TextLines(logging.Formatter):
    """A line for each record; control characters are shown as escapes, so that none forges a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields = "".join(f" {name}={_shown(value)}" for name, value in _fields(record).items())
        error = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return f"{_time(record)} {record.levelname.lower()} {_escape(record.getMessage())}{fields}{error}"


class JsonLines(logging.Formatter):
    """A JSON object for each record."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        known = {"time": _time(record), "level": record.levelname.lower(), "message": record.getMessage()}
        if record.exc_info:
            known["error"] = self.formatException(record.exc_info)
        return orjson.dumps(_fields(record) | known, default=str).decode()


class LogConsole:
    """The console of a job or of maintenance: its messages go to the log."""

    def __init__(self, task_id: str | None) -> None:
        """Take the id of the job, None where it is none."""
        self._task_id = task_id

    def message(self, text: str) -> None:
        """Log a line."""
        log(text, taskId=self._task_id)

    def progress(self, done: Progress) -> None:
        """Log nothing: the job's folder has it."""


def _fields(record: logging.LogRecord) -> dict[str, object]:
    fields: dict[str, object] = getattr(record, _FIELDS, {})
    return fields


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")[:-6] + "Z"


def _shown(value: object) -> str:
    text = _escape(str(value))
    return f'"{text}"' if " " in text else text


def _escape(text: str) -> str:
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
