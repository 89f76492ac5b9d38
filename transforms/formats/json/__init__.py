"""JSON (RFC 8259) in any layout: an object is an event, its top-level fields are attributes.

`framing` finds the objects, `objects` reads their fields, `json_format` makes records of them.
"""

from transforms.formats.format import FormatReader, RangeReader
from transforms.formats.json.json_format import count_lines, read, read_range, recognise

READER = FormatReader(
    read=read,
    ranges=RangeReader(read=read_range, count=count_lines, allows=lambda options: options.records_path is None),
    recognise=recognise,
)
