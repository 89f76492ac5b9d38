"""What a tier holds while a service writes to it, as DuckDB reads its live files; and a certificate."""

from __future__ import annotations

import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from deltalake import DeltaTable

from transforms.storage import TierStore


def live_files(tier: TierStore) -> list[str]:
    """Return the files that the table's log names now."""
    table, options = tier.table_uri("events"), tier.delta_options()
    return DeltaTable(table, storage_options=options).file_uris() if DeltaTable.is_deltatable(table, options) else []


def read_tier(tier: TierStore, query: str) -> list[tuple[Any, ...]]:
    """Ask DuckDB, which knows nothing of the product, about the live files as `events`; nothing without any."""
    files = live_files(tier)
    if not files:
        return []
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("SET TimeZone = 'UTC'")
        paths = files if tier.is_local else [str(_copied(tier, file, Path(folder))) for file in files]
        connection.register("events", connection.read_parquet(paths, union_by_name=True, hive_partitioning=True))
        return connection.execute(query).fetchall()


def _copied(tier: TierStore, uri: str, folder: Path) -> Path:
    """Bring a file here from a store that DuckDB has no credentials of."""
    name = uri.removeprefix(tier.table_uri("events")).strip("/")
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(tier.get(f"events/{name}"))
    return path


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate of 127.0.0.1 that nobody signed; return its file and that of its key."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(private, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    files[1].write_bytes(private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return files
