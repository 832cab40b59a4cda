# SPDX-License-Identifier: Apache-2.0
"""Masks that a packet's own headers ask for.

`for_packet` is every field that means something in a packet: what an exact match on it
would cover. `metadata_match` is what a controller is told of a packet's pipeline.
"""

from __future__ import annotations

from ovswitch.flow import access, flags, prereqs
from ovswitch.flow.fields import FIELDS
from ovswitch.flow.layout import (
    CT_ORIG_TUPLE_MASK,
    NW_FRAG_LATER,
    SLOTS,
    TUNNEL_MASK,
    span,
)
from ovswitch.flow.match import Match
from ovswitch.flow.tun_metadata import TunTable, members, present

_TUN_DST = SLOTS["tun_dst"].mask | SLOTS["tun_ipv6_dst"].mask
_TUN_OPTIONS = SLOTS["tun_metadata"].mask
_TUN_PRESENT = SLOTS["tun_metadata_present"]
_TUN_FIXED = TUNNEL_MASK & ~(
    _TUN_OPTIONS
    | _TUN_PRESENT.mask
    | SLOTS["tun_metadata_len"].mask
    | SLOTS["tun_pad8"].mask
    | SLOTS["tun_pad16"].mask
)
_TUN_KEY = 8

_ALWAYS = 0
for _name in (
    "skb_priority",
    "pkt_mark",
    "ct_state",
    "ct_zone",
    "ct_mark",
    "ct_label",
    "recirc_id",
    "dp_hash",
    "packet_type",
):
    _ALWAYS |= SLOTS[_name].mask
_ALWAYS |= FIELDS["in_port"].mask

_ETHERNET = SLOTS["dl_dst"].mask | SLOTS["dl_src"].mask | SLOTS["dl_type"].mask
_VLANS = tuple(
    (SLOTS[f"vlan_tci{i}"], SLOTS[f"vlan_tci{i}"].mask | SLOTS[f"vlan_tpid{i}"].mask)
    for i in range(2)
)
_MPLS = tuple(SLOTS[f"mpls_lse{i}"] for i in range(3))
_MPLS_BOS = 0x100
_NW = SLOTS["nw_src"].mask | SLOTS["nw_dst"].mask
_ARP_ADDRESSES = SLOTS["arp_sha"].mask | SLOTS["arp_tha"].mask
_NW_PROTO = SLOTS["nw_proto"]
_IPV6 = SLOTS["ipv6_src"].mask | SLOTS["ipv6_dst"].mask | SLOTS["ipv6_label"].mask
_CT_NW = SLOTS["ct_nw_src"].mask | SLOTS["ct_nw_dst"].mask
_CT_IPV6 = SLOTS["ct_ipv6_src"].mask | SLOTS["ct_ipv6_dst"].mask
_CT_TRANSPORT = CT_ORIG_TUPLE_MASK & ~(_CT_NW | _CT_IPV6) & ~SLOTS["ct_pad"].mask
_NSH = span("nsh_flags", "nsh_c4")
_FRAG = FIELDS["ip_frag"].mask
_IP = SLOTS["nw_tos"].mask | SLOTS["nw_ttl"].mask | _NW_PROTO.mask | _FRAG
_PORTS = SLOTS["tp_src"].mask | SLOTS["tp_dst"].mask
_WITH_PORTS = (
    prereqs.IPPROTO_ICMP,
    prereqs.IPPROTO_ICMPV6,
    prereqs.IPPROTO_TCP,
    prereqs.IPPROTO_UDP,
    prereqs.IPPROTO_SCTP,
    prereqs.IPPROTO_IGMP,
)


def _tunnel(flow: int) -> int:
    if not flow & _TUN_DST:
        tun_id = SLOTS["tun_id"].mask
        return tun_id if flow & tun_id else 0
    mask = _TUN_FIXED
    if not SLOTS["tun_flags"].get(flow) & _TUN_KEY:
        mask &= ~SLOTS["tun_id"].mask
    if flow & _TUN_PRESENT.mask:
        mask |= flow & _TUN_PRESENT.mask | _TUN_OPTIONS
    return mask


def _vlans(flow: int) -> int:
    mask = 0
    for tci, header in _VLANS:
        mask |= header  # the first header that isn't there shows too
        if not flow & tci.mask:
            break
    return mask


def _network(flow: int, eth_type: int) -> int:
    """Return the mask of a protocol above Ethernet."""
    if eth_type == prereqs.ETH_TYPE_IP:
        mask = _NW | _CT_NW
    elif eth_type == prereqs.ETH_TYPE_IPV6:
        is_nd, looked = prereqs.look(FIELDS["nd_target"], flow)
        mask = _IPV6 | looked
        mask |= _ARP_ADDRESSES | SLOTS["nd_target"].mask if is_nd else _CT_IPV6
    elif eth_type in (prereqs.ETH_TYPE_ARP, prereqs.ETH_TYPE_RARP):
        return _NW | _NW_PROTO.mask | _ARP_ADDRESSES
    elif eth_type in (prereqs.ETH_TYPE_MPLS, prereqs.ETH_TYPE_MPLS_MCAST):
        mask = 0
        for lse in _MPLS:
            mask |= lse.mask
            if lse.get(flow) & _MPLS_BOS:
                break
        return mask
    elif eth_type == prereqs.ETH_TYPE_NSH:
        mask = _NSH
    else:
        return 0
    return mask | _IP | _CT_TRANSPORT | _transport(flow)


def _transport(flow: int) -> int:
    protocol = _NW_PROTO.get(flow)
    if SLOTS["nw_frag"].get(flow) & NW_FRAG_LATER or protocol not in _WITH_PORTS:
        return 0
    if protocol == prereqs.IPPROTO_TCP:
        return _PORTS | SLOTS["tcp_flags"].mask
    if protocol == prereqs.IPPROTO_IGMP:
        return _PORTS | SLOTS["igmp_group_ip4"].mask
    return _PORTS


def for_packet(flow: int) -> int:
    """Return the mask of all fields that mean something in `flow`."""
    packet_type = SLOTS["packet_type"].get(flow)
    mask = _ALWAYS | _tunnel(flow)
    eth_type = packet_type & 0xFFFF
    if not packet_type:
        mask |= _ETHERNET | _vlans(flow)
        eth_type = SLOTS["dl_type"].get(flow)
    return mask | _network(flow, eth_type)


# Fields of the packet's context whose zero is not worth telling.
_METADATA = (
    "tun_id",
    "tun_flags",
    "tun_src",
    "tun_dst",
    "tun_ipv6_src",
    "tun_ipv6_dst",
    "tun_gbp_id",
    "tun_gbp_flags",
    "tun_erspan_ver",
    "tun_erspan_idx",
    "tun_erspan_dir",
    "tun_erspan_hwid",
    "tun_gtpu_flags",
    "tun_gtpu_msgtype",
    "metadata",
    *(f"reg{i}" for i in range(16)),
    "pkt_mark",
    "packet_type",
    "ct_zone",
    "ct_mark",
    "ct_label",
)


def metadata_match(flow: int, tun: TunTable | None = None) -> Match:
    """Return the match that tells a packet's metadata: its pipeline fields."""
    match = Match()
    for name in _METADATA:
        field = FIELDS[name]
        value = access.get(field, flow)
        if value:
            match = access.set_match(field, match, value)
    match = access.set_match(FIELDS["in_port"], match, FIELDS["in_port"].get(flow))
    if tun is not None:
        for index in members(present(flow)):
            match = _copy_tun(match, flow, tun, index)
    ct_state = SLOTS["ct_state"].get(flow)
    if ct_state:
        bits = SLOTS["ct_state"].mask | SLOTS["dl_type"].mask | _ct_tuple(flow)
        match = Match(match.value | flow & bits, match.mask | bits, match.tun)
    return match


def _copy_tun(match: Match, flow: int, tun: TunTable, index: int) -> Match:
    entry = tun.entries.get(index)
    if entry is None:
        return match
    local = (match.tun or TunTable()).with_local(index, entry.size, masked=False)
    return Match(
        local.write(match.value, index, entry.read(flow)),
        local.write(match.mask, index, -1),
        local,
    )


def _ct_tuple(flow: int) -> int:
    """Return the mask of the original tuple, 0 where it means nothing."""
    state = SLOTS["ct_state"].get(flow)
    is_valid = state & (flags.CS_NEW | flags.CS_ESTABLISHED | flags.CS_REPLY_DIR)
    if not is_valid or not SLOTS["ct_nw_proto"].get(flow):
        return 0
    eth_type = SLOTS["dl_type"].get(flow)
    if eth_type == prereqs.ETH_TYPE_IP:
        return _CT_NW | _CT_TRANSPORT
    if eth_type == prereqs.ETH_TYPE_IPV6:
        return _CT_IPV6 | _CT_TRANSPORT
    return 0
