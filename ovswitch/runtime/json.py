# SPDX-License-Identifier: Apache-2.0
"""JSON as the reference reads and writes it (RFC 4627 with its rules on numbers).

Reading: a number whose value is an integer of 64 bits is an `int` however it is
spelled ("1e3", "2.0"), any other a `float`; the last of several equal keys holds; the
top level is an object or an array; nesting ends at 1,000. Octets that aren't UTF-8
pass through (surrogateescape). Writing: no spaces, keys in their order or sorted, and
floats with 15 digits.

The package `json` of the standard library costs a tool more than the rest of its
start-up, so its C core is used directly. What the core can't parse is given to
`json_slow`, which either parses it or says why not, in the reference's words.
"""

from __future__ import annotations

import _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    Value = dict[str, "Value"] | list["Value"] | str | int | float | None

MAX_DEPTH = 1000
_INT64_MAX = 0x7FFFFFFFFFFFFFFF
_SAFE_INT_LENGTH = 18  # no number of that many characters exceeds 64 bits


class JsonError(ValueError):
    """The text isn't JSON; `str()` has the reference's message."""


class _UnusualError(Exception):
    """A value that the C core treats differently from the reference."""


def _parse_int(text: str) -> int | float:
    if len(text) <= _SAFE_INT_LENGTH:
        return int(text)
    return _parse_number(text)


def _parse_number(text: str) -> int | float:
    """Apply the reference's rules to a number that isn't plainly an integer."""
    from ovswitch.runtime import json_slow

    try:
        return json_slow.number(text)
    except json_slow.NumberError:
        raise _UnusualError from None


def _refuse_constant(_text: str) -> float:
    raise _UnusualError  # NaN or Infinity


class _ScannerContext:
    """What `_json.make_scanner` reads its settings from."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = staticmethod(_parse_number)
    parse_int = staticmethod(_parse_int)
    parse_constant = staticmethod(_refuse_constant)


_scan = _json.make_scanner(_ScannerContext())  # type: ignore[arg-type]  # duck-typed

_WHITESPACE = " \t\n\r"


def _refuse(value: object) -> None:
    raise TypeError(f"{type(value).__name__} is not JSON")


_encode = _json.make_encoder(
    None, _refuse, _json.encode_basestring, None, ":", ",", False, False, False
)
_encode_sorted = _json.make_encoder(
    None, _refuse, _json.encode_basestring, None, ":", ",", True, False, False
)


def to_string(value: object, sort: bool = False, pretty: bool = False) -> str:
    """Return `value` as JSON text, without spaces unless `pretty`.

    Dictionaries, lists, tuples, strings, numbers, booleans and None may be in it.
    Raises: TypeError, ValueError: something else is.
    """
    if not pretty:
        try:
            text: str = "".join((_encode_sorted if sort else _encode)(value, 0))
        except RecursionError:
            pass  # nested as deeply as the parser lets through
        else:
            if not _has_float(text):
                return text
    from ovswitch.runtime import json_slow

    return json_slow.serialize(value, sort, pretty)


def to_bytes(value: object, sort: bool = False) -> bytes:
    """Return `value` as JSON in UTF-8."""
    return to_string(value, sort).encode("utf-8", "surrogateescape")


def _has_float(text: str) -> bool:
    """Return whether there may be a float in text that the C core wrote.

    It writes them with `repr()`, which isn't the reference's form. They show as "."
    or an exponent outside of strings.
    """
    if "." not in text and "e-" not in text and "e+" not in text:
        return False
    if '\\"' in text:
        text = text.replace("\\\\", "").replace('\\"', "")
    outside = "".join(text.split('"')[::2])
    return "." in outside or "e-" in outside or "e+" in outside


def from_string(text: str | bytes) -> Value:
    """Parse JSON text; nothing but white space may follow the value.

    Raises: JsonError.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "surrogateescape")
    start = _skip(text, 0)
    found = _scan_fast(text, start)
    if found is not None and _skip(text, found[1]) == len(text):
        return found[0]
    from ovswitch.runtime import json_slow

    return json_slow.parse(text.encode("utf-8", "surrogateescape"))


def _skip(text: str, index: int) -> int:
    """Return the index of the next character that isn't white space."""
    size = len(text)
    while index < size and text[index] in _WHITESPACE:
        index += 1
    return index


def _scan_fast(text: str, start: int) -> tuple[Value, int] | None:
    """Parse the value at `start` with the C core; None if that can't be relied on."""
    if text[start : start + 1] not in {"{", "["}:
        return None
    try:
        value, end = _scan(text, start)
    except (StopIteration, ValueError, RecursionError, _UnusualError):
        return None
    except SystemError:
        return None  # CPython 3.11 fails to raise while json.decoder isn't imported
    if text.find("\\u", start, end) >= 0 and _has_odd_escape(text[start:end]):
        return None
    return value, end


def _has_odd_escape(text: str) -> bool:
    r"""Return whether \u0000 or an unpaired surrogate may be there: they have rules."""
    if "\\u0000" in text:
        return True
    if "\\ud" not in text and "\\uD" not in text:
        return False
    text = text.lower()
    at = text.find("\\ud")
    while at >= 0:
        is_high = text[at + 3] in "89ab"
        is_paired = text[at + 6 : at + 9] == "\\ud" and text[at + 9] in "cdef"
        if text[at + 3] in "cdef" or (is_high and not is_paired):
            return True
        at = text.find("\\ud", at + (12 if is_high else 6))
    return False


class Feeder:
    """Octets of a stream in, JSON values out.

    `feed()` returns the values that became complete. An error in the stream ends it:
    the values before it are delivered first, then each call raises. At most
    `max_size` octets of an incomplete value are kept.
    """

    __slots__ = ("_balance", "_error", "_in_string", "_tail", "buffer", "max_size")

    def __init__(self, max_size: int = 512 * 1024 * 1024) -> None:
        self.buffer = bytearray()
        self.max_size = max_size
        self._balance = 0  # of brackets in the buffer
        self._in_string = False
        self._tail = b""  # a backslash that ended the last chunk
        self._error: JsonError | None = None

    def feed(self, octets: bytes) -> list[Value]:
        """Take octets in; return the values that are complete.

        Raises: JsonError.
        """
        values: list[Value] = []
        if self._error is None:
            self._take(octets, values)
        if self._error is not None and not values:
            raise self._error
        return values

    @property
    def failed(self) -> bool:
        """Whether the stream is in error: the next call raises."""
        return self._error is not None

    @property
    def is_empty(self) -> bool:
        """Whether the stream stands between two values."""
        return not self.buffer.strip(b" \t\r\n")

    def _take(self, octets: bytes, values: list[Value]) -> None:
        fresh = not self.buffer
        self.buffer += octets
        # Mostly a read brings whole messages: then there is nothing to count.
        if (fresh and octets.endswith((b"}", b"]"))) or self._may_be_complete(octets):
            self._extract(values)
        if self._error is not None or not self.buffer:
            return
        if len(self.buffer) > self.max_size:
            self._error = JsonError("input exceeds maximum size")
        elif len(self.buffer) <= _EAGER_SIZE:
            self._check_beginning()

    def _may_be_complete(self, octets: bytes) -> bool:
        """Count brackets outside strings; return whether a value may end here.

        Linear in the chunk and mostly done by C, so that a large value that arrives
        in many chunks is parsed once.
        """
        chunk = self._tail + octets
        odd = (len(chunk) - len(chunk.rstrip(b"\\"))) % 2
        self._tail = chunk[-1:] if odd else b""
        if odd:
            chunk = chunk[:-1]
        if b"\\" in chunk:
            chunk = chunk.replace(b"\\\\", b"").replace(b'\\"', b"")
        complete = False
        for index, part in enumerate(chunk.split(b'"')):
            if index:
                self._in_string = not self._in_string
            if self._in_string or not part:
                continue
            closing = part.count(b"}") + part.count(b"]")
            if not complete and 0 < closing >= self._balance:
                complete = _reaches_zero(part, self._balance)
            self._balance += part.count(b"{") + part.count(b"[") - closing
        too_deep = self._balance > MAX_DEPTH
        return complete or too_deep or not self._looks_like_json()

    def _looks_like_json(self) -> bool:
        start = bytes(self.buffer[:64].lstrip(b" \t\r\n")[:1])
        return start in {b"", b"{", b"["}

    def _extract(self, values: list[Value]) -> None:
        """Move all complete values from the buffer to `values`."""
        while self.buffer:
            text = self.buffer.decode("utf-8", "surrogateescape")
            start = _skip(text, 0)
            found = _scan_fast(text, start)
            while found is not None:
                values.append(found[0])
                start = _skip(text, found[1])
                found = _scan_fast(text, start)
            self.buffer[:] = text[start:].encode("utf-8", "surrogateescape")
            if not self._recount() or not self._extract_slowly(values):
                return

    def _extract_slowly(self, values: list[Value]) -> bool:
        """Move one value from the buffer; return False if it isn't all there."""
        from ovswitch.runtime import json_slow

        parser = json_slow.Parser(bytes(self.buffer))
        try:
            if not parser.run():
                return False
        except JsonError as error:
            self._error = error
            self.buffer.clear()
            return False
        values.append(parser.value)
        del self.buffer[: parser.position]
        self._recount()
        return True

    def _recount(self) -> bool:
        self._balance = 0
        self._in_string = False
        self._tail = b""
        return bool(self.buffer) and self._may_be_complete(bytes(self.buffer))

    def _check_beginning(self) -> None:
        """Report an error in a short value at once, as the reference does."""
        from ovswitch.runtime import json_slow

        try:
            json_slow.Parser(bytes(self.buffer)).run()
        except JsonError as error:
            self._error = error


def _reaches_zero(part: bytes, balance: int) -> bool:
    """Return whether all brackets are closed somewhere in `part`."""
    for bracket in part.translate(None, _NO_BRACKETS):
        balance += 1 if bracket in b"{[" else -1
        if balance <= 0:
            return True
    return False


_NO_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))
_EAGER_SIZE = 512
