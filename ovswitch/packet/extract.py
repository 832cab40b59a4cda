# SPDX-License-Identifier: Apache-2.0
"""From a packet's octets to its flow: the plain twin of the C extractor.

A packet that ends early, or whose headers contradict themselves, isn't an error: its
flow has the fields up to the fault and zeros beyond, as the reference's
flow_extract() gives them. Padding behind the IP packet is never looked at.

Sources: the reference's flow.c for which faults end the parse where; RFC 791, 8200,
4861, 3032, 8300, 826.
"""

from __future__ import annotations

from struct import Struct

from ovswitch.flow.layout import (
    CT_ORIG_TUPLE_MASK,
    N_MPLS,
    N_VLANS,
    NW_FRAG_ANY,
    NW_FRAG_LATER,
    SLOTS,
    VLAN_CFI,
)
from ovswitch.packet import headers as h

_ARP = Struct("!HHBBH6sI6sI")
_ND_OPTION = Struct("!BB6s")
_SHIFT = {name: slot.shift for name, slot in SLOTS.items()}
_CT_STATE = SLOTS["ct_state"]
_CT_MASK4 = SLOTS["ct_nw_src"].mask | SLOTS["ct_nw_dst"].mask
_CT_MASK6 = SLOTS["ct_ipv6_src"].mask | SLOTS["ct_ipv6_dst"].mask
_CT_PROTO = SLOTS["ct_nw_proto"]
_CT_PORTS = SLOTS["ct_tp_src"].mask | SLOTS["ct_tp_dst"].mask
_PACKET_TYPE = SLOTS["packet_type"]
_NO_LAYER = -1


class Parsed:
    """A packet's flow and where its layers begin; -1 where there is none.

    `l3` is behind the Ethernet, VLAN and MPLS headers, `l4` behind the IP headers,
    `end` is the end of the IP packet (or of the octets).
    """

    __slots__ = ("end", "flow", "l3", "l4")

    def __init__(self, flow: int, end: int) -> None:
        self.flow = flow
        self.l3 = _NO_LAYER
        self.l4 = _NO_LAYER
        self.end = end


_vlan_limit = N_VLANS


def set_vlan_limit(limit: int) -> None:
    """Have keys show at most `limit` VLAN headers, 0 to 2, in this process."""
    global _vlan_limit
    _vlan_limit = limit


def extract(octets: bytes, metadata: int = 0, vlan_limit: int | None = None) -> int:
    """Return the flow of a packet.

    Args:
        octets: the packet from its Ethernet header, or from layer 3 when the
            metadata's packet type says so.
        metadata: the flow's members that no packet holds (in_port, tunnel, recirc_id,
            connection tracking state ...), in place.
        vlan_limit: how many VLAN headers to look at; None for the process's limit.
    """
    return parse(octets, metadata, vlan_limit).flow


def parse(octets: bytes, metadata: int = 0, vlan_limit: int | None = None) -> Parsed:
    """Return a packet's flow and layers; the arguments are those of `extract()`."""
    packet = Parsed(metadata & ~CT_ORIG_TUPLE_MASK, len(octets))
    packet_type = _PACKET_TYPE.get(metadata)
    at = 0
    if packet_type == h.PT_ETH:
        if len(octets) < h.ETH_HEADER_LEN:
            return packet
        limit = _vlan_limit if vlan_limit is None else vlan_limit
        dl_type, at = _parse_ethernet(packet, octets, limit)
    else:
        dl_type = packet_type & 0xFFFF
    packet.flow |= dl_type << _SHIFT["dl_type"]
    if h.is_mpls(dl_type):
        at = _parse_mpls(packet, octets, at)
    packet.l3 = at

    if dl_type == h.ETH_TYPE_IP:
        _parse_ipv4(packet, octets, at, metadata)
    elif dl_type == h.ETH_TYPE_IPV6:
        _parse_ipv6(packet, octets, at, metadata)
    elif dl_type in (h.ETH_TYPE_ARP, h.ETH_TYPE_RARP):
        _parse_arp(packet, octets, at)
    elif dl_type == h.ETH_TYPE_NSH:
        _parse_nsh(packet, octets, at)
    return packet


def _u16(octets: bytes, at: int) -> int:
    return octets[at] << 8 | octets[at + 1]


def _u32(octets: bytes, at: int) -> int:
    return int.from_bytes(octets[at : at + 4], "big")


def _parse_ethernet(packet: Parsed, octets: bytes, vlan_limit: int) -> tuple[int, int]:
    """Take the addresses and VLAN headers; return the type and where it leads."""
    packet.flow |= int.from_bytes(octets[:12], "big") << _SHIFT["dl_src"]
    at = 12
    for i in range(vlan_limit):
        if not h.is_vlan(_u16(octets, at)) or len(octets) - at < 6:
            break
        qtag = _u32(octets, at) | VLAN_CFI
        packet.flow |= qtag << _SHIFT[f"vlan_tci{i}"]
        at += 4
    eth_type = _u16(octets, at)
    at += 2
    if eth_type >= h.ETH_TYPE_MIN:
        return eth_type, at
    if len(octets) - at < 8 or octets[at : at + 6] != h.SNAP_HEADER:
        return h.FLOW_DL_TYPE_NONE, at
    snap_type = _u16(octets, at + 6)
    if snap_type < h.ETH_TYPE_MIN:
        snap_type = h.FLOW_DL_TYPE_NONE
    return snap_type, at + 8


def _parse_mpls(packet: Parsed, octets: bytes, at: int) -> int:
    """Take the outermost labels and skip the whole stack; return where it ends."""
    i = 0
    while len(octets) - at >= h.MPLS_HLEN:
        lse = _u32(octets, at)
        at += h.MPLS_HLEN
        if i < N_MPLS:
            packet.flow |= lse << _SHIFT[f"mpls_lse{i}"]
            i += 1
        if lse & h.MPLS_BOS_MASK:
            break
    return at


def _parse_ipv4(packet: Parsed, octets: bytes, at: int, metadata: int) -> None:
    size = len(octets) - at
    if size < h.IP_HEADER_LEN:
        return
    header_size = (octets[at] & 15) * 4
    total = _u16(octets, at + 2)
    if header_size < h.IP_HEADER_LEN or not header_size <= total <= size:
        return
    if size - total > 0xFFFF:
        return
    packet.end = at + total
    packet.flow |= int.from_bytes(octets[at + 12 : at + 20], "big") << _SHIFT["nw_dst"]
    _keep_ct_tuple(packet, metadata, _CT_MASK4, _CT_MASK6)

    fragment = _u16(octets, at + 6)
    nw_frag = 0
    if fragment & (h.IP_MORE_FRAGMENTS | h.IP_FRAG_OFF_MASK):
        nw_frag = NW_FRAG_ANY
        if fragment & h.IP_FRAG_OFF_MASK:
            nw_frag |= NW_FRAG_LATER
    tos, ttl, proto = octets[at + 1], octets[at + 8], octets[at + 9]
    packet.l4 = at + header_size
    _put_ip(packet, nw_frag, tos, ttl, proto)
    if not nw_frag & NW_FRAG_LATER:
        _parse_l4(packet, octets, proto, metadata)


def _parse_ipv6(packet: Parsed, octets: bytes, at: int, metadata: int) -> None:
    size = len(octets) - at
    if size < h.IPV6_HEADER_LEN:
        return
    payload_size = _u16(octets, at + 4)
    padding = size - h.IPV6_HEADER_LEN - payload_size
    if not 0 <= padding <= 0xFFFF:
        return
    packet.end = at + h.IPV6_HEADER_LEN + payload_size
    addresses = int.from_bytes(octets[at + 8 : at + 40], "big")
    packet.flow |= addresses << _SHIFT["ipv6_dst"]
    _keep_ct_tuple(packet, metadata, _CT_MASK6, _CT_MASK4)

    word = _u32(octets, at)
    found = _skip_extensions(octets, at + h.IPV6_HEADER_LEN, packet.end, octets[at + 6])
    if found is None:
        return
    proto, nw_frag, packet.l4 = found
    packet.flow |= (word & h.IPV6_LABEL_MASK) << _SHIFT["ipv6_label"]
    _put_ip(packet, nw_frag, word >> 20 & 0xFF, octets[at + 7], proto)
    if not nw_frag & NW_FRAG_LATER:
        _parse_l4(packet, octets, proto, metadata)


def _skip_extensions(
    octets: bytes, at: int, end: int, proto: int
) -> tuple[int, int, int] | None:
    """Walk IPv6 extension headers; return protocol, nw_frag and where layer 4 is.

    None when a header runs beyond the packet. A later fragment's protocol is the
    fragment header's.
    """
    nw_frag = 0
    while True:
        if proto in (h.IPPROTO_HOPOPTS, h.IPPROTO_ROUTING, h.IPPROTO_DSTOPTS):
            if end - at < 8:
                return None
            size = (octets[at + 1] + 1) * 8
        elif proto == h.IPPROTO_AH:
            if end - at < 8:
                return None
            size = (octets[at + 1] + 2) * 4
        elif proto == h.IPPROTO_FRAGMENT:
            if end - at < 8:
                return None
            size = 8
            offset = _u16(octets, at + 2)
            if offset:
                nw_frag = NW_FRAG_ANY
                if offset & 0xFFF8:
                    return proto, nw_frag | NW_FRAG_LATER, at + size
        else:
            return proto, nw_frag, at
        if end - at < size:
            return None
        proto = octets[at]
        at += size


def _put_ip(packet: Parsed, nw_frag: int, tos: int, ttl: int, proto: int) -> None:
    word = nw_frag << 24 | tos << 16 | ttl << 8 | proto
    packet.flow |= word << _SHIFT["nw_proto"]


def _keep_ct_tuple(packet: Parsed, metadata: int, own: int, other: int) -> None:
    """Keep the connection's original tuple where it is of the packet's protocol."""
    if not metadata & _CT_STATE.mask or metadata & other:
        return
    if metadata & _CT_PROTO.mask:
        packet.flow |= metadata & (own | _CT_PROTO.mask)


def _parse_l4(packet: Parsed, octets: bytes, proto: int, metadata: int) -> None:
    at = packet.l4
    size = packet.end - at
    if proto == h.IPPROTO_TCP:
        if size < h.TCP_HEADER_LEN:
            return
        if not h.TCP_HEADER_LEN <= (octets[at + 12] >> 4) * 4 <= size:
            return
        packet.flow |= (_u16(octets, at + 12) & 0xFFF) << _SHIFT["tcp_flags"]
        packet.flow |= _u32(octets, at) << _SHIFT["tp_dst"]
    elif proto == h.IPPROTO_UDP:
        if size < h.UDP_HEADER_LEN:
            return
        packet.flow |= _u32(octets, at) << _SHIFT["tp_dst"]
    elif proto == h.IPPROTO_SCTP:
        if size < h.SCTP_HEADER_LEN:
            return
        packet.flow |= _u32(octets, at) << _SHIFT["tp_dst"]
    elif proto in (h.IPPROTO_ICMP, h.IPPROTO_IGMP, h.IPPROTO_ICMPV6):
        if size < h.ICMP_HEADER_LEN:
            return
        packet.flow |= (
            octets[at] << _SHIFT["tp_src"] | octets[at + 1] << _SHIFT["tp_dst"]
        )
        if proto == h.IPPROTO_IGMP:
            packet.flow |= _u32(octets, at + 4)
        elif proto == h.IPPROTO_ICMPV6 and _parse_nd(packet, octets):
            return  # neighbour discovery has no place for a tuple's ports
    else:
        return
    if packet.flow & _CT_PROTO.mask:
        packet.flow |= metadata & _CT_PORTS


def _parse_nd(packet: Parsed, octets: bytes) -> bool:
    """Take a neighbour solicitation's or advertisement's target and options.

    Returns whether the packet is one.
    """
    at = packet.l4
    if octets[at + 1] != 0 or octets[at] not in (
        h.ND_NEIGHBOR_SOLICIT,
        h.ND_NEIGHBOR_ADVERT,
    ):
        return False
    packet.flow |= _u32(octets, at + 4)  # flags and reserved bits
    at += h.ICMP_HEADER_LEN
    if packet.end - at < 16:
        return True
    target = int.from_bytes(octets[at : at + 16], "big")
    lla, option_type, valid = _parse_nd_options(octets, at + 16, packet.end)
    packet.flow |= option_type << _SHIFT["tcp_flags"]
    if valid:
        packet.flow |= target << _SHIFT["nd_target"]
        packet.flow |= lla[0] << _SHIFT["arp_sha"] | lla[1] << _SHIFT["arp_tha"]
    return True


def _parse_nd_options(octets: bytes, at: int, end: int) -> tuple[list[int], int, bool]:
    """Return source and target link-layer address, the first one's type, validity.

    The same address given twice makes the options invalid.
    """
    lla = [0, 0]
    first_type = 0
    while end - at >= 8:
        option_type, units, address = _ND_OPTION.unpack_from(octets, at)
        if not units or units * 8 > end - at:
            break
        if units == 1 and option_type in (
            h.ND_OPT_SOURCE_LINKADDR,
            h.ND_OPT_TARGET_LINKADDR,
        ):
            if lla[option_type - 1]:
                return lla, first_type, False
            lla[option_type - 1] = int.from_bytes(address, "big")
            first_type = first_type or option_type
        at += units * 8
    return lla, first_type, True


def _parse_arp(packet: Parsed, octets: bytes, at: int) -> None:
    if len(octets) - at < h.ARP_ETH_HEADER_LEN:
        return
    hrd, pro, hln, pln, op, sha, spa, tha, tpa = _ARP.unpack_from(octets, at)
    if (hrd, pro, hln, pln) != (1, h.ETH_TYPE_IP, 6, 4):
        return
    packet.flow |= spa << _SHIFT["nw_src"] | tpa << _SHIFT["nw_dst"]
    if op <= 0xFF:
        packet.flow |= op << _SHIFT["nw_proto"]
    packet.flow |= int.from_bytes(sha + tha, "big") << _SHIFT["arp_tha"]


def _parse_nsh(packet: Parsed, octets: bytes, at: int) -> None:
    size = len(octets) - at
    if size < h.NSH_BASE_HDR_LEN:
        return
    word = _u16(octets, at)
    header_size = (word & 0x3F) * 4
    if header_size > size or word >> 14:
        return
    flags, ttl = word >> 12 & 3, word >> 6 & 0x3F
    mdtype = octets[at + 2]
    if mdtype == h.NSH_M_TYPE1 and header_size != h.NSH_M_TYPE1_LEN:
        return
    if mdtype == h.NSH_M_TYPE2 and header_size < h.NSH_BASE_HDR_LEN:
        return
    base = flags << 24 | ttl << 16 | mdtype << 8 | octets[at + 3]
    packet.flow |= (base << 32 | _u32(octets, at + 4)) << _SHIFT["nsh_path_hdr"]
    if mdtype == h.NSH_M_TYPE1:
        contexts = int.from_bytes(octets[at + 8 : at + 24], "big")
        packet.flow |= contexts << _SHIFT["nsh_c4"]
