"""How S3 is reached: certificates, credentials, and the options for the other libraries."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from deltalake import DeltaTable, write_deltalake

from tests.conftest import S3
from tests.fault_proxy import FaultProxy
from transforms.core.errors import AccessError, ConfigurationError, TierError
from transforms.storage import StorageOptions, open_store, open_tier


def certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    authority: bool,
) -> x509.Certificate:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


@pytest.fixture
def private_authority(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate authority that nobody knows, and a server's context with a certificate from it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = certificate("authority", authority_key, name, authority_key, authority=True)
    server = certificate("server", key, name, authority_key, authority=False)
    bundle, chain_file = tmp_path / "authority.pem", tmp_path / "server.pem"
    bundle.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain_file.write_bytes(private + server.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain_file)
    return bundle, context


@pytest.fixture
def secure(s3: S3, private_authority: tuple[Path, ssl.SSLContext]) -> Iterator[tuple[StorageOptions, str]]:
    """Options of an endpoint with a private certificate, and the file of its authority."""
    bundle, context = private_authority
    with FaultProxy(s3.endpoint_url, tls=context) as proxy:
        yield replace(s3.options, endpoint_url=proxy.endpoint_url), str(bundle)


class TestCertificates:
    @pytest.mark.parametrize("given", ["option", "environment"])
    def test_a_private_authority(
        self, s3: S3, secure: tuple[StorageOptions, str], monkeypatch: pytest.MonkeyPatch, given: str
    ) -> None:
        options, bundle = secure
        if given == "environment":
            monkeypatch.setenv("AWS_CA_BUNDLE", bundle)
        else:
            options = replace(options, ca_bundle=bundle)
        s3.put("plain", b"1")
        s3.put("o\tdd", b"1")
        store = open_store(s3.bucket, options)
        assert [b"".join(store.read(info)) for info in chain.from_iterable(store.list_pages(""))] == [b"1", b"1"]
        tier = open_tier(f"s3://{s3.bucket}/hot", options)
        tier.probe_conditional_put()

    def test_it_is_not_trusted_unasked(self, s3: S3, secure: tuple[StorageOptions, str]) -> None:
        options, _ = secure
        with pytest.raises(AccessError, match="certificate that is not trusted.*--ca-bundle"):
            list(open_store(s3.bucket, options).list_pages(""))
        with pytest.raises(TierError, match="certificate that is not trusted.*--ca-bundle"):
            open_tier(f"s3://{s3.bucket}/hot", options).put("a", b"1")

    def test_the_tables_libraries_want_it_in_the_environment(
        self, s3: S3, secure: tuple[StorageOptions, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        options, bundle = secure
        tier = open_tier(f"s3://{s3.bucket}/hot", replace(options, ca_bundle=bundle))
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        for ask in (tier.delta_options, tier.polars_options):
            with pytest.raises(TierError, match=f"export SSL_CERT_FILE={bundle}"):
                ask()
        monkeypatch.setenv("SSL_CERT_FILE", bundle)
        write_deltalake(tier.table_uri("events"), pa.table({"a": [1]}), storage_options=tier.delta_options())
        assert DeltaTable(tier.table_uri("events"), storage_options=tier.delta_options()).version() == 0


class TestCredentials:
    @pytest.fixture
    def profiles(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aws_environment: None) -> None:
        file = tmp_path / "credentials"
        file.write_text("[team]\naws_access_key_id = TEAM\naws_secret_access_key = secret\naws_session_token = token\n")
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))

    @pytest.mark.moto_only(reason="it takes no made-up session token")
    def test_a_profile_wins_over_the_environment_everywhere(
        self, s3: S3, fault_proxy: FaultProxy, profiles: None
    ) -> None:
        options = replace(s3.options, endpoint_url=fault_proxy.endpoint_url, profile="team")
        s3.put("plain", b"1")
        s3.put("o\tdd", b"1")
        store = open_store(s3.bucket, options)
        assert [b"".join(store.read(info)) for info in chain.from_iterable(store.list_pages(""))] == [b"1", b"1"]
        tier = open_tier(f"s3://{s3.bucket}/hot", options)
        tier.put("a", b"1")
        write_deltalake(tier.table_uri("events"), pa.table({"a": [1]}), storage_options=tier.delta_options())
        assert {
            one.headers["authorization"].partition("Credential=")[2].partition("/")[0] for one in fault_proxy.seen
        } == {"TEAM"}
        assert {one.headers["x-amz-security-token"] for one in fault_proxy.seen} == {"token"}

    def test_options_for_the_tables_libraries(self, s3: S3, profiles: None) -> None:
        tier = open_tier(
            f"s3://{s3.bucket}/hot", replace(s3.options, profile="team", region="eu-west-1", request_payer=True)
        )
        expected = {
            "AWS_ENDPOINT_URL": s3.endpoint_url,
            "AWS_ENDPOINT_URL_S3": s3.endpoint_url,
            "AWS_REGION": "eu-west-1",
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "false",
            "AWS_ALLOW_HTTP": "true",
            "AWS_REQUEST_PAYER": "true",
            "AWS_ACCESS_KEY_ID": "TEAM",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_SESSION_TOKEN": "token",
        }
        assert tier.polars_options() == expected
        assert tier.delta_options() == {**expected, "AWS_CONDITIONAL_PUT": "etag"}

    def test_aws_itself_over_https(self, aws_environment: None) -> None:
        options = open_tier("s3://bucket/hot", StorageOptions(region="cn-north-1")).delta_options()
        assert options["AWS_ENDPOINT_URL"] == "https://s3.cn-north-1.amazonaws.com.cn"
        assert options["AWS_ALLOW_HTTP"] == "false"
        assert "AWS_SESSION_TOKEN" not in options

    def test_a_public_tier_is_asked_unsigned(self, aws_environment: None) -> None:
        options = open_tier("s3://bucket/hot", StorageOptions(no_sign_request=True)).polars_options()
        assert options["AWS_SKIP_SIGNATURE"] == "true"
        assert "AWS_ACCESS_KEY_ID" not in options


def test_a_url_has_no_credentials() -> None:
    options = StorageOptions(endpoint_url="http://ann:sesame@127.0.0.1:9")
    with pytest.raises(ConfigurationError, match="no credentials may stand in it") as caught:
        list(open_store("bucket", options).list_pages(""))
    assert "sesame" not in str(caught.value)


def test_no_message_shows_credentials() -> None:
    shown = str(TierError("https://ann:sesame@a.example/x failed, s3://bucket/a:b@c too, and at 10:00 me@b.example"))
    assert shown == "https://***@a.example/x failed, s3://bucket/a:b@c too, and at 10:00 me@b.example"
