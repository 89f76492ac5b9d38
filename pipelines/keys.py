"""IAM keys: who may ingest, and what the events that come in by a key get. Each is a small file beside the tier.

A token is kept as a hash. It is 256 random bits, so a plain SHA-256 will do: a slow hash protects what can be guessed.
A file named by the hash leads from a token to its key, so that a service finds it without a list.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import orjson
from pydantic import AfterValidator, Field, ValidationError

from pipelines.documents import JsonModel, JsonObject
from transforms.core.errors import ConfigurationError
from transforms.formats import FORMATS
from transforms.storage import TierStore

if TYPE_CHECKING:
    FormatName = str
else:
    FormatName = Literal[tuple(FORMATS)]  # pydantic checks it; the names are those of the table of formats
FOLDER = "_rekindle/keys"
_BY_TOKEN = "_rekindle/keys-by-token"  # noqa: S105
_USED = "_rekindle/keys-used"
TOKEN_PREFIX = "rk_"  # noqa: S105  what a token begins with, so that scanners for leaked secrets find it
MISSING_S3_PULL = 'Missing "s3_pull" key from IAM key attributes'
_ID = re.compile(r"[0-9a-fA-F-]+")
_ROLE = re.compile(r"arn:[\w-]+:iam::\d{12}:role/\S+")
_LONGEST = 31  # characters of `_env` and `_team`


def _label(value: str | None) -> str | None:
    if value is not None and not (0 < len(value) <= _LONGEST and value.isprintable()):
        raise ValueError(f"must have 1 to {_LONGEST} printable characters")
    return value


def _role(value: str | None) -> str | None:
    if value is not None and not _ROLE.fullmatch(value):
        raise ValueError("must be an AWS role, such as arn:aws:iam::123456789012:role/reader")
    return value


Label = Annotated[str | None, AfterValidator(_label)]
Role = Annotated[str | None, AfterValidator(_role)]


class S3Pull(JsonModel):
    """What holds for objects that a key pulls from S3: attributes and format where they have none, and who reads."""

    format: FormatName | None = None
    index: str | None = None
    source: str | None = None
    sourcetype: str | None = None
    host: str | None = None
    role_arn: Role = None

    @property
    def defaults(self) -> dict[str, str]:
        """Attributes for events that have none of their own, and none by the job."""
        return {
            name: value
            for name in ("host", "source", "sourcetype", "index")
            if (value := getattr(self, name)) is not None
        }


class Key(JsonModel):
    """A key, as it is kept.

    Attributes:
        id: UUID; the value of `_iam_key_id` of its events.
        name: Its display name.
        role: What it may do: `ingest`, `read` or `admin`.
        env, team: The values of `_env` and `_team`.
        s3_pull: The integration with S3, None where it is not enabled.
        token_hash: SHA-256 of the token, hexadecimal.
        hec_token_hash: That of the GUID token, which clients of Splunk's HTTP Event Collector take; None without one.
        created_at, revoked_at: When.
    """

    id: str
    name: str = Field(min_length=1, max_length=200)
    role: Literal["ingest", "read", "admin"] = "ingest"
    env: Label = None
    team: Label = None
    s3_pull: S3Pull | None = None
    token_hash: str
    hec_token_hash: str | None = None
    created_at: datetime
    revoked_at: datetime | None = None

    @property
    def columns(self) -> dict[str, str]:
        """System columns of the events that come in by it."""
        columns = {"_iam_key_id": self.id, "_env": self.env, "_team": self.team}
        return {name: value for name, value in columns.items() if value is not None}

    def shown(self) -> JsonObject:
        """Return what people may see: all but the hashes."""
        hashes = {"token_hash", "hec_token_hash"}
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=hashes)

    def has_token(self, digest: str) -> bool:
        """Whether the hash of a token is that of one of its tokens."""
        return any(hmac.compare_digest(one, digest) for one in (self.token_hash, self.hec_token_hash) if one)


class CreatedKey(NamedTuple):
    """A new key with its tokens, which are nowhere else."""

    key: Key
    token: str
    hec_token: str | None

    def shown(self) -> JsonObject:
        """Return what is shown once."""
        tokens = {"token": self.token, "hecToken": self.hec_token}
        return self.key.shown() | {name: token for name, token in tokens.items() if token is not None}


def create_key(
    tier: TierStore,
    *,
    name: str,
    role: str,
    env: str | None,
    team: str | None,
    s3_pull: Mapping[str, object] | None,
    hec: bool = False,
) -> CreatedKey:
    """Make a key with these fields, with `hec` a GUID token too, and keep it; return it with its tokens.

    Raises:
        ConfigurationError: a field is wrong.
    """
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    hec_token = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4)) if hec else None
    fields = {"name": name, "role": role, "env": env, "team": team, "s3_pull": s3_pull}
    hashes = {"token_hash": hash_of(token), "hec_token_hash": hash_of(hec_token) if hec_token else None}
    made = {"id": str(uuid.uuid4()), "created_at": datetime.now(timezone.utc), **hashes}
    try:
        key = Key.model_validate(fields | made)
    except ValidationError as error:
        detail = error.errors()[0]
        field = str(detail["loc"][-1])
        raise ConfigurationError(
            f"{field}: {detail['msg'].removeprefix('Value error, ')}, not {detail['input']!r}", field=field
        ) from None
    tier.put_new(_path(key.id), _dump(key))
    index_key(tier, key)
    return CreatedKey(key, token, hec_token)


def index_key(tier: TierStore, key: Key) -> None:
    """Let a key be found by its tokens."""
    for digest in (key.token_hash, key.hec_token_hash):
        if digest is not None:
            tier.put(f"{_BY_TOKEN}/{digest}", key.id.encode())


def index_keys(tier: TierStore) -> None:
    """Let those keys be found by their tokens that an earlier version made."""
    indexed = {file.path.rpartition("/")[2] for file in tier.list(f"{_BY_TOKEN}/")}
    for key in _all(tier):
        if key.token_hash not in indexed:
            index_key(tier, key)


def list_keys(tier: TierStore) -> list[Key]:
    """Return all keys, the revoked too, the oldest first."""
    return sorted(_all(tier), key=lambda key: key.created_at)


def list_keys_with_use(tier: TierStore) -> list[JsonObject]:
    """Return what people may see of all keys, with when each was last used."""
    used = last_uses(tier)
    return [key.shown() | ({"lastUsedAt": _iso(used[key.id])} if key.id in used else {}) for key in list_keys(tier)]


def load_key(tier: TierStore, key_id: str) -> Key:
    """Return a key that is in force, and may bring events in.

    Raises:
        ConfigurationError: there is none of this id, it was revoked, or it is for reading only.
    """
    key = _find(tier, key_id)
    if key.revoked_at:
        raise ConfigurationError(
            f"key {key_id} was revoked on {key.revoked_at:%Y-%m-%d %H:%M} UTC: create another", field="key"
        )
    if key.role == "read":
        raise ConfigurationError(f"key {key_id} has the role read: use a key of the role ingest or admin", field="key")
    return key


def revoke_key(tier: TierStore, key_id: str) -> Key:
    """Take a key out of force; it stays known, because events name it.

    Raises:
        ConfigurationError: there is none of this id.
    """
    key = _find(tier, key_id)
    if key.revoked_at is None:
        key = key.model_copy(update={"revoked_at": datetime.now(timezone.utc)})
        tier.put(_path(key.id), _dump(key))
    return key


def key_of_token(tier: TierStore, token: str) -> Key | None:
    """Return the key in force that a token is of, or None; it takes no list of the keys."""
    return key_of_digest(tier, hash_of(token))


def key_of_digest(tier: TierStore, digest: str) -> Key | None:
    """Return the key in force that the hash of a token is of, or None."""
    try:
        key = Key.model_validate_json(tier.get(_path(tier.get(f"{_BY_TOKEN}/{digest}").decode())))
    except FileNotFoundError:
        return None
    return key if key.has_token(digest) and not key.revoked_at else None


def is_revoked(tier: TierStore, token: str) -> bool:
    """Whether a token is that of a key that was revoked."""
    digest = hash_of(token)
    try:
        key = Key.model_validate_json(tier.get(_path(tier.get(f"{_BY_TOKEN}/{digest}").decode())))
    except FileNotFoundError:
        return False
    return key.has_token(digest) and key.revoked_at is not None


def are_there_keys(tier: TierStore, *, role: str | None = None) -> bool:
    """Whether a key was ever made; or, with a role, whether one of that role is in force."""
    if role is None:
        return next(iter(tier.list(f"{FOLDER}/")), None) is not None
    return any(key.role == role and not key.revoked_at for key in _all(tier))


def note_use(tier: TierStore, key_id: str) -> None:
    """Keep that a key was used now."""
    tier.put(f"{_USED}/{key_id}", b"")


def last_uses(tier: TierStore) -> dict[str, datetime]:
    """Return when each key was last used, to a minute, by its id; without those that never were."""
    return {file.path.rpartition("/")[2]: file.modified for file in tier.list(f"{_USED}/")}


def _find(tier: TierStore, key_id: str) -> Key:
    """Return the key of an id, or of its first characters, where these are of one key."""
    found = [file.path for file in tier.list(f"{FOLDER}/{key_id.lower()}")] if _ID.fullmatch(key_id) else []
    if len(found) != 1:
        how_many = "are several keys" if found else "is no key"
        raise ConfigurationError(
            f"there {how_many} {key_id!r} at {tier.uri}: `rekindle keys list` shows all", field="key"
        )
    return Key.model_validate_json(tier.get(found[0]))


def _all(tier: TierStore) -> Iterator[Key]:
    for file in tier.list(f"{FOLDER}/"):
        yield Key.model_validate_json(tier.get(file.path))


def hash_of(token: str) -> str:
    """Return the hash by which a token is kept."""
    return hashlib.sha256(token.encode()).hexdigest()


def _path(key_id: str) -> str:
    return f"{FOLDER}/{key_id}.json"


def _dump(key: Key) -> bytes:
    return orjson.dumps(key.as_document(), option=orjson.OPT_INDENT_2)


def _iso(time: datetime) -> str:
    return time.astimezone(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")
