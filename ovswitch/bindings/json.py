# SPDX-License-Identifier: Apache-2.0
"""JSON as the protocol has it, with the names of `ovs.json`.

As upstream's, `from_string`, `from_stream` and `from_file` return a message, a `str`,
instead of raising an exception when the text isn't JSON.
"""

from __future__ import annotations

from ovswitch.runtime import json as _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

PARSER_C = "C"
PARSER_PY = "PYTHON"
PARSER = PARSER_PY  # ours is neither


def to_string(obj: Any, pretty: bool = False, sort_keys: bool = True) -> str:
    """Return a value as JSON."""
    return _json.to_string(obj, sort=sort_keys, pretty=pretty)


def to_stream(
    obj: Any, stream: IO[str], pretty: bool = False, sort_keys: bool = True
) -> None:
    """Write a value as JSON to a text file."""
    stream.write(to_string(obj, pretty, sort_keys))


def to_file(obj: Any, name: str, pretty: bool = False, sort_keys: bool = True) -> None:
    """Write a value as JSON to a new file."""
    with open(name, "w", encoding="utf-8") as stream:
        to_stream(obj, stream, pretty, sort_keys)


def from_string(s: str) -> Any:
    """Return the value of JSON text, or what is wrong with it."""
    try:
        return _json.from_string(s)
    except _json.JsonError as error:
        return str(error)


def from_stream(stream: IO[Any]) -> Any:
    """Return the value of the JSON in a file, or what is wrong with it."""
    return from_string(stream.read())


def from_file(name: str) -> Any:
    """Return the value of the JSON in the file `name`, or what is wrong with it.

    Raises: OSError.
    """
    with open(name, "rb") as stream:
        return from_stream(stream)


class Parser:
    """Takes text in pieces until a value is complete."""

    def __init__(self, check_trailer: bool = False) -> None:
        self.check_trailer = check_trailer
        self._feeder = _json.Feeder()
        self._values: list[Any] = []
        self._error: str | None = None

    def feed(self, s: str) -> int:
        """Take text in and return how many characters belong to the value."""
        for index, letter in enumerate(s):
            if self.is_done() and not (self.check_trailer and letter.isspace()):
                return index
            if not self.is_done():
                self._take(letter)
        return len(s)

    def _take(self, letter: str) -> None:
        try:
            octets = letter.encode("utf-8", "surrogateescape")
            self._values += self._feeder.feed(octets)
        except _json.JsonError as error:
            self._error = str(error)

    def is_done(self) -> bool:
        """Whether the value is complete, or can't be any more."""
        return bool(self._values) or self._error is not None

    def finish(self) -> Any:
        """Return the value, or what is wrong with it."""
        if self._error is not None:
            return self._error
        return self._values[0] if self._values else "unexpected end of input"
