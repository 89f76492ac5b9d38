"""What is written into `_error`: a code, a colon and an explanation (README.md, "Records that can't be read")."""

from __future__ import annotations

import numpy as np

from transforms.formats.lines import Lines

INVALID_TEXT = "invalid_text: bytes that are no UTF-8 were replaced by U+FFFD"
UNCLOSED_QUOTE = "unclosed_quote: a cell opens with a quote that no other closes"
EVENT_REQUIRED = "event_field_required: the object has no event"
EVENT_BLANK = "event_field_blank: the event is empty"
FIELDS_NO_OBJECT = "invalid_fields: fields is no object"
FIELDS_NESTED = "invalid_fields: fields holds an object, or a list of lists or objects"
LONE_SURROGATE = "invalid_text: a lone surrogate was replaced by U+FFFD"


def record_too_long(max_record: int) -> str:
    """Return the error of a record that was cut."""
    return f"record_too_long: more than {max_record} bytes, cut there"


def is_unreadable(error: str) -> bool:
    """Whether an error leaves a record of JSON without any fields."""
    return error.startswith(("invalid_json", "not_an_object", "record_too_long"))


def invalid_time(field: str) -> str:
    """Return the error of a record whose time can't be read."""
    return f"invalid_time: {field} holds no time that can be read and believed"


def line_errors(lines: Lines, *, max_record: int, bad_text: bool) -> dict[int, str]:
    """Return the errors of lines as such, by row.

    Args:
        lines: The lines.
        max_record: The limit that long ones were cut at.
        bad_text: Whether replaced bytes are an error; in plain text they are not.
    """
    errors: dict[int, str] = {}
    if bad_text and lines.bad is not None:
        errors.update(dict.fromkeys(np.flatnonzero(lines.bad).tolist(), INVALID_TEXT))
    if lines.long is not None:
        errors.update(dict.fromkeys(np.flatnonzero(lines.long).tolist(), record_too_long(max_record)))
    return errors
