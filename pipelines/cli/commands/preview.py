"""`rekindle preview`: what a job would ingest and how it would read it, as a page or as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from rich.text import Text

from pipelines.cli.common import Common, with_flags
from pipelines.cli.flags import Option
from pipelines.cli.job_flags import JobFlags
from pipelines.cli.output import console as output
from pipelines.cli.output.lines import cut, say
from pipelines.units import show_size
from transforms.core.names import SYSTEM_NAMES

_SHOWN_MESSAGE, _SHOWN_VALUE = 400, 120  # characters
_NAMED = 16


@with_flags(common=Common, flags=JobFlags)
def preview(
    common: Common,
    flags: JobFlags,
    objects: Annotated[int, Option("--objects", min=0, help="Look into so many of the matched objects.")] = 5,
    events: Annotated[int, Option("--events", min=0, help="Show so many events of each.")] = 5,
) -> int:
    """Show what a job would do."""
    from pipelines.jobs.preview import run_preview  # brings Polars and deltalake

    specification, settings = flags.job_and_settings(common)
    document = run_preview(specification, settings, objects=objects, events=events).as_document()
    if common.as_json:
        output.print_json(document)
    else:
        _print_page(document)
    return int(flags.require_match and not document["objects"]["matched"])


def _print_page(document: dict[str, Any]) -> None:
    counts = document["objects"]
    others = ", ".join(f"{counts[kind]:,} {kind}" for kind in ("known", "skipped", "archived", "empty") if counts[kind])
    say(
        "Objects",
        f"{counts['evaluated']:,} evaluated, {counts['matched']:,} matched ({show_size(document['bytes']['matched'])})",
    )
    say("To ingest", f"{counts['work']:,} ({show_size(document['bytes']['work'])})" + (f"; {others}" if others else ""))
    for warning in document["warnings"]:
        say("Warning", warning, style="yellow")
    for sample in document["samples"]:
        output.RESULTS.print()
        _print_sample(sample)
    _print_end(counts, len(document["samples"]))


def _print_end(counts: dict[str, int], shown: int) -> None:
    readable = counts["matched"] - counts["archived"] - counts["empty"]
    if readable > shown:
        output.RESULTS.print(
            f"\n{shown:,} of {readable:,} objects were looked into; --objects shows more.", soft_wrap=True
        )
    if counts["work"]:
        output.RESULTS.print(
            f"\nNothing was written. `rekindle backfill` with the same flags ingests {_objects(counts['work'])}."
        )
    elif counts["matched"]:
        output.RESULTS.print("\nThere is nothing to ingest.")


def _objects(number: int) -> str:
    return f"{number:,} object{'s' * (number != 1)}"


def _print_sample(sample: dict[str, Any]) -> None:
    heading = Text(output.printable(sample["object"]), style="bold")
    known = "" if sample["disposition"] == "work" else f", {sample['disposition']}"
    output.RESULTS.print(
        heading.append(f"  {show_size(sample['size'])}, {sample['modified'][:19]}Z{known}", style="dim"), soft_wrap=True
    )
    for name in ("codec", "format"):
        if sample[name]:
            say(name, f"{sample[name]['name']} ({sample[name]['rule']})", indent=2)
    for warning in sample["warnings"]:
        say("warning", warning, indent=2, style="yellow")
    if sample["failure"]:
        say(sample["failure"]["status"], sample["failure"]["reason"], indent=2, style="red")
    if sample["events"]:
        say("columns", _names(sample["columns"]), indent=2)
        if sample["map"]:
            say("in the map `attributes`", _names(sample["map"]), indent=2)
    for event in sample["events"]:
        _print_event(event)


def _print_event(event: dict[str, Any]) -> None:
    before, after = event["before"], event["after"]
    line = (
        Text("  ")
        .append(after["_time"], style="cyan")
        .append(f"  ({output.printable(event['timeOrigin'])})", style="dim")
    )
    output.RESULTS.print(line, soft_wrap=True)
    output.RESULTS.print(Text("    ").append(cut(after["_message"], _SHOWN_MESSAGE)), soft_wrap=True)
    attributes = [f"{name}={cut(value, _SHOWN_VALUE)}" for name, value in before.items() if _is_attribute(name)]
    if attributes:
        more = len(attributes) - _NAMED
        text = "  ".join(attributes[:_NAMED]) + (f"  and {more:,} more" if more > 0 else "")
        output.RESULTS.print(Text("    ").append(text, style="dim"), soft_wrap=True)
    if "_error" in after:
        say("_error", after["_error"], indent=4, style="red")
    if after.get("_pipelines"):
        changes = [
            f"{name}={cut(value, _SHOWN_VALUE)}"
            for name, value in after.items()
            if _is_shaped(name) and before.get(name) != value
        ]
        changes += [f"without {name}" for name in before if name not in after]
        say(f"after {after['_pipelines']}", "  ".join(changes) or "unchanged", indent=4, style="green")


def _is_attribute(name: str) -> bool:
    return name not in SYSTEM_NAMES and name != "filename"


def _is_shaped(name: str) -> bool:
    """Whether a pipeline may have written this."""
    return name not in SYSTEM_NAMES or name == "_message"


def _names(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
