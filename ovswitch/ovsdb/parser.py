# SPDX-License-Identifier: Apache-2.0
"""Members of a JSON object, each taken once and checked.

`Parser.member()` gives a member's value or the default; `finish()` raises the first
error that occurred, or one for members that nobody asked for. Errors name the thing
that is parsed ("Parsing table schema for table T failed: ...").
"""

from __future__ import annotations

from ovswitch.ovsdb.error import OvsdbError, syntax_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OBJECT = 1
ARRAY = 2
INTEGER = 4
REAL = 8
STRING = 16
BOOLEAN = 32
NULL = 64
ID = 128  # a string that is an identifier
NUMBER = INTEGER | REAL
_INTEGERS_END = 2.0**63
ANY = 127

_KINDS: dict[type, int] = {
    dict: OBJECT,
    list: ARRAY,
    int: INTEGER,
    float: REAL,
    str: STRING,
    bool: BOOLEAN,
    type(None): NULL,
}
_KIND_NAMES = {
    OBJECT: "object",
    ARRAY: "array",
    INTEGER: "integer",
    REAL: "real",
    STRING: "string",
    NULL: "null",
}


def is_id(text: str) -> bool:
    """Return whether `text` is an <id>: a letter or "_", then also digits."""
    return text.isascii() and text.isidentifier()


def kind_name(value: object) -> str:
    """Return the name of a JSON value's type in messages."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _KIND_NAMES[_KINDS[type(value)]]


class Parser:
    """One JSON object while it is parsed."""

    __slots__ = ("_error", "_json", "_name", "_used")

    def __init__(self, json: object, name: str) -> None:
        self._name = name
        self._used: set[str] = set()
        self._error: OvsdbError | None = None
        self._json: dict[str, Any] | None = json if isinstance(json, dict) else None
        if self._json is None:
            self.fail("Object expected.")

    @property
    def error(self) -> OvsdbError | None:
        """The first error so far."""
        return self._error

    @property
    def json(self) -> dict[str, Any] | None:
        """The object itself."""
        return self._json

    # JSON enters here with its type checked: the caller names it.
    def member(
        self, name: str, kinds: int, default: Any = None, *, optional: bool = False
    ) -> Any:
        """Return the member `name`, or `default` where it is missing or wrong."""
        if self._json is None:
            return default
        try:
            value = self._json[name]
        except KeyError:
            if not optional:
                self.fail(f"Required '{name}' member is missing.")
            return default
        if _KINDS.get(type(value), 0) & kinds or (
            kinds & ID and isinstance(value, str) and is_id(value)
        ):
            self._used.add(name)
            return value
        if (
            kinds & INTEGER
            and isinstance(value, float)
            and value.is_integer()
            and -_INTEGERS_END <= value < _INTEGERS_END
        ):
            self._used.add(name)
            return int(value)  # "1.0" and "1e3" are integers
        self.fail(f"Type mismatch for member '{name}'.")
        return default

    def fail(self, message: str) -> None:
        """Note an error, unless there is one."""
        if self._error is None:
            self._error = syntax_error(
                self._json, f"Parsing {self._name} failed: {message}"
            )

    def finish(self) -> None:
        """Raise the error if there was any or if unused members remain."""
        if self._error is None and self._json is not None:
            unused = [name for name in self._json if name not in self._used]
            if unused:
                self.fail(_unused_message(_in_reference_order(self._json, unused)))
        if self._error is not None:
            raise self._error


def _in_reference_order(json: dict[str, Any], names: list[str]) -> list[str]:
    """Return names as the reference comes across them in an object."""
    from ovswitch.ovsdb.ctl.order import hash_order, string_hash

    return [name for name in hash_order(json, string_hash) if name in names]


def _unused_message(unused: list[str]) -> str:
    others = len(unused) - 1
    if not others:
        return f"Member '{unused[0]}' is present but not allowed here."
    plural = "s" if others > 1 else ""
    return (
        f"Member '{unused[0]}' and {others} other member{plural} "
        "are present but not allowed here."
    )
