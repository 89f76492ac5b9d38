"""`rekindle preview`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from rich.text import Text

from pipelines.cli.common import Common, common_flags
from pipelines.cli.flags import Command, option
from pipelines.cli.job_flags import JobFlags
from pipelines.cli.job_options import job_flags
from pipelines.cli.output.console import RESULTS, print_field, shorten
from pipelines.cli.output.report import describe_pipelines
from pipelines.cli.output.rows import print_json, printable
from pipelines.units import show_size
from transforms.core.names import SYSTEM_NAMES

_SHOWN_MESSAGE, _SHOWN_VALUE = 400, 120  # characters
_MAX_NAMES = 16
_MAX_FAMILIES = 32


if TYPE_CHECKING:
    from pipelines.jobs.preview import (
        JobPreview,
        PreviewCounts,
        PreviewEvent,
        PreviewFamily,
        PreviewSample,
        UnmatchedFamily,
    )

EXAMPLES = ("rekindle preview --bucket my-bucket --pattern 'logs/**/*.gz' --objects 3",)


@click.command(cls=Command, examples=EXAMPLES)
@option(
    "--objects",
    type=click.IntRange(min=0),
    metavar="N",
    default=5,
    help="Show the beginning of N objects, one of each kind first.",
)
@option("--events", type=click.IntRange(min=0), metavar="N", default=5, help="Show N events of each object.")
@job_flags
@common_flags
def preview(flags: JobFlags, common: Common, objects: int, events: int) -> int:
    """Show what a backfill with the same flags would ingest.

    For a few objects it shows how they would be read. Nothing is written.
    """
    from pipelines.jobs.preview import run_preview  # imports Polars and deltalake

    specification, settings = flags.job_and_settings(common)
    document = run_preview(specification, settings, objects=objects, events=events)
    if common.as_json:
        print_json(document.as_document())
    else:
        _print_page(document)
    return int(flags.require_match and not document.objects.matched)


def _print_page(document: JobPreview) -> None:
    counts = document.objects
    others = ", ".join(
        f"{getattr(counts, kind):,} {kind}"
        for kind in ("known", "deleted", "skipped", "archived", "empty")
        if getattr(counts, kind)
    )
    print_field(
        "Objects",
        f"{counts.evaluated:,} evaluated, "
        + (f"{counts.excluded:,} excluded, " if counts.excluded else "")
        + f"{counts.matched:,} matched ({show_size(document.bytes.matched)})",
    )
    for name, taken in document.by_source.items():
        print_field(f"Source {name}", f"{_objects(taken.objects)} ({show_size(taken.bytes)})")
    print_field(
        "To ingest",
        f"{counts.work:,} ({show_size(document.bytes.work)})"
        + (f", {counts.replaced:,} of them known, to be replaced" if counts.replaced else "")
        + (f"; {others}" if others else ""),
    )
    for warning in document.warnings:
        print_field("Warning", warning, style="yellow")
    _print_families(document.families)
    if document.by_source:
        _print_unmatched(document.unmatched)
    for sample in document.samples:
        RESULTS.print()
        _print_sample(sample)
    _print_end(counts, len(document.samples))


def _print_families(families: list[PreviewFamily]) -> None:
    """Print a line for each family, those with something unusual first, and below it what that is."""
    if not families:
        return
    RESULTS.print(Text(f"\n{len(families):,} kind{'s' * (len(families) != 1)} of object, by their keys:", style="bold"))
    for family in sorted(families, key=_is_unusual, reverse=True)[:_MAX_FAMILIES]:
        kind = " ".join(name for name in (family.format, family.codec if family.codec != "none" else None) if name)
        sources = ", ".join(f"{number * 100 // family.events}% {name}" for name, number in family.time_sources.items())
        RESULTS.print(
            Text(f"  {printable(family.name)}", style="cyan")
            .append(f"  {family.source}" if family.source else "", style="magenta")
            .append(f"  {_objects(family.objects)}, {show_size(family.bytes)}", style="dim")
            .append(f"  {kind or 'not read'}")
            .append(f"  times: {sources}" if sources else "", style="dim"),
            soft_wrap=True,
        )
        if family.by_pipeline:
            print_field("pipelines", describe_pipelines(family.by_pipeline), indent=4)
        for warning in family.warnings:
            print_field("warning", shorten(warning, _SHOWN_MESSAGE), indent=4, style="yellow")
    if len(families) > _MAX_FAMILIES:
        RESULTS.print(f"  and {len(families) - _MAX_FAMILIES:,} more (all with --json)")


def _print_unmatched(families: list[UnmatchedFamily]) -> None:
    """Print a line for each family of which no source takes all objects."""
    if not families:
        return
    RESULTS.print(Text(f"\n{len(families):,} kinds of object that no source takes:", style="bold"))
    for family in families[:_MAX_FAMILIES]:
        excluded = f", {family.excluded:,} excluded" if family.excluded else ""
        RESULTS.print(
            Text(f"  {printable(family.name)}", style="cyan").append(
                f"  {_objects(family.objects)}, {show_size(family.bytes)}{excluded}", style="dim"
            ),
            soft_wrap=True,
        )
    if len(families) > _MAX_FAMILIES:
        RESULTS.print(f"  and {len(families) - _MAX_FAMILIES:,} more (all with --json)")


def _is_unusual(family: PreviewFamily) -> bool:
    """Whether a user should look at a family before all others."""
    return bool(family.warnings) or family.without_time > 0


def _print_end(counts: PreviewCounts, shown: int) -> None:
    readable = counts.matched - counts.archived - counts.empty
    if readable > shown:
        RESULTS.print(f"\n{shown:,} of {readable:,} objects are shown. Add --objects N to show more.", soft_wrap=True)
    if counts.work:
        RESULTS.print(
            f"\nNothing was written. `rekindle backfill` with the same flags ingests {_objects(counts.work)}."
        )
    elif counts.matched:
        RESULTS.print("\nThere is nothing to ingest.")


def _objects(number: int) -> str:
    return f"{number:,} object{'s' * (number != 1)}"


def _print_sample(sample: PreviewSample) -> None:
    heading = Text(printable(sample.object), style="bold")
    known = "" if sample.disposition == "work" else f", {sample.disposition}"
    known += f", source {sample.source}" if sample.source else ""
    RESULTS.print(
        heading.append(f"  {show_size(sample.size)}, {sample.modified[:19]}Z{known}", style="dim"), soft_wrap=True
    )
    for name, chosen in (("codec", sample.codec), ("format", sample.format)):
        if chosen:
            print_field(name, f"{chosen.name} ({chosen.rule})", indent=2)
    for warning in sample.warnings:
        print_field("warning", warning, indent=2, style="yellow")
    if sample.failure:
        print_field(sample.failure.status, sample.failure.reason, indent=2, style="red")
    if sample.events:
        print_field("columns", _names(sample.columns), indent=2)
        if sample.map:
            print_field("in the map `attributes`", _names(sample.map), indent=2)
    for event in sample.events:
        _print_event(event)


def _print_event(event: PreviewEvent) -> None:
    before, after = event.before, event.after or event.before
    line = (
        Text("  ").append(str(after["_time"]), style="cyan").append(f"  ({printable(event.time_origin)})", style="dim")
    )
    RESULTS.print(line, soft_wrap=True)
    if "_message" in after:
        RESULTS.print(Text("    ").append(shorten(str(after["_message"]), _SHOWN_MESSAGE)), soft_wrap=True)
    attributes = [
        f"{name}={shorten(str(value), _SHOWN_VALUE)}" for name, value in before.items() if _is_attribute(name)
    ]
    if attributes:
        more = len(attributes) - _MAX_NAMES
        text = "  ".join(attributes[:_MAX_NAMES]) + (f"  and {more:,} more" if more > 0 else "")
        RESULTS.print(Text("    ").append(text, style="dim"), soft_wrap=True)
    if event.after is None:
        print_field("after", "dropped", indent=4, style="yellow")
    for name in ("_error", "_rescued"):
        if name in after:
            print_field(name, shorten(str(after[name]), _SHOWN_MESSAGE), indent=4, style="red")
    if after.get("_pipelines"):
        changes = [
            f"{name}={shorten(str(value), _SHOWN_VALUE)}"
            for name, value in after.items()
            if _is_shaped(name) and before.get(name) != value
        ]
        changes += [f"without {name}" for name in before if name not in after]
        print_field(f"after {after['_pipelines']}", "  ".join(changes) or "unchanged", indent=4, style="green")


def _is_attribute(name: str) -> bool:
    return name not in SYSTEM_NAMES and name != "filename"


def _is_shaped(name: str) -> bool:
    """Whether a pipeline may have written this."""
    return name not in SYSTEM_NAMES or name == "_message"


def _names(names: list[str]) -> str:
    more = len(names) - _MAX_NAMES
    return ", ".join(names[:_MAX_NAMES]) + (f" and {more:,} more" if more > 0 else "")
