# SPDX-License-Identifier: Apache-2.0
"""The small change of the reference's text syntax: key=value lists and C's numbers.

Text is split and numbers are read exactly as the reference's C does it (`strtol` with
base 0, `strtok`, `atoi`), down to what it silently accepts, since scripts depend on it.
Errors are `ParseError`, whose text is shown to the user as it is.

Source: the reference's ofp-parse.c, for behaviour and texts.
"""

from __future__ import annotations

from ovswitch.flow import numbers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SPACES = " \t\n\v\f\r"
_KEY_END = ":=(, \t\r\n"
_VALUE_END = ", \t\r\n"
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
U8, U16, U32, U64 = 0xFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF


class ParseError(ValueError):
    """Text that can't be understood; `str()` is the message for the user."""


def _value_size(text: str, start: int, delimiters: str) -> int:
    """Return the size of the value at `start`; parentheses hide delimiters."""
    end = len(text)
    at = start
    while at < end and text[at] not in delimiters:
        if text[at] != "(":
            at += 1
            continue
        level = 0
        while True:
            if at == end:
                return at - start
            if text[at] == "(":
                level += 1
            elif text[at] == ")":
                level -= 1
            at += 1
            if not level:
                break
    return at - start


def key_values(text: str) -> Iterator[tuple[str, str]]:
    """Yield the (key, value) pairs of "a, b=c,d(e,f)->g": value "" for a bare key."""
    at = 0
    while True:
        found = key_value(text, at)
        if found is None:
            return
        key, value, at = found
        yield key, value


def key_value(text: str, at: int = 0) -> tuple[str, str, int] | None:
    """Return the first key and value at or after `at`, and where to go on."""
    end = len(text)
    while at < end and text[at] in _VALUE_END:
        at += 1
    if at == end:
        return None
    start = at
    while at < end and text[at] not in _KEY_END:
        at += 1
    key = text[start:at]
    if at == end:
        return key, "", at
    delimiter = text[at]
    at += 1
    if delimiter in ":=":
        size = _value_size(text, at, _VALUE_END)
    elif delimiter == "(":
        size = _value_size(text, at, ")")
        if text.startswith(")->", at + size):
            size += _value_size(text, at + size, _VALUE_END)
    else:
        return key, "", at
    value = text[at : at + size]
    return key, value, min(at + size + 1, end)


def tokens(text: str, delimiters: str) -> list[str]:
    """Return the pieces of `text` between runs of delimiters, as strtok() does."""
    for delimiter in delimiters[1:]:
        text = text.replace(delimiter, delimiters[0])
    return [piece for piece in text.split(delimiters[0]) if piece]


def first_token(text: str, delimiters: str) -> tuple[str | None, str]:
    """Return the first piece as strtok() does (None if none), and what follows it."""
    at = 0
    while at < len(text) and text[at] in delimiters:
        at += 1
    if at == len(text):
        return None, ""
    start = at
    while at < len(text) and text[at] not in delimiters:
        at += 1
    return text[start:at], text[at + 1 :]


def scan_int(text: str, at: int = 0, base: int = 0) -> tuple[int, int] | None:
    """Read a number as strtol() does; return it and where it ends, or None."""
    while at < len(text) and text[at] in SPACES:
        at += 1
    value, end = numbers.scan(text, at, base)
    return None if end == at else (value, end)


def whole_int(text: str, base: int = 0) -> int | None:
    """Return the number that is all of `text`, as strtol() reads it, or None."""
    if text.isdigit() and text.isascii() and (text[0] != "0" or base == 10):
        return int(text)
    found = scan_int(text, 0, base)
    if found is None or found[1] != len(text):
        return None
    return found[0]


def atoi(text: str) -> int:
    """Return the decimal number that `text` begins with, else 0."""
    found = scan_int(text, 0, 10)
    return found[0] if found else 0


def u8(text: str, name: str) -> int:
    """Return a number from 0 to 255 called `name` in the error."""
    return _bounded(text, name, U8)


def u16(text: str, name: str) -> int:
    """Return a number from 0 to 65535 called `name` in the error."""
    return _bounded(text, name, U16)


def _bounded(text: str, name: str, greatest: int) -> int:
    value = whole_int(text)
    if value is None or not 0 <= value <= greatest:
        raise ParseError(f'invalid {name} "{text}"')
    return value


def u64(text: str) -> int:
    """Return a number of 64 bits; a negative one wraps, as strtoull() has it."""
    if not text:
        raise ParseError("missing required numeric argument")
    value = whole_int(text)
    if value is None or abs(value) > U64:
        raise ParseError(f"invalid numeric format {text}")
    return value & U64


def u32(text: str) -> int:
    """Return a number's low 32 bits: more than that is silently cut off."""
    return u64(text) & U32


def mac(text: str) -> int:
    """Return an Ethernet address; what follows it is ignored."""
    value = 0
    at = 0
    for index in range(6):
        if index:
            if text[at : at + 1] != ":":
                raise ParseError(f"invalid mac address {text}")
            at += 1
        found = scan_int(text, at, 16)
        if found is None:
            raise ParseError(f"invalid mac address {text}")
        value = value << 8 | found[0] & U8
        at = found[1]
    return value


def scan_ipv4(text: str, at: int = 0) -> tuple[int, int] | None:
    """Read "a.b.c.d" at `at`; return the address and where it ends, or None."""
    value = 0
    for index in range(4):
        if index:
            if text[at : at + 1] != ".":
                return None
            at += 1
        found = scan_int(text, at, 10)
        if found is None:
            return None
        value = value << 8 | found[0] & U8
        at = found[1]
    return value, at


def ipv4(text: str) -> int:
    """Return an IPv4 address; complain in the log too, as the reference does."""
    import _socket

    try:
        return int.from_bytes(_socket.inet_pton(_socket.AF_INET, text), "big")
    except (OSError, ValueError):
        from ovswitch.runtime import vlog

        vlog.Module("socket_util").err('"%s" is not a valid IP address', text)
        raise ParseError(f"{text}: could not convert to IP address") from None


def hex_octets(text: str) -> tuple[bytes, str]:
    """Read pairs of hexadecimal digits with spaces or dots between them.

    Returns:
        The octets, and the text from where it stopped being pairs.
    """
    octets = bytearray()
    at = 0
    while True:
        while at < len(text) and (text[at] in " .\t\r\n"):
            at += 1
        if at + 1 >= len(text):
            break
        pair = text[at : at + 2]
        if not all(char in _HEX_DIGITS for char in pair):
            break
        octets.append(int(pair, 16))
        at += 2
    return bytes(octets), text[at:]
