"""The tier's configuration: one numbered file a change, each whole, none ever changed or removed.

`_rekindle/config/00000007.json` is what holds after the seventh change, with who made it, when, and what it was. Of two
who write one number at once, the store lets one succeed; the other looks at what that one did and takes the next.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from functools import partial
from typing import Any

import orjson

from transforms.core.errors import ConfigurationError, ConflictError, TierError
from transforms.hot_tier.table.runs import who
from transforms.query.instants import format_instant
from transforms.storage import TierStore

ROOT = "_rekindle/config"
FORMAT = 2
"""Raised when older versions can no longer tell what a file means: they refuse it then. 2 has rules."""
HOLD_SET, HOLD_LIFTED, PIPELINES_SET, RULES_SET = "hold_set", "hold_lifted", "pipelines_set", "rules_set"
_MOST_ATTEMPTS = 100
_READERS = 16


@dataclass(frozen=True, kw_only=True)
class KeptHold:
    """A hold of the tier: its name, its condition as it was written, and who set it when."""

    name: str
    when: str
    description: str = ""
    at: str
    who: str


@dataclass(frozen=True, kw_only=True)
class KeptFile:
    """A file whose text the tier keeps.

    Attributes:
        file: Its name where it came from.
        text: Its content.
    """

    file: str
    text: str

    @property
    def sha256(self) -> str:
        """The hash of its text, in hexadecimal digits."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()


def name_of_kept(file: str, version: int | None) -> str:
    """Return what messages call a file that is from a version of the configuration; without one, from no tier."""
    return f"{file} (as the tier keeps it, version {version})" if version else file


@dataclass(frozen=True, kw_only=True)
class ConfigurationChange:
    """What made a version: its kind, the name that it is about, and more about it."""

    kind: str
    name: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """The configuration after one of its changes; version 0 is that of a tier where nothing was ever set.

    Attributes:
        version: The number of the change.
        id: Of the file: whoever wrote it knows it again.
        at: When, ISO 8601.
        who: Who made it: `user@host`, or the key by which it was asked for over HTTP.
        change: What it was.
        holds: The holds that are in force, in the order in which they were set.
        pipelines: The pipelines that run on all that comes in; None where none were set.
        rules: The rules by which events are deleted and moved; None where none were set.
    """

    version: int = 0
    id: str = ""
    at: str = ""
    who: str = ""
    change: ConfigurationChange | None = None
    holds: tuple[KeptHold, ...] = ()
    pipelines: KeptFile | None = None
    rules: KeptFile | None = None

    def as_document(self) -> dict[str, Any]:
        """Return it as a JSON document."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Configuration:
        """Return the configuration that `as_document` was made from."""
        pipelines, rules = document["pipelines"], document.get("rules")
        return cls(
            version=document["version"],
            id=document["id"],
            at=document["at"],
            who=document["who"],
            change=ConfigurationChange(**document["change"]),
            holds=tuple(KeptHold(**hold) for hold in document["holds"]),
            pipelines=None if pipelines is None else KeptFile(**pipelines),
            rules=None if rules is None else KeptFile(**rules),
        )


Edit = Callable[[Configuration], tuple[Configuration, ConfigurationChange] | None]


def load_configuration(tier: TierStore) -> Configuration:
    """Return the newest configuration; costs a listing and a read.

    Raises:
        TierError: it can't be read, or is of a newer version of Rekindle.
    """
    newest = max((file.path for file in tier.list(f"{ROOT}/")), default=None)
    return Configuration() if newest is None else _read(tier, newest)


def load_version(tier: TierStore, version: int) -> Configuration | None:
    """Return the configuration after a change, None where there was none of that number."""
    if version == 0:
        return Configuration()
    return _read(tier, _path(version)) if tier.exists(_path(version)) else None


def load_changes(
    tier: TierStore, kinds: Collection[str], *, limit: int, until: int | None = None
) -> list[Configuration]:
    """Return the newest versions that changes of some kinds have made, the newest first; none after `until`."""
    last = None if until is None else _path(until)
    paths = sorted((file.path for file in tier.list(f"{ROOT}/")), reverse=True)
    paths = [path for path in paths if last is None or path <= last]
    found: list[Configuration] = []
    with ThreadPoolExecutor(_READERS) as pool:
        for start in range(0, len(paths), _READERS):
            read = pool.map(partial(_read, tier), paths[start : start + _READERS])
            found += [one for one in read if one.change is not None and one.change.kind in kinds]
            if len(found) >= limit:
                break
    return found[:limit]


def load_history(tier: TierStore, *, after: int = 0) -> Iterator[Configuration]:
    """Yield all versions after a number, the oldest first."""
    paths = sorted(file.path for file in tier.list(f"{ROOT}/"))
    return (_read(tier, path) for path in paths if path > _path(after))


def change_configuration(tier: TierStore, edit: Edit, *, expected: int | None = None) -> Configuration:
    """Make one change, on what is newest when it is made.

    Args:
        tier: The hot tier.
        edit: Returns the new configuration and what has changed, None where nothing is to be changed; called again
            where another was faster.
        expected: The only version that may be changed, for those who have looked at it; None is any.

    Returns:
        The configuration that holds now.

    Raises:
        ConflictError: another has changed the version that was expected.
        TierError: the store refuses.
    """
    name = uuid.uuid4().hex
    for _ in range(_MOST_ATTEMPTS):
        current = load_configuration(tier)
        if expected is not None and current.version != expected:
            raise ConflictError(
                f"hot tier {tier.uri}: its configuration is at version {current.version}, which {current.who} made at "
                f"{current.at}, not at {expected}: look at it again"
            )
        edited = edit(current)
        if edited is None:
            return current
        new = _stamped(*edited, version=current.version + 1, name=name)
        if put_version(tier, _path(new.version), new.as_document()):
            return new
    raise TierError(f"hot tier {tier.uri}: its configuration is changed by others all the time; try again")


def _stamped(configuration: Configuration, change: ConfigurationChange, *, version: int, name: str) -> Configuration:
    at = format_instant(datetime.now(timezone.utc))
    return replace(configuration, version=version, id=name, at=at, who=who(), change=change)


def put_version(tier: TierStore, path: str, document: dict[str, Any]) -> bool:
    """Write a file that is to be new, and return whether it is there, which on S3 it may be although no answer came.

    Args:
        tier: The hot tier.
        path: Of the file.
        document: Its content; `id` is that of who writes it, and nobody else's.
    """
    try:
        tier.put_new(path, orjson.dumps(document, option=orjson.OPT_INDENT_2))
    except FileExistsError:
        return bool(_id_at(tier, path) == document["id"])
    except TierError:
        if not tier.exists(path):
            raise
        return bool(_id_at(tier, path) == document["id"])
    return True


def _id_at(tier: TierStore, path: str) -> object:
    try:
        return orjson.loads(tier.get(path))["id"]
    except (KeyError, TypeError, ValueError) as error:
        raise TierError(f"hot tier {tier.uri}: {path} can't be read: {error}") from error


def _path(version: int) -> str:
    return f"{ROOT}/{version:08d}.json"


def _read(tier: TierStore, path: str) -> Configuration:
    try:
        document = orjson.loads(tier.get(path))
        if document["format"] > FORMAT:
            raise ConfigurationError("it was written by a newer version of Rekindle")
        return Configuration.from_document(document)
    except (KeyError, TypeError, ValueError, ConfigurationError) as error:
        raise TierError(
            f"hot tier {tier.uri}: {path} can't be read ({error}): nothing is done without the holds in it"
        ) from error
