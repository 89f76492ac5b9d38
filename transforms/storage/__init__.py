"""Where objects come from, and where the hot tier lies: the only package that imports an object store's SDK.

A local folder and an S3 bucket go through the same two interfaces: `ObjectStore` for sources, which are only read, and
`TierStore` for the hot tier's own files. A `SourceLocation` or `TierLocation` opens one.
"""

from __future__ import annotations

from transforms.storage.locations import SourceLocation, TierLocation, UploadLocation, open_store, open_tier
from transforms.storage.objects import CHUNK_BYTES, UPLOADED, ObjectInfo, ObjectStore, StorageOptions, object_uri
from transforms.storage.tier import TierFile, TierOutput, TierStore

__all__ = [
    "CHUNK_BYTES",
    "UPLOADED",
    "ObjectInfo",
    "ObjectStore",
    "SourceLocation",
    "StorageOptions",
    "TierFile",
    "TierLocation",
    "TierOutput",
    "TierStore",
    "UploadLocation",
    "object_uri",
    "open_store",
    "open_tier",
]
