# SPDX-License-Identifier: Apache-2.0
"""One entry of a match in extensible form: its header, its field, its octets."""

from __future__ import annotations

import struct

from ovswitch.flow import access
from ovswitch.flow.fields import (
    ALL,
    BY_OXM,
    ETHERNET_PACKET,
    NONE,
    Field,
    Oxm,
)
from ovswitch.openflow.errors import OpenFlowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.wire import Cursor

NXM = 0  # as a version: prefer Nicira's form of a field

_EXPERIMENTER = 0xFFFF
_EXPERIMENTER_HEADER_SIZE = 8
_U32 = struct.Struct("!I")


def header(oxm: Oxm, size: int, masked: bool = False) -> bytes:
    """Return an entry's header octets.

    Args:
        oxm: the field's wire form.
        size: the value's size in octets.
        masked: whether a mask of that size follows.
    """
    length = 2 * size if masked else size
    if oxm.oxm_class == _EXPERIMENTER:
        length += 4
    first = oxm.oxm_class << 16 | oxm.number << 9 | masked << 8 | length
    if oxm.oxm_class == _EXPERIMENTER:
        return _U32.pack(first) + _U32.pack(oxm.experimenter)
    return _U32.pack(first)


class Row:
    """What a header means: how to take the entry."""

    __slots__ = ("field", "full", "masked", "plain", "simple_prereq", "size")

    def __init__(self, field: Field, masked: bool) -> None:
        self.field = field
        self.masked = masked
        self.size = field.n_bytes
        self.full = (1 << 8 * field.n_bytes) - 1
        self.plain = field.index not in access.SPECIAL and (
            field.n_bits == field.width == 8 * field.n_bytes
            and field.name not in _CHECKED
        )
        self.simple_prereq = field.prereq in (NONE, ETHERNET_PACKET)


_CHECKED = ("nsh_ttl", "nsh_mdtype", "ct_state")  # sizes fit but values may not

ROWS: dict[int, Row] = {}  # by 32-bit header, or 64-bit for experimenters
_variable: dict[int, Field] = {}  # tunnel metadata by header without mask and length


def _build_rows() -> None:
    for field in ALL:
        for oxm in field.oxms:
            if access.tun_metadata_index(field) is not None:
                octets = header(oxm, 0)
                _variable[int.from_bytes(octets, "big") >> 9] = field
                continue
            for masked in (False, True):
                octets = header(oxm, field.n_bytes, masked)
                ROWS[int.from_bytes(octets, "big")] = Row(field, masked)


_build_rows()


class Entry:
    """One entry as it stands on the wire, of a known field or not.

    Attributes:
        header: 32 bits, for experimenters 64.
        field: None if unknown.
        value, mask: as numbers; an absent mask is all ones of the value's size.
        size: of the value, in octets.
        masked: whether a mask is there.
    """

    __slots__ = ("field", "header", "mask", "masked", "size", "value")

    def __init__(
        self, number: int, field: Field | None, value: bytes, mask: bytes | None
    ) -> None:
        self.header = number
        self.field = field
        self.size = len(value)
        self.masked = mask is not None
        if field is not None and len(value) > field.n_bytes:
            value = value[: field.n_bytes]
            mask = mask[: field.n_bytes] if mask is not None else None
        size = field.n_bytes if field is not None else len(value)
        self.value = int.from_bytes(value, "big")
        full = (1 << 8 * size) - 1
        self.mask = full if mask is None else int.from_bytes(mask, "big")


def _describe(number: int) -> str:
    """Return a header as the log shows it: experimenter:class:field:mask:length."""
    experimenter = 0
    if number >> 32:
        experimenter, number = number & 0xFFFFFFFF, number >> 32
    shown = f"{experimenter:#x}" if experimenter else "0"
    field, masked = number >> 9 & 0x7F, number >> 8 & 1
    return f"{shown}:{number >> 16}:{field}:{masked}:{number & 0xFF}"


def refuse_length(number: int) -> OpenFlowError:
    """Log that an experimenter's header is longer than what it announces."""
    from ovswitch.openflow.actions.context import warn_rl

    least = _EXPERIMENTER_HEADER_SIZE
    warn_rl(
        f"OXM header {_describe(number)} has invalid length {number >> 32 & 0xFF} "
        f"(minimum is {least})",
        "nx_match",
    )
    return OpenFlowError("OFPBMC_BAD_LEN")


def refuse_wildcards(number: int) -> OpenFlowError:
    """Log that an entry's value has ones where its mask has none."""
    from ovswitch.openflow.actions.context import warn_rl

    warn_rl(
        f"Rejecting NXM/OXM entry {_describe(number)} with 1-bits in value for bits "
        "wildcarded by the mask.",
        "nx_match",
    )
    return OpenFlowError("OFPBMC_BAD_WILDCARDS")


def find_oxm(number: int) -> tuple[Oxm | None, bool]:
    """Return the wire form that a header's number names, and whether a mask follows."""
    first = number if number < 1 << 32 else number >> 32
    row = ROWS.get(number)
    field = row.field if row is not None else _variable.get(number >> 9)
    key = (first >> 16, number & 0xFFFFFFFF if number >> 32 else 0, first >> 9 & 0x7F)
    known = BY_OXM.get(key) if field is not None else None
    return known[1] if known is not None else None, bool(first >> 8 & 1)


def take_header(cursor: Cursor) -> tuple[int, Field | None, int, bool]:
    """Take an entry's header; return (number, field, payload's size, has mask).

    Raises:
        OpenFlowError: OFPBMC_BAD_LEN.
    """
    if cursor.left < 4:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    number = cursor.u32()
    length = number & 0xFF
    masked = bool(number >> 8 & 1)
    if number >> 16 == _EXPERIMENTER:
        if cursor.left < 4:
            cursor.offset -= 4
            raise OpenFlowError("OFPBMC_BAD_LEN")
        number = number << 32 | cursor.u32()
        if length < 4:
            cursor.offset -= 8
            raise refuse_length(number)
        length -= 4
    row = ROWS.get(number)
    field = row.field if row is not None else _variable.get(number >> 9)
    return number, field, length, masked


def take_entry(cursor: Cursor) -> Entry:
    """Take one entry, whatever its field.

    Raises:
        OpenFlowError: OFPBMC_BAD_LEN, OFPBMC_BAD_WILDCARDS.
    """
    number, field, length, masked = take_header(cursor)
    if length > cursor.left:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    payload = cursor.take(length)
    if not masked:
        return Entry(number, field, payload, None)
    half = length // 2
    value, mask = payload[:half], payload[half : 2 * half]
    if int.from_bytes(value, "big") & ~int.from_bytes(mask, "big"):
        raise refuse_wildcards(number)
    return Entry(number, field, value, mask)
