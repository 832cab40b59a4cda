# SPDX-License-Identifier: Apache-2.0
"""Numbers in text, read as C's library reads them.

Decimal, octal with a leading 0 and hexadecimal with 0x, a sign, leading blanks: users'
scripts hold all of them. Each scanner returns the value and where it stopped.
"""

from __future__ import annotations

_HEX = {digit: int(digit, 16) for digit in "0123456789abcdefABCDEF"}
_SPACE = " \t\n\v\f\r"
UINT64_MAX = (1 << 64) - 1


class RangeError(ValueError):
    """A number that is well formed but too large."""


def scan(text: str, start: int = 0, base: int = 0) -> tuple[int, int]:
    """Read an integer at `start`; return (value, end), end == start if there is none.

    Base 0 means that the prefix decides. No blanks are skipped.
    """
    at, size = start, len(text)
    is_plain = not start and size < 20 and text.isdigit() and text.isascii()
    if is_plain and (base == 10 or (not base and text[0] != "0")):
        return int(text), size
    negative = False
    if at < size and text[at] in "+-":
        negative = text[at] == "-"
        at += 1
    prefixed = text[at : at + 2] in ("0x", "0X") and text[at + 2 : at + 3] in _HEX
    if base in (0, 16) and prefixed and at + 2 < size:
        base = 16
        at += 2
    elif not base:
        base = 8 if text[at : at + 1] == "0" else 10
    first = at
    value = 0
    while at < size:
        digit = _HEX.get(text[at], 16)
        if digit >= base:
            break
        value = value * base + digit
        at += 1
    if at == first:
        return 0, start
    return -value if negative else value, at


def strtoull(text: str, start: int = 0) -> tuple[int, int]:
    """Read an unsigned 64-bit number as C reads it: a negative one wraps around.

    Raises:
        RangeError: beyond 64 bits.
    """
    at = start
    while at < len(text) and text[at] in _SPACE:
        at += 1
    value, end = scan(text, at)
    if end == at:
        return 0, start
    if abs(value) > UINT64_MAX:
        raise RangeError(text)
    return value & UINT64_MAX, end


def _scan_hex(text: str, at: int, size: int) -> tuple[int, int]:
    """Read hexadecimal digits, blanks between them ignored, of up to `size` octets."""
    value = 0
    while True:
        while at < len(text) and text[at] in " \t\r\n":
            at += 1
        digit = _HEX.get(text[at]) if at < len(text) else None
        if digit is None:
            return value, at
        value = value << 4 | digit
        if value >> 8 * size:
            raise RangeError(text)
        at += 1


def scan_sized(text: str, start: int, size: int) -> tuple[int, int]:
    """Read a number of at most `size` octets; return (value, end).

    Raises:
        RangeError: too large.
        ValueError: no number there.
    """
    if text[start : start + 2] in ("0x", "0X"):
        return _scan_hex(text, start + 2, size)
    value, end = strtoull(text, start)
    if end == start:
        raise ValueError(text)
    if value >> 8 * size:
        raise RangeError(text)
    return value, end


def put_hex(value: int) -> str:
    """Return a number in hexadecimal with 0x, or "0"."""
    return f"{value:#x}" if value else "0"
