"""Start a runner to try things on: prints the flags for `rekindle … -- FLAGS`, and runs until Ctrl-C.

python -m tests.runners.serve flink|flink-cluster|spark|prism|minio
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence

from tests.runners.flink_cluster import FlinkCluster
from tests.runners.minio import MinIO
from tests.runners.processes import Server
from tests.runners.servers import FlinkJobServer, Prism, SparkJobServer
from tests.runners.tools import ToolMissing

SERVERS: dict[str, Callable[[], Server]] = {
    "flink": FlinkJobServer,
    "flink-cluster": FlinkCluster,
    "spark": SparkJobServer,
    "prism": Prism,
    "minio": MinIO,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.runners.serve", description="Start a runner on this machine, until Ctrl-C."
    )
    parser.add_argument("server", choices=SERVERS)
    name = parser.parse_args(argv).server
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        say(f"Starting {name}; the first time its program is downloaded and built, which takes minutes")
        with SERVERS[name]() as server:
            say(f"Its logs are in {server.folder}. Ctrl-C stops it.")
            print(usage(server), flush=True)  # noqa: T201 - what the command is for
            signal.pause()
    except ToolMissing as missing:
        say(f"Not to be had here: {missing}")
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def usage(server: Server) -> str:
    """Return what to add to a command line to use a server."""
    if isinstance(server, MinIO):
        credentials = f"AWS_ACCESS_KEY_ID={server.user} AWS_SECRET_ACCESS_KEY={server.password}"
        return f"{credentials} rekindle … --endpoint-url {server.endpoint_url}"
    return f"-- {' '.join(server.beam_flags)}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
