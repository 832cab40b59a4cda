# SPDX-License-Identifier: Apache-2.0
"""The fixed-format matches of OpenFlow 1.0 and 1.1.

What a flow structure can say and these can't is lost on the way out; callers choose a
protocol that can say the match (`protocol.for_field`).
"""

from __future__ import annotations

import struct

from ovswitch.flow import names, prereqs
from ovswitch.flow.fields import FIELDS
from ovswitch.flow.layout import SLOTS, VLAN_CFI, VLAN_PCP_MASK, VLAN_VID_MASK
from ovswitch.flow.match import Match
from ovswitch.flow.values import prefix_mask
from ovswitch.openflow.errors import OpenFlowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow.wire import Cursor

# wildcards, in_port, dl_src, dl_dst, dl_vlan, dl_vlan_pcp, dl_type, nw_tos, nw_proto,
# nw_src, nw_dst, tp_src, tp_dst
_MATCH10 = struct.Struct("!IH6s6sHBxHBBxxIIHH")
# type, length, in_port, wildcards, dl_src and mask, dl_dst and mask, dl_vlan,
# dl_vlan_pcp, dl_type, nw_tos, nw_proto, nw_src and mask, nw_dst and mask, tp_src,
# tp_dst, mpls_label, mpls_tc, metadata and mask
_MATCH11 = struct.Struct("!HHII6s6s6s6sHBxHBBIIIIHHIB3xQQ")

MATCH10_SIZE = _MATCH10.size
MATCH11_SIZE = _MATCH11.size
assert (MATCH10_SIZE, MATCH11_SIZE) == (40, 88)
_TYPE_STANDARD = 0

_IN_PORT, _DL_VLAN, _DL_SRC, _DL_DST, _DL_TYPE, _NW_PROTO = (1 << i for i in range(6))
_TP_SRC, _TP_DST = 1 << 6, 1 << 7
_NW_SRC_SHIFT, _NW_DST_SHIFT = 8, 14
_DL_VLAN_PCP, _NW_TOS = 1 << 20, 1 << 21
_ALL10 = (1 << 22) - 1
_DATA10 = (
    _NW_TOS | _NW_PROTO | _TP_SRC | _TP_DST | _DL_SRC | _DL_DST | _DL_TYPE
    | _DL_VLAN | _DL_VLAN_PCP
)  # fmt: skip

_IN_PORT11, _DL_VLAN11, _DL_VLAN_PCP11, _DL_TYPE11 = (1 << i for i in range(4))
_NW_TOS11, _NW_PROTO11, _TP_SRC11, _TP_DST11 = (1 << i for i in range(4, 8))
_MPLS_LABEL11, _MPLS_TC11 = 1 << 8, 1 << 9

_VLAN_NONE10 = 0xFFFF
_VID_ANY11, _VID_NONE11 = 0xFFFE, 0xFFFF

_U32 = 0xFFFFFFFF
_ETH = (1 << 48) - 1
_DSCP = 0xFC

_PORT = FIELDS["in_port"]
_TCI = SLOTS["vlan_tci0"]
_PACKET_TYPE = SLOTS["packet_type"].mask
_NW_SRC, _NW_DST = SLOTS["nw_src"], SLOTS["nw_dst"]
_MPLS_LABEL, _MPLS_TC = FIELDS["mpls_label"], FIELDS["mpls_tc"]
_METADATA = SLOTS["metadata"]
_SRC, _DST = SLOTS["dl_src"], SLOTS["dl_dst"]

# The exact fields: wildcard bit, field, place in the unpacked structure.
_EXACT10 = tuple(
    (bit, SLOTS[name], place)
    for bit, name, place in (
        (_DL_SRC, "dl_src", 2),
        (_DL_DST, "dl_dst", 3),
        (_DL_TYPE, "dl_type", 6),
        (_NW_PROTO, "nw_proto", 8),
        (_TP_SRC, "tp_src", 11),
        (_TP_DST, "tp_dst", 12),
    )
)


class _Builder:
    """A match in the making."""

    __slots__ = ("mask", "value")

    def __init__(self) -> None:
        self.value = self.mask = 0

    def put(self, shift: int, mask: int, value: int) -> None:
        self.mask |= mask << shift
        self.value |= (value & mask) << shift

    def match(self) -> Match:
        return Match(self.value, self.mask)


def _wildcard_bits(bits: int) -> int:
    """Return the mask of an address whose low `bits` (0 to 63) are wildcarded."""
    bits &= 0x3F
    return prefix_mask(32 - bits) if bits < 32 else 0


def decode10(octets: bytes, offset: int = 0) -> Match:
    """Return the match in a `struct ofp10_match`, which is always valid."""
    row = _MATCH10.unpack_from(octets, offset)
    wildcards = row[0] & _ALL10
    out = _Builder()
    if not wildcards & _IN_PORT:
        out.put(_PORT.shift, _PORT.ones, row[1])
    for bit, slot, place in _EXACT10:
        if not wildcards & bit:
            number = row[place]
            if isinstance(number, bytes):
                number = int.from_bytes(number, "big")
            out.put(slot.shift, slot.ones, number)
    if not wildcards & _NW_TOS:
        out.put(SLOTS["nw_tos"].shift, _DSCP, row[7])
    src = _wildcard_bits(wildcards >> _NW_SRC_SHIFT)
    dst = _wildcard_bits(wildcards >> _NW_DST_SHIFT)
    out.put(_NW_SRC.shift, src, row[9])
    out.put(_NW_DST.shift, dst, row[10])
    _take_vlan10(out, wildcards, row[4], row[5])
    if wildcards & _DATA10 != _DATA10 or src or dst:
        out.mask |= _PACKET_TYPE
    return out.match()


def _take_vlan10(out: _Builder, wildcards: int, vlan: int, pcp: int) -> None:
    mask = 0
    if not wildcards & _DL_VLAN_PCP:
        mask |= VLAN_PCP_MASK | VLAN_CFI
    if not wildcards & _DL_VLAN:
        mask |= VLAN_VID_MASK | VLAN_CFI
        if vlan == _VLAN_NONE10:
            # A priority asked for without a header is ignored, as it always was.
            out.put(_TCI.shift, 0xFFFF, 0)
            return
    tci = vlan & VLAN_VID_MASK | pcp << 13 & VLAN_PCP_MASK | VLAN_CFI
    out.put(_TCI.shift, mask, tci)


def _netmask_bits(mask: int) -> int:
    """Return how many low bits of an address `mask` wildcards, for a CIDR mask."""
    return (mask & -mask).bit_length() - 1 if mask else 32


def encode10(match: Match) -> bytes:
    """Return a match as `struct ofp10_match`."""
    value, mask = match.value, match.mask
    wildcards = 0
    if not mask & _PORT.mask:
        wildcards |= _IN_PORT
    for bit, slot, _ in _EXACT10:
        if not mask & slot.mask:
            wildcards |= bit
    if not SLOTS["nw_tos"].get(mask) & _DSCP:
        wildcards |= _NW_TOS
    wildcards |= _netmask_bits(_NW_SRC.get(mask)) << _NW_SRC_SHIFT
    wildcards |= _netmask_bits(_NW_DST.get(mask)) << _NW_DST_SHIFT
    tci, tci_mask = _TCI.get(value), _TCI.get(mask)
    vlan = pcp = 0
    if not tci_mask:
        wildcards |= _DL_VLAN | _DL_VLAN_PCP
    elif tci_mask & ~tci & VLAN_CFI:
        vlan = _VLAN_NONE10
    else:
        vlan, pcp = tci & VLAN_VID_MASK, tci >> 13
        if not tci_mask & VLAN_VID_MASK:
            wildcards |= _DL_VLAN
            vlan = 0
        if not tci_mask & VLAN_PCP_MASK:
            wildcards |= _DL_VLAN_PCP
            pcp = 0
    return _MATCH10.pack(
        wildcards,
        _PORT.get(value),
        _SRC.get(value).to_bytes(6, "big"),
        _DST.get(value).to_bytes(6, "big"),
        vlan,
        pcp,
        SLOTS["dl_type"].get(value),
        SLOTS["nw_tos"].get(value) & _DSCP,
        SLOTS["nw_proto"].get(value),
        _NW_SRC.get(value),
        _NW_DST.get(value),
        SLOTS["tp_src"].get(value),
        SLOTS["tp_dst"].get(value),
    )


def take11(cursor: Cursor) -> Match:
    """Take a `struct ofp11_match`.

    Raises:
        OpenFlowError: OFPBMC_BAD_LEN, OFPBMC_BAD_TYPE, OFPBMC_BAD_VALUE.
    """
    if cursor.left < 4:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    kind = int.from_bytes(cursor.octets[cursor.offset : cursor.offset + 2], "big")
    size = int.from_bytes(cursor.octets[cursor.offset + 2 : cursor.offset + 4], "big")
    if kind != _TYPE_STANDARD:
        raise OpenFlowError("OFPBMC_BAD_TYPE")
    if size != MATCH11_SIZE or cursor.left < MATCH11_SIZE:
        raise OpenFlowError("OFPBMC_BAD_LEN")
    return _decode11(_MATCH11.unpack(cursor.take(MATCH11_SIZE)))


def _decode11(row: tuple[int | bytes, ...]) -> Match:
    (_, _, in_port, wildcards, src, src_mask, dst, dst_mask, vlan, pcp, dl_type,
     tos, protocol, nw_src, nw_src_mask, nw_dst, nw_dst_mask, tp_src, tp_dst,
     label, tc, metadata, metadata_mask) = (
        int.from_bytes(item, "big") if isinstance(item, bytes) else item
        for item in row
    )  # fmt: skip
    out = _Builder()
    if not wildcards & _IN_PORT11:
        port = names.port_from_ofp11(in_port)
        if port is None:
            raise OpenFlowError("OFPBMC_BAD_VALUE")
        out.put(_PORT.shift, _PORT.ones, port)
    out.put(_SRC.shift, src_mask ^ _ETH, src)
    out.put(_DST.shift, dst_mask ^ _ETH, dst)
    is_data = src_mask != _ETH or dst_mask != _ETH
    if not wildcards & _DL_VLAN11:
        _take_vlan11(out, wildcards, vlan, pcp)
        is_data = True
    eth_type = 0
    if not wildcards & _DL_TYPE11:
        eth_type = dl_type
        out.put(SLOTS["dl_type"].shift, 0xFFFF, dl_type)
        is_data = True
    if is_data:
        out.mask |= _PACKET_TYPE
    is_ipv4 = eth_type == prereqs.ETH_TYPE_IP
    if is_ipv4 and not wildcards & _NW_TOS11:
        if tos & ~_DSCP:
            raise OpenFlowError("OFPBMC_BAD_VALUE")
        out.put(SLOTS["nw_tos"].shift, _DSCP, tos)
    if is_ipv4 or eth_type in (prereqs.ETH_TYPE_ARP, prereqs.ETH_TYPE_RARP):
        if not wildcards & _NW_PROTO11:
            out.put(SLOTS["nw_proto"].shift, 0xFF, protocol)
        out.put(_NW_SRC.shift, nw_src_mask ^ _U32, nw_src)
        out.put(_NW_DST.shift, nw_dst_mask ^ _U32, nw_dst)
    if is_ipv4:
        _take_transport11(out, wildcards, tp_src, tp_dst)
    if eth_type in (prereqs.ETH_TYPE_MPLS, prereqs.ETH_TYPE_MPLS_MCAST):
        if not wildcards & _MPLS_LABEL11:
            out.put(_MPLS_LABEL.shift, _MPLS_LABEL.ones, label)
        if not wildcards & _MPLS_TC11:
            out.put(_MPLS_TC.shift, _MPLS_TC.ones, tc)
    out.put(_METADATA.shift, metadata_mask ^ _METADATA.ones, metadata)
    return out.match()


def _take_vlan11(out: _Builder, wildcards: int, vlan: int, pcp: int) -> None:
    if vlan == _VID_NONE11:
        out.put(_TCI.shift, 0xFFFF, 0)
        return
    mask = VLAN_CFI
    if vlan != _VID_ANY11:
        if vlan > VLAN_VID_MASK:
            raise OpenFlowError("OFPBMC_BAD_VALUE")
        mask |= VLAN_VID_MASK
    if not wildcards & _DL_VLAN_PCP11:
        if pcp > 7:
            raise OpenFlowError("OFPBMC_BAD_VALUE")
        mask |= VLAN_PCP_MASK
    out.put(_TCI.shift, mask, VLAN_CFI | vlan & VLAN_VID_MASK | pcp << 13 & 0xE000)


def _take_transport11(out: _Builder, wildcards: int, tp_src: int, tp_dst: int) -> None:
    protocol = SLOTS["nw_proto"].get(out.value)
    is_icmp = protocol == prereqs.IPPROTO_ICMP
    if not is_icmp and protocol not in (
        prereqs.IPPROTO_TCP,
        prereqs.IPPROTO_UDP,
        prereqs.IPPROTO_SCTP,
    ):
        return
    for bit, name, port in (
        (_TP_SRC11, "tp_src", tp_src),
        (_TP_DST11, "tp_dst", tp_dst),
    ):
        if not wildcards & bit:
            if is_icmp and port > 0xFF:
                raise OpenFlowError("OFPBMC_BAD_FIELD")
            out.put(SLOTS[name].shift, 0xFFFF, port)


def encode11(match: Match) -> bytes:
    """Return a match as `struct ofp11_match`."""
    value, mask = match.value, match.mask
    wildcards = 0

    def exact(bit: int, shift: int, ones: int, matched: int | None = None) -> int:
        nonlocal wildcards
        if mask >> shift & (ones if matched is None else matched):
            return value >> shift & ones
        wildcards |= bit
        return 0

    in_port = exact(_IN_PORT11, _PORT.shift, _PORT.ones)
    tci, tci_mask = _TCI.get(value), _TCI.get(mask)
    vlan = pcp = 0
    if not tci_mask:
        wildcards |= _DL_VLAN11 | _DL_VLAN_PCP11
    elif tci_mask & ~tci & VLAN_CFI:
        vlan = _VID_NONE11
        wildcards |= _DL_VLAN_PCP11
    else:
        vlan = tci & VLAN_VID_MASK if tci_mask & VLAN_VID_MASK else _VID_ANY11
        if tci_mask & VLAN_PCP_MASK:
            pcp = tci >> 13
        else:
            wildcards |= _DL_VLAN_PCP11
    dl_type = exact(_DL_TYPE11, SLOTS["dl_type"].shift, 0xFFFF)
    tos = exact(_NW_TOS11, SLOTS["nw_tos"].shift, _DSCP)
    protocol = exact(_NW_PROTO11, SLOTS["nw_proto"].shift, 0xFF)
    tp_src = exact(_TP_SRC11, SLOTS["tp_src"].shift, 0xFFFF)
    tp_dst = exact(_TP_DST11, SLOTS["tp_dst"].shift, 0xFFFF)
    label = exact(_MPLS_LABEL11, _MPLS_LABEL.shift, _MPLS_LABEL.ones)
    tc = exact(_MPLS_TC11, _MPLS_TC.shift, _MPLS_TC.ones)
    return _MATCH11.pack(
        _TYPE_STANDARD,
        MATCH11_SIZE,
        0 if wildcards & _IN_PORT11 else names.port_to_ofp11(in_port),
        wildcards,
        _SRC.get(value).to_bytes(6, "big"),
        (_SRC.get(mask) ^ _ETH).to_bytes(6, "big"),
        _DST.get(value).to_bytes(6, "big"),
        (_DST.get(mask) ^ _ETH).to_bytes(6, "big"),
        vlan,
        pcp,
        dl_type,
        tos,
        protocol,
        _NW_SRC.get(value),
        _NW_SRC.get(mask) ^ _U32,
        _NW_DST.get(value),
        _NW_DST.get(mask) ^ _U32,
        tp_src,
        tp_dst,
        label,
        tc,
        _METADATA.get(value),
        _METADATA.get(mask) ^ _METADATA.ones,
    )
