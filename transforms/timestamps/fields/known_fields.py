"""The fields that hold the time of a record: those with a common name, and those of the common sources.

Names are compared without case, `_` and `-`. A nested one is a path into the JSON text of its attribute.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

NAMES = (
    "_time", "@timestamp", "timestamp", "time", "ts", "eventtime", "event_time", "datetime", "date_time", "date",
    "created_at", "logged_at",
)  # fmt: skip
"""The common names, in the order in which they are asked, in lower case."""


@dataclass(frozen=True, slots=True)
class KnownField:
    """A time field of a source.

    Attributes:
        name: The attribute, as `plain_name` has it.
        source: Where its source describes it.
        path: What leads from the attribute's JSON text to the time; none if the attribute is the time.
        nanoseconds: What leads to the nanoseconds beside the seconds.
    """

    name: str
    source: str
    path: str | None = None
    nanoseconds: str | None = None


_KUBERNETES = "https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/"
_JOURNALD = "https://www.freedesktop.org/software/systemd/man/latest/systemd.journal-fields.html"
_LOG4J = "https://logging.apache.org/log4j/2.x/manual/layouts.html#JSONLayout"
_OTLP = "https://opentelemetry.io/docs/specs/otel/logs/data-model/"
_CLOUDFLARE = "https://developers.cloudflare.com/logs/logpush/logpush-job/datasets/"
_CONFIG = "https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationItem.html"
_FIREWALL = "https://docs.aws.amazon.com/network-firewall/latest/developerguide/firewall-logging-contents.html"

KNOWN = (
    KnownField("requestreceivedtimestamp", _KUBERNETES),
    KnownField("stagetimestamp", _KUBERNETES),
    KnownField("published", "https://developer.okta.com/docs/reference/api/system-log/"),
    KnownField("createdat", "https://docs.aws.amazon.com/guardduty/latest/APIReference/API_Finding.html"),
    KnownField("t", "https://www.mongodb.com/docs/manual/reference/log-messages/", "$['$date']"),
    KnownField("sourcerealtimetimestamp", _JOURNALD),
    KnownField("realtimetimestamp", _JOURNALD),
    KnownField("instant", _LOG4J, "$.epochSecond", "$.nanoOfSecond"),
    KnownField("timemillis", _LOG4J),
    KnownField("querytimestamp", "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/"
               "resolver-query-logs-format.html"),
    KnownField("timeiso8601", "https://nginx.org/en/docs/http/ngx_http_log_module.html"),
    KnownField("starttime", "https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage"),
    KnownField("@t", "https://github.com/serilog/serilog-formatting-compact#format-details"),
    KnownField("creationtime", "https://learn.microsoft.com/en-us/office/office-365-management-api/"
               "office-365-management-activity-api-schema"),
    KnownField("timeunixnano", _OTLP),
    KnownField("observedtimeunixnano", _OTLP),
    KnownField("resourcelogs", _OTLP, "$[0].scopeLogs[0].logRecords[0].timeUnixNano"),
    KnownField("edgestarttimestamp", _CLOUDFLARE),
    KnownField("edgeendtimestamp", _CLOUDFLARE),
    KnownField("timemicros", "https://cloud.google.com/storage/docs/access-logs"),
    KnownField("configurationitemcapturetime", _CONFIG),
    KnownField("configurationitem", _CONFIG, "$.configurationItemCaptureTime"),
    KnownField("event", _FIREWALL, "$.timestamp"),
    KnownField("eventtimestamp", _FIREWALL),
    KnownField("timegenerated", "https://learn.microsoft.com/en-us/azure/azure-monitor/logs/log-standard-columns"),
    KnownField("event", "https://learn.microsoft.com/en-us/windows/win32/wes/eventschema-systempropertiestype-complextype",
               "$.System.TimeCreated.SystemTime"),
    KnownField("start", "https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html"),
)  # fmt: skip
ZONES = frozenset({"tz", "timezone"})
"""Fields that hold the zone of the time beside them, as `plain_name` has them."""


def plain_name(name: str) -> str:
    """Return a name as names are compared; that of Splunk's `_time` stays what it is."""
    lower = name.lower()
    return lower if lower == "_time" else re.sub("[_-]", "", lower)


COMMON = tuple(dict.fromkeys(map(plain_name, NAMES)))
