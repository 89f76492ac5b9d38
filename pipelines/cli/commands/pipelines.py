"""`rekindle pipelines …`: test, list and keep event pipelines. Without Beam."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.text import Text

from pipelines.cli.common import Common, common_flags
from pipelines.cli.flags import FILE, Group, option
from pipelines.cli.job_flags import ReadingFlags
from pipelines.cli.job_options import reading_flags
from pipelines.cli.output.console import MESSAGES, RESULTS, print_error, print_field, shorten
from pipelines.cli.output.kept_file import read_text, report_set, show_kept
from pipelines.cli.output.rows import print_json, print_rows_json
from pipelines.cli.output.tables import print_table
from pipelines.units import show_size
from transforms.core.errors import ConfigurationError

if TYPE_CHECKING:
    from pipelines.documents import JsonObject
    from transforms.event_pipelines import Pipeline
    from transforms.objects.sampling.sample_object import Sample

_MAX_CHARACTERS = 300  # characters of a value
_STYLES = {"changed": "green", "failed": "red", "skipped": "dim", "dropped": "yellow", "not matched": "dim"}


@click.group("pipelines", cls=Group)
def pipelines() -> None:
    """Test and list event pipelines, and set those of the hot tier."""


@pipelines.command(examples=("rekindle pipelines test pipelines.yaml --sample some-events.log",))
@click.argument("file", type=FILE, help="The event pipelines, YAML or JSON.")
@option(
    "--sample",
    type=FILE,
    metavar="FILE",
    required=True,
    help="Read the events from FILE, as a backfill reads an object: any format, compressed or not.",
)
@option("--events", type=click.IntRange(min=1), metavar="N", default=20, help="Show at most N events.")
@option("--object-key", metavar="KEY", help="The key of the sample in its bucket, for `filename`.")
@reading_flags
@common_flags
def test(
    file: Path,
    sample: Path,
    events: int,
    object_key: str | None,
    reading: ReadingFlags,
    common: Common,
) -> int:
    """Show what pipelines do to the events of a sample file."""
    from transforms.event_pipelines.definition import load_pipelines
    from transforms.objects.sampling.try_sample import try_on_sample

    pipelines = load_pipelines(read_text(file, "pipelines"), source=str(file))
    read = _read(sample, reading, object_key)
    document = {"pipelines": str(file), "sample": str(sample)} | try_on_sample(read, pipelines, events=events)
    document["failure"] = document["failure"] or _too_long(sample, read)
    if common.as_json:
        print_json(document)
    else:
        _print_page(document)
    return 1 if document["failure"] else 0


@pipelines.command("list")
@click.argument("file", type=FILE, required=False, help="List the pipelines in FILE, YAML or JSON.")
@common_flags
def list_pipelines(file: Path | None, common: Common) -> int:
    """List the ready-made pipelines, or those of a file."""
    from transforms.event_pipelines.definition import load_pipelines, load_ready_made
    from transforms.event_pipelines.ready_made import ready_made_names

    if file is None:
        pipelines = tuple(pipeline for name in ready_made_names() for pipeline in load_ready_made(name))
    else:
        pipelines = load_pipelines(read_text(file, "pipelines"), source=str(file))
    rows = [_description(pipeline) for pipeline in pipelines]
    if common.as_json:
        print_rows_json(rows)
    else:
        print_table(
            ["name", "description", "when"],
            ([row["name"], row["description"], row["when"] or "all events"] for row in rows),
        )
        if file is None and not common.quiet:
            MESSAGES.print("To use them, name them in a pipelines file: include: \\[access_combined]", soft_wrap=True)
    return 0


@pipelines.command("set", examples=("rekindle pipelines set pipelines.yaml",))
@click.argument("file", type=FILE, help="The event pipelines, YAML or JSON.")
@common_flags
def set_pipelines(file: Path, common: Common) -> int:
    """Set the pipelines of the hot tier.

    They run on all that comes in from now on. A job with --pipelines uses those of its file instead.
    """
    from transforms.hot_tier.configuration import pipelines as kept_pipelines
    from transforms.hot_tier.maintenance.audit import audit_configuration

    tier = common.open_tier()
    configuration = kept_pipelines.set_pipelines(tier, read_text(file, "pipelines"), file=str(file))
    audit_configuration(tier)
    report_set(configuration.pipelines, configuration.version, "pipelines", common)
    return 0


@pipelines.command(
    examples=("rekindle pipelines show", "rekindle pipelines show access_combined > pipelines.yaml"),
)
@click.argument("name", required=False, help="A ready-made pipeline; without it, the pipelines of the hot tier.")
@common_flags
def show(name: str | None, common: Common) -> int:
    """Print the pipelines of the hot tier, or a ready-made one: a file to start from."""
    if name is None:
        from transforms.hot_tier.configuration.store import load_configuration

        configuration = load_configuration(common.open_tier())
        show_kept(configuration.pipelines, configuration.version, "pipelines", common)
        return 0
    from transforms.event_pipelines.ready_made import read_ready_made, ready_made_names

    if name not in ready_made_names():
        known = ", ".join(ready_made_names())
        raise ConfigurationError(f"{name!r} is no ready-made pipeline; there are {known}", field="name")
    text = read_ready_made(name)
    if common.as_json:
        print_json({"name": name, "text": text})
    else:
        click.echo(text, nl=False)
    return 0


def _description(pipeline: Pipeline) -> JsonObject:
    from transforms.event_pipelines import outputs

    return {
        "name": pipeline.name,
        "description": pipeline.description,
        "when": None if pipeline.when is None else str(pipeline.when),
        "enabled": pipeline.enabled,
        "outputs": outputs((pipeline,)),
    }


def _read(file: Path, flags: ReadingFlags, key: str | None) -> Sample:
    """Read the beginning of a file as the events of an object, of a key if one is given."""
    from pipelines.jobs.job_files.flag_fields import merge_fields
    from pipelines.jobs.specification import check_specification
    from transforms.formats.options import FormatOptions
    from transforms.objects.reading import ReadSettings
    from transforms.objects.sampling.sample_object import sample_object
    from transforms.objects.sampling.try_sample import SAMPLE_BYTES
    from transforms.storage.local import LocalStore

    path = file.expanduser().resolve()
    if not path.is_file():
        raise ConfigurationError(f"there is no file {file}", field="sample")
    store = LocalStore(f"file://{path.parent}")
    [source] = check_specification(merge_fields({"bucket": store.bucket}, asdict(flags))).all_sources
    formats = source.format_settings(max_record=FormatOptions().max_record)
    settings = ReadSettings(task_id="test", formats=formats, defaults=source.defaults)
    found = (info for page in store.list_pages(path.name) for info in page if info.key == path.name)
    return sample_object(next(found), store, settings, size=SAMPLE_BYTES, key=key)


def _too_long(sample: Path, read: Sample) -> str | None:
    """Return a message if the sample's first record does not end in it."""
    from transforms.objects.sampling.try_sample import SAMPLE_BYTES

    if read.batches or sample.stat().st_size <= SAMPLE_BYTES:
        return None
    return f"no record ends in the first {show_size(SAMPLE_BYTES)} of {sample}: the first is too long for a sample"


def _print_page(document: JsonObject) -> None:
    if document["format"]:
        print_field("format", f"{document['format']['name']} ({document['format']['rule']})")
    for number, event in enumerate(document["events"], 1):
        RESULTS.print()
        _print_event(number, event)
    RESULTS.print()
    if not document["events"] and not document["failure"]:
        print_field("events", f"there are none in {document['sample']}")
    for name, found in document["byPipeline"].items():
        print_field(name, f"matched {found['matched']:,} of {found['tried']:,} events")
    for step in document["steps"]:
        found = ", ".join(f"{step[outcome]:,} {outcome}" for outcome in _STYLES if outcome in step)
        print_field(f"{step['pipeline']} {step['step']}", found, style="red" if "failed" in step else "")
    if document["failure"]:
        print_error(document["failure"], field=None)


def _print_event(number: int, event: JsonObject) -> None:
    before, after = event["before"], event["after"]
    RESULTS.print(
        Text(f"{number}. ", style="bold").append(shorten(before["_message"], _MAX_CHARACTERS)), soft_wrap=True
    )
    print_field("before", _values(before), indent=3, style="dim")
    for step in event["steps"]:
        outcome = step["outcome"]
        made = "  ".join(
            f"without {name}" if value is None else f"{name}={shorten(str(value), _MAX_CHARACTERS)}"
            for name, value in step["changes"].items()
        )
        print_field(
            f"{step['pipeline']} {step['step']}", f"{outcome}  {made}".rstrip(), indent=3, style=_STYLES[outcome]
        )
    if after is None:
        return
    print_field("after", _values(after), indent=3)
    if "_message" not in after:
        print_field("after", "without _message (--no-message)", indent=3)
    elif after["_message"] != before["_message"]:
        print_field("after", f"_message={shorten(after['_message'], _MAX_CHARACTERS)}", indent=3)


def _values(row: JsonObject) -> str:
    """Return the time and the attributes of an event."""
    shown = [
        f"{name}={shorten(str(row[name]), _MAX_CHARACTERS)}"
        for name in ("_time", "_time_source", "_pipelines", "_error")
        if name in row
    ]
    shown += [
        f"{name}={shorten(str(value), _MAX_CHARACTERS)}" for name, value in row.items() if not name.startswith("_")
    ]
    return "  ".join(shown)
