# SPDX-License-Identifier: Apache-2.0
"""Fields in actions on the wire: NXM and OXM headers, alone or with a value.

A header is class (16 bits), field (7), has-mask (1), length (8), and for class 0xffff
an experimenter (32), which the length counts too (OpenFlow 1.5.1 §7.2.3.2). Errors are
those of actions: a field that's unknown is OFPBAC_BAD_SET_TYPE.

What `tun_metadataN` holds is `n_bytes` long only at most: its headers give the length
that is used, and values lose their leading zeros.
"""

from __future__ import annotations

import struct

from ovswitch.flow.fields import BY_OXM
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.oxm.entry import refuse_length, refuse_wildcards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.flow.fields import Field, Oxm
    from ovswitch.openflow.wire import Cursor

EXPERIMENTER_CLASS = 0xFFFF
_HEADER = struct.Struct("!HBB")
_EXPERIMENTER = struct.Struct("!HBBI")

_headers: dict[tuple[int, int], bytes] = {}


def full_mask(field: Field) -> int:
    """Return the mask that stands for "no mask": ones as wide as the wire has it.

    That may be wider than the field, whose own bits are `field.ones`.
    """
    return (1 << 8 * field.n_bytes) - 1


def is_variable(field: Field) -> bool:
    """Return whether the field's size is up to the switch (tun_metadataN)."""
    return field.width == 0


def _header(oxm: Oxm | None, masked: int, size: int) -> bytes:
    if oxm is None:  # a field that text knows and the wire doesn't: all zeros
        return _HEADER.pack(0, masked, size)
    field_octet = oxm.number << 1 | masked
    if oxm.oxm_class == EXPERIMENTER_CLASS:
        return _EXPERIMENTER.pack(
            oxm.oxm_class, field_octet, size + 4, oxm.experimenter
        )
    return _HEADER.pack(oxm.oxm_class, field_octet, size)


def put_header(field: Field, version: int) -> bytes:
    """Return a field's header in `version`; version 0 is its NXM header."""
    key = (field.index, version)
    header = _headers.get(key)
    if header is None:
        oxm = field.oxm_for(version)
        header = _headers[key] = _header(oxm, 0, field.n_bytes)
    return header


def nxm_header(field: Field) -> int:
    """Return the field's 32-bit header, or 0 for a field that has only longer ones."""
    header = put_header(field, 0)
    return int.from_bytes(header, "big") if len(header) == 4 else 0


def _size(value: int) -> int:
    """Return how many octets a variable-size field's value takes."""
    return -(-value.bit_length() // 8) or 1


def put_entry(field: Field, version: int, value: int, mask: int) -> bytes:
    """Return header and value, and a mask unless it is all ones."""
    oxm = field.oxm_for(version)
    ones = full_mask(field)
    masked = mask & ones != ones
    size = field.n_bytes
    if is_variable(field):
        size = max(_size(value), _size(mask)) if masked else _size(value)
    entry = _header(oxm, masked, size * (1 + masked)) + value.to_bytes(size, "big")
    return entry + mask.to_bytes(size, "big") if masked else entry


def _pull_raw_header(cursor: Cursor) -> tuple[tuple[int, int, int], bool, int]:
    """Take a header; return its key, whether it has a mask, and the payload's size."""
    start = cursor.offset
    try:
        oxm_class, octet, size = cursor.unpack(_HEADER)
        experimenter = 0
        if oxm_class == EXPERIMENTER_CLASS:
            experimenter = cursor.u32()
            size -= 4
    except OpenFlowError:
        cursor.offset = start
        raise OpenFlowError("OFPBMC_BAD_LEN") from None
    if size < 0:
        raise refuse_length(_number(cursor, start))
    return (oxm_class, experimenter, octet >> 1), bool(octet & 1), size


def _number(cursor: Cursor, start: int) -> int:
    """Return the header that begins at `start` and was taken, as a number."""
    is_long = cursor.octets[start : start + 2] == b"\xff\xff"
    return int.from_bytes(cursor.octets[start : start + (8 if is_long else 4)], "big")


def _unknown(key: tuple[int, int, int], width: int) -> OpenFlowError:
    """Return the error for an entry whose field, or whose field's size, is unknown.

    It is OFPBAC_BAD_SET_LEN when a field with another size shares the entry's bucket in
    the reference's table of fields: its own field at a wrong size always does, and an
    unknown one mostly has such a neighbour.
    """
    oxm_class, experimenter, number = key
    if oxm_class == EXPERIMENTER_CLASS:
        width += 4
    if not width:
        return OpenFlowError("OFPBAC_BAD_SET_TYPE")
    hashes = [(_hash(*other), size) for other, size in _sizes()]
    bits = (len(hashes) // 2).bit_length()
    bucket = (1 << bits) - 1 & _hash(oxm_class, experimenter, number)
    return OpenFlowError(
        "OFPBAC_BAD_SET_LEN"
        if any(
            (1 << bits) - 1 & hashed == bucket and size != width
            for hashed, size in hashes
        )
        else "OFPBAC_BAD_SET_TYPE"
    )


def _sizes() -> Iterator[tuple[tuple[int, int, int], int]]:
    for key, (field, _) in BY_OXM.items():
        yield key, field.n_bytes + (4 if key[0] == EXPERIMENTER_CLASS else 0)


def _hash(oxm_class: int, experimenter: int, number: int) -> int:
    from ovswitch.flow import hashes

    high = oxm_class << 16 | number << 9
    return hashes.finish(hashes.add(hashes.add(0, experimenter), high), 8)


def pull_header(cursor: Cursor) -> Field:
    """Take a header without a value; `tun_metadataN` may say any size.

    Raises:
        OpenFlowError: OFPBMC_BAD_FIELD, _BAD_MASK, _BAD_LEN.
    """
    key, masked, size = _pull_raw_header(cursor)
    found = BY_OXM.get(key)
    if found is None or not _fits(found[0], size >> masked):
        raise OpenFlowError("OFPBMC_BAD_FIELD")
    if masked:
        raise OpenFlowError("OFPBMC_BAD_MASK")
    return found[0]


def _fits(field: Field, size: int) -> bool:
    return size == field.n_bytes or is_variable(field)


def pull_nxm_header(header: int) -> Field:
    """Return the field that a 32-bit header means.

    Raises:
        OpenFlowError: OFPBAC_BAD_SET_TYPE.
    """
    key = (header >> 16, 0, header >> 9 & 0x7F)
    found = BY_OXM.get(key)
    masked = header >> 8 & 1
    if found is None or not _fits(found[0], (header & 0xFF) >> masked):
        raise OpenFlowError("OFPBAC_BAD_SET_TYPE")
    return found[0]


def pull_entry(cursor: Cursor, *, may_mask: bool) -> tuple[Field, int, int]:
    """Take a header and what it announces; return field, value and mask.

    Raises:
        OpenFlowError: OFPBAC_BAD_SET_TYPE, OFPBAC_BAD_SET_LEN, OFPBMC_BAD_LEN,
            OFPBMC_BAD_WILDCARDS, OFPBMC_BAD_MASK.
    """
    start = cursor.offset
    key, masked, size = _pull_raw_header(cursor)
    found = BY_OXM.get(key)
    width = size >> masked
    if found is None or not _fits(found[0], width):
        raise _unknown(key, width)
    field = found[0]
    if size > cursor.left:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    value = int.from_bytes(cursor.take(width), "big")
    mask = full_mask(field)
    if masked:
        mask = int.from_bytes(cursor.take(width), "big")
        cursor.skip(size - 2 * width)
        if value & ~mask:
            raise refuse_wildcards(_number(cursor, start))
        if not may_mask:
            raise OpenFlowError("OFPBMC_BAD_MASK")
    return field, value, mask
