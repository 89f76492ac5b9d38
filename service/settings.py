"""How the service runs. `rekindle serve` hands it to `python -m service`, and that to its workers, as JSON."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import Literal

from pipelines.documents import JsonModel
from pipelines.jobs.settings import RunSettings
from pipelines.jobs.specification import JobSpecification
from service.memory import MemoryShares, share_memory
from transforms.hot_tier.search.serving.gate import QueryGate
from transforms.storage import StorageOptions, TierLocation


class ServiceSettings(JsonModel):
    """How the service runs.

    Attributes:
        hot_tier: The hot tier: a folder or `s3://bucket/prefix`.
        source_options: How sources are reached.
        tier_options: How the hot tier is reached.
        host, port: Where it listens; port 0 takes a free one.
        allow_dirs: Folders of this machine that jobs may read, as `file:///folder`.
        root_path: The path that a proxy puts before the service's.
        log_format: `text` or `json`.
        job_workers: How many jobs run at once.
        upload_limit: The largest upload, in bytes.
        hec_dir: Where the logs of HEC are, None for the default.
        hec_durable: When events of HEC are answered: once they are in the `log`, or in the `tier`.
        hec_log_bytes: What a log of HEC may take on the disk.
        hec_acks: Whether HEC acknowledges what is in the hot tier.
        hec_query_tokens: Whether HEC takes tokens from the query.
        memory: Bytes for the server and its workers together; None for the defaults of each.
        tls_cert, tls_key: Files of the certificate and its key, None for plain HTTP.
        trusted_proxies: Addresses and networks whose `X-Forwarded-For` and `X-Forwarded-Proto` hold.
        open_metrics: Whether everybody may read the metrics.
        open_browser: Whether the browser is opened at the service's address.
        daily: When the tier's rules are run each day, `HH:MM` in UTC; None is never.
    """

    hot_tier: str
    source_options: StorageOptions = StorageOptions()
    tier_options: StorageOptions = StorageOptions()
    host: str = "127.0.0.1"
    port: int = 8080
    allow_dirs: tuple[str, ...] = ()
    root_path: str = ""
    log_format: Literal["text", "json"] = "text"
    job_workers: int = 2
    upload_limit: int = 10 << 30
    hec_dir: str | None = None
    hec_durable: Literal["log", "tier"] = "log"
    hec_log_bytes: int = 4 << 30
    hec_acks: bool = True
    hec_query_tokens: bool = False
    memory: int | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    open_metrics: bool = False
    open_browser: bool = False
    daily: str | None = None

    @property
    def is_loopback(self) -> bool:
        """Whether only programs of this machine reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def is_proxied(self) -> bool:
        """Whether a proxy hands requests on, so that who connects is not who asks."""
        return bool(self.root_path or self.trusted_proxies)

    @property
    def memory_shares(self) -> MemoryShares:
        """What of the memory is whose.

        Raises:
            ConfigurationError: it is too little.
        """
        return share_memory(self.memory, job_workers=self.job_workers, places=QueryGate().places)

    @property
    def tier_location(self) -> TierLocation:
        """Where the hot tier is."""
        return TierLocation(self.hot_tier, self.tier_options)

    def run_settings(
        self, job: JobSpecification | None = None, *, key: str | None = None, upload: str | None = None
    ) -> RunSettings:
        """Return how a job runs here.

        Args:
            job: Its region is the source's, where it names one.
            key: The id of the key that lets it in.
            upload: The id of the job for which its files are uploaded.
        """
        source = replace(self.source_options, inside=self.allow_dirs)
        if job is not None and job.region is not None:
            source = replace(source, region=job.region)
        return RunSettings(
            hot_tier=self.hot_tier,
            source_options=source,
            tier_options=self.tier_options,
            key=key,
            memory=self.memory_shares.job,
            upload=upload,
        )
