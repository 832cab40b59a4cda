# SPDX-License-Identifier: Apache-2.0
"""From a flow to a packet that has it: what trace and packet generators send.

The result is the shortest plausible packet whose extraction gives the flow back;
what a flow doesn't say is zero. Lengths and checksums are right.
Source: the reference's flow.c, flow_compose(), for what is left out where.
"""

from __future__ import annotations

from struct import Struct

from ovswitch.flow.layout import (
    N_MPLS,
    N_VLANS,
    NW_FRAG_ANY,
    NW_FRAG_LATER,
    SLOTS,
    VLAN_CFI,
)
from ovswitch.packet import checksum
from ovswitch.packet import headers as h

#: The payload given to packets that can carry one.
DEFAULT_L7 = bytes(range(64))

_LATER_OFFSET = 100  # in units of 8 octets: any place but the start
_IPV4 = Struct("!BBHHHBBHII")
_IPV6 = Struct("!IHBB16s16s")
_TCP = Struct("!HHIIHHHH")
_UDP = Struct("!HHHH")
_SCTP = Struct("!HHII")
_ICMP = Struct("!BBHI")
_ARP = Struct("!HHBBH6sI6sI")
_LLA = Struct("!BB6s")
_GET = {name: slot.get for name, slot in SLOTS.items()}


def compose(flow: int, l7: bytes | None = None, *, bad_csum: bool = False) -> bytes:
    """Return an Ethernet packet with the given flow.

    Args:
        flow: the flow; of its metadata nothing is used.
        l7: the payload for protocols that carry any; None for 64 octets of filler.
        bad_csum: spoil the innermost checksum (IPv4's where there is no other).
    """
    payload = DEFAULT_L7 if l7 is None else l7
    dl_type = _GET["dl_type"](flow)
    addresses = (flow >> SLOTS["dl_src"].shift & (1 << 96) - 1).to_bytes(12, "big")
    if dl_type == h.FLOW_DL_TYPE_NONE:
        return addresses + h.ETH_HEADER_LEN.to_bytes(2, "big")

    packet = addresses + _vlan_headers(flow) + dl_type.to_bytes(2, "big")
    if dl_type == h.ETH_TYPE_IP:
        packet += _compose_ipv4(flow, payload, bad_csum=bad_csum)
    elif dl_type == h.ETH_TYPE_IPV6:
        packet += _compose_ipv6(flow, payload, bad_csum=bad_csum)
    elif dl_type in (h.ETH_TYPE_ARP, h.ETH_TYPE_RARP):
        packet += _compose_arp(flow)
    elif h.is_mpls(dl_type):
        packet += _compose_mpls(flow)
    return packet


def _vlan_headers(flow: int) -> bytes:
    headers = b""
    for i in range(N_VLANS):
        tci = _GET[f"vlan_tci{i}"](flow)
        if tci & VLAN_CFI:
            qtag = _GET[f"vlan_tpid{i}"](flow) << 16 | tci & ~VLAN_CFI
            headers += qtag.to_bytes(4, "big")
    return headers


def _compose_mpls(flow: int) -> bytes:
    stack = b""
    for i in range(N_MPLS):
        lse = _GET[f"mpls_lse{i}"](flow)
        stack += lse.to_bytes(4, "big")
        if lse & h.MPLS_BOS_MASK:
            break
    return stack


def _compose_arp(flow: int) -> bytes:
    op = _GET["nw_proto"](flow)
    sha = tha = spa = tpa = 0
    if op in (h.ARP_OP_REQUEST, h.ARP_OP_REPLY):
        sha, tha = _GET["arp_sha"](flow), _GET["arp_tha"](flow)
        spa, tpa = _GET["nw_src"](flow), _GET["nw_dst"](flow)
    return _ARP.pack(
        1,
        h.ETH_TYPE_IP,
        6,
        4,
        op,
        sha.to_bytes(6, "big"),
        spa,
        tha.to_bytes(6, "big"),
        tpa,
    )


def _compose_ipv4(flow: int, payload: bytes, *, bad_csum: bool) -> bytes:
    nw_frag = _GET["nw_frag"](flow)
    fragment = 0
    if nw_frag & NW_FRAG_ANY:
        fragment = h.IP_MORE_FRAGMENTS
        if nw_frag & NW_FRAG_LATER:
            fragment |= _LATER_OFFSET
    proto = _GET["nw_proto"](flow)
    src, dst = _GET["nw_src"](flow), _GET["nw_dst"](flow)
    l4 = _compose_l4(flow, payload)
    total = h.IP_HEADER_LEN + len(l4)
    tos, ttl = _GET["nw_tos"](flow), _GET["nw_ttl"](flow)
    fields = [0x45, tos, total & 0xFFFF, 0, fragment, ttl, proto, 0, src, dst]
    fields[7] = checksum.checksum(_IPV4.pack(*fields))
    l4, spoilt = _put_l4_checksum(
        l4, proto, checksum.pseudo_header4(src, dst, proto, len(l4)), bad_csum=bad_csum
    )
    if bad_csum and not spoilt:
        fields[7] ^= 0xFFFF
    return _IPV4.pack(*fields) + l4


def _compose_ipv6(flow: int, payload: bytes, *, bad_csum: bool) -> bytes:
    proto = _GET["nw_proto"](flow)
    src, dst = _GET["ipv6_src"](flow), _GET["ipv6_dst"](flow)
    l4 = _compose_l4(flow, payload)
    word = 6 << 28 | _GET["nw_tos"](flow) << 20
    word |= _GET["ipv6_label"](flow) & h.IPV6_LABEL_MASK
    header = _IPV6.pack(
        word,
        len(l4) & 0xFFFF,
        proto,
        _GET["nw_ttl"](flow),
        src.to_bytes(16, "big"),
        dst.to_bytes(16, "big"),
    )
    pseudo = checksum.pseudo_header6(src, dst, proto, len(l4))
    return header + _put_l4_checksum(l4, proto, pseudo, bad_csum=bad_csum)[0]


def _compose_l4(flow: int, payload: bytes) -> bytes:
    """Return the layer 4 header and payload, with a zero checksum."""
    if _GET["nw_frag"](flow) & NW_FRAG_LATER:
        return b""
    proto = _GET["nw_proto"](flow)
    src, dst = _GET["tp_src"](flow), _GET["tp_dst"](flow)
    if proto == h.IPPROTO_TCP:
        flags = _GET["tcp_flags"](flow)
        header = _TCP.pack(src, dst, 0, 0, 5 << 12 | flags & 0xFFF, 0, 0, 0)
        bare = flags & (h.TCP_SYN | h.TCP_FIN | h.TCP_RST)
        return header if bare else header + payload
    if proto == h.IPPROTO_UDP:
        size = h.UDP_HEADER_LEN + len(payload)
        return _UDP.pack(src, dst, size & 0xFFFF, 0) + payload
    if proto == h.IPPROTO_SCTP:
        return _SCTP.pack(src, dst, 0, 0)
    if proto == h.IPPROTO_ICMP:
        header = _ICMP.pack(src & 0xFF, dst & 0xFF, 0, 0)
        return header + payload if _is_echo(src, dst, 8, 0) else header
    if proto == h.IPPROTO_IGMP:
        return _ICMP.pack(src & 0xFF, dst & 0xFF, 0, _GET["igmp_group_ip4"](flow))
    if proto == h.IPPROTO_ICMPV6:
        return _compose_icmpv6(flow, src & 0xFF, dst & 0xFF, payload)
    return b""


def _is_echo(icmp_type: int, code: int, request: int, reply: int) -> bool:
    return icmp_type & 0xFF in (request, reply) and not code & 0xFF


def _compose_icmpv6(flow: int, icmp_type: int, code: int, payload: bytes) -> bytes:
    packet = _ICMP.pack(icmp_type, code, 0, _GET["igmp_group_ip4"](flow))
    if _is_echo(icmp_type, code, h.ICMP6_ECHO_REQUEST, h.ICMP6_ECHO_REPLY):
        return packet + payload
    if _is_echo(icmp_type, code, h.ND_NEIGHBOR_SOLICIT, h.ND_NEIGHBOR_ADVERT):
        packet += _GET["nd_target"](flow).to_bytes(16, "big")
        for option, name in (
            (h.ND_OPT_SOURCE_LINKADDR, "arp_sha"),
            (h.ND_OPT_TARGET_LINKADDR, "arp_tha"),
        ):
            address = _GET[name](flow)
            if address:
                packet += _LLA.pack(option, 1, address.to_bytes(6, "big"))
    return packet


# Where each protocol has its checksum, and whether a pseudo-header counts.
_CHECKSUM_AT = {
    h.IPPROTO_TCP: (16, True),
    h.IPPROTO_UDP: (6, True),
    h.IPPROTO_ICMP: (2, False),
    h.IPPROTO_IGMP: (2, False),
    h.IPPROTO_ICMPV6: (2, True),
}


def _put_l4_checksum(
    l4: bytes, proto: int, pseudo: int, *, bad_csum: bool
) -> tuple[bytes, bool]:
    """Return a layer 4 packet with its checksum, and whether it has one."""
    place = _CHECKSUM_AT.get(proto)
    if place is None or not l4:
        return l4, False
    at, with_pseudo = place
    value = checksum.finish(checksum.partial(l4, pseudo if with_pseudo else 0))
    if proto == h.IPPROTO_UDP and not value:
        value = 0xFFFF  # zero would mean that there is none
    if bad_csum:
        value ^= 0xFFFF
    return l4[:at] + value.to_bytes(2, "big") + l4[at + 2 :], True
