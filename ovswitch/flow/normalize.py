# SPDX-License-Identifier: Apache-2.0
"""Dropping what a match can't mean: addresses without a protocol that has them.

A match that says `nw_src` without `ip` is taken, with that part forgotten; callers log
the change. Fields of a level count only when the level above says what they are.
"""

from __future__ import annotations

from ovswitch.flow import prereqs
from ovswitch.flow.layout import SLOTS, span
from ovswitch.flow.match import Match

_PACKET_TYPE = SLOTS["packet_type"]
_DL_TYPE = SLOTS["dl_type"]
_NW_PROTO = SLOTS["nw_proto"]
_TP_SRC = SLOTS["tp_src"]

_ETHER = SLOTS["dl_src"].mask | SLOTS["dl_dst"].mask
_NW_ADDR = SLOTS["nw_src"].mask | SLOTS["nw_dst"].mask
_TP_ADDR = _TP_SRC.mask | SLOTS["tp_dst"].mask
_PROTO = _NW_PROTO.mask
_IP = SLOTS["nw_tos"].mask | SLOTS["nw_ttl"].mask
_ARP_SHA = SLOTS["arp_sha"].mask
_ARP_THA = SLOTS["arp_tha"].mask
_IPV6 = SLOTS["ipv6_src"].mask | SLOTS["ipv6_dst"].mask | SLOTS["ipv6_label"].mask
_ND_TARGET = SLOTS["nd_target"].mask
_MPLS = span("mpls_lse0", "mpls_lse2")
_LEVELS = (
    _ETHER | _NW_ADDR | _TP_ADDR | _PROTO | _IP | _ARP_SHA | _ARP_THA | _IPV6
    | _ND_TARGET | _MPLS
)  # fmt: skip

_WITH_PORTS = (prereqs.IPPROTO_TCP, prereqs.IPPROTO_UDP, prereqs.IPPROTO_SCTP)


def _allowed(value: int, mask: int) -> int:
    """Return the fields of `_LEVELS` that may be matched."""
    packet_type = _PACKET_TYPE.get(value)
    typed = _PACKET_TYPE.get(mask)
    allowed = 0
    if not typed or (not packet_type and typed == _PACKET_TYPE.ones):
        allowed = _ETHER
        eth_type = _DL_TYPE.get(value)
    elif typed == _PACKET_TYPE.ones and packet_type >> 16 == prereqs.OFPHTN_ETHERTYPE:
        eth_type = packet_type & 0xFFFF
    else:
        return 0
    protocol = _NW_PROTO.get(value)
    if eth_type == prereqs.ETH_TYPE_IP:
        allowed |= _PROTO | _IP | _NW_ADDR
        if protocol in _WITH_PORTS or protocol == prereqs.IPPROTO_ICMP:
            allowed |= _TP_ADDR
    elif eth_type == prereqs.ETH_TYPE_IPV6:
        allowed |= _PROTO | _IP | _IPV6
        if protocol in _WITH_PORTS:
            allowed |= _TP_ADDR
        elif protocol == prereqs.IPPROTO_ICMPV6:
            allowed |= _TP_ADDR
            kind = _TP_SRC.get(value)
            if kind == prereqs.ND_NEIGHBOR_SOLICIT:
                allowed |= _ND_TARGET | _ARP_SHA
            elif kind == prereqs.ND_NEIGHBOR_ADVERT:
                allowed |= _ND_TARGET | _ARP_THA
    elif eth_type in (prereqs.ETH_TYPE_ARP, prereqs.ETH_TYPE_RARP):
        allowed |= _PROTO | _NW_ADDR | _ARP_SHA | _ARP_THA
    elif eth_type in (prereqs.ETH_TYPE_MPLS, prereqs.ETH_TYPE_MPLS_MCAST):
        allowed |= _MPLS
    return allowed


def normalize(match: Match) -> Match:
    """Return `match` without what can't be matched; `match` itself if it is normal."""
    forbidden = match.mask & _LEVELS & ~_allowed(match.value, match.mask)
    return match.without(forbidden) if forbidden else match
