"""What holds for all events of a call: its key's attributes, and those of its query."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation

import orjson
from starlette.requests import Request

from pipelines.keys import Key
from service.hec.answers import Code, HecError
from service.hec.entries import Kind, RequestContext
from service.hec.envelopes import check_fields, check_index
from transforms.core.names import attribute_column

_METADATA = ("host", "source", "sourcetype", "index")
_LATEST = Decimal(253_402_300_799)
"""The last second of the year 9999."""


def context_of(request: Request, key: Key, kind: Kind) -> RequestContext:
    """Return the context of a call.

    Raises:
        HecError: something in its query is wrong.
    """
    query = request.query_params
    defaults = dict(key.s3_pull.defaults) if key.s3_pull is not None else {}
    if fields := query.get("fields"):
        defaults |= _attributes(fields)
    if "index" in query:
        check_index(query["index"])
    defaults |= {name: query[name] for name in _METADATA if query.get(name)}
    time = query.get("time")
    return RequestContext(
        kind=kind, columns=key.columns, defaults=defaults, time=None if not time else _microseconds(time)
    )


def _attributes(text: str) -> dict[str, str]:
    """Return the attributes of a query's `fields`, a JSON object; none stands for a system column."""
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise HecError(Code.INVALID_FIELDS) from None
    check_fields(fields)
    return {
        attribute_column(name): value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in fields.items()
        if value is not None
    }


def _microseconds(text: str) -> int:
    """Return a time of a query, seconds since 1970 or ISO 8601, in microseconds."""
    try:
        seconds = Decimal(text)
    except InvalidOperation:
        try:
            time = datetime.fromisoformat(text.replace("Z", "+00:00"))
            aware = time if time.tzinfo else time.replace(tzinfo=timezone.utc)
            return round(aware.astimezone(timezone.utc).timestamp() * 1_000_000)
        except (ValueError, OverflowError):  # in UTC it can lie before the year 1 or behind 9999
            raise HecError(Code.INVALID_DATA) from None
    if not seconds.is_finite() or not 0 <= seconds <= _LATEST:
        raise HecError(Code.INVALID_DATA)
    return int(seconds * 1_000_000)
