"""What a run is told beside its specification: limits, promotion, pipelines, how stores are reached.

It is kept in the job's folder for `jobs resume`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from transforms.storage import StorageOptions, TierLocation

FIRST_WAVE_BYTES = 64 << 20


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How a job runs.

    Attributes:
        hot_tier: The hot tier: a folder or `s3://bucket/prefix`.
        source_options: How the source is reached.
        tier_options: How the hot tier is reached.
        pipelines: Text of the pipelines file, or None.
        pipelines_file: Its name, for messages.
        rules: Text of the file of deletion rules, or None.
        rules_file: Its name, for messages.
        rules_now: When the job first started, ISO 8601: by this the rules' cut-offs stay the same however often it is
            resumed.
        key: The id of the IAM key that lets the events in, or None.
        promote: Attributes that get a column whatever the sample says.
        max_objects: Discovery stops beyond so many objects.
        wave_bytes: The largest wave, in compressed bytes.
        max_expansion: See docs/formats.md.
        max_record: The longest record, in bytes.
        memory: Bytes that events may take in memory while they are written, or None for what is usual.
        require_match, try_archived, retry_failed, force: See docs/jobs.md.
        beam_flags: Flags for Apache Beam.
    """

    hot_tier: str
    source_options: StorageOptions = field(default_factory=StorageOptions)
    tier_options: StorageOptions = field(default_factory=StorageOptions)
    pipelines: str | None = None
    pipelines_file: str = "pipelines"
    rules: str | None = None
    rules_file: str = "rules"
    rules_now: str | None = None
    key: str | None = None
    promote: tuple[str, ...] = ()
    max_objects: int = 1_000_000
    wave_bytes: int = 1 << 30
    max_expansion: float = 200.0
    max_record: int = 10 << 20
    memory: int | None = None
    require_match: bool = False
    try_archived: bool = False
    retry_failed: bool = False
    force: bool = False
    beam_flags: tuple[str, ...] = ()

    @property
    def tier_location(self) -> TierLocation:
        """Where the hot tier is, for workers."""
        return TierLocation(self.hot_tier, self.tier_options)

    def as_document(self) -> dict[str, Any]:
        """Return the settings as JSON takes them."""
        return asdict(self)

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> RunSettings:
        """Return the settings that `as_document` was made from."""
        fields = dict(document)
        for name in ("source_options", "tier_options"):
            fields[name] = StorageOptions(**fields[name])
        for name in ("promote", "beam_flags"):
            fields[name] = tuple(fields[name])
        return cls(**fields)

    def reached_like(self, other: RunSettings) -> RunSettings:
        """Return these settings with the places, endpoints and Beam flags of the others: how a job is resumed from
        elsewhere.
        """
        return replace(
            self,
            hot_tier=other.hot_tier,
            source_options=_override(self.source_options, other.source_options),
            tier_options=_override(self.tier_options, other.tier_options),
            beam_flags=other.beam_flags or self.beam_flags,
        )


def _override(kept: StorageOptions, given: StorageOptions) -> StorageOptions:
    return StorageOptions(**asdict(kept) | {name: value for name, value in asdict(given).items() if value})
