# SPDX-License-Identifier: Apache-2.0
"""JSON in plain Python: the exact parser and the serializer for unusual values.

The parser accepts and refuses what the reference does, with its messages, which tell
line, column and octet. It neither recurses nor looks beyond what it was given: text
that ends too early is "incomplete", which only `parse()` makes an error.
"""

from __future__ import annotations

import _json

from ovswitch.runtime.json import MAX_DEPTH, JsonError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.runtime.json import Value

_SPACES = b" \t\n\r"
_LOWER = b"abcdefghijklmnopqrstuvwxyz"
_ALPHA = _LOWER + _LOWER.upper()
_NUMBER = b".0123456789eE-+"
_DIGITS = "0123456789"
_INT64 = 1 << 63
_UINT64_MAX = (1 << 64) - 1
_INT_MAX = 0x7FFFFFFF
_MIN_NORMAL = 2.2250738585072014e-308
_KEYWORDS: dict[bytes, bool | None] = {b"true": True, b"false": False, b"null": None}
_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}


class NumberError(Exception):
    """A number is malformed; the text says how."""


def parse(octets: bytes) -> Value:
    """Parse a whole text.

    Raises: JsonError.
    """
    parser = Parser(octets, alone=True)
    if not parser.run() or parser.position < len(parser.octets):
        parser.end_of_input()
    return parser.value


class Parser:
    """One value at the start of a text.

    After `run()` returned True, `value` holds it and `position` is the octet after
    it. With `alone`, nothing but white space may follow.
    """

    def __init__(self, octets: bytes, *, alone: bool = False) -> None:
        self.octets = octets
        self._alone = alone
        self.position = 0
        self.value: Value = None
        self.finished = False
        self._stack: list[dict[str, Value] | list[Value]] = []
        self._keys: list[str] = []
        self._expect = "start"

    def error(self, message: str, position: int | None = None) -> JsonError:
        """Return the error at an octet, by default the current one."""
        at = self.position if position is None else position
        before = self.octets[:at]
        line = before.count(b"\n")
        column = at - (before.rfind(b"\n") + 1)
        return JsonError(f"line {line}, column {column}, byte {at}: {message}")

    def skip_spaces(self) -> bool:
        """Go to the next octet that isn't white space; False if there is none..."""
        octets, size = self.octets, len(self.octets)
        while self.position < size and octets[self.position] in _SPACES:
            self.position += 1
        return self.position >= size

    def run(self) -> bool:
        """Parse; return False if the text ends within the value.

        Raises: JsonError.
        """
        while not self.finished or self._alone:
            if self.skip_spaces():
                return self.finished
            octet = self.octets[self.position : self.position + 1]
            if octet in (b"{", b"[", b"}", b"]", b":", b","):
                self._punctuation(octet.decode())
                self.position += 1
            elif octet == b'"':
                if not self._string():
                    return False
            elif octet in b"-0123456789":
                if not self._number():
                    return False
            elif octet in _LOWER:
                if not self._keyword():
                    return False
            elif 0x20 <= octet[0] < 0x7F:
                raise self.error(f"invalid character '{octet.decode()}'")
            else:
                raise self.error(f"invalid character U+{octet[0]:04x}")
        return True

    def end_of_input(self) -> None:
        """Take the text's end as the value's; only an error can come of it.

        Raises: JsonError.
        """
        start = self.position
        if self.octets[start : start + 1] == b'"':
            self.position = len(self.octets)
            raise self.error("unexpected end of input in quoted string")
        if start < len(self.octets):
            self.octets += b" "
            self.run()
        if self._expect == "start":
            raise self.error("empty input stream")
        assert not self.finished
        raise self.error("unexpected end of input")

    def _span(self, letters: bytes) -> int | None:
        end, size = self.position, len(self.octets)
        while end < size and self.octets[end] in letters:
            end += 1
        return end if end < size else None

    def _string(self) -> bool:
        start = end = self.position + 1
        octets = self.octets
        while True:
            quote = octets.find(b'"', end)
            stop = len(octets) if quote < 0 else quote
            for at in range(end, stop):
                if octets[at] < 0x20:
                    raise self.error(
                        f"U+{octets[at]:04X} must be escaped in quoted string", at
                    )
            if quote < 0:
                return False
            slashes = quote - len(octets[start:quote].rstrip(b"\\")) - start
            end = quote + 1
            if slashes % 2 == 0:
                break
        raw = octets[start:quote].decode("utf-8", "surrogateescape")
        if "\\" in raw:
            try:
                raw = unescape(raw)
            except ValueError as error:
                raise self.error(str(error), quote) from None
        self._input(raw, is_string=True, at=quote)
        self.position = quote + 1
        return True

    def _number(self) -> bool:
        end = self._span(_NUMBER)
        if end is None:
            return False
        text = self.octets[self.position : end].decode()
        try:
            value = number(text)
        except NumberError as error:
            raise self.error(str(error), end) from None
        self._input(value, at=end)
        self.position = end
        return True

    def _keyword(self) -> bool:
        end = self._span(_ALPHA)
        if end is None:
            return False
        word = self.octets[self.position : end]
        if word not in _KEYWORDS:
            raise self.error(f"invalid keyword '{word.decode()}'", end)
        self._input(_KEYWORDS[word], at=end)
        self.position = end
        return True

    def _punctuation(self, mark: str) -> None:
        expect = self._expect
        if mark in "{[":
            if expect == "start" or expect in {"value", "member", "first"}:
                self._push({} if mark == "{" else [])
                return
        elif (mark == "}" and expect in {"first-name", "next-member"}) or (
            mark == "]" and expect in {"first", "next-element"}
        ):
            self._pop()
            return
        elif mark == ":" and expect == "colon":
            self._expect = "member"
            return
        elif mark == "," and expect == "next-member":
            self._expect = "name"
            return
        elif mark == "," and expect == "next-element":
            self._expect = "value"
            return
        raise self._unexpected(self.position)

    def _unexpected(self, at: int) -> JsonError:
        return self.error(
            {
                "start": "syntax error at beginning of input",
                "end": "trailing garbage at end of input",
                "first-name": "syntax error parsing object expecting string",
                "name": "syntax error parsing object expecting string",
                "colon": "syntax error parsing object expecting ':'",
                "next-member": "syntax error expecting '}' or ','",
                "next-element": "syntax error expecting ']' or ','",
            }.get(self._expect, "syntax error expecting value"),
            at,
        )

    def _input(self, value: Value, at: int, is_string: bool = False) -> None:
        """Take a string, number or keyword that ends at octet `at`."""
        if is_string and self._expect in {"first-name", "name"}:
            assert isinstance(value, str)
            self._keys.append(value)
            self._expect = "colon"
        elif self._expect in {"value", "member", "first"}:
            self._put(value)
            self._expect = (
                "next-element" if isinstance(self._stack[-1], list) else "next-member"
            )
        else:
            raise self._unexpected(at)

    def _put(self, value: Value) -> None:
        top = self._stack[-1]
        if isinstance(top, list):
            top.append(value)
        else:
            top[self._keys.pop()] = value

    def _push(self, container: dict[str, Value] | list[Value]) -> None:
        if len(self._stack) >= MAX_DEPTH:
            raise self.error(f"input exceeds maximum nesting depth {MAX_DEPTH}")
        if self._stack:
            self._put(container)
        else:
            self.value = container
        self._stack.append(container)
        self._expect = "first" if isinstance(container, list) else "first-name"

    def _pop(self) -> None:
        self._stack.pop()
        if not self._stack:
            self.finished = True
            self._expect = "end"
        else:
            top = self._stack[-1]
            self._expect = "next-element" if isinstance(top, list) else "next-member"


def number(text: str) -> int | float:
    """Return the value of a JSON number, an `int` if it is one of 64 bits.

    Raises: NumberError.
    """
    significand, exponent, exact = _split_number(text)
    if not significand:
        return 0
    if exact:
        while exponent > 0 and significand < _UINT64_MAX // 10:
            significand *= 10
            exponent -= 1
        while exponent < 0 and significand % 10 == 0:
            significand //= 10
            exponent += 1
        value = -significand if text[0] == "-" else significand
        if exponent == 0 and -_INT64 <= value < _INT64:
            return value
    real = float(text)
    if abs(real) == float("inf") or 0 < abs(real) < _MIN_NORMAL:
        raise NumberError("number outside valid range")
    return real or 0.0


def _split_number(text: str) -> tuple[int, int, bool]:
    """Check a number's syntax; return its digits, power of ten, and if they are all."""
    rest = text[text.startswith("-") :]
    mantissa = rest.lstrip(_DIGITS)
    whole = rest[: len(rest) - len(mantissa)]
    if not whole:
        raise NumberError("'-' must be followed by digit")
    if whole[0] == "0" and len(whole) > 1:
        raise NumberError("leading zeros not allowed")
    rest, fraction = mantissa, ""
    if rest.startswith("."):
        tail = rest[1:].lstrip(_DIGITS)
        fraction = rest[1 : len(rest) - len(tail)]
        if not fraction:
            raise NumberError("decimal point must be followed by digit")
        rest = tail
    power = 0
    if rest[:1] in {"e", "E"}:
        sign = rest[1:2] if rest[1:2] in {"+", "-"} else ""
        digits = rest[1 + len(sign) :]
        rest = digits.lstrip(_DIGITS)
        digits = digits[: len(digits) - len(rest)]
        if not digits:
            raise NumberError("exponent must contain at least one digit")
        if len(digits.lstrip("0")) > 10 or int(digits[:-1] or "0") >= _INT_MAX // 10:
            raise NumberError("exponent outside valid range")
        power = -int(digits) if sign == "-" else int(digits)
    if rest:
        raise NumberError("syntax error in number")
    return _significand(whole, fraction, power)


def _significand(whole: str, fraction: str, power: int) -> tuple[int, int, bool]:
    significand = 0
    exact = True
    for digit in whole:
        if significand <= _UINT64_MAX // 10:
            significand = significand * 10 + int(digit)
        else:
            power += 1
            exact = exact and digit == "0"
    for digit in fraction:
        if significand <= _UINT64_MAX // 10:
            significand = significand * 10 + int(digit)
            power -= 1
        else:
            exact = exact and digit == "0"
    return significand, power, exact


def _hex4(text: str, start: int) -> int:
    digits = text[start : start + 4]
    if len(digits) < 4:
        raise ValueError("quoted string ends within \\u escape")
    if digits.strip("0123456789abcdefABCDEF"):
        raise ValueError("malformed \\u escape")
    value = int(digits, 16)
    if not value:
        raise ValueError("null bytes not supported in quoted strings")
    return value


def unescape(text: str) -> str:
    """Return what a string with JSON's escapes, without its quotes, stands for.

    Raises: ValueError: with the reference's message.
    """
    out: list[str] = []
    index = 0
    while index < len(text):
        letter = text[index]
        index += 1
        if letter == '"':
            raise ValueError('quoted string may not include unescaped "')
        if letter != "\\":
            out.append(letter)
            continue
        if index >= len(text):
            raise ValueError("quoted string may not end with backslash")
        letter = text[index]
        index += 1
        if letter == "u":
            code, index = _unicode_escape(text, index)
            out.append(code)
        elif letter in _ESCAPES:
            out.append(_ESCAPES[letter])
        else:
            raise ValueError(f"bad escape \\{letter}")
    return "".join(out)


def _unicode_escape(text: str, index: int) -> tuple[str, int]:
    code = _hex4(text, index)
    index += 4
    if not 0xD800 <= code < 0xDC00:
        octets = chr(code).encode("utf-8", "surrogatepass")
        return octets.decode("utf-8", "surrogateescape"), index
    if text[index : index + 2] != "\\u":
        raise ValueError("malformed escaped surrogate pair")
    low = _hex4(text, index + 2)
    if not 0xDC00 <= low < 0xE000:
        raise ValueError(
            "second half of escaped surrogate pair is not trailing surrogate"
        )
    return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), index + 6


def format_real(value: float) -> str:
    """Return a float as "%.15g" prints it, which drops the fraction of whole ones."""
    return f"{value:.15g}"


def serialize(value: object, sort: bool, pretty: bool) -> str:
    """Return `value` as JSON text; see `json.to_string()`. Doesn't recurse."""
    out: list[str] = []
    open_containers: list[Iterator[tuple[str, object]]] = []
    closing: list[str] = []
    while True:
        if isinstance(value, (dict, list, tuple)):
            is_object = isinstance(value, dict)
            out.append("{" if is_object else "[")
            closing.append("}" if is_object else "]")
            depth = len(closing)
            open_containers.append(_members(value, sort, pretty, depth))
            if is_object and not value:
                out.append(_indent(pretty, depth))  # the reference's way
        else:
            out.append(_scalar(value))
        while open_containers:
            member = next(open_containers[-1], None)
            if member is not None:
                break
            # The closing mark stands on the last member's line: the reference's way.
            open_containers.pop()
            out.append(closing.pop())
        else:
            return "".join(out)
        out.append(member[0])
        value = member[1]


def _members(
    value: dict[str, object] | list[object] | tuple[object, ...],
    sort: bool,
    pretty: bool,
    depth: int,
) -> Iterator[tuple[str, object]]:
    """Yield a container's members, each after the text that precedes it."""
    lead = _indent(pretty, depth)
    if isinstance(value, dict):
        colon = ": " if pretty else ":"
        for name in sorted(value) if sort else value:
            yield lead + _json.encode_basestring(name) + colon, value[name]
            lead = "," + _indent(pretty, depth)
    else:
        for element in value:
            yield lead, element
            lead = "," + _indent(pretty, depth)


def _indent(pretty: bool, depth: int) -> str:
    return "\n" + "  " * depth if pretty else ""


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return _json.encode_basestring(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return format_real(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
