"""Ready lines: how clients are set so that they use a new key."""

from __future__ import annotations

from starlette.datastructures import URL

from pipelines.documents import JsonObject

_EVENT = '{"event": "hello", "sourcetype": "app"}'
_JOB = '{"bucket": "my-bucket", "pattern": "logs/**"}'


def ready_lines(made: JsonObject, base: URL) -> list[tuple[str, str]]:
    """Return lines that use a new key, each with what it is for.

    Args:
        made: The key with its tokens; clients of HEC get its GUID, where it has one.
        base: The address of the service.
    """
    address, token = str(base).rstrip("/"), made["token"]
    lines = []
    if made["role"] != "read":
        lines += _sending(made.get("hecToken") or token, base, address)
        job = (
            f"curl -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' -d '{_JOB}' {address}/ingest"
        )
        lines.append(("A job, by curl", job))
    if made["role"] != "ingest":
        lines.append(("A search, by curl", f"curl -H 'Authorization: Bearer {token}' '{address}/search?last=1h'"))
    return lines


def _sending(token: str, base: URL, address: str) -> list[tuple[str, str]]:
    """Return how clients of Splunk's HTTP Event Collector send here (docs/hec.md)."""
    is_secure = base.scheme == "https"
    origin = f"{base.scheme}://{base.netloc}"
    port = base.port or (443 if is_secure else 80)
    fluent_bit = {"Name": "splunk", "Match": "*", "Host": base.hostname, "Port": port, "Splunk_Token": token}
    fluent_bit["TLS"] = "On" if is_secure else "Off"
    return [
        (
            "An event, by curl",
            f"curl -H 'Authorization: Splunk {token}' -d '{_EVENT}' {address}/services/collector/event",
        ),
        (
            "Docker",
            "docker run --log-driver splunk \\\n"
            f"  --log-opt splunk-url={origin} \\\n  --log-opt splunk-token={token} IMAGE",
        ),
        ("Fluent Bit", "[OUTPUT]\n" + "\n".join(f"    {name:<12} {value}" for name, value in fluent_bit.items())),
        (
            "Vector",
            'sinks:\n  rekindle:\n    type: splunk_hec_logs\n    inputs: ["*"]\n'
            f"    endpoint: {address}\n    default_token: {token}\n    encoding: {{codec: text}}",
        ),
    ]
