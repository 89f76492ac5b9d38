"""Flags that several commands share, and how their text becomes values."""

from __future__ import annotations

import inspect
import itertools
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, TypeVar, get_type_hints

from pipelines.cli.flags import Option
from transforms.core.errors import ConfigurationError, TierError
from transforms.storage import StorageOptions, TierStore, open_tier

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Common:
    """The flags of every command (spec §13): where the hot tier is, how stores are reached, what is shown."""

    hot_tier: Annotated[
        str,
        Option("--hot-tier", envvar="REKINDLE_HOT_TIER", help="The hot tier: a folder, or s3://bucket/prefix."),
    ] = "hot-tier"
    as_json: Annotated[bool, Option("--json", help="JSON on standard output.")] = False
    quiet: Annotated[
        bool,
        Option(
            "--quiet", "-q", help="No progress and no messages but errors; what was asked for is shown: reports, rows."
        ),
    ] = False
    endpoint_url: Annotated[
        str | None, Option("--endpoint-url", envvar="AWS_ENDPOINT_URL", help="S3 endpoint, of source and tier.")
    ] = None
    tier_endpoint_url: Annotated[
        str | None, Option("--tier-endpoint-url", help="S3 endpoint of the tier, where it is another.")
    ] = None
    profile: Annotated[str | None, Option("--profile", help="AWS profile.")] = None
    region: Annotated[str | None, Option("--region", help="AWS region of the bucket.")] = None
    no_sign_request: Annotated[bool, Option("--no-sign-request", help="Read a public bucket without credentials.")] = (
        False
    )
    request_payer: Annotated[bool, Option("--request-payer", help="Pay for requests to a requester-pays bucket.")] = (
        False
    )
    ca_bundle: Annotated[str | None, Option("--ca-bundle", help="File of CA certificates for the endpoint.")] = None

    def stores(self, *, region: str | None = None) -> tuple[StorageOptions, StorageOptions]:
        """Return how the source is reached, and how the tier is; the region is this one, the flag's, or the
        environment's.
        """
        where = region or self.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        tier = StorageOptions(
            endpoint_url=self.tier_endpoint_url or self.endpoint_url,
            profile=self.profile,
            region=where,
            ca_bundle=self.ca_bundle,
        )
        source = replace(
            tier, endpoint_url=self.endpoint_url, no_sign_request=self.no_sign_request, request_payer=self.request_payer
        )
        return source, tier

    def open_tier(self) -> TierStore:
        """Return the hot tier.

        Raises:
            TierError: another thing lies there, or a newer version's tier.
        """
        from transforms.hot_tier.table import location as place  # brings deltalake

        tier = open_tier(self.hot_tier, self.stores()[1])
        place.check_is_tier_or_empty(tier)
        return tier

    def open_events(self) -> TierStore:
        """Return the hot tier, which must have events.

        Raises:
            TierError: there is none yet.
        """
        from transforms.hot_tier.table import location as place

        tier = self.open_tier()
        if not place.exists(tier):
            raise TierError(self.no_tier())
        return tier

    def no_tier(self) -> str:
        """Return what to say where there is no tier."""
        return f"there is no hot tier at {self.hot_tier}: `rekindle backfill` makes one, --hot-tier or $REKINDLE_HOT_TIER names another"


def with_flags(**groups: type) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """Give a command the flags of some dataclasses, such as `Common`; it gets each as the parameter that is named
    here.
    """

    def decorate(command: Callable[..., int]) -> Callable[..., int]:
        own = [
            one.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for one in inspect.signature(command, eval_str=True).parameters.values()
        ]
        shared = {name: _parameters(group) for name, group in groups.items()}

        def called(**given: Any) -> int:
            values = {
                name: group(**{one.name: given.pop(one.name) for one in shared[name]}) for name, group in groups.items()
            }
            return command(**values, **given)

        kept = [one for one in own if one.name not in groups]
        parameters = [*kept, *itertools.chain.from_iterable(reversed(shared.values()))]
        called.__name__, called.__doc__ = command.__name__, command.__doc__
        called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        return called

    return decorate


def _parameters(group: type) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=hints[one.name])
        for one in fields(group)
    ]


def beam_flags_of(words: Iterable[str] | None, hint: str = "") -> tuple[str, ...]:
    """Return Beam's flags, which come after `--`.

    Raises:
        ConfigurationError: a word among them is none.
    """
    flags = tuple(words or ())
    if flags and not flags[0].startswith("-"):
        raise ConfigurationError(f"unexpected argument {flags[0]!r}: {hint}Beam's flags go after --")
    return flags


def split_lists(values: Iterable[str]) -> tuple[str, ...]:
    """Return the parts of flags that take commas and repetition."""
    return tuple(part.strip() for value in values for part in value.split(",") if part.strip())


def read_flag(name: str, text: str, read: Callable[[str], _T]) -> _T:
    """Return the value of a flag; an error names it."""
    try:
        return read(text)
    except ConfigurationError as error:
        raise ConfigurationError(f"--{name}: {error}", field=name) from error
