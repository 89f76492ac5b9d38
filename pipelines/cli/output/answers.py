"""What `rekindle search` shows: events, their number, their number over time, or their most frequent values."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pipelines.cli.common import Common
from pipelines.cli.output.rows import print_rows_json
from pipelines.cli.output.save import Saving, save_events, show_rows

if TYPE_CHECKING:
    import polars as pl

    from transforms.hot_tier.search.events import Search
    from transforms.hot_tier.search.request import SearchRequest
    from transforms.hot_tier.table.snapshot import Snapshot
    from transforms.query.syntax import Field


@dataclass(frozen=True)
class Limit:
    """How many rows to show at most, or None for all; unless it was given, a message reports that there are more."""

    rows: int | None
    is_given: bool

    @classmethod
    def of(cls, given: int | None, saving: Saving, common: Common, *, for_people: int) -> Limit:
        """Return the limit that was given, 0 for all, else that for people where the rows are not for a program."""
        if given is not None:
            return cls(given or None, is_given=True)
        is_for_programs = saving.parquet is not None or ((saving.as_csv or common.as_json) and not sys.stdout.isatty())
        return cls(None if is_for_programs else for_people, is_given=False)


def show_events(
    events: Snapshot, request: SearchRequest, limit: Limit, names: tuple[str, ...], saving: Saving, common: Common
) -> None:
    """Show or save the newest events."""
    found = _FirstEvents(limit)
    _show_events(events, request, found, names, saving, common)
    found.report_more()


def _show_events(
    events: Snapshot,
    request: SearchRequest,
    found: _FirstEvents,
    names: tuple[str, ...],
    saving: Saving,
    common: Common,
) -> None:
    from transforms.hot_tier.search.events import Search
    from transforms.hot_tier.search.rows import flat_rows, row_key

    search = Search.begin(events, request)
    frames = _interruptible(found.frames(search))
    if saving.as_csv or saving.parquet is not None:
        from transforms.hot_tier.search.export import event_tables

        save_events(saving, event_tables(frames, search.promoted, request.fields), quiet=common.quiet)
        return
    rows = (row for frame in frames for row in flat_rows(frame, request.fields))
    if common.as_json:
        print_rows_json(rows)
        return
    from pipelines.cli.output import charts

    if not (
        charts.print_fields(rows, names, [row_key(field) for field in request.fields])
        if names
        else charts.print_events(rows)
    ):
        _report_no_match(events, request, common)


def show_count(events: Snapshot, request: SearchRequest, saving: Saving, common: Common) -> None:
    """Show how many events there are."""
    from transforms.hot_tier.search.counts import count

    number = count(events, request)
    if not show_rows(saving, ["count"], [{"count": number}], as_json=common.as_json, quiet=common.quiet):
        sys.stdout.write(f"{number}\n")
    if not number and not common.quiet:
        _report_unknown(events, request)


def show_histogram(
    events: Snapshot, request: SearchRequest, span: timedelta | None, saving: Saving, common: Common
) -> None:
    """Show how many events are in each span of time."""
    from transforms.hot_tier.search.counts import histogram

    bars = histogram(events, request, span)
    columns = ("from", "to", "count")
    rows = [dict(zip(columns, asdict(bar).values(), strict=True)) for bar in bars]
    if not show_rows(saving, columns, rows, as_json=common.as_json, quiet=common.quiet):
        from pipelines.cli.output import charts

        if not bars:
            _report_no_match(events, request, common)
            return
        charts.print_histogram(bars)
        if span is None and not common.quiet:
            charts.print_bar_length(bars)


def show_top(
    events: Snapshot,
    request: SearchRequest,
    fields: Sequence[Field],
    names: Sequence[str],
    limit: Limit,
    saving: Saving,
    common: Common,
) -> None:
    """Show the most frequent values of a field, or of several together."""
    from transforms.hot_tier.search.top import top, top_together

    most = limit.rows if limit.rows is None or limit.is_given else limit.rows + 1
    if len(fields) == 1:
        found: list[tuple[tuple[str | None, ...], int]] = [
            ((value,), number) for value, number in top(events, request, fields[0], limit=most)
        ]
    else:
        found = top_together(events, request, fields, limit=most)
    shown = found[: limit.rows]
    columns = ("value",) if len(fields) == 1 else tuple(names)
    rows = [{**dict(zip(columns, values, strict=True)), "count": number} for values, number in shown]
    if not show_rows(saving, (*columns, "count"), rows, as_json=common.as_json, quiet=common.quiet):
        from pipelines.cli.output import charts

        charts.print_top(shown, names) if shown else _report_no_match(events, request, common, fields)
    if len(found) > len(shown):
        _report_more(f"the {len(shown):,} most frequent values")


class _FirstEvents:
    """The first events of a search; it reads one more than the limit where nobody has given that."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit.rows
        self._looks_on = not limit.is_given
        self._has_more = False
        self._order = "newest"

    def frames(self, search: Search) -> Iterator[pl.DataFrame]:
        if self._limit is None or not self._looks_on:
            yield from search.frames(limit=self._limit)
            return
        self._order = "oldest" if search.request.oldest_first else "newest"
        left = self._limit
        for frame in search.frames(limit=left + 1):
            self._has_more = frame.height > left
            if left:
                yield frame.head(left)
            left -= min(left, frame.height)

    def report_more(self) -> None:
        if self._has_more:
            _report_more(f"the {self._order} {self._limit:,} events")


def _interruptible(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Let Ctrl-C end a write that waits for its reader: the handler that Polars sets would let it continue."""
    for frame in frames:
        signal.siginterrupt(signal.SIGINT, True)  # noqa: FBT003 - it takes no name
        yield frame


def _report_more(what: str) -> None:
    """Report that not all is shown, also if quiet: nothing is cut in silence."""
    from pipelines.cli.output.console import print_message

    print_message(f"Showing {what}. Add --limit 0 to show all.")


def _report_no_match(events: Snapshot, request: SearchRequest, common: Common, counted: Sequence[Field] = ()) -> None:
    if not common.quiet:
        from pipelines.cli.output.console import print_message

        print_message("No event matches.")
        _report_unknown(events, request, counted)


def _report_unknown(events: Snapshot, request: SearchRequest, counted: Sequence[Field] = ()) -> None:
    """Report which attributes no event of the tier has, with the nearest names."""
    from transforms.hot_tier.search.selection import unknown_attributes
    from transforms.query.syntax import fields

    named = [*(() if request.expr is None else fields(request.expr)), *counted]
    for name, nearest in unknown_attributes(events, named).items():
        from pipelines.cli.output.console import print_message

        hint = f"; there {'is' if len(nearest) == 1 else 'are'} {', '.join(nearest)}" if nearest else ""
        print_message(f"No event of the tier has an attribute {name}{hint}.")
