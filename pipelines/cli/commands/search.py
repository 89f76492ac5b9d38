"""`rekindle search`."""

from __future__ import annotations

import gc
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import click

from pipelines.cli.common import Common, common_flags, read_flag, split_lists
from pipelines.cli.flags import Command, OneOf, option
from pipelines.cli.output import answers
from pipelines.cli.output.save import Saving, saving_flags
from transforms.core.errors import ConfigurationError

_LIMIT = 100
_LIKE_SPAN = re.compile(r"[-+]?[\d.,]+[^\W\d_]+")
EXAMPLES = (
    "rekindle search 'status=404 login' --last 7d",
    "rekindle search 'host=web-1 \"connection reset\"' --from 2025-08-11 --to 2025-08-12 --json",
    "rekindle search status=500 --histogram 1h",
    "rekindle search --top host,status --limit 10",
)


class _SearchCommand(Command):
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; `--histogram` may have a value."""
        return super().parse_args(ctx, _split_histogram(args))


@click.command(cls=_SearchCommand, examples=EXAMPLES)
@click.argument(
    "query", nargs=-1, help='Conditions such as status=404, terms and "quoted phrases"; empty for all events.'
)
@option("--last", metavar="DURATION", help="Find only events of the last DURATION, such as 90m, 12h or 7d.")
@option("--from", "start", metavar="TIME", help="Find only events at or after TIME (ISO 8601, UTC by default).")
@option("--to", "end", metavar="TIME", help="Find only events before TIME (ISO 8601, UTC by default).")
@option(
    "--limit",
    type=click.IntRange(min=0),
    metavar="N",
    show_default=f"{_LIMIT} for people, none for --csv, --parquet and for --json into a file or pipe",
    help="Show at most N events or values; 0 shows all.",
)
@option("--fields", multiple=True, metavar="NAMES", help="Show only these columns and attributes, separated by commas.")
@option("--count", is_flag=True, help="Show how many events match.")
@option(
    "--histogram",
    is_flag=True,
    help="Show how many events match in each span of time; the length of the spans may follow, such as 1h.",
)
@option("--oldest-first", is_flag=True, help="Show the oldest events, oldest first.")
@option(
    "--top",
    multiple=True,
    metavar="NAMES",
    help="Show the most frequent values of an attribute, or of several together, separated by commas.",
)
@option(
    "--tier",
    "tier_name",
    type=OneOf(["hot", "cold", "all"]),
    default="all",
    help="Find events of the hot tier, of the cold tier, or of both.",
)
@saving_flags
@common_flags
def search(
    query: tuple[str, ...],
    last: str | None,
    start: str | None,
    end: str | None,
    limit: int | None,
    fields: tuple[str, ...],
    count: bool,
    histogram: bool,
    top: tuple[str, ...],
    oldest_first: bool,
    tier_name: str,
    saving: Saving,
    common: Common,
) -> int:
    """Find events, newest first unless --oldest-first."""
    gc.disable()  # importing Polars and deltalake takes 0.05 s less without it
    from transforms.hot_tier.search.request import SearchRequest
    from transforms.hot_tier.search.rows import row_field
    from transforms.hot_tier.table.live_files import load_events
    from transforms.query import parse

    gc.enable()
    names = split_lists(fields)
    counted = split_lists(top)
    _check_flags(count=count, histogram=histogram, top=bool(top), fields=names, limit=limit)
    if oldest_first and (count or histogram or top):
        raise ConfigurationError("--oldest-first is for events: it goes without --count, --histogram and --top")
    saving.check(as_json=common.as_json)
    terms, span = _take_span(query, histogram=histogram)
    text = " ".join(terms).strip()
    request = SearchRequest(
        parse(text) if text else None,
        *_time_range(last, start, end),
        fields=tuple(row_field(name) for name in names),
        tier_name=None if tier_name == "all" else tier_name,
        oldest_first=oldest_first,
    )
    most = answers.Limit.of(limit, saving, common, for_people=_LIMIT)
    ranked = [row_field(name) for name in counted]
    events = load_events(common.open_events())
    if count:
        answers.show_count(events, request, saving, common)
    elif histogram:
        answers.show_histogram(events, request, span, saving, common)
    elif ranked:
        answers.show_top(events, request, ranked, counted, most, saving, common)
    else:
        answers.show_events(events, request, most, names, saving, common)
    return 0


def _split_histogram(argv: list[str]) -> list[str]:
    """Return the arguments with `--histogram=1h` as two: click has no option whose value may be left out.

    Raises:
        ConfigurationError: the value is not a length of time, or what follows looks like one and is not.
    """
    from transforms.query.instants import parse_span

    found: list[str] = []
    for word in argv:
        flag, is_joined, span = word.partition("=")
        if flag == "--histogram" and is_joined:
            read_flag("histogram", span, parse_span)
            found += [flag, span]
            continue
        if found[-1:] == ["--histogram"] and _LIKE_SPAN.fullmatch(word):
            read_flag("histogram", word, parse_span)
        found.append(word)
    return found


def _check_flags(*, count: bool, histogram: bool, top: bool, fields: tuple[str, ...], limit: int | None) -> None:
    """Refuse flags that do not go together."""
    asked = [flag for flag, given in (("--count", count), ("--histogram", histogram), ("--top", top)) if given]
    if len(asked) > 1:
        raise ConfigurationError(f"{' and '.join(asked)}: only one of them at a time")
    if asked and fields:
        raise ConfigurationError(f"--fields is for events: it goes without {asked[0]}", field="fields")
    if (count or histogram) and limit is not None:
        raise ConfigurationError(f"--limit is for events and --top: {asked[0]} counts all", field="limit")


def _take_span(terms: Sequence[str], *, histogram: bool) -> tuple[list[str], timedelta | None]:
    """Return the query's terms, and the span among them: to click what follows `--histogram` is a term."""
    from transforms.query.instants import is_span, parse_span

    lengths = [term for term in terms if histogram and is_span(term)]
    if len(lengths) > 1:
        raise ConfigurationError(f"--histogram takes one span, found {' and '.join(lengths)}", field="histogram")
    return [term for term in terms if term not in lengths], parse_span(lengths[0]) if lengths else None


def _time_range(last: str | None, start: str | None, end: str | None) -> tuple[datetime | None, datetime | None]:
    if last is not None:
        if not (start is None and end is None):
            raise ConfigurationError("--last goes without --from and --to")
        return read_flag("last", last, _ago), None
    from transforms.query.instants import parse_time

    begin = None if start is None else read_flag("from", start, parse_time)
    stop = None if end is None else read_flag("to", end, parse_time)
    if begin is not None and stop is not None and begin > stop:
        raise ConfigurationError(f"--from {start} is later than --to {end}", field="from")
    return begin, stop


def _ago(text: str) -> datetime:
    from transforms.query.instants import parse_span

    try:
        return datetime.now(timezone.utc) - parse_span(text)
    except OverflowError as error:
        raise ConfigurationError(f'"{text}" is longer than there are dates') from error
