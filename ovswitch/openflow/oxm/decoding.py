# SPDX-License-Identifier: Apache-2.0
"""From entries to a match.

The whole header is looked up in one dictionary: it says field, size and mask. Most
fields are a plain window of the flow and are taken at once; the rest, and whatever is
odd, goes the long way through `access.set_match`. What that makes of a few octets (a
port, a VLAN id) is remembered, since flows repeat it.
"""

from __future__ import annotations

import struct

from ovswitch.flow import access, prereqs, values
from ovswitch.flow.fields import FIELDS, NONE, Field
from ovswitch.flow.layout import SLOTS
from ovswitch.flow.match import Match
from ovswitch.flow.tun_metadata import TunTable, present
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.oxm.entry import ROWS, Entry, refuse_wildcards, take_entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.wire import Cursor

_MATCH_TYPE_OXM = 1
_COOKIE = 0x00013C08
_COOKIE_MASKED = 0x00013D10

_U32 = struct.Struct("!I")
_MATCH_HEADER = struct.Struct("!HH")

_PACKET_TYPE = SLOTS["packet_type"].mask

_PIPELINE_NAMES = frozenset(
    (
        "tun_id",
        "tun_src",
        "tun_dst",
        "tun_ipv6_src",
        "tun_ipv6_dst",
        "tun_flags",
        "tun_gbp_id",
        "tun_gbp_flags",
        "tun_erspan_ver",
        "tun_erspan_idx",
        "tun_erspan_dir",
        "tun_erspan_hwid",
        "tun_gtpu_flags",
        "tun_gtpu_msgtype",
        "metadata",
        "in_port",
        "in_port_oxm",
        "packet_type",
    )
)
_MAX_REMEMBERED = 4096
_remembered: dict[bytes, tuple[Field, int, int]] = {}  # by entry: value and mask
_REGISTERS = range(FIELDS["reg0"].index, FIELDS["xxreg3"].index + 1)


def is_pipeline_field(field: Field) -> bool:
    """Return whether the field is of the pipeline, not of the packet."""
    return (
        field.name in _PIPELINE_NAMES
        or access.tun_metadata_index(field) is not None
        or field.index in _REGISTERS
    )


class Decoded:
    """A decoded match and the cookie that may have come with it (NXM only)."""

    __slots__ = ("cookie", "cookie_mask", "match")

    def __init__(self, match: Match, cookie: int = 0, cookie_mask: int = 0) -> None:
        self.match = match
        self.cookie = cookie
        self.cookie_mask = cookie_mask


def decode(
    cursor: Cursor,
    *,
    strict: bool = True,
    allow_cookie: bool = False,
    pipeline_only: bool = False,
    tun: TunTable | None = None,
) -> Decoded:
    """Decode all entries that the cursor holds.

    Args:
        cursor: over the entries alone.
        strict: refuse unknown fields and missing prerequisites.
        allow_cookie: let Nicira's cookie pseudo-fields pass.
        pipeline_only: refuse fields of packets.
        tun: the bridge's TLV table; None to let the match bring its own layout.

    Raises:
        OpenFlowError: an OFPBMC_* error.
    """
    result = Decoded(Match())
    value = mask = 0
    octets, end = cursor.octets, cursor.end
    match_tun = tun
    while cursor.offset < end:
        start = cursor.offset
        row = None
        if end - start >= 4:
            number = _U32.unpack_from(octets, start)[0]
            row = ROWS.get(number)
        if row is not None and row.plain and number & 0xFF <= end - start - 4:
            field, size, at = row.field, row.size, start + 4
            new = int.from_bytes(octets[at : at + size], "big")
            wanted = row.full
            if row.masked:
                wanted = int.from_bytes(octets[at + size : at + 2 * size], "big")
                if new & ~wanted:
                    raise refuse_wildcards(number)
                if not field.maskable and wanted not in (0, row.full):
                    raise OpenFlowError("OFPBMC_BAD_MASK")
            cursor.offset = at + (number & 0xFF)
            if strict:
                if row.simple_prereq:
                    if field.prereq is not NONE and value & _PACKET_TYPE:
                        raise OpenFlowError("OFPBMC_BAD_PREREQ")
                elif not prereqs.holds_for_parts(field, value, mask):
                    raise OpenFlowError("OFPBMC_BAD_PREREQ")
            if mask & field.mask:
                raise OpenFlowError("OFPBMC_DUP_FIELD")
            if pipeline_only and not is_pipeline_field(field):
                raise OpenFlowError("OFPBRC_PIPELINE_FIELDS_ONLY")
            mask |= wanted << field.shift
            value |= new << field.shift
        elif (
            row is not None
            and (known := _remembered.get(octets[start : start + 4 + (number & 0xFF)]))
            and number & 0xFF <= end - start - 4
            and not mask & known[0].slot.mask
            and not pipeline_only
            and (not strict or prereqs.holds_for_parts(known[0], value, mask))
        ):
            field = known[0]
            value |= known[1]
            mask |= known[2]
            cursor.offset = start + 4 + (number & 0xFF)
        else:
            entry = take_entry(cursor)
            slow_field = entry.field
            if slow_field is None:
                _take_unknown(entry, result, strict, allow_cookie)
                continue
            field = slow_field
            match = Match(value, mask, match_tun)
            match = _set(field, entry, match, strict, pipeline_only, tun)
            if row is not None and not mask & field.slot.mask:
                _remember(octets[start : cursor.offset], field, match)
            value, mask, match_tun = match.value, match.mask, match.tun
        if field.prereq is not NONE and not mask & _PACKET_TYPE:
            mask |= _PACKET_TYPE
    result.match = Match(value, mask, match_tun if present(mask) else None)
    return result


def _remember(octets: bytes, field: Field, match: Match) -> None:
    """Remember what an entry does to a match that had nothing in the field's slot."""
    if len(_remembered) >= _MAX_REMEMBERED:
        _remembered.clear()
    own = field.slot.mask
    _remembered[octets] = (field, match.value & own, match.mask & own)


def _take_unknown(
    entry: Entry, result: Decoded, strict: bool, allow_cookie: bool
) -> None:
    if allow_cookie and entry.header in (_COOKIE, _COOKIE_MASKED):
        if result.cookie_mask:
            raise OpenFlowError("OFPBMC_DUP_FIELD")
        result.cookie, result.cookie_mask = entry.value, entry.mask
    elif strict:
        raise OpenFlowError("OFPBMC_BAD_FIELD")


def _set(
    field: Field,
    entry: Entry,
    match: Match,
    strict: bool,
    pipeline_only: bool,
    tun: TunTable | None,
) -> Match:
    """Return `match` with an entry's field matched, after all checks."""
    number = access.tun_metadata_index(field)
    if number is not None and tun is not None and number not in tun.entries:
        raise OpenFlowError("NXFMFC_INVALID_TLV_FIELD")
    full = values.ones(field)
    if not field.maskable and entry.mask not in (0, full):
        raise OpenFlowError("OFPBMC_BAD_MASK")
    if not values.is_valid(field, entry.value):
        raise OpenFlowError("OFPBMC_BAD_VALUE")
    if strict and not prereqs.holds_for_match(field, match):
        raise OpenFlowError("OFPBMC_BAD_PREREQ")
    if not access.is_wild(field, match.mask):
        raise OpenFlowError("OFPBMC_DUP_FIELD")
    if pipeline_only and not is_pipeline_field(field):
        raise OpenFlowError("OFPBRC_PIPELINE_FIELDS_ONLY")
    try:
        return access.set_match(field, match, entry.value, entry.mask)
    except ValueError as error:
        raise OpenFlowError("OFPBMC_BAD_VALUE", str(error)) from error


def take_nxm(
    cursor: Cursor,
    size: int,
    *,
    strict: bool = True,
    allow_cookie: bool = False,
    pipeline_only: bool = False,
    tun: TunTable | None = None,
) -> Decoded:
    """Take `size` octets of entries and the padding to a multiple of eight.

    Raises:
        OpenFlowError: OFPBMC_BAD_LEN and whatever `decode` raises.
    """
    if size + -size % 8 > cursor.left:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    entries = cursor.sub(size)
    cursor.skip(-size % 8)
    return decode(
        entries,
        strict=strict,
        allow_cookie=allow_cookie,
        pipeline_only=pipeline_only,
        tun=tun,
    )


def take_oxm(
    cursor: Cursor,
    *,
    strict: bool = True,
    pipeline_only: bool = False,
    tun: TunTable | None = None,
) -> Match:
    """Take a `struct ofp_match`: header, entries, padding.

    Raises:
        OpenFlowError: OFPBMC_BAD_LEN, OFPBMC_BAD_TYPE and whatever `decode` raises.
    """
    if cursor.left < 4:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    kind, size = _MATCH_HEADER.unpack_from(cursor.octets, cursor.offset)
    if size < 4:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    if kind != _MATCH_TYPE_OXM:
        raise OpenFlowError("OFPBMC_BAD_TYPE")
    if size + -size % 8 > cursor.left:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    cursor.skip(4)
    entries = cursor.sub(size - 4)
    cursor.skip(-size % 8)
    return decode(entries, strict=strict, pipeline_only=pipeline_only, tun=tun).match
