"""W3C's extended log format, as IIS, CloudFront, Exchange and others write it.

The names of the cells are those of the last `#Fields:`. Values are kept as they are written (`+` and `%20` too).
Sources: https://www.w3.org/TR/WD-logfile.html,
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html.
"""

from __future__ import annotations

from transforms.formats.directives.detection import leading_directives
from transforms.formats.directives.sections import DirectiveLog
from transforms.formats.directives.w3c_header import FIELDS, W3cHeader
from transforms.formats.directives.w3c_times import W3cTimes
from transforms.formats.encoding import utf8
from transforms.formats.format import FormatChoice, FormatSample
from transforms.formats.options import FormatOptions


def _recognise(sample: FormatSample) -> FormatChoice | str:
    if any(FIELDS.match(line) for line in leading_directives(sample.text)):
        return FormatChoice(format="w3c", rule="begins with directives, #Fields: among them")
    return ""


def _mismatch(head: bytes, options: FormatOptions) -> str | None:
    del options
    lines = leading_directives(b"".join(utf8([head])).decode("utf-8", "replace"))
    return None if any(map(FIELDS.match, lines)) else "it does not begin with directives and #Fields: among them"


_LOG = DirectiveLog(start=W3cHeader(), times=lambda options, times: W3cTimes(options, times).columns)
READER = _LOG.reader(recognise=_recognise, mismatch=_mismatch)
