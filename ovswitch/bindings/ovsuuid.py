# SPDX-License-Identifier: Apache-2.0
"""UUIDs as `uuid.UUID` and as JSON, like `ovs.ovsuuid`."""

from __future__ import annotations

import uuid

from ovswitch.bindings.db import error, parser
from ovswitch.ovsdb import uuids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def zero() -> uuid.UUID:
    """Return the UUID of zeros."""
    return uuid.UUID(int=0)


def is_valid_string(s: str) -> bool:
    """Whether `s` is a UUID with its dashes."""
    return uuids.is_valid(s)


def from_string(s: str) -> uuid.UUID:
    """Return a UUID from its text. Raises: error.Error."""
    if not is_valid_string(s):
        raise error.Error(f"{s} is not a valid UUID")
    return uuid.UUID(s)


def from_json(json: Any, symtab: dict[str, uuid.UUID] | None = None) -> uuid.UUID:
    """Return a UUID from ["uuid", TEXT]; with `symtab` also from ["named-uuid", NAME].

    Raises: error.Error.
    """
    is_named = isinstance(json, list | tuple) and list(json[:1]) == ["named-uuid"]
    if symtab is not None and is_named:
        name = parser.unwrap_json(json, "named-uuid", (str,), "string")
        return symtab.setdefault(name, uuid.uuid4())
    text = parser.unwrap_json(json, "uuid", (str,), "string")
    if not is_valid_string(text):
        raise error.Error(f'"{text}" is not a valid UUID', json)
    return uuid.UUID(text)


def to_json(uuid_: uuid.UUID) -> list[str]:
    """Return ["uuid", TEXT]."""
    return ["uuid", str(uuid_)]
