"""Searches that the tier keeps for all who may read it: numbered files as those of its configuration, on their own.

`_rekindle/searches/00000007.json` has all of them after the seventh change, with who made it, when, and what it was.
They are no part of the configuration, so that a saved search refuses nobody who edits pipelines, and a file of theirs
that can't be read keeps no rule or hold from being followed.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timezone

import orjson

from transforms.core.errors import ConfigurationError, ConflictError, TierError
from transforms.core.json_object import JsonObject
from transforms.hot_tier.configuration.store import put_version
from transforms.hot_tier.table.runs import who
from transforms.query.instants import format_instant
from transforms.storage import TierStore

ROOT = "_rekindle/searches"
FORMAT = 1
MOST_SEARCHES = 500
MOST_NAME = 100
MOST_BYTES = 8192
"""Of the parameters of one, as JSON."""
_MOST_ATTEMPTS = 100


@dataclass(frozen=True, kw_only=True)
class KeptSearch:
    """A search that the tier keeps.

    Attributes:
        name: Its name.
        parameters: What it asks for, as the calls of search take it.
        version: The change that has saved it, by which who changes it names what was seen.
        at: When it was saved, ISO 8601.
        who: Who saved it: `user@host`, or the key by which it was asked for over HTTP.
    """

    name: str
    parameters: JsonObject
    version: int
    at: str
    who: str


@dataclass(frozen=True, kw_only=True)
class KeptSearches:
    """All searches after a change; version 0 has none."""

    version: int = 0
    searches: tuple[KeptSearch, ...] = ()

    def find(self, name: str) -> KeptSearch | None:
        """Return the search of a name, None where there is none."""
        return next((one for one in self.searches if one.name == name), None)


_Edit = Callable[[KeptSearches, int, str], tuple[tuple[KeptSearch, ...], JsonObject] | None]
"""Returns all searches and what has changed, from those that there are, the next version and the time."""


def load_searches(tier: TierStore) -> KeptSearches:
    """Return the searches that the tier keeps, by name; costs a listing and a read.

    Raises:
        TierError: they can't be read, or are of a newer version of Rekindle.
    """
    newest = max((file.path for file in tier.list(f"{ROOT}/")), default=None)
    if newest is None:
        return KeptSearches()
    try:
        document = orjson.loads(tier.get(newest))
        if document["format"] > FORMAT:
            raise ConfigurationError("it was written by a newer version of Rekindle")
        return KeptSearches(
            version=document["version"], searches=tuple(KeptSearch(**one) for one in document["searches"])
        )
    except (KeyError, TypeError, ValueError, ConfigurationError) as error:
        raise TierError(f"hot tier {tier.uri}: {newest} can't be read: {error}") from error


def save_search(tier: TierStore, name: str, parameters: JsonObject, *, expected: int | None = None) -> KeptSearch:
    """Keep a search; the same again is no change.

    Args:
        tier: The hot tier.
        name: Its name.
        parameters: What it asks for, checked already.
        expected: The version of the search of this name that it replaces; None where there is to be none.

    Raises:
        ConfigurationError: its name is not allowed, or there are too many, or too large ones.
        ConflictError: there is another of this name, or not the one that was expected.
        TierError: the store refuses.
    """
    _check(name, parameters)

    def edit(current: KeptSearches, version: int, at: str) -> tuple[tuple[KeptSearch, ...], JsonObject] | None:
        there = current.find(name)
        if there is not None and there.parameters == parameters:
            return None
        if (there and there.version) != expected:
            raise ConflictError(_changed(name, there))
        rest = [one for one in current.searches if one.name != name]
        if len(rest) >= MOST_SEARCHES:
            text = f"name: the tier keeps {MOST_SEARCHES} searches already: delete one first"
            raise ConfigurationError(text, field="name")
        new = KeptSearch(name=name, parameters=parameters, version=version, at=at, who=who())
        change = {"kind": "saved", "name": name, "parameters": parameters}
        return tuple(sorted([*rest, new], key=lambda one: (one.name.casefold(), one.name))), change

    found = _change(tier, edit).find(name)
    assert found is not None
    return found


def delete_search(tier: TierStore, name: str, *, expected: int | None = None) -> KeptSearch:
    """Keep a search no longer, and return it.

    Args:
        tier: The hot tier.
        name: Its name.
        expected: The only version of it that may go; None is any.

    Raises:
        KeyError: there is none of that name.
        ConflictError: it is not the one that was expected.
        TierError: the store refuses.
    """
    gone: list[KeptSearch] = []

    def edit(current: KeptSearches, _version: int, _at: str) -> tuple[tuple[KeptSearch, ...], JsonObject]:
        there = current.find(name)
        if there is None:
            raise KeyError(name)
        if expected is not None and there.version != expected:
            raise ConflictError(_changed(name, there))
        gone[:] = [there]
        change = {"kind": "deleted", "name": name, "parameters": there.parameters}
        return tuple(one for one in current.searches if one is not there), change

    _change(tier, edit)
    return gone[0]


def _change(tier: TierStore, edit: _Edit) -> KeptSearches:
    """Make one change on what is newest when it is made: of two at once, the other is made after the first."""
    id_ = uuid.uuid4().hex
    for _ in range(_MOST_ATTEMPTS):
        current = load_searches(tier)
        version, at = current.version + 1, format_instant(datetime.now(timezone.utc))
        edited = edit(current, version, at)
        if edited is None:
            return current
        searches, change = edited
        document = {"format": FORMAT, "version": version, "id": id_, "at": at, "who": who(), "change": change}
        document["searches"] = list(map(asdict, searches))
        if put_version(tier, f"{ROOT}/{version:08d}.json", document):
            return KeptSearches(version=version, searches=searches)
    raise TierError(f"hot tier {tier.uri}: its searches are changed by others all the time; try again")


def _check(name: str, parameters: JsonObject) -> None:
    if not name.strip() or name != name.strip() or len(name) > MOST_NAME:
        raise ConfigurationError(f"name: give the search a name of 1 to {MOST_NAME} characters", field="name")
    if not name.isprintable() or "/" in name or "\\" in name or name in (".", ".."):
        text = f"name: {name!r:.80} has characters that a name may not have: / and \\, and those that are not seen"
        raise ConfigurationError(text, field="name")
    if len(orjson.dumps(parameters)) > MOST_BYTES:
        raise ConfigurationError(f"query: a search that is kept has at most {MOST_BYTES:,} bytes", field="query")


def _changed(name: str, there: KeptSearch | None) -> str:
    if there is None:
        return f"there is no search {name!r} any more: it was deleted meanwhile"
    return f"there is a search {name!r} already, which {there.who} saved at {there.at[:19]}Z"
