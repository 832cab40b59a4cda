# SPDX-License-Identifier: Apache-2.0
"""Prerequisites: what must hold before a field means anything.

For a packet's flow all of it is known, and testing it looks at some of it: `look`
returns those bits, for the megaflow's mask. For a match only what it says counts, and
a connection-tracking field needs the match itself to imply a valid connection.
"""

from __future__ import annotations

from ovswitch.flow import fields, flags
from ovswitch.flow.layout import NW_FRAG_LATER, SLOTS, VLAN_CFI

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.flow.fields import Field
    from ovswitch.flow.match import Match

ETH_TYPE_IP = 0x0800
ETH_TYPE_ARP = 0x0806
ETH_TYPE_RARP = 0x8035
ETH_TYPE_IPV6 = 0x86DD
ETH_TYPE_MPLS = 0x8847
ETH_TYPE_MPLS_MCAST = 0x8848
ETH_TYPE_NSH = 0x894F
FLOW_DL_TYPE_NONE = 0x05FF
OFPHTN_ETHERTYPE = 1

IPPROTO_ICMP, IPPROTO_IGMP, IPPROTO_TCP, IPPROTO_UDP = 1, 2, 6, 17
IPPROTO_ICMPV6, IPPROTO_SCTP = 58, 132
ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT = 135, 136

_PACKET_TYPE = SLOTS["packet_type"]
_DL_TYPE = SLOTS["dl_type"]
_TCI = SLOTS["vlan_tci0"]
_NW_PROTO = SLOTS["nw_proto"]
_NW_FRAG = SLOTS["nw_frag"]
_TP_SRC = SLOTS["tp_src"]
_TP_DST = SLOTS["tp_dst"]
_CT_STATE = SLOTS["ct_state"]

_IP_TYPES = (ETH_TYPE_IP, ETH_TYPE_IPV6)
_CT_VALID = flags.CS_NEW | flags.CS_ESTABLISHED | flags.CS_REPLY_DIR
_CT_IMPLIES_VALID = (
    flags.CS_NEW
    | flags.CS_ESTABLISHED
    | flags.CS_RELATED
    | flags.CS_REPLY_DIR
    | flags.CS_SRC_NAT
    | flags.CS_DST_NAT
)


def dl_type(flow: int) -> int:
    """Return the Ethernet type; without Ethernet header the packet type's."""
    packet_type = _PACKET_TYPE.get(flow)
    if not packet_type:
        return _DL_TYPE.get(flow)
    if packet_type >> 16 == OFPHTN_ETHERTYPE:
        return packet_type & 0xFFFF
    return FLOW_DL_TYPE_NONE


def _ethernet(flow: int) -> tuple[bool, int]:
    return not flow & _PACKET_TYPE.mask, _PACKET_TYPE.mask


def _vlan(flow: int) -> tuple[bool, int]:
    cfi = VLAN_CFI << _TCI.shift
    if flow & _PACKET_TYPE.mask:
        return False, _PACKET_TYPE.mask
    return bool(flow & cfi), _PACKET_TYPE.mask | cfi


def _typed(*types: int) -> Callable[[int], tuple[bool, int]]:
    def holds(flow: int) -> tuple[bool, int]:
        return dl_type(flow) in types, 0

    return holds


def _transport(protocol: int) -> Callable[[int], tuple[bool, int]]:
    def holds(flow: int) -> tuple[bool, int]:
        if dl_type(flow) not in _IP_TYPES:
            return False, 0
        is_first = not _NW_FRAG.get(flow) & NW_FRAG_LATER
        return is_first and _NW_PROTO.get(flow) == protocol, _NW_PROTO.mask

    return holds


def _icmp(eth_type: int, protocol: int) -> Callable[[int], tuple[bool, int]]:
    def holds(flow: int) -> tuple[bool, int]:
        if dl_type(flow) != eth_type:
            return False, 0
        return _NW_PROTO.get(flow) == protocol, _NW_PROTO.mask

    return holds


_icmpv6 = _icmp(ETH_TYPE_IPV6, IPPROTO_ICMPV6)


def _neighbour(*types: int) -> Callable[[int], tuple[bool, int]]:
    def holds(flow: int) -> tuple[bool, int]:
        ok, looked = _icmpv6(flow)
        if not ok:
            return False, looked
        looked |= _TP_DST.mask
        if flow & _TP_DST.mask:
            return False, looked
        return _TP_SRC.get(flow) in types, looked | _TP_SRC.mask

    return holds


def _ct(flow: int) -> tuple[bool, int]:
    state = _CT_VALID << _CT_STATE.shift
    return bool(flow & state), state


_HOLDS: dict[str, Callable[[int], tuple[bool, int]]] = {
    fields.NONE: lambda flow: (True, 0),
    fields.ETHERNET_PACKET: _ethernet,
    fields.VLAN_VID: _vlan,
    fields.MPLS: _typed(ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST),
    fields.ARP: _typed(ETH_TYPE_ARP, ETH_TYPE_RARP),
    fields.IPV4_PACKET: _typed(ETH_TYPE_IP),
    fields.IPV6_PACKET: _typed(ETH_TYPE_IPV6),
    fields.IP_ANY: _typed(ETH_TYPE_IP, ETH_TYPE_IPV6),
    fields.NSH: _typed(ETH_TYPE_NSH),
    fields.TCP: _transport(IPPROTO_TCP),
    fields.UDP: _transport(IPPROTO_UDP),
    fields.SCTP: _transport(IPPROTO_SCTP),
    fields.ICMPV4: _icmp(ETH_TYPE_IP, IPPROTO_ICMP),
    fields.ICMPV6: _icmpv6,
    fields.CT_VALID: _ct,
    fields.ND: _neighbour(ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT),
    fields.ND_SOLICIT: _neighbour(ND_NEIGHBOR_SOLICIT),
    fields.ND_ADVERT: _neighbour(ND_NEIGHBOR_ADVERT),
}


def holds(field: Field, flow: int) -> bool:
    """Return whether `flow` meets the field's prerequisites."""
    return _HOLDS[field.prereq](flow)[0]


def look(field: Field, flow: int) -> tuple[bool, int]:
    """Return whether `flow` meets the field's prerequisites, and the bits looked at."""
    return _HOLDS[field.prereq](flow)


def holds_for_match(field: Field, match: Match) -> bool:
    """Return whether every flow of `match` meets the field's prerequisites.

    As the reference, this reads only the match's value: a field that is wildcarded
    counts as zero.
    """
    return holds_for_parts(field, match.value, match.mask)


def holds_for_parts(field: Field, value: int, mask: int) -> bool:
    """Do as `holds_for_match` for a match that is still two numbers."""
    if field.prereq == fields.CT_VALID:
        state = _CT_STATE.get(value)
        if state & _CT_IMPLIES_VALID:
            return True
        invalid = flags.CS_INVALID
        return bool(
            state & flags.CS_TRACKED
            and _CT_STATE.get(mask) & invalid
            and not state & invalid
        )
    return _HOLDS[field.prereq](value)[0]
