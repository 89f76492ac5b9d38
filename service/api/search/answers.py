"""What the calls that count answer with, for the description of the API."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from pipelines.documents import JsonModel
from service.api.search.parameters import RangeAnswer


class ValueCount(JsonModel):
    """A value and how many events have it."""

    value: str
    count: int


class FacetAnswer(JsonModel):
    """The values of a field."""

    field: str
    events: int
    """How many events have it."""
    distinct: int
    """How many values there are; at least so many where it is not exact."""
    is_exact: bool
    """Whether all values were counted; if not, there are too many, and counts are lower bounds."""
    values: list[ValueCount]
    """The most frequent first; an event with a list of values counts for each."""


class FacetList(RangeAnswer):
    """How many events match, and the values of their fields."""

    count: int
    facets: list[FacetAnswer]


class HistogramBar(JsonModel):
    """How many events lie from a time on and before another."""

    from_: datetime = Field(alias="from")
    to: datetime
    count: int
    by: list[int]
    """How many of them have each value of the histogram's `by`."""


class HistogramAnswer(FacetList):
    """Events over time."""

    span: float | None
    """A bar's length in seconds; null without bars."""
    by: list[str]
    """The values that divide the bars, the most frequent first."""
    bars: list[HistogramBar]
    """In order of time, the empty ones too."""


class PatternCount(JsonModel):
    """Messages of one shape."""

    shape: str
    """Their text, with `*` for what differs."""
    count: int
    share: float
    """Which part of all that were looked at, 0 to 1."""
    example: str
    """One of them: its first 512 characters."""
    query: str | None
    """The query that finds them; null where nothing but `*` is left."""


class PatternAnswer(RangeAnswer):
    """Messages by their shape."""

    events: int
    """How many messages were looked at."""
    is_complete: bool
    """Whether these were all that match; if not, they are those of the newest files."""
    shapes: int
    """How many shapes there are; at least so many where it is not exact."""
    is_exact: bool
    """Whether all shapes were counted; if not, there are too many, and counts are lower bounds."""
    patterns: list[PatternCount]
    """The most frequent first."""


class NamedField(JsonModel):
    """A field and how many events have it; null for the system's."""

    name: str
    events: int | None


class FieldsAnswer(RangeAnswer):
    """The attributes of the events that match."""

    fields: list[NamedField]
    """Those that most events have first."""
    is_complete: bool
    """Whether all were counted: of a file with more than 10,000, only those that most events have."""


class FieldAnswer(RangeAnswer, FacetAnswer):
    """One field: its frequent and its rare values."""

    rare: list[ValueCount]
    """The rarest first; none where it is not exact."""


class FieldValues(RangeAnswer):
    """Values of a field that begin with a text, to complete what is typed."""

    field: str
    values: list[ValueCount]
    """The most frequent first; of a field with very many values, counts may be lower bounds."""


class UsagePart(JsonModel):
    """What the events of one day, source, sourcetype or tier take."""

    value: str | None
    """The day (UTC) or value; null for events without it, and for the rarest of too many values of a file."""
    events: int
    files: int
    """How many files have any of them."""
    bytes: int
    """Their share of the files' bytes."""


class UsageAnswer(JsonModel):
    """What the tier holds."""

    version: int
    """The version of the table."""
    by: str
    rows: list[UsagePart]
    """Days in their order; all else by bytes, the most first."""
    events: int
    files: int
    bytes: int
