"""Log three records by one of two handlers of Python's logging: `send.py HANDLER PORT TOKEN`."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import Any


def splunk_handler(port: int, token: str) -> logging.Handler:
    """Return the handler of splunk-handler, which batches records on a thread."""
    made: logging.Handler = import_module("splunk_handler").SplunkHandler(
        host="127.0.0.1", port=port, token=token, index="main", protocol="http", verify=False, hostname="web-1",
        source="splunk-handler", sourcetype="app", flush_interval=0.2, allow_overrides=True, retry_count=0,
    )  # fmt: skip
    return made


def splunk_hec_handler(port: int, token: str) -> logging.Handler:
    """Return the handler of splunk-hec-handler, which posts each record by itself."""
    made: logging.Handler = import_module("splunk_hec_handler").SplunkHecHandler(
        "127.0.0.1", token, port=port, proto="http", ssl_verify=False, index="main", hostname="web-2",
        source="splunk-hec-handler", sourcetype="_json",
    )  # fmt: skip
    return made


RECORDS: dict[str, list[tuple[Any, dict[str, Any] | None]]] = {
    "splunk-handler": [
        ("one", {"_time": 1754951077.25}),
        ("two \N{SNOWMAN}", {"_time": 1754951078, "_host": "web-9"}),
        ("three\nlines\nhere", {"_time": "1754951079.000001"}),
    ],
    "splunk-hec-handler": [
        ({"time": 1754951077.25, "user": "carol", "fields": {"color": "yellow", "codes": ["1", "2"], "n": 7}}, None),
        ({"time": 1754951078, "message": "two \N{SNOWMAN}", "fields": {"time": 1754951178}}, None),
        ({"time": 1754951079, "fields": {}}, None),
    ],
}


def main(name: str, port: int, token: str) -> None:
    """Log the records, and wait until they are sent."""
    handler = {"splunk-handler": splunk_handler, "splunk-hec-handler": splunk_hec_handler}[name](port, token)
    logger = logging.getLogger(name)
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    for message, extra in RECORDS[name]:
        logger.info(message, extra=extra)
    logging.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
