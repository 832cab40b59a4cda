# SPDX-License-Identifier: Apache-2.0
"""Sets of named bits in text: `+new-est`, `syn|ack`, `0x2/0x12`."""

from __future__ import annotations

from ovswitch.flow.numbers import scan

_UINT32_MAX = 0xFFFFFFFF

CS_NEW, CS_ESTABLISHED, CS_RELATED, CS_REPLY_DIR = 0x01, 0x02, 0x04, 0x08
CS_INVALID, CS_TRACKED, CS_SRC_NAT, CS_DST_NAT = 0x10, 0x20, 0x40, 0x80
CT_STATE_NAMES = {
    CS_NEW: "new",
    CS_ESTABLISHED: "est",
    CS_RELATED: "rel",
    CS_REPLY_DIR: "rpl",
    CS_INVALID: "inv",
    CS_TRACKED: "trk",
    CS_SRC_NAT: "snat",
    CS_DST_NAT: "dnat",
}
CT_STATE_SUPPORTED = 0xFF

TCP_FLAG_NAMES = {
    0x001: "fin",
    0x002: "syn",
    0x004: "rst",
    0x008: "psh",
    0x010: "ack",
    0x020: "urg",
    0x040: "ece",
    0x080: "cwr",
    0x100: "ns",
    0x200: "[200]",
    0x400: "[400]",
    0x800: "[800]",
}
TCP_FLAGS_MASK = 0xFFF

TUNNEL_FLAG_NAMES = {1: "oam", 2: "df", 4: "csum", 8: "key"}
TUNNEL_PUBLIC_MASK = 1


def format_flags(names: dict[int, str], flags: int, separator: str = "|") -> str:
    """Return the names of the bits in `flags`, unknown ones as one number."""
    if not flags:
        return "0"
    parts = [name for bit, name in sorted(names.items()) if flags & bit]
    unknown = flags & ~sum(names)
    if unknown:
        parts.append(f"{unknown:#x}")
    return separator.join(parts)


def format_masked(names: dict[int, str], flags: int, mask: int, full: int) -> str:
    """Return the bits of `mask`, each with + or -; all of `full` as plain names."""
    if mask == full:
        return format_flags(names, flags)
    if not mask:
        return "0/0"
    parts = []
    while mask:
        bit = mask & -mask
        parts.append(("+" if flags & bit else "-") + names.get(bit, "[Unknown]"))
        mask ^= bit
    return "".join(parts)


def parse(text: str, names: dict[int, str], what: str, allowed: int) -> tuple[int, int]:
    """Return (flags, mask) for `text`; the mask is 32 ones for an unmasked set.

    Raises:
        ValueError: with the text for the user.
    """
    numeric = _parse_numeric(text)
    if numeric is not None:
        flags, mask = numeric
        if (flags | mask) & ~allowed:
            raise _unknown(text, what)
        return flags, mask
    if text[:1] in ("+", "-"):
        return _parse_signed(text, names, what, allowed)
    return _parse_plain(text, names, what, allowed), _UINT32_MAX


def _unknown(text: str, what: str) -> ValueError:
    return ValueError(f"{text}: unknown {what} flag(s)")


def _parse_numeric(text: str) -> tuple[int, int] | None:
    flags, end = scan(text)
    if not end or text[end : end + 1] != "/":
        return None
    mask, stop = scan(text, end + 1)
    if stop == end + 1:
        return None
    return flags & _UINT32_MAX, mask & _UINT32_MAX


def _parse_signed(
    text: str, names: dict[int, str], what: str, allowed: int
) -> tuple[int, int]:
    bits = {name: bit for bit, name in names.items()}
    flags = mask = at = 0
    while at < len(text):
        rest = text[at:]
        if text[at] not in "+-":
            raise ValueError(
                f"{rest}: {what} must be preceded by '+' (for SET) or '-' (NOT SET)"
            )
        end = at + 1
        while end < len(text) and text[end] not in "+-":
            end += 1
        rest = text[at + 1 :]
        bit = bits.get(text[at + 1 : end])
        if bit is None:
            raise _unknown(rest, what)
        if mask & bit:
            raise ValueError(f"{rest}: Each {what} flag can be specified only once")
        if not bit & allowed:
            raise _unknown(rest, what)
        if text[at] == "+":
            flags |= bit
        mask |= bit
        at = end
    return flags, mask


def _parse_plain(text: str, names: dict[int, str], what: str, allowed: int) -> int:
    bits = {name: bit for bit, name in names.items()}
    result = at = 0
    while at < len(text):
        number, end = scan(text, at)
        if end > at:
            if number & ~allowed:
                raise _unknown(text, what)
            result |= number
            at = end + (text[end : end + 1] == "|")
            continue
        stop = text.find("|", at)
        stop = len(text) if stop < 0 else stop
        bit = bits.get(text[at:stop])
        if bit is None or not bit & allowed:
            raise _unknown(text, what)
        result |= bit
        at = stop + 1
    return result
