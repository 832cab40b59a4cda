# SPDX-License-Identifier: Apache-2.0
"""A cursor over the text form of keys and actions.

Each `take` either returns a value and moves on, or returns None (or False) and stays
put. Numbers are read as C's scanf() reads them: decimal, octal with a leading 0,
hexadecimal with 0x, an optional sign, and only as many bits as the target has.
"""

from __future__ import annotations

from ovswitch.packet import address

_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdefABCDEF")
_OCTAL = frozenset("01234567")
_BITS = 64
DELIMITERS = ", \t\r\n"
_IPV6_CHARS = frozenset("0123456789abcdefABCDEF:.")
_MAX_IPV6_TEXT = 45

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container


class ScanError(ValueError):
    """The text can't be read from here on; `errno` is what the reference returns."""

    def __init__(self, errno: int = 22) -> None:
        super().__init__(errno)
        self.errno = errno


class Scanner:
    """A text and a place in it."""

    __slots__ = ("at", "text")

    def __init__(self, text: str, at: int = 0) -> None:
        self.text = text
        self.at = at

    def peek(self) -> str:
        """Return the next character, "" at the end."""
        return self.text[self.at : self.at + 1]

    def rest(self) -> str:
        """Return all that is left."""
        return self.text[self.at :]

    def literal(self, word: str) -> bool:
        """Move over `word` if it is next."""
        if self.text.startswith(word, self.at):
            self.at += len(word)
            return True
        return False

    def need(self, word: str) -> None:
        """Move over `word`.

        Raises: ScanError: something else is next.
        """
        if not self.literal(word):
            raise ScanError

    def skip(self, characters: str = DELIMITERS) -> None:
        """Move over any of `characters`."""
        while self.peek() and self.peek() in characters:
            self.at += 1

    def run(self, allowed: Container[str], limit: int) -> str:
        """Take up to `limit` of the allowed characters, possibly none."""
        start = self.at
        while self.at - start < limit and self.peek() and self.peek() in allowed:
            self.at += 1
        return self.text[start : self.at]

    def until(self, stops: str) -> str:
        """Take everything before one of `stops`, or to the end."""
        start = self.at
        while self.peek() and self.peek() not in stops:
            self.at += 1
        return self.text[start : self.at]

    def integer(self, bits: int) -> int | None:
        """Take a number in any base, cut to `bits`."""
        return self._number(bits, base=0)

    def decimal(self, bits: int) -> int | None:
        """Take a decimal number, cut to `bits`."""
        return self._number(bits, base=10)

    def hexadecimal(self, bits: int) -> int | None:
        """Take a hexadecimal number with or without 0x, cut to `bits`."""
        return self._number(bits, base=16)

    def _number(self, bits: int, base: int) -> int | None:
        start = self.at
        self.skip(" \t\r\n")
        negative = self.peek() == "-"
        if self.peek() in ("+", "-"):
            self.at += 1
        if base in (0, 16) and self._is_hexadecimal():
            self.at += 2
            base = 16
        elif base == 0:
            base = 8 if self.peek() == "0" else 10
        digits = self.run({8: _OCTAL, 10: _DIGITS, 16: _HEX}[base], len(self.text))
        if not digits:
            self.at = start
            return None
        # Long rows of digits overflow, but must not cost more than their length.
        value = int(digits[-_BITS:], base)
        return (-value if negative else value) & (1 << bits) - 1

    def _is_hexadecimal(self) -> bool:
        prefix = self.text[self.at : self.at + 3]
        return prefix[:2] in ("0x", "0X") and prefix[2:] in _HEX and len(prefix) == 3

    def hex_octets(self) -> bytes:
        """Take pairs of hexadecimal digits with optional white space between."""
        octets = bytearray()
        while True:
            self.skip(" \t\r\n")
            pair = self.text[self.at : self.at + 2]
            if len(pair) != 2 or not _HEX.issuperset(pair):
                return bytes(octets)
            octets.append(int(pair, 16))
            self.at += 2

    def mac(self) -> int | None:
        """Take an Ethernet address."""
        start = self.at
        value = 0
        for i in range(6):
            if i and not self.literal(":"):
                break
            group = self.run(_HEX, 2)
            if not group:
                break
            value = value << 8 | int(group, 16)
        else:
            return value
        self.at = start
        return None

    def ipv4(self) -> int | None:
        """Take an IPv4 address."""
        start = self.at
        value = 0
        for i in range(4):
            if i and not self.literal("."):
                break
            group = self.run(_DIGITS, len(self.text))
            if not group:
                break
            value = value << 8 | int(group[-_BITS:]) & 0xFF
        else:
            return value
        self.at = start
        return None

    def ipv6(self) -> int | None:
        """Take an IPv6 address."""
        start = self.at
        try:
            return address.parse_ipv6(self.run(_IPV6_CHARS, _MAX_IPV6_TEXT))
        except address.AddressError:
            self.at = start
            return None

    def big_integer(self, size: int) -> int | None:
        """Take a number that must fit `size` octets; above 64 bits only in hex."""
        start = self.at
        if self.literal("0x") or self.literal("0X"):
            digits = ""
            while True:
                self.skip(" \t\r\n")
                more = self.run(_HEX, len(self.text))
                if not more:
                    break
                digits += more
            if len(digits.lstrip("0")) <= 2 * size:
                return int(digits or "0", 16)
        else:
            base = 8 if self.peek() == "0" else 10
            digits = self.run(_OCTAL if base == 8 else _DIGITS, len(self.text))
            if digits and len(digits) <= _BITS:
                value = int(digits, base)
                if not value >> 8 * size and not value >> _BITS:
                    return value
        self.at = start
        return None

    def flags(
        self, names: tuple[str, ...], allowed: int, *, masked: bool
    ) -> tuple[int, int] | None:
        """Take flags up to ")" as (value, mask).

        Forms: "0x1/0x3" and "+a-b" (only if `masked`), "a|b", "0x1|b".
        """
        start = self.at
        if masked:
            value = self.integer(32)
            if value is not None and self.literal("/"):
                mask = self.integer(32)
                if mask is not None:
                    return None if (value | mask) & ~allowed else (value, mask)
            self.at = start
            if self.peek() in ("+", "-"):
                return self._signed_flags(names, allowed)
        return self._plain_flags(names, allowed)

    def _signed_flags(
        self, names: tuple[str, ...], allowed: int
    ) -> tuple[int, int] | None:
        value = mask = 0
        while self.peek() != ")":
            sign = self.peek()
            if sign not in ("+", "-") or not sign:
                return None
            self.at += 1
            word = self.until("+-)")
            if word not in names or not self.peek():
                return None
            bit = 1 << names.index(word)
            if mask & bit or not allowed & bit:
                return None
            mask |= bit
            value |= bit if sign == "+" else 0
        return value, mask

    def _plain_flags(
        self, names: tuple[str, ...], allowed: int
    ) -> tuple[int, int] | None:
        value = 0
        while self.peek() != ")":
            number = self.integer(64)
            if number is None:
                word = self.until("|)")
                if word not in names or not self.peek():
                    return None
                number = 1 << names.index(word)
            if number & ~allowed:
                return None
            value |= number
            self.literal("|")
        return value, 0xFFFFFFFF


def parse_mask(scanner: Scanner, take: Callable[[], int | None], default: int) -> int:
    """Take "/mask" if it is next; otherwise return the default."""
    start = scanner.at
    if scanner.literal("/"):
        mask = take()
        if mask is not None:
            return mask
        scanner.at = start
    return default


def parse_masked(scanner: Scanner, bits: int) -> tuple[int, int]:
    """Take a number and perhaps a mask, both cut to `bits`.

    Raises: ScanError: there is no number.
    """
    value = scanner.integer(bits)
    if value is None:
        raise ScanError
    return value, parse_mask(scanner, lambda: scanner.integer(bits), (1 << bits) - 1)


def format_flags(names: tuple[str, ...], flags: int, separator: str) -> str:
    """Return the names of the bits set in `flags`; 0 is "0", unknown bits a number."""
    if not flags:
        return "0"
    words = [name for bit, name in enumerate(names) if flags >> bit & 1]
    unknown = flags >> len(names) << len(names)
    if unknown:
        words.append(f"{unknown:#x}")
    return separator.join(words)


def format_flags_masked(
    names: tuple[str, ...], flags: int, mask: int, max_mask: int
) -> str:
    """Return "+set-clear" for the bits of `mask`; "a|b" where all of them count."""
    if mask == max_mask:
        return format_flags(names, flags, "|")
    if not mask:
        return "0/0"
    words = ""
    for bit in range(mask.bit_length()):
        if mask >> bit & 1:
            known = names[bit] if bit < len(names) else "[Unknown]"
            words += ("+" if flags >> bit & 1 else "-") + known
    return words
