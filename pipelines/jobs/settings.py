"""How a job runs, beside its specification: limits, promotion, pipelines, how stores are reached.

Both are kept in the job's folder, in `job.json`, for `jobs resume`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace

from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.jobs.specification import JobSpecification, check_specification
from transforms.core.errors import TierError
from transforms.storage import SourceLocation, StorageOptions, TierLocation, UploadLocation
from transforms.storage.job_folder import JobFolder

FIRST_WAVE_BYTES = 64 << 20
JOB_FILE = "job.json"


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How a job runs.

    Attributes:
        hot_tier: The hot tier: a folder or `s3://bucket/prefix`.
        source_options: How the source is reached.
        tier_options: How the hot tier is reached.
        pipelines: Text of the pipelines file, else that of the tier's pipelines; None where there are none.
        pipelines_file: Its name, for messages.
        pipelines_of_sources: Text of the pipelines files of the job's sources, by their paths as the job names them.
        pipelines_version: The version of the tier's configuration that a job without a file has begun with, 0 where
            nothing was set; None where a file was given, or the job has not begun.
        rules: Text of the file of rules, else that of the tier's rules; None where there are none.
        rules_file: Its name, for messages.
        rules_version: The version of the tier's configuration that a job without a file has begun with, 0 where
            nothing was set; None where a file was given, or the job has not begun.
        rules_now: When the job first started, ISO 8601: the rules' cut-offs stay the same however often it is resumed.
        key: The id of the IAM key that lets the events in, or None.
        upload: The id of the job for which its objects were uploaded, None where they are those of a bucket.
        promote: Attributes that get a column, whether the sample has them or not, and whatever keeps them in maps.
        max_objects: Discovery stops beyond so many objects.
        wave_bytes: The largest wave, in compressed bytes.
        max_expansion: An object may be so many times as large decoded as it is compressed; beyond 4 GiB only.
        max_record: The longest record, in bytes.
        memory: Bytes that events may take in memory while they are written, or None for the default.
        workers: How many splits are read at once on this machine; None for as many as its cores.
        require_match: End with exit code 1 where nothing matches.
        try_archived: Read objects of Glacier and Deep Archive too.
        retry_failed: Read salvaged objects again, and replace their events.
        reprocess: Read all known objects again, and replace their events.
        force: Ingest known objects again.
        no_disk_check: Begin also where the disk seems too small.
        beam_flags: Flags for Apache Beam.
    """

    hot_tier: str
    source_options: StorageOptions = field(default_factory=StorageOptions)
    tier_options: StorageOptions = field(default_factory=StorageOptions)
    pipelines: str | None = None
    pipelines_file: str = "pipelines"
    pipelines_of_sources: dict[str, str] = field(default_factory=dict)
    pipelines_version: int | None = None
    rules: str | None = None
    rules_file: str = "rules"
    rules_version: int | None = None
    rules_now: str | None = None
    key: str | None = None
    upload: str | None = None
    promote: tuple[str, ...] = ()
    max_objects: int = 1_000_000
    wave_bytes: int = 1 << 30
    max_expansion: float = 200.0
    max_record: int = 10 << 20
    memory: int | None = None
    workers: int | None = None
    require_match: bool = False
    try_archived: bool = False
    retry_failed: bool = False
    reprocess: bool = False
    force: bool = False
    no_disk_check: bool = False
    beam_flags: tuple[str, ...] = ()

    @property
    def tier_location(self) -> TierLocation:
        """Where the hot tier is, for workers."""
        return TierLocation(self.hot_tier, self.tier_options)

    def source_location(self, bucket: str) -> SourceLocation:
        """Return where the job's objects are, for workers."""
        upload = None if self.upload is None else UploadLocation(self.tier_location, self.upload)
        return SourceLocation(bucket, self.source_options, upload)

    def reached_like(self, other: RunSettings) -> RunSettings:
        """Return these settings with the hot tier, endpoints and Beam flags of others, to resume from elsewhere."""
        return replace(
            self,
            hot_tier=other.hot_tier,
            source_options=_override(self.source_options, other.source_options),
            tier_options=_override(self.tier_options, other.tier_options),
            workers=other.workers or self.workers,
            beam_flags=other.beam_flags or self.beam_flags,
        )


class StoredJob(BaseModel):
    """`job.json` in a job's folder: what a job is, and how it runs."""

    model_config = ConfigDict(frozen=True)

    job: JobSpecification
    settings: RunSettings

    def save(self, folder: JobFolder) -> None:
        """Write the file."""
        folder.write_json(JOB_FILE, {"job": self.job.as_stored(), "settings": asdict(self.settings)})

    def checked(self) -> JobSpecification:
        """Return the specification, checked as that of a new job is."""
        return check_specification(self.job.as_stored(), is_upload=self.settings.upload is not None)

    @classmethod
    def load(cls, folder: JobFolder) -> StoredJob:
        """Read the file.

        Raises:
            TierError: it is not what this version writes.
        """
        try:
            return cls.model_validate(folder.read_json(JOB_FILE))
        except ValidationError as error:
            raise TierError(
                f"job {folder.task_id} can't be read, perhaps it is of a newer version of Rekindle: {error}"
            ) from error


def _override(kept: StorageOptions, given: StorageOptions) -> StorageOptions:
    return StorageOptions(**asdict(kept) | {name: value for name, value in asdict(given).items() if value})
