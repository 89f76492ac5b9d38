"""`rekindle serve`."""

from __future__ import annotations

import os

import click

from pipelines.cli.common import Common, common_flags
from pipelines.cli.flags import Command, OneOf, option
from pipelines.cli.service_process import become_service, check_installed
from pipelines.units import parse_size
from transforms.core.errors import ConfigurationError

EXAMPLES = (
    "rekindle serve --hot-tier s3://my-tier/hot",
    "rekindle serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --log-format json",
)
_NEEDED = ("fastapi", "uvicorn", "python_multipart", "prometheus_client", "mcp")


@click.command(cls=Command, examples=EXAMPLES)
@option("--host", metavar="ADDRESS", default="127.0.0.1", help="Listen on this address.")
@option(
    "--port", type=click.IntRange(0, 65535), metavar="N", default=8080, help="Listen on this port; 0 takes a free one."
)
@option(
    "--allow-dir",
    multiple=True,
    metavar="DIR",
    help="Let jobs read local folders at or below DIR, as file:///folder; repeat it for several.",
)
@option("--root-path", metavar="PATH", help="The path that a proxy puts before the service's.")
@option("--job-workers", type=click.IntRange(0, 64), metavar="N", default=2, help="Run N jobs at once.")
@option("--upload-limit", metavar="SIZE", default="10GiB", help="Refuse uploads that are larger than SIZE.")
@option("--memory", metavar="SIZE", help="Use at most SIZE of memory, the server and its workers for jobs together.")
@option("--tls-cert", metavar="FILE", help="Serve HTTPS with this certificate, a PEM file.")
@option("--tls-key", metavar="FILE", help="The certificate's key, a PEM file.")
@option(
    "--hec-dir",
    metavar="DIR",
    help="Keep what HEC receives in DIR, on a disk of this machine, until it is in the hot tier.",
)
@option(
    "--hec-durable",
    type=OneOf(["log", "tier"]),
    default="log",
    help="Answer HEC when its events are on the disk, or when they are in the hot tier.",
)
@option("--hec-log-size", metavar="SIZE", default="4GiB", help="Refuse events of HEC while so much waits in DIR.")
@option("--no-hec-acks", is_flag=True, help="Let HEC acknowledge nothing: it gives no ackId.")
@option("--hec-query-tokens", is_flag=True, help="Take tokens of HEC from the query too, as ?token=.")
@option("--log-format", type=OneOf(["text", "json"]), default="text", help="Write the log as text or as JSON lines.")
@common_flags
def serve(
    common: Common,
    host: str,
    port: int,
    allow_dir: tuple[str, ...],
    root_path: str | None,
    job_workers: int,
    upload_limit: str,
    memory: str | None,
    tls_cert: str | None,
    tls_key: str | None,
    hec_dir: str | None,
    hec_durable: str,
    hec_log_size: str,
    no_hec_acks: bool,
    hec_query_tokens: bool,
    log_format: str,
) -> int:
    """Serve the hot tier over HTTP, and run the jobs of its queue.

    Ends on SIGTERM or Ctrl-C. Jobs that run then are continued by the next service of the same hot tier.
    """
    if (tls_cert is None) != (tls_key is None):
        raise ConfigurationError("--tls-cert and --tls-key go together: give both, or neither", field="tls-cert")
    check_installed(*_NEEDED)
    for folder in allow_dir:
        if not os.path.isdir(folder):
            raise ConfigurationError(f"--allow-dir {folder}: there is no such folder", field="allow-dir")
    settings = {
        "host": host,
        "port": port,
        "allowDirs": [os.path.abspath(folder) for folder in allow_dir],
        "rootPath": "/" + root_path.strip("/") if root_path and root_path.strip("/") else "",
        "logFormat": log_format,
        "jobWorkers": job_workers,
        "uploadLimit": parse_size(upload_limit, "--upload-limit"),
        "memory": parse_size(memory, "--memory") if memory else None,
        "tlsCert": tls_cert,
        "tlsKey": tls_key,
        "hecDir": os.path.abspath(hec_dir) if hec_dir else None,
        "hecDurable": hec_durable,
        "hecAcks": not no_hec_acks,
        "hecQueryTokens": hec_query_tokens,
        "hecLogBytes": parse_size(hec_log_size, "--hec-log-size"),
    }
    become_service(common, **settings)
    return 0
