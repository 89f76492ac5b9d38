"""Sample logs of a small shop over three days: web access logs, services, audit trail and syslog.

`sample_objects()` gives what the demonstration's bucket holds: 33 objects with records under `logs/web`, `logs/app`,
`logs/audit` and `logs/system` (216,000 records), and others that the demonstration's glob leaves out. The same call
gives the same bytes, so that a second demonstration finds nothing new. A story runs through them: on 2025-08-12 from
14:05 to 14:25 UTC the payment service does not answer.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from bisect import bisect
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import accumulate

import zstandard

PATTERN = "logs/{web,app,audit,system}/**"
DAYS = tuple(datetime(2025, 8, day, tzinfo=timezone.utc) for day in (11, 12, 13))
OUTAGE = (datetime(2025, 8, 12, 14, 5, tzinfo=timezone.utc), datetime(2025, 8, 12, 14, 25, tzinfo=timezone.utc))

# Records an object; 12 + 12 + 3 + 6 objects hold 216,000.
ACCESS_LINES = 10_000
APP_RECORDS = 5_000
AUDIT_ROWS = 6_000
SYSTEM_LINES = 3_000

# How busy each hour of the day is: quiet at night, a peak after lunch and one in the evening.
_BUSY_HOURS = (3, 2, 2, 1, 1, 2, 4, 7, 10, 12, 13, 14, 13, 15, 16, 14, 12, 12, 13, 15, 16, 13, 9, 5)
_BUSY_UNTIL = tuple(accumulate(_BUSY_HOURS))

_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/22F76 Safari",
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/138.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "kube-probe/1.33",
)
_SCANNERS = (
    "/wp-login.php",
    "/.env",
    "/xmlrpc.php",
    "/admin/config.php",
    "/.git/config",
    "/cgi-bin/luci/;stok=/locale",
)
_ASSETS = (
    "/static/js/app.3f9c{:02d}.js",
    "/static/css/shop.b71e{:02d}.css",
    "/images/hero-{}.webp",
    "/images/products/{}.jpg",
)
_WORDS = ("lamp", "desk", "chair", "mug", "carpet", "mirror", "shelf", "clock", "vase", "blanket")
_USERS = ("ann", "bob", "carol", "dmitri", "emeka", "fatima", "grace", "hiro")
_REFERERS = ("-", "-", "-", "https://shop.example.com/", "https://shop.example.com/products", "https://www.google.com/")


def sample_objects() -> Iterator[tuple[str, bytes]]:
    """Yield (key, content) of every object of the demonstration's bucket, those that its glob leaves out too."""
    for day in DAYS:
        date = f"{day:%Y-%m-%d}"
        for host in ("web-1", "web-2"):
            for half in (0, 12):
                lines = _access_log(host, day + timedelta(hours=half))
                yield f"logs/web/{host}/access-{date}-{half:02d}.log.gz", gzip.compress(lines.encode(), 6, mtime=0)
            yield f"logs/system/{host}/syslog-{date}", _syslog(host, day).encode()
        for service in ("cart", "payment"):
            for half in (0, 12):
                records = _service_log(service, day + timedelta(hours=half))
                yield (
                    f"logs/app/{service}/{day:%Y/%m/%d}/{half:02d}.ndjson.zst",
                    zstandard.ZstdCompressor(level=3).compress(records.encode()),
                )
        yield f"logs/audit/audit-{date}.csv", _audit_trail(day).encode()
        yield f"logs/debug/trace-{date}.log", _trace(day).encode()
    yield "logs/app/_SUCCESS", b""
    yield "exports/customers-2025-08-12.csv", b"id,name\n1,Ann\n2,Bob\n"
    yield "backups/shop-2025-08-12.dump", random.Random("backup").randbytes(50_000)


def _moments(rng: random.Random, begin: datetime, hours: int, count: int) -> list[datetime]:
    """Choose `count` moments of the `hours` from `begin`, in order, more of them in the busy hours."""
    first = begin.hour
    below = _BUSY_UNTIL[first - 1] if first else 0
    above = _BUSY_UNTIL[first + hours - 1]
    seconds = []
    for _ in range(count):
        hour = bisect(_BUSY_UNTIL, below + rng.random() * (above - below))
        seconds.append((hour - first + rng.random()) * 3600)
    return [begin + timedelta(milliseconds=int(second * 1000)) for second in sorted(seconds)]


def _clients(rng: random.Random) -> Callable[[], str]:
    """Return a function that gives a visitor's address: few come often, many seldom.

    All are documentation addresses (RFC 5737).
    """
    nets = ("192.0.2", "198.51.100", "203.0.113")
    pool = [f"{net}.{host}" for net in nets for host in range(1, 255)] + [f"2001:db8::{n:x}" for n in range(1, 120)]
    rng.shuffle(pool)
    return lambda: pool[int(len(pool) * rng.random() ** 3)]


def _request(rng: random.Random, when: datetime) -> tuple[str, str, int, str]:
    """Return method, path, status and user of one request of the shop."""
    kind = rng.random()
    if kind < 0.02:
        return "GET", rng.choice(_SCANNERS), 404, "-"
    if kind < 0.10:
        return "GET", "/healthz", 200, "-"
    if kind < 0.40:
        return (
            "GET",
            f"/static/{rng.choice(('js/app', 'css/shop', 'img/hero'))}.{rng.randrange(1 << 20):05x}.js",
            rng.choice((200, 200, 304)),
            "-",
        )
    if kind < 0.70:
        return "GET", f"/products/{rng.choice(_WORDS)}-{rng.randrange(2_000)}", 404 if rng.random() < 0.01 else 200, "-"
    if kind < 0.85:
        return "GET", f"/search?q={rng.choice(_WORDS)}+{rng.choice(_WORDS)}&page={rng.randrange(1, 9)}", 200, "-"
    user = rng.choice(_USERS)
    if kind < 0.93:
        return "POST", f"/api/v1/cart/{rng.randrange(1 << 24):06x}", 201, user
    down = OUTAGE[0] <= when < OUTAGE[1]
    return "POST", "/api/v1/checkout", 503 if down or rng.random() < 0.002 else 200, user


def _access_log(host: str, begin: datetime) -> str:
    """Return half a day of one web server's access log in the combined format."""
    rng = random.Random(f"{host} {begin}")
    client = _clients(rng)
    lines = []
    for when in _moments(rng, begin, 12, ACCESS_LINES):
        method, path, status, user = _request(rng, when)
        probe = path == "/healthz"
        address, agent = ("10.0.0.7", _AGENTS[-1]) if probe else (client(), _AGENTS[int(rng.random() ** 2 * 6)])
        size = 0 if status == 304 else 2 if probe else int(rng.paretovariate(1.2) * 900) % 900_000
        referer = "-" if probe else rng.choice(_REFERERS)
        request = f"{method} {path} HTTP/{'1.1' if probe else '2.0'}"
        lines.append(
            f'{address} - {user} [{when:%d/%b/%Y:%H:%M:%S} +0000] "{request}" {status} {size} "{referer}" "{agent}"\n'
        )
    return "".join(lines)


def _service_log(service: str, begin: datetime) -> str:
    """Return half a day of one service's log as newline-delimited JSON."""
    rng = random.Random(f"{service} {begin}")
    encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
    lines = []
    for when in _moments(rng, begin, 12, APP_RECORDS):
        down = service == "payment" and OUTAGE[0] <= when < OUTAGE[1]
        failed = rng.random() < (0.9 if down else 0.003)
        record: dict[str, object] = {
            "time": f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}Z",
            "level": "error" if failed else rng.choice(("info", "info", "info", "debug")),
            "service": service,
            "host": f"{service}-{rng.randrange(1, 4)}",
            "msg": "upstream acquirer did not answer"
            if failed
            else f"{'charge' if service == 'payment' else 'item'} accepted",
            "duration_ms": 30_000 if down and failed else round(rng.expovariate(1 / 40), 3),
            "order": {
                "id": f"o-{rng.randrange(1 << 32):08x}",
                "items": rng.randrange(1, 7),
                "currency": rng.choice(("EUR", "USD")),
            },
            "trace_id": f"{rng.getrandbits(128):032x}",
        }
        if failed:
            record["error"] = 'dial tcp 10.0.3.9:443: i/o timeout ("acquirer")'
        lines.append(encode(record) + "\n")
    return "".join(lines)


def _audit_trail(day: datetime) -> str:
    """Return one day of the back office's audit trail as CSV, with commas, quotes and newlines in its cells."""
    rng = random.Random(f"audit {day}")
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("timestamp", "user", "action", "resource", "result", "note"))
    for when in _moments(rng, day, 24, AUDIT_ROWS):
        action = rng.choice(("login", "login", "view", "view", "view", "update", "export", "delete"))
        denied = rng.random() < 0.03
        note = rng.choice(
            ("", "", "", 'said "urgent", twice', "ticket 4711, second line", "checked by\nthe night shift")
        )
        resource = f"{rng.choice(('order', 'customer', 'refund'))}/{rng.randrange(20_000)}"
        stamp = f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 1000:03d}"
        rows.writerow((stamp, rng.choice(_USERS), action, resource, "denied" if denied else "ok", note))
    return text.getvalue()


def _syslog(host: str, day: datetime) -> str:
    """Return one day of a host's syslog as rsyslog writes it by default today (RSYSLOG_FileFormat: RFC 3339 times)."""
    rng = random.Random(f"syslog {host} {day}")
    client = _clients(rng)
    lines = []
    for when in _moments(rng, day, 24, SYSTEM_LINES):
        pid = rng.randrange(300, 60_000)
        tag, message = rng.choice((
            (f"sshd[{pid}]",
             f"Failed password for invalid user admin from {client()} port {rng.randrange(1024, 65536)} ssh2"),
            (f"sshd[{pid}]",
             f"Accepted publickey for deploy from 10.0.0.5 port {rng.randrange(1024, 65536)} ssh2: "
             f"ED25519 SHA256:{pid:x}"),
            (f"CRON[{pid}]", "(root) CMD (test -x /usr/sbin/anacron || run-parts --report /etc/cron.hourly)"),
            ("systemd[1]", "logrotate.service: Deactivated successfully."),
            ("kernel", f"[{when.timestamp() % 1e6:.6f}] eth0: link up, 1000Mbps, full-duplex"),
        ))  # fmt: skip
        lines.append(f"{when:%Y-%m-%dT%H:%M:%S.%f}+00:00 {host} {tag}: {message}\n")
    return "".join(lines)


def _trace(day: datetime) -> str:
    """Return a debug log that the demonstration's glob leaves out."""
    rng = random.Random(f"trace {day}")
    return "".join(f"{when:%H:%M:%S} enter span {rng.getrandbits(32):08x}\n" for when in _moments(rng, day, 24, 500))
