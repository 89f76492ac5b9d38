"""A pipeline's own flags beside Beam's, for `python -m pipelines.backfill` and `run(argv)`.

They are no `PipelineOptions` group: Beam registers all groups in one parser, and its own `--region` is already there.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from pipelines.cli.common import split_lists
from pipelines.cli.job_flags import FORMAT_FIELDS, JOB_FIELDS, merge_fields
from pipelines.jobs.settings import RunSettings
from pipelines.jobs.specification import JobSpecification, check_specification, load_job_file
from pipelines.units import parse_size
from transforms.storage import StorageOptions

_INTEGERS = frozenset({"skip_rows"})


def _add_backfill_args(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--job", help="Job file, JSON or YAML; flags win over it.")
    for name in {**JOB_FIELDS, **FORMAT_FIELDS}:
        parser.add_argument(
            f"--{name}",
            f"--{name.replace('_', '-')}",
            type=int if name in _INTEGERS else str,
            help=f"Field {name} of the job.",
        )
    parser.add_argument(
        "--hot_tier", "--hot-tier", default="hot-tier", help="The hot tier: a folder or s3://bucket/prefix."
    )
    parser.add_argument("--pipelines", help="Pipelines file.")
    parser.add_argument("--rules", help="Deletion rules: warn of events that they delete at once.")
    parser.add_argument("--promote", action="append", default=[], help="Attributes that get a column.")
    parser.add_argument("--wave_bytes", "--wave-bytes", default="1GiB", help="Largest wave, compressed.")
    parser.add_argument("--endpoint_url", "--endpoint-url", help="S3 endpoint.")
    parser.add_argument("--force", action="store_true", help="Ingest known objects again.")


def parse_backfill(argv: Sequence[str]) -> tuple[JobSpecification, RunSettings]:
    """Return a job's specification and settings from Beam-style flags; what is not the backfill's is Beam's.

    Raises:
        ConfigurationError: the specification is wrong.
    """
    parser = argparse.ArgumentParser(prog="python -m pipelines.backfill", allow_abbrev=False)
    _add_backfill_args(parser)
    flags, beam_flags = parser.parse_known_args(list(argv))
    specification = check_specification(merge_fields(load_job_file(flags.job) if flags.job else {}, vars(flags)))
    stores = StorageOptions(endpoint_url=flags.endpoint_url, region=specification.region)
    return specification, RunSettings(
        hot_tier=flags.hot_tier,
        source_options=stores,
        tier_options=stores,
        pipelines=Path(flags.pipelines).read_text(encoding="utf-8") if flags.pipelines else None,
        pipelines_file=flags.pipelines or "pipelines",
        rules=Path(flags.rules).read_text(encoding="utf-8") if flags.rules else None,
        rules_file=flags.rules or "rules",
        promote=split_lists(flags.promote),
        wave_bytes=parse_size(flags.wave_bytes, "--wave_bytes"),
        force=flags.force,
        beam_flags=tuple(beam_flags),
    )
