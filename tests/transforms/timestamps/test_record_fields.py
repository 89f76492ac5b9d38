"""Which field of a record holds its time, under its common name or that of its source (docs/formats.md)."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
import pytest

from transforms.timestamps import TimeFields
from transforms.timestamps.fields.known_fields import KNOWN

UTC = timezone.utc
MODIFIED = datetime(2025, 3, 1, 12, tzinfo=UTC)
RECEIVED = datetime(2025, 11, 21, 12, tzinfo=UTC)
TIME, SECONDS = "2025-03-09T02:10:40.123456", "1741486240"
Columns = dict[str, list[str | None]]


def times_of(columns: Columns, *, first_rows: Columns | None = None, **options: Any) -> list[str | None] | None:
    def arrays(values: Columns) -> dict[str, pa.Array]:
        return {name: pa.array(cells, pa.string_view()) for name, cells in values.items()}

    fields = TimeFields(timezone="UTC", modified=MODIFIED, received=RECEIVED, **options)
    found = fields.times(arrays(columns), None if first_rows is None else lambda: arrays(first_rows))
    return found and [time and time.replace(tzinfo=None).isoformat() for time in found.to_pylist()]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"requestReceivedTimestamp": [f"{TIME}Z"], "stageTimestamp": ["2025-03-10T00:00:00Z"]}, TIME),
        ({"eventType": ["x"], "published": [f"{TIME}Z"]}, TIME),
        ({"createdAt": [f"{TIME}Z"], "updatedAt": ["2025-03-10T00:00:00Z"]}, TIME),
        ({"t": ['{"$date":"2025-03-09T02:10:40.123456+00:00"}'], "s": ["I"]}, TIME),
        ({"__REALTIME_TIMESTAMP": ["1741486240123456"], "PRIORITY": ["6"]}, TIME),
        ({"_SOURCE_REALTIME_TIMESTAMP": ["1741486240123456"], "__REALTIME_TIMESTAMP": ["1741486250123456"]}, TIME),
        ({"instant": ['{"epochSecond":1741486240,"nanoOfSecond":123456789}']}, TIME),
        ({"instant": ['{"epochSecond":1741486240,"nanoOfSecond":5000}']}, "2025-03-09T02:10:40.000005"),
        ({"timeMillis": ["1741486240123"]}, "2025-03-09T02:10:40.123000"),
        ({"query_timestamp": [f"{TIME}Z"]}, TIME),
        ({"time_iso8601": ["2025-03-09T02:10:40+00:00"]}, "2025-03-09T02:10:40"),
        ({"start_time": [f"{TIME}Z"]}, TIME),
        ({"@t": [f"{TIME}7Z"], "@mt": ["x"]}, TIME),
        ({"CreationTime": ["2025-03-09T02:10:40"]}, "2025-03-09T02:10:40"),
        ({"timeUnixNano": ["1741486240123456789"]}, TIME),
        ({"timeUnixNano": ["0"], "observedTimeUnixNano": ["1741486240123456789"]}, TIME),
        ({"EdgeStartTimestamp": ["1741486240123456789"]}, TIME),
        ({"time_micros": ["1741486240123456"]}, TIME),
        ({"configurationItemCaptureTime": [f"{TIME}Z"]}, TIME),
        ({"event_timestamp": [SECONDS], "event": ['{"timestamp":"2025-03-09T02:10:40.123456+0000"}']}, TIME),
        ({"event_timestamp": [SECONDS], "event": ["x"]}, "2025-03-09T02:10:40"),
        ({"start": [SECONDS], "end": ["1741486300"]}, "2025-03-09T02:10:40"),
        # Names of every spelling; the common ones first
        ({"Event-Time": [f"{TIME}Z"], "published": ["2025-03-10T00:00:00Z"]}, TIME),
        ({"LoggedAt": [f"{TIME}Z"]}, TIME),
        ({"time": ["0"], "published": [f"{TIME}Z"]}, TIME),
        # The only one that is named for a time
        ({"bootTime": [f"{TIME}Z"], "uptime": ["5"]}, TIME),
        ({"bootTime": [f"{TIME}Z"], "endTime": [f"{TIME}Z"]}, None),
        ({"bootTime": [SECONDS]}, None),
        # A zone beside it
        ({"time": ["2025-03-09 04:10:40.123456"], "tz": ["+0200"]}, TIME),
        ({"time": ["2025-03-09 04:10:40.123456"], "timezone": ["Europe/Athens"]}, TIME),
        ({"time": ["2025-03-08 09:10:40.123456 PM"], "tz": ["EST"]}, TIME),
        ({"date": ["2025-03-09"], "time": ["04:10:40.123456"], "tz": ["UTC+2:00"]}, TIME),
        ({"time": [f"{TIME}Z"], "tz": ["+0200"]}, TIME),
        ({"time": [SECONDS], "tz": ["+0200"]}, "2025-03-09T02:10:40"),
        ({"time": [TIME], "timezone": ["Pacific Time (US & Canada)"]}, TIME),
        ({"time": [TIME], "tz": ["IST"]}, None),
    ],
    ids=lambda value: str(value)[:60],
)
def test_the_time_of_a_record(columns: Columns, expected: str | None) -> None:
    assert times_of(columns) == (expected and [expected])


def test_every_known_field_has_its_source() -> None:
    assert all(field.source.startswith("https://") for field in KNOWN)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("seen",), TIME),
        (("meta.when",), TIME),
        (("meta.deep.when",), TIME),
        (("a.b",), TIME),
        (("meta.none", "meta.seconds"), "2025-03-09T02:10:40"),
        (("none.at.all",), "2025-01-01T00:00:00"),
    ],
    ids=str,
)
def test_the_fields_that_are_asked_for(names: tuple[str, ...], expected: str) -> None:
    columns: Columns = {
        "time": ["2025-01-01T00:00:00Z"],
        "seen": [f"{TIME}Z"],
        "a.b": [f"{TIME}Z"],
        "meta": [f'{{"when":"{TIME}Z","seconds":{SECONDS},"deep":{{"when":"{TIME}Z"}}}}'],
    }
    assert times_of(columns, time_field=names) == [expected]


@pytest.mark.parametrize(
    ("columns", "options", "expected"),
    [
        ({"Datum": ["13.06.2024"], "Uhrzeit": ["10:00:05"]}, {"csv": True}, "2024-06-13T10:00:05"),
        ({"Day": ["06/13/2024"], "At": ["4:00 PM"], "n": ["1"]}, {"csv": True}, "2024-06-13T16:00:00"),
        ({"Datum": ["2024-06-13"], "Uhrzeit": ["10:00"], "tz": ["+0200"]}, {"csv": True}, "2024-06-13T08:00:00"),
        ({"Datum": ["2024-06-13 01:02:03"], "Dauer": ["10:00:05"]}, {"csv": True}, "2024-06-13T01:02:03"),
        ({"Datum": ["2024-06-13"], "name": ["x"], "Dauer": ["10:00:05"]}, {"csv": True}, "2024-06-13T00:00:00"),
        ({"Date": ["13.06.2024"], "Uhrzeit": ["10:00:05"]}, {"csv": True}, "2024-06-13T10:00:05"),
        ({"Datum": ["13.06.2024"], "Time": ["10:00:05"]}, {"csv": True}, "2024-06-13T10:00:05"),
        ({"n": ["1"], "date": ["2024-06-13 00:00:00"], "Heure": ["16:00"]}, {"csv": True}, "2024-06-13T16:00:00"),
        ({"timestamp": ["20240613"], "Clock": ["10:00:05"]}, {"csv": True}, "2024-06-13T00:00:00"),
        ({"Date": ["2024-06-13"], "Uhrzeit": ["-"]}, {"csv": True}, "2024-06-13T00:00:00"),
        ({"Date": ["2024-06-13"], "Call Duration": ["00:10:05"]}, {"csv": True}, "2024-06-13T00:00:00"),
        ({"Date": ["2024-06-13"], "Uhrzeit": ["10:00:05"], "Time": ["11:00"]}, {"csv": True}, "2024-06-13T11:00:00"),
        ({"date": ["2024-06-13"], "uhrzeit": ["10:00:05"]}, {}, "2024-06-13T00:00:00"),
        ({"time": ["1718272805"], "took": ["00:00:05"]}, {"csv": True}, "2024-06-13T10:00:05"),
        ({"d": ["13.06.2024"], "n": ["x"], "t": ["10:00:05"]}, {"time_field": ("d", "t")}, "2024-06-13T10:00:05"),
        ({"a": ['{"d":"2024-06-13","t":"10:05"}']}, {"time_field": ("a.d", "a.t")}, "2024-06-13T10:05:00"),
        ({"t": ["2024-06-13T10:05:00Z"], "event": ["x"]}, {"csv": True}, "2024-06-13T10:05:00"),
        ({"d": ["2024-06-13"], "t": ["-"]}, {"time_field": ("d", "t")}, "2024-06-13T00:00:00"),
        ({"d": [f"{TIME}Z"], "t": ["10:00:05"]}, {"time_field": ("d", "t")}, TIME),
    ],
    ids=lambda value: "" if isinstance(value, str) else str(value)[:60],
)
def test_a_day_and_the_time_of_day_beside_it(columns: Columns, options: dict[str, Any], expected: str) -> None:
    assert times_of(columns, **options) == [expected]


@pytest.mark.parametrize(
    ("sample", "options", "expected"),
    [
        (["11/03/2024", "20/10/2024"], {}, "2024-03-11T00:00:00"),
        (["11/03/2024"], {}, "2024-11-03T00:00:00"),
        (["20/10/2024", "10/20/2024"], {}, "2024-11-03T00:00:00"),
        (["11/03/2024"], {"day_first": True}, "2024-03-11T00:00:00"),
    ],
    ids=["shown", "not shown", "both", "asked for"],
)
def test_one_order_of_day_and_month_for_an_object(
    sample: list[str | None], options: dict[str, bool], expected: str
) -> None:
    assert times_of({"date": ["11/03/2024"]}, first_rows={"date": sample}, **options) == [expected]


def test_the_field_is_chosen_by_the_object_s_first_records() -> None:
    later: Columns = {"bootTime": [f"{TIME}Z"], "endTime": [f"{TIME}Z"]}
    assert times_of(later, first_rows={"bootTime": [f"{TIME}Z"], "endTime": ["never"]}) == [TIME]
    assert times_of(later, first_rows=later) is None
