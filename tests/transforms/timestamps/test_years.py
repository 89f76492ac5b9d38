"""Which year stamps without one are in, by the order in which they stand in their object."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.core.record_years import NO_ORDER, RecordYears
from transforms.timestamps import detect_times, head_is_yearless
from transforms.timestamps.years import stretches as stretches_module
from transforms.timestamps.years.rollovers import years_by_order
from transforms.timestamps.years.stretches import MARKER_YEAR, Stretch, Stretches, join_ranges

RECEIVED = datetime(2026, 11, 30, tzinfo=timezone.utc)
JULY = datetime(2025, 7, 1, tzinfo=timezone.utc)
"""When an object was modified."""


def stretches_of(lines: list[str], *, zone: str = "UTC") -> list[Stretch]:
    times = detect_times(
        pl.Series(lines, dtype=pl.String), timezone=zone, modified=JULY, received=RECEIVED, year=MARKER_YEAR
    )
    stretches = Stretches()
    stretches.add(times, first=0, timezone=zone)
    return stretches.found


def years_of(
    lines: list[str], *, year: int | None = None, modified: datetime = JULY, zone: str = "UTC"
) -> list[int] | None:
    found = years_by_order(stretches_of(lines, zone=zone), year=year, latest=modified, timezone=zone)
    return None if found is None or found == NO_ORDER else found.of(0, len(lines)).tolist()


def at(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=timezone.utc)


JUNE_5 = [f"Jun  5 10:{number // 60:02}:{number % 60:02} a" for number in range(60)]


@pytest.mark.parametrize(
    ("lines", "options", "expected"),
    [
        pytest.param(["Dec 31 23:59:59 a", "Jan  1 00:00:01 b"], {}, [2024, 2025], id="new-year"),
        pytest.param(["Dec 31 23:59:59 a", "Jan  1 00:00:01 b"], {"year": 2023}, [2023, 2024], id="year-of-the-first"),
        pytest.param(["Nov 30 00:00:00 a", "Mar  2 00:00:00 b"], {}, [2024, 2025], id="months-without-events"),
        pytest.param(
            ["Jan 10 01:00:00 a", "Dec 31 01:00:00 b", "Jan  1 02:00:00 c", "Mar 3 00:00:00 d", "Feb 1 00:00:00 e"],
            {}, [2023, 2023, 2024, 2024, 2025], id="three-years",
        ),
        pytest.param(
            ["Dec 31 23:59:59 a", "Jan  1 00:00:01 b", "Dec 31 23:59:58 c", "Jan  1 00:00:02 d"],
            {}, [2024, 2025, 2024, 2025], id="out-of-order-over-new-year",
        ),
        pytest.param(
            ["Jan  1 00:00:01 b", "Dec 31 23:59:58 c", "Jan  1 00:00:02 d"],
            {"year": 2024}, [2024, 2023, 2024], id="out-of-order-at-the-beginning",
        ),
        pytest.param(["Feb  1 00:00:10 a", "Jan 31 23:59:59 b"], {}, [2025, 2025], id="month-goes-back-by-seconds"),
        pytest.param(["Feb  2 00:00:00 a", "Feb  1 00:00:00 b"], {}, [2025, 2025], id="a-day-back"),
        pytest.param(["Feb  2 00:00:00 a", "Feb  1 23:59:59 b", "Jan 31 23:59:59 c"], {}, [2025] * 3, id="days-back"),
        pytest.param(["Mar 20 00:00:00 a", "Mar 10 00:00:00 b"], {}, [2025, 2025], id="back-within-a-month"),
        pytest.param(["Mar 20 00:00:00 a", "Feb 11 00:00:00 b"], {}, [2024, 2025], id="a-month-goes-back"),
        pytest.param(["Mar  1 00:00:30 a", "Feb 28 23:59:59 b"], {}, [2025, 2025], id="back-over-the-end-of-february"),
        pytest.param(["Feb 11 20:44:26 a", "Feb 29 20:44:26 b"], {}, [2024, 2024], id="leap-day"),
        pytest.param(["Feb 29 20:44:26 a", "Jan 11 20:44:26 b"], {}, [2024, 2025], id="leap-day-before-new-year"),
        pytest.param(
            ["Feb 29 20:44:26 a", "Jan  1 00:00:00 b", "Feb 29 00:00:00"], {}, [2024, 2025, 2025], id="no-leap",
        ),
        pytest.param(["Feb 11 20:44:26 a", "Feb 29 20:44:26 b"], {"year": 2019}, [2019, 2019], id="leap-day-of-2019"),
        pytest.param(["Feb 29 23:00:00 a"], {"modified": at(2024, 2, 29, 22)}, [2024], id="modified-on-a-leap-day"),
        pytest.param(["Mar  1 23:00:01 a"], {"modified": at(2024, 2, 29, 23)}, [2023], id="modified-before-march"),
        pytest.param(["Dec 30 00:00:00 a"], {"modified": at(2026, 1, 2)}, [2025], id="modified-in-january"),
        pytest.param(["Jan  3 00:00:00 a"], {"modified": at(2026, 1, 2)}, [2026], id="a-day-after-it-was-modified"),
        pytest.param(["Jan  3 00:00:01 a"], {"modified": at(2026, 1, 2)}, [2025], id="more-than-a-day-after"),
        pytest.param(
            ["Dec 31 00:00:00 a", "Jan  1 00:00:00 b"], {"modified": at(2026, 10, 2)}, [2025, 2026], id="touched",
        ),
        pytest.param(
            ["Dec 31 00:00:00 a", "Jan  1 00:00:00 b"], {"modified": at(2025, 12, 30)}, [2024, 2025], id="cut",
        ),
        pytest.param(
            ["no time", "Dec 31 00:00:00 a", "\tat b", "Jan  1 00:00:00 b"], {}, [2024, 2024, 2024, 2025], id="others",
        ),
        pytest.param(
            ["Dec 31 00:00:00 a", "2001-01-01 00:00:00 full", "Jan  1 00:00:00 b"], {}, [2024, 2024, 2025],
            id="full-stamps",
        ),
        pytest.param(
            ["Dec 31 23:30:00 a", "Jan  1 00:10:00 b"], {"zone": "Pacific/Auckland"}, [2024, 2025],
            id="by-the-wall-clock",
        ),
        pytest.param(["Jul  2 23:00:00 a"], {"zone": "America/New_York"}, [2024], id="more-than-a-day-after-elsewhere"),
        pytest.param(
            [*JUNE_5[:50], "Jan  1 00:00:07 boot", "Jan  1 00:00:09 boot", *JUNE_5[:50]], {}, [2025] * 102, id="boots",
        ),
        pytest.param(
            [*JUNE_5[:50], "Nov  1 00:00:07 x", *JUNE_5[:50]], {}, [2025] * 50 + [2024] + [2025] * 50, id="ahead",
        ),
        pytest.param([*JUNE_5[:5], "Jan  1 00:00:07 x", *JUNE_5[:5]], {}, [2024] * 5 + [2025] * 6, id="few-stamps"),
        pytest.param(["I1231 23:59:59.1 a", "I0101 00:00:00.1 b"], {}, [2024, 2025], id="klog"),
        pytest.param(["12-31 23:59:59.1 a", "01-01 00:00:00.1 b"], {}, [2024, 2025], id="android"),
        pytest.param(["31 Dez 23:59:59 a", "1 Jan 00:00:00 b"], {}, [2024, 2025], id="day-month"),
        pytest.param(["[12.31 23:59:59 a", "[01.01 00:00:00 b"], {}, [2024, 2025], id="bracketed"),
        pytest.param(["Jun  1 00:00:00 a", "Apr  1 00:00:00 b", "Feb  1 00:00:00 c"] * 60, {}, None, id="no-order"),
        pytest.param(["2025-01-01 00:00:00 a", "no time"], {}, None, id="no-stamp-without-a-year"),
        pytest.param([], {}, None, id="nothing"),
    ],
)  # fmt: skip
def test_the_year_follows_from_the_order(lines: list[str], options: dict[str, object], expected: list[int]) -> None:
    assert years_of(lines, **options) == expected  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(
    gaps=st.lists(st.integers(1, 330 * 86_400), min_size=1, max_size=40), cuts=st.lists(st.integers(0, 40), max_size=4)
)
def test_a_log_in_order_has_its_own_years_wherever_it_is_cut(gaps: list[int], cuts: list[int]) -> None:
    times = [JULY - timedelta(seconds=sum(gaps[number:])) for number in range(len(gaps) + 1)]
    lines = [f"{time:%b %e %H:%M:%S} host app: event" for time in times]
    assert years_of(lines) == [time.year for time in times]
    places = sorted({0, *(cut for cut in cuts if cut < len(lines)), len(lines)})
    ranges = [(low, stretches_of(lines[low:high])) for low, high in zip(places, places[1:], strict=False)]
    assert join_ranges(ranges) == stretches_of(lines)


def test_too_many_stretches_are_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretches_module, "MOST", 3)
    monkeypatch.setattr("transforms.timestamps.years.rollovers.MOST", 3)
    lines = ["Jan  1 00:00:00 a", "Feb  1 00:00:00 b", "Mar  1 00:00:00 c", "Apr  1 00:00:00 d", "May  1 00:00:00 e"]
    assert len(stretches_of(lines)) == 4  # no more are kept
    assert years_by_order(stretches_of(lines), year=None, latest=JULY, timezone="UTC") == NO_ORDER
    assert years_of(lines[:3]) == [2025] * 3


@pytest.mark.parametrize(
    ("first", "rows", "expected"),
    [
        pytest.param(0, 12, [2020] * 5 + [2021] * 2 + [2022] * 5, id="all"),
        pytest.param(4, 2, [2020, 2021], id="at-a-change"),
        pytest.param(5, 1, [2021], id="one"),
        pytest.param(-2, 4, [2020] * 4, id="before-the-first"),
        pytest.param(100, 2, [2022, 2022], id="behind-the-last"),
        pytest.param(3, 0, [], id="none"),
    ],
)
def test_the_years_of_some_records(first: int, rows: int, expected: list[int]) -> None:
    years = RecordYears((2, 5, 7), (2020, 2021, 2022))
    assert years.of(first, rows).tolist() == expected
    assert years.counted_from(first).of(0, rows).tolist() == expected
    assert years.within(first, first + rows).of(first, rows).tolist() == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("Jan  5 10:00:00 host app: a", True, id="syslog"),
        pytest.param("<34>Oct 11 22:14:15 host su: a", True, id="priority"),
        pytest.param("\x1b[32mJan  5 10:00:00\x1b[0m a", True, id="colour"),
        pytest.param("10 März 10:00:00 a", True, id="day-month"),
        pytest.param("I0105 10:00:00.123 a", True, id="klog"),
        pytest.param("01-05 10:00:00.123 a", True, id="android"),
        pytest.param("[01.05 10:00:00 a", True, id="bracketed"),
        pytest.param("2025-01-05 10:00:00.123 a", False, id="iso"),
        pytest.param("Jan  5 2025 10:00:00 a", False, id="with-a-year"),
        pytest.param("Sun Jan  5 10:00:00 2025 a", False, id="asctime"),
        pytest.param('1.2.3.4 - - [11/Aug/2025:21:00:00 +0000] "GET / HTTP/1.1" 200 1', False, id="access"),
        pytest.param("no time", False, id="none"),
        pytest.param("", False, id="empty"),
    ],
)
def test_a_beginning_with_stamps_without_a_year(line: str, expected: bool) -> None:
    assert head_is_yearless(f"2025-01-01 00:00:00 first\n{line}\n".encode()) is expected
