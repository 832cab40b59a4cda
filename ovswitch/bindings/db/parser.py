# SPDX-License-Identifier: Apache-2.0
"""Reading JSON objects member by member, as `ovs.db.parser`."""

from __future__ import annotations

from ovswitch.bindings.db import error
from ovswitch.ovsdb.parser import is_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_SAFE = 1 << 53  # integers below are exact in a float


class Parser:
    """Takes the members of one JSON object; `finish` complains about what is left.

    `types` lists what a member may be: Python types, and "id" for an identifier; empty
    for anything. Raises: error.Error.
    """

    def __init__(self, json: Any, name: str) -> None:
        self.name = name
        self.json = json
        self.used: set[str] = set()
        if not isinstance(json, dict):
            self._fail("Object expected.")

    def get(self, name: str, types: Sequence[Any]) -> Any:
        """Return a member that must be there."""
        if name not in self.json:
            self._fail(f"Required '{name}' member is missing.")
        return self.get_optional(name, types)

    def get_optional(self, name: str, types: Sequence[Any], default: Any = None) -> Any:
        """Return a member, or `default` if it isn't there."""
        if name not in self.json:
            return default
        self.used.add(name)
        member = float_to_int(self.json[name])
        classes = tuple(kind for kind in types if isinstance(kind, type))
        if types and not isinstance(member, classes):
            if "id" in types and is_identifier(member):
                return member
            self._fail(f"Type mismatch for member '{name}'.")
        return member

    def finish(self) -> None:
        """Complain about members that nobody asked for."""
        unknown = [name for name in self.json if name not in self.used]
        if not unknown:
            return
        rest = len(unknown) - 1
        if rest > 1:
            present = f"and {rest} other members are"
        else:
            present = "and 1 other member are" if rest else "is"
        self._fail(f"Member '{unknown[0]}' {present} present but not allowed here")

    def _fail(self, message: str) -> None:
        raise error.Error(f"Parsing {self.name} failed: {message}", self.json)


def float_to_int(x: Any) -> Any:
    """Return a float without fraction as an integer, anything else unchanged."""
    if isinstance(x, float) and -_SAFE <= x < _SAFE and x.is_integer():
        return int(x)
    return x


def is_identifier(s: Any) -> bool:
    """Whether this is an <id> of RFC 7047."""
    return isinstance(s, str) and is_id(s)


def unwrap_json(json: Any, name: str, types: Sequence[type], desc: str) -> Any:
    """Return X of [`name`, X]. Raises: error.Error."""
    if (
        not isinstance(json, list | tuple)
        or len(json) != 2
        or json[0] != name
        or not isinstance(json[1], tuple(types))
    ):
        raise error.Error(f'expected ["{name}", <{desc}>]', json)
    return json[1]


def parse_json_pair(json: Any) -> Any:
    """Return a two-element array. Raises: error.Error."""
    if not isinstance(json, list | tuple) or len(json) != 2:
        raise error.Error("expected 2-element array", json)
    return json
