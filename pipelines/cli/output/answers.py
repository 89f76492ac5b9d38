"""What `rekindle search` answers: events, how many there are, how many over time, the values that most of them have."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from pipelines.cli.common import Common
from pipelines.cli.output import rows as cli_rows
from pipelines.cli.output import save as events
from pipelines.cli.output.save import Saving
from transforms.core.errors import ConfigurationError

if TYPE_CHECKING:
    import polars as pl

    from transforms.hot_tier.search.events import Search
    from transforms.hot_tier.search.request import SearchRequest
    from transforms.query.syntax import Field
    from transforms.storage import TierStore


@dataclass(frozen=True)
class Most:
    """How many events are shown at most; None is all. Where nobody has said so, it is told that there are more."""

    limit: int | None
    is_given: bool


def show_events(
    tier: TierStore, wanted: SearchRequest, most: Most, names: tuple[str, ...], saving: Saving, common: Common
) -> None:
    """Show or save the newest events."""
    found = _Newest(most, quiet=common.quiet)
    _show_events(tier, wanted, found, names, saving, common)
    found.say_more()


def _show_events(
    tier: TierStore, wanted: SearchRequest, found: _Newest, names: tuple[str, ...], saving: Saving, common: Common
) -> None:
    from transforms.hot_tier.search.events import Search
    from transforms.hot_tier.search.rows import flat_rows, row_key

    search = Search.begin(tier, wanted)
    frames = _interruptible(found.of(search))
    if saving.as_csv or saving.parquet is not None:
        from transforms.hot_tier.search.export import event_tables

        events.save_events(saving, event_tables(frames, search.promoted, wanted.fields), quiet=common.quiet)
        return
    rows = (row for frame in frames for row in flat_rows(frame, wanted.fields))
    if common.as_json:
        cli_rows.print_rows_json(rows)
        return
    from pipelines.cli.output import charts as drawing

    if not (
        drawing.print_fields(rows, names, [row_key(field) for field in wanted.fields])
        if names
        else drawing.print_events(rows)
    ):
        _say_nothing(common)


def show_count(tier: TierStore, wanted: SearchRequest, saving: Saving, common: Common) -> None:
    """Show how many events there are."""
    from transforms.hot_tier.search.counts import count

    number = count(tier, wanted)
    if not events.show_rows(saving, ["count"], [{"count": number}], as_json=common.as_json, quiet=common.quiet):
        sys.stdout.write(f"{number}\n")


def show_histogram(
    tier: TierStore, wanted: SearchRequest, span: timedelta | None, saving: Saving, common: Common
) -> None:
    """Show how many events there are in each span of time."""
    from transforms.hot_tier.search.counts import histogram

    try:
        bars = histogram(tier, wanted, span)
    except OverflowError as error:  # spans are counted from 1970 on, in both directions
        raise ConfigurationError(
            f"--histogram: spans of {span} reach beyond the years 1 to 9999", field="histogram"
        ) from error
    columns = ("from", "to", "count")
    rows = [dict(zip(columns, asdict(bar).values(), strict=True)) for bar in bars]
    if not events.show_rows(saving, columns, rows, as_json=common.as_json, quiet=common.quiet):
        from pipelines.cli.output import charts as drawing

        drawing.print_histogram(bars) if bars else _say_nothing(common)


def show_top(
    tier: TierStore, wanted: SearchRequest, field: Field, limit: int | None, saving: Saving, common: Common
) -> None:
    """Show the values that most events have."""
    from transforms.hot_tier.search.top import top

    pairs = top(tier, wanted, field, limit=limit)
    rows = [{"value": value, "count": number} for value, number in pairs]
    if not events.show_rows(saving, ("value", "count"), rows, as_json=common.as_json, quiet=common.quiet):
        from pipelines.cli.output import charts as drawing

        drawing.print_top(pairs) if pairs else _say_nothing(common)


class _Newest:
    """The newest events of a search; one more is looked for where nobody has given the limit."""

    def __init__(self, most: Most, *, quiet: bool) -> None:
        self._limit = most.limit
        self._looks_on = not (most.is_given or quiet)
        self._has_more = False

    def of(self, search: Search) -> Iterator[pl.DataFrame]:
        if self._limit is None or not self._looks_on:
            yield from search.frames(limit=self._limit)
            return
        left = self._limit
        for frame in search.frames(limit=left + 1):
            self._has_more = frame.height > left
            if left:
                yield frame.head(left)
            left -= min(left, frame.height)

    def say_more(self) -> None:
        if self._has_more:
            from pipelines.cli.output.console import print_message

            print_message(f"These are the newest {self._limit:,}; there are more: --limit 0 gives all.")


def _interruptible(frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Let Ctrl-C end a write that waits for its reader: the handler that Polars sets, once it reads, lets the write go
    on.
    """
    for frame in frames:
        signal.siginterrupt(signal.SIGINT, True)  # noqa: FBT003 - it takes no name
        yield frame


def _say_nothing(common: Common) -> None:
    if not common.quiet:
        from pipelines.cli.output.console import print_message

        print_message("No event matches.")
