"""Flags that every command has, and how the text of flags becomes values."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TypeVar

import click

from pipelines.cli.flags import common_option, pass_flags, store_option
from transforms.core.errors import ConfigurationError, TierError
from transforms.storage import StorageOptions, TierStore, open_tier

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Common:
    """The flags of every command (docs/jobs.md): where the hot tier is, how stores are reached, what is shown."""

    hot_tier: str
    endpoint_url: str | None
    tier_endpoint_url: str | None
    profile: str | None
    region: str | None
    no_sign_request: bool
    request_payer: bool
    ca_bundle: str | None
    as_json: bool
    quiet: bool

    def stores(self, *, region: str | None = None) -> tuple[StorageOptions, StorageOptions]:
        """Return how to reach the source, and how to reach the tier.

        Args:
            region: The AWS region; by default that of the flag, or of the environment.
        """
        tier = StorageOptions(
            endpoint_url=self.tier_endpoint_url or self.endpoint_url,
            profile=self.profile,
            region=region or self.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
            ca_bundle=self.ca_bundle,
        )
        source = replace(
            tier, endpoint_url=self.endpoint_url, no_sign_request=self.no_sign_request, request_payer=self.request_payer
        )
        return source, tier

    def open_tier(self) -> TierStore:
        """Return the hot tier.

        Raises:
            TierError: something else is at its location, or a tier of a newer version.
        """
        from transforms.hot_tier.table import location  # imports deltalake

        tier = open_tier(self.hot_tier, self.stores()[1])
        location.check_is_tier_or_empty(tier)
        return tier

    def open_events(self) -> TierStore:
        """Return the hot tier, which must have events.

        Raises:
            TierError: there is none yet.
        """
        from transforms.hot_tier.table import location

        tier = self.open_tier()
        if not location.exists(tier):
            raise TierError(self.no_tier())
        return tier

    def no_tier(self) -> str:
        """Return the message for a location without a tier."""
        return (
            f"there is no hot tier at {self.hot_tier}: create one with `rekindle backfill`, "
            "or name another with --hot-tier or $REKINDLE_HOT_TIER"
        )


common_flags = pass_flags(
    "common",
    Common,
    store_option(
        "--hot-tier",
        metavar="LOCATION",
        default="hot-tier",
        envvar="REKINDLE_HOT_TIER",
        help="Use the hot tier at LOCATION: a folder, or s3://bucket/prefix.",
    ),
    store_option(
        "--endpoint-url",
        metavar="URL",
        envvar="AWS_ENDPOINT_URL",
        help="Use this S3 endpoint for the source and the tier.",
    ),
    store_option(
        "--tier-endpoint-url", metavar="URL", help="Use this S3 endpoint for the tier, instead of --endpoint-url."
    ),
    store_option("--profile", metavar="NAME", help="Use this profile of the AWS configuration files."),
    store_option("--region", metavar="NAME", help="AWS region of the bucket. Defaults to $AWS_REGION."),
    store_option("--no-sign-request", is_flag=True, help="Read a public bucket without credentials."),
    store_option("--request-payer", is_flag=True, help="Pay for the requests to a requester-pays bucket."),
    store_option("--ca-bundle", metavar="FILE", help="Trust the CA certificates in this PEM file."),
    common_option("--json", "as_json", is_flag=True, help="Write JSON to standard output."),
    common_option(
        "--quiet", "-q", is_flag=True, help="Hide progress and messages; show only errors and what was asked for."
    ),
)
beam_argument = click.argument(
    "beam_flags",
    nargs=-1,
    metavar="[-- BEAM_FLAGS...]",
    help="Flags for Apache Beam, such as --runner=FlinkRunner.",
)


def check_beam_flags(flags: tuple[str, ...], hint: str = "") -> tuple[str, ...]:
    """Return Beam's flags, which come after `--`.

    Raises:
        ConfigurationError: the first is not a flag.
    """
    if flags and not flags[0].startswith("-"):
        raise ConfigurationError(f"unexpected argument {flags[0]!r}: {hint}Beam's flags go after --")
    return flags


def split_lists(values: Iterable[str]) -> tuple[str, ...]:
    """Return the parts of a flag that takes commas and repetition."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def read_flag(name: str, text: str, read: Callable[[str], _T]) -> _T:
    """Return the value of a flag; an error names the flag."""
    try:
        return read(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"--{name}: {error}", field=name) from error


def use_one_polars_thread() -> None:
    """Let Polars, before it is imported, use one thread.

    Beam's workers are the threads: with twice as many a job took 1.2 times as long.
    """
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
