"""Times, in whatever form logs write them: of columns, of records, of lines (docs/formats.md).

Every step is a column operation.
"""

from transforms.timestamps.choosing import by_year, choose_times, detect_missing, own_times, put_times
from transforms.timestamps.clock import Modified, ModifiedTimes, check_timezone, latest_events
from transforms.timestamps.columns import parse_epochs, parse_times
from transforms.timestamps.detection import detect_times, head_is_day_first, head_is_yearless
from transforms.timestamps.epochs import UNITS
from transforms.timestamps.forms import FORMS, PARTS, Form
from transforms.timestamps.records import FirstRows, TimeFields, record_times

__all__ = [
    "FORMS",
    "PARTS",
    "UNITS",
    "FirstRows",
    "Form",
    "Modified",
    "ModifiedTimes",
    "TimeFields",
    "by_year",
    "check_timezone",
    "detect_missing",
    "detect_times",
    "head_is_day_first",
    "head_is_yearless",
    "latest_events",
    "own_times",
    "parse_epochs",
    "parse_times",
    "put_times",
    "record_times",
    "choose_times",
]
