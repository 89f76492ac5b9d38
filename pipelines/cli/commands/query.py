"""`rekindle search`, `rekindle sql` and `rekindle files`: the hot tier as people read it. None of them imports Beam.

What they need besides is imported when they are called: `rekindle search --help` answers without Polars and deltalake.
"""

from __future__ import annotations

import gc
import re
import sys
from datetime import datetime, timedelta, timezone
from typing import Annotated

from pipelines.cli.common import Common, read_flag, split_lists, with_flags
from pipelines.cli.flags import Argument, Option
from pipelines.cli.output import answers
from pipelines.cli.output import rows as cli_rows
from pipelines.cli.output import save as events
from pipelines.cli.output.save import Saving
from transforms.core.errors import ConfigurationError

_LIMIT = 100
_LIKE_SPAN = re.compile(r"[-+]?[\d.,]+[^\W\d_]+")
_TIERS = ("hot", "cold", "all")


@with_flags(saving=Saving, common=Common)
def search(
    query: Annotated[list[str] | None, Argument(help='attribute=value, words, "phrases"; empty for all.')] = None,
    last: Annotated[str | None, Option("--last", help="Only the last 90m, 12h, 7d.")] = None,
    start: Annotated[str | None, Option("--from", help="From this time on (ISO 8601, UTC).")] = None,
    end: Annotated[str | None, Option("--to", help="Before this time (ISO 8601, UTC).")] = None,
    limit: Annotated[
        int | None, Option("--limit", min=0, help="At most so many events or values; 0 for all. [default: 100]")
    ] = None,
    fields: Annotated[
        list[str] | None, Option("--fields", help="Only these columns and attributes, by commas.")
    ] = None,
    count: Annotated[bool, Option("--count", help="How many there are.")] = False,
    histogram: Annotated[bool, Option("--histogram", help="How many over time; a span such as 1h may follow.")] = False,
    top: Annotated[str | None, Option("--top", help="The values of this attribute that most of them have.")] = None,
    tier_name: Annotated[str, Option("--tier", help="Where: hot, cold or all.")] = "all",
    *,
    saving: Saving,
    common: Common,
) -> int:
    """Search the hot tier."""
    gc.disable()  # importing Polars and deltalake takes 0.05 s less without it
    from transforms.hot_tier.search.request import SearchRequest
    from transforms.hot_tier.search.rows import row_field
    from transforms.query import parse

    gc.enable()
    names = split_lists(fields or ())
    _check_flags(count=count, histogram=histogram, top=top, fields=names, limit=limit)
    saving.check(as_json=common.as_json)
    if tier_name not in _TIERS:
        raise ConfigurationError(f"--tier {tier_name}: there are {', '.join(_TIERS)}", field="tier")
    words, span = _take_span(query or [], histogram=histogram)
    text = " ".join(words).strip()
    wanted = SearchRequest(
        parse(text) if text else None,
        *_time_range(last, start, end),
        fields=tuple(row_field(name) for name in names),
        tier_name=None if tier_name == "all" else tier_name,
    )
    most = (_LIMIT if limit is None else limit) or None
    field = None if top is None else row_field(top)
    tier = common.open_events()
    if count:
        answers.show_count(tier, wanted, saving, common)
    elif histogram:
        answers.show_histogram(tier, wanted, span, saving, common)
    elif field is not None:
        answers.show_top(tier, wanted, field, most, saving, common)
    else:
        answers.show_events(tier, wanted, answers.Most(most, is_given=limit is not None), names, saving, common)
    return 0


@with_flags(saving=Saving, common=Common)
def sql(
    statement: Annotated[str, Argument(help="One SELECT in DuckDB's dialect.")],
    *,
    saving: Saving,
    common: Common,
) -> int:
    """Query the hot tier by SQL."""
    from transforms.hot_tier.search import sql_text
    from transforms.hot_tier.search.sql import run_sql

    saving.check(as_json=common.as_json)
    text = sql_text.for_json if common.as_json else sql_text.for_csv if saving.as_csv else sql_text.for_people
    with run_sql(common.open_events(), statement, None if saving.parquet is not None else text) as result:
        if common.as_json:
            cli_rows.print_rows_json(dict(zip(result.column_names, row, strict=True)) for row in result.rows())
        elif saving.as_csv:
            events.print_batches(result.schema, result.batches())
        elif saving.parquet is not None:
            events.save_parquet(saving.parquet, result.schema, result.batches(), quiet=common.quiet)
        else:
            from pipelines.cli.output.console import print_table

            print_table(result.column_names, result.rows())
    return 0


@with_flags(common=Common)
def files(
    *,
    common: Common,
) -> int:
    """List the live files."""
    from transforms.hot_tier.table.live_files import live_files

    paths = live_files(common.open_events())
    if common.as_json:
        cli_rows.print_rows_json({"path": path} for path in paths)
    else:
        sys.stdout.writelines(path + "\n" for path in paths)
    return 0


def split_histogram(argv: list[str]) -> list[str]:
    """Return the arguments of a search with `--histogram=1h` as two: an option whose value may be left out is none to
    click.

    Raises:
        ConfigurationError: what is joined to it is no length of time, or what follows it looks like one and is none.
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


def _check_flags(*, count: bool, histogram: bool, top: str | None, fields: tuple[str, ...], limit: int | None) -> None:
    """Refuse flags that say nothing beside each other."""
    asked = [
        flag for flag, given in (("--count", count), ("--histogram", histogram), ("--top", top is not None)) if given
    ]
    if len(asked) > 1:
        raise ConfigurationError(f"{' and '.join(asked)}: only one of them at a time")
    if asked and fields:
        raise ConfigurationError(f"--fields is for events: it goes without {asked[0]}", field="fields")
    if (count or histogram) and limit is not None:
        raise ConfigurationError(f"--limit is for events and --top: {asked[0]} counts all", field="limit")


def _take_span(words: list[str], *, histogram: bool) -> tuple[list[str], timedelta | None]:
    """Return the query's words, and the span beside them: the command line can't tell what follows `--histogram` from
    the query.
    """
    from transforms.query.instants import is_span, parse_span

    spans = [word for word in words if histogram and is_span(word)]
    if len(spans) > 1:
        raise ConfigurationError(f"--histogram takes one span, found {' and '.join(spans)}", field="histogram")
    return [word for word in words if word not in spans], parse_span(spans[0]) if spans else None


def _time_range(last: str | None, start: str | None, end: str | None) -> tuple[datetime | None, datetime | None]:
    if last is not None:
        if not (start is None and end is None):
            raise ConfigurationError("--last goes without --from and --to")
        return read_flag("last", last, _ago), None
    from transforms.query.instants import parse_time

    begin = None if start is None else read_flag("from", start, parse_time)
    stop = None if end is None else read_flag("to", end, parse_time)
    if begin is not None and stop is not None and begin > stop:
        raise ConfigurationError(
            f"--from {start} is later than --to {end}: there is nothing between them", field="from"
        )
    return begin, stop


def _ago(text: str) -> datetime:
    from transforms.query.instants import parse_span

    try:
        return datetime.now(timezone.utc) - parse_span(text)
    except OverflowError as error:
        raise ConfigurationError(f'"{text}" is longer than there are dates') from error
