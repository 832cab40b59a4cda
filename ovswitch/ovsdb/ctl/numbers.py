# SPDX-License-Identifier: Apache-2.0
"""Numbers on the command line, read as the C library's functions read them."""

from __future__ import annotations

_SPACES = " \t\n\v\f\r"
_INT64_MAX = (1 << 63) - 1
_UINT64_MAX = (1 << 64) - 1


def leading_integer(text: str) -> int | None:
    """The integer that a text begins with, or None."""
    text = text.lstrip(_SPACES)
    end = 1 if text[:1] in ("+", "-") else 0
    start = end
    while end < len(text) and text[end] in "0123456789":
        end += 1
    return int(text[:end]) if end > start else None


def atoi(text: str) -> int:
    """The integer that a text begins with, 0 without one, as a 32-bit number."""
    value = leading_integer(text) or 0
    value = min(max(value, -_INT64_MAX - 1), _INT64_MAX) & 0xFFFFFFFF
    return value - (1 << 32) if value >> 31 else value


def atoll(text: str) -> int:
    """The integer that a text begins with, 0 without one, within 64 bits."""
    return min(max(leading_integer(text) or 0, -_INT64_MAX - 1), _INT64_MAX)


def strtoll(text: str) -> int:
    """Read an integer as `atoll` does, and also hexadecimal (0x) or octal (0)."""
    sign, digits, base = _split(text.lstrip(_SPACES))
    allowed = "0123456789abcdef"[:base]
    value = 0
    for digit in digits.lower():
        index = allowed.find(digit)
        if index < 0:
            break
        value = value * base + index
    return min(max(sign * value, -_INT64_MAX - 1), _INT64_MAX)


def _split(text: str) -> tuple[int, str, int]:
    """A number's sign, its digits with what follows them, and its base."""
    sign = -1 if text[:1] == "-" else 1
    if text[:1] in ("+", "-"):
        text = text[1:]
    if text[:2].lower() == "0x" and text[2:3].lower() in "0123456789abcdef":
        return sign, text[2:], 16
    return sign, text, 8 if text[:1] == "0" else 10


def strtoull(text: str) -> int | None:
    """The unsigned integer that a text begins with, as a signed one; None without."""
    value = leading_integer(text)
    if value is None:
        return None
    value = _UINT64_MAX if abs(value) > _UINT64_MAX else value & _UINT64_MAX
    return value - (1 << 64) if value > _INT64_MAX else value
