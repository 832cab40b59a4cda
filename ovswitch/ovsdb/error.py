# SPDX-License-Identifier: Apache-2.0
"""Errors of the database protocol: RFC 7047's <error> objects as exceptions.

`OvsdbError` carries the wire tag ("constraint violation", "syntax error" ...), a
sentence for people, and the offending JSON. The core turns it into a reply with
`to_json()`; programs print `str(error)`. `ParseError` is for text that a user typed:
its message stands alone.

Sources: RFC 7047 section 3.1, ovsdb-server(7), lib/ovsdb-error.c.
"""

from __future__ import annotations

from ovswitch.runtime import json as _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    Json = _json.Value

SYNTAX_ERROR = "syntax error"
CONSTRAINT_VIOLATION = "constraint violation"
REFERENTIAL_INTEGRITY_VIOLATION = "referential integrity violation"
NO_TAG = "ovsdb error"


class ParseError(ValueError):
    """A user's text isn't an atom or datum; `str()` is the message."""


class OvsdbError(Exception):
    """An error with a wire tag.

    `syntax` is the JSON that was refused, or None; `errno` names the operating
    system's error, 0 for none.
    """

    def __init__(
        self,
        tag: str | None,
        details: str | None = None,
        syntax: object = None,
        errno: int = 0,
    ) -> None:
        super().__init__(tag, details)
        self.tag = tag or NO_TAG
        self.details = details
        self.errno = errno
        self._syntax = syntax

    @property
    def syntax(self) -> str | None:
        """The refused JSON as text with sorted members."""
        if self._syntax is None:
            return None
        return _json.to_string(self._syntax, sort=True)

    def to_json(self) -> dict[str, Json]:
        """Return the <error> object."""
        json: dict[str, Json] = {}
        if self.details is not None:
            json["details"] = self.details
        json["error"] = self.tag
        if self.errno:
            json["io-error"] = _strerror(self.errno)
        syntax = self.syntax
        if syntax is not None:
            json["syntax"] = syntax
        return json

    def wrap(self, context: str) -> OvsdbError:
        """Return the error with "context: " before its details."""
        details = context if self.details is None else f"{context}: {self.details}"
        return OvsdbError(self.tag, details, self._syntax, self.errno)

    def __str__(self) -> str:
        syntax = self.syntax
        text = "" if syntax is None else f'syntax "{syntax}": '
        text += self.tag
        if self.details is not None:
            text += f": {self.details}"
        if self.errno:
            text += f" ({_strerror(self.errno)})"
        return text


def syntax_error(json: object, details: str, tag: str | None = None) -> OvsdbError:
    """Return the error for JSON that isn't what it should be."""
    return OvsdbError(tag or SYNTAX_ERROR, details, json)


def io_error(errno: int, details: str) -> OvsdbError:
    """Return the error for a failed operation on a file."""
    return OvsdbError("I/O error", details, None, errno)


def constraint_violation(details: str) -> OvsdbError:
    """Return the error for a value that the schema forbids."""
    return OvsdbError(CONSTRAINT_VIOLATION, details)


def _strerror(errno: int) -> str:
    if errno < 0:
        return "End of file"
    import os

    return os.strerror(errno)
