"""CSV (RFC 4180 and what is written in its name): a row is an event, its cells are attributes by the header."""

from transforms.formats.csv.csv_format import read, read_range
from transforms.formats.csv.detection import amend, mismatch, recognise
from transforms.formats.csv.ranges import count_rows, likely_row
from transforms.formats.format import FormatReader, RangeReader

READER = FormatReader(
    read=read,
    ranges=RangeReader(read=read_range, count=count_rows, start=likely_row),
    recognise=recognise,
    amend=amend,
    mismatch=mismatch,
)
