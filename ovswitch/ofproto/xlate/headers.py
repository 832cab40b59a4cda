# SPDX-License-Identifier: Apache-2.0
"""Headers in a flow as the pipeline changes them: VLAN tags, MPLS labels, the rest.

Functions take a flow, and where looking at it matters a mask of wildcards, and return
new ones. `without(mask)` masks are positive on purpose: `flow & ~mask` would make
CPython complement a number of the structure's whole size each time.
"""

from __future__ import annotations

from ovswitch.flow.layout import (
    FLOW_MASK,
    NW_FRAG_LATER,
    SLOTS,
    VLAN_CFI,
    VLAN_VID_MASK,
    span,
)
from ovswitch.ofproto.subtable import SEGMENTS

ETH_TYPE_IP, ETH_TYPE_IPV6 = 0x0800, 0x86DD
ETH_TYPE_ARP, ETH_TYPE_RARP = 0x0806, 0x8035
ETH_TYPE_VLAN_8021Q, ETH_TYPE_VLAN_8021AD = 0x8100, 0x88A8
ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST = 0x8847, 0x8848
IP_DSCP_MASK, IP_ECN_MASK = 0xFC, 0x03
FRAG_MASK = 3
MAX_VLANS = 2
MAX_MPLS = 3
MPLS_BOS = 1 << 8

PACKET_TYPE = SLOTS["packet_type"]
IN_PORT = SLOTS["in_port"]
RECIRC_ID = SLOTS["recirc_id"]
SKB_PRIORITY = SLOTS["skb_priority"]
PKT_MARK = SLOTS["pkt_mark"]
DP_HASH = SLOTS["dp_hash"]
METADATA = SLOTS["metadata"]
ACTSET_OUTPUT = SLOTS["actset_output"]
TUN_ID = SLOTS["tun_id"]
CT_STATE = SLOTS["ct_state"]
DL_SRC, DL_DST, DL_TYPE = SLOTS["dl_src"], SLOTS["dl_dst"], SLOTS["dl_type"]
TPID0, TCI0 = SLOTS["vlan_tpid0"], SLOTS["vlan_tci0"]
TPID1, TCI1 = SLOTS["vlan_tpid1"], SLOTS["vlan_tci1"]
LSE0 = SLOTS["mpls_lse0"]
NW_SRC, NW_DST = SLOTS["nw_src"], SLOTS["nw_dst"]
IPV6_SRC, IPV6_DST = SLOTS["ipv6_src"], SLOTS["ipv6_dst"]
NW_PROTO, NW_TOS, NW_TTL = SLOTS["nw_proto"], SLOTS["nw_tos"], SLOTS["nw_ttl"]
NW_FRAG = SLOTS["nw_frag"]
TP_SRC, TP_DST = SLOTS["tp_src"], SLOTS["tp_dst"]

VLANS_SHIFT = TCI1.shift
VLANS_MASK = span("vlan_tpid0", "vlan_tci1")
_VLANS_ONES = 0xFFFFFFFFFFFFFFFF
_MPLS_SHIFT = SLOTS["mpls_lse2"].shift
MPLS_MASK = span("mpls_lse0", "mpls_lse2")
_MPLS_ONES = (1 << 96) - 1
L3_L4_MASK = (SEGMENTS[2] | SEGMENTS[3]) & FLOW_MASK


def without(mask: int) -> int:
    """Return the complement of `mask` in a flow, for use with ``&``."""
    return FLOW_MASK & ~mask


NO_VLANS = without(VLANS_MASK)
_NO_MPLS = without(MPLS_MASK)
_NO_DL_TYPE = without(DL_TYPE.mask)
_NO_L3_L4 = without(L3_L4_MASK | DP_HASH.mask)


def is_ip_any(flow: int) -> bool:
    """Return whether the packet is IPv4 or IPv6."""
    dl_type = flow >> DL_TYPE.shift & 0xFFFF
    return dl_type in {ETH_TYPE_IP, ETH_TYPE_IPV6}


def is_mpls(dl_type: int) -> bool:
    """Return whether an Ethertype is one of MPLS's two."""
    return dl_type in {ETH_TYPE_MPLS, ETH_TYPE_MPLS_MCAST}


def is_vlan_type(dl_type: int) -> bool:
    """Return whether an Ethertype is one of a VLAN header's two."""
    return dl_type in {ETH_TYPE_VLAN_8021Q, ETH_TYPE_VLAN_8021AD}


def is_later_fragment(flow: int) -> bool:
    """Return whether the packet is a fragment without transport header."""
    return bool(NW_FRAG.get(flow) & NW_FRAG_LATER)


# VLAN headers: two tags of 32 bits (TPID, TCI), the outer one high.


def vlans(flow: int) -> int:
    """Return both tags as 64 bits."""
    return flow >> VLANS_SHIFT & _VLANS_ONES


def put_vlans(flow: int, tags: int) -> int:
    """Return `flow` with both tags replaced."""
    return flow & NO_VLANS | tags << VLANS_SHIFT


def count_vlans(flow: int) -> int:
    """Return how many VLAN headers there are."""
    tags = vlans(flow)
    if not tags >> 32 & VLAN_CFI:
        return 0
    return 2 if tags & VLAN_CFI else 1


def pop_vlan(flow: int, wildcards: int) -> tuple[int, int]:
    """Return (flow, wildcards) without the outer VLAN header, if there is one."""
    number = count_vlans(flow)
    if not number:
        return flow, wildcards
    if number > 1:
        wildcards |= 0xFFFFFFFF << VLANS_SHIFT
        return put_vlans(flow, vlans(flow) << 32 & _VLANS_ONES), wildcards
    return put_vlans(flow, vlans(flow) & 0xFFFFFFFF), wildcards


def push_vlan(flow: int, wildcards: int, tpid: int) -> tuple[int, int]:
    """Return (flow, wildcards) with one more VLAN header, for VLAN 0."""
    number = count_vlans(flow)
    if number:
        seen = _VLANS_ONES if number > 1 else _VLANS_ONES ^ 0xFFFFFFFF
        wildcards |= seen << VLANS_SHIFT
    outer = (tpid << 16 | VLAN_CFI) << 32
    return put_vlans(flow, vlans(flow) >> 32 | outer), wildcards


def vid_of(flow: int) -> int:
    """Return the outer VLAN id, 0 without a header."""
    return flow >> TCI0.shift & VLAN_VID_MASK


# MPLS labels: three entries of 32 bits, the outermost high.


def lse(flow: int, index: int) -> int:
    """Return label stack entry `index` (0 is the outermost)."""
    return flow >> (_MPLS_SHIFT + 32 * (2 - index)) & 0xFFFFFFFF


def lse_mask(index: int, bits: int = 0xFFFFFFFF) -> int:
    """Return `bits` of label stack entry `index`, in place."""
    return bits << (_MPLS_SHIFT + 32 * (2 - index))


def put_lse(flow: int, index: int, value: int) -> int:
    """Return `flow` with label stack entry `index` replaced."""
    return flow & without(lse_mask(index)) | lse_mask(index, value)


def put_dl_type(flow: int, dl_type: int) -> int:
    """Return `flow` with another Ethertype."""
    return flow & _NO_DL_TYPE | dl_type << DL_TYPE.shift


def count_mpls(flow: int, wildcards: int = 0) -> tuple[int, int]:
    """Return (number of labels, wildcards)."""
    if not is_mpls(DL_TYPE.get(flow)):
        return 0, wildcards
    number = 0
    for index in range(MAX_MPLS):
        wildcards |= lse_mask(index, MPLS_BOS)
        entry = lse(flow, index)
        if entry & MPLS_BOS:
            return index + 1, wildcards
        if entry:
            number += 1
    return number, wildcards


def count_common_mpls(a: int, a_n: int, b: int, b_n: int) -> int:
    """Return how many of the innermost labels two stacks share."""
    common = 0
    for back in range(1, min(a_n, b_n) + 1):
        if lse(a, a_n - back) != lse(b, b_n - back):
            break
        common += 1
    return common


def push_mpls(
    flow: int, number: int, dl_type: int, wildcards: int, *, clear: bool
) -> tuple[int, int]:
    """Return (flow, wildcards) with one more label on `number` (0 to 2) of them.

    The first label takes the packet's traffic class and time to live; with `clear` the
    layers behind it are no longer known.
    """
    stack = flow >> _MPLS_SHIFT & _MPLS_ONES
    if number:
        for index in range(number):
            wildcards |= lse_mask(index)
        outer = stack >> 64 & ~MPLS_BOS
        flow = flow & _NO_MPLS | (stack >> 32 | outer << 64) << _MPLS_SHIFT
        return put_dl_type(flow, dl_type), wildcards
    label = 2 if DL_TYPE.get(flow) == ETH_TYPE_IPV6 else 0  # explicit null
    traffic_class, ttl = 0, 64
    if is_ip_any(flow):
        traffic_class = (NW_TOS.get(flow) & IP_DSCP_MASK) >> 2
        wildcards |= IP_DSCP_MASK << NW_TOS.shift | NW_TTL.mask
        ttl = NW_TTL.get(flow) or 64
    # As in the reference, a DSCP that doesn't fit three bits is cut.
    entry = label << 12 | (traffic_class & 7) << 9 | MPLS_BOS | ttl
    flow = put_lse(flow, 0, entry)
    if clear:
        flow &= _NO_L3_L4
    return put_dl_type(flow, dl_type), wildcards


def pop_mpls(
    flow: int, number: int, dl_type: int, wildcards: int
) -> tuple[bool, int, int]:
    """Return (done, flow, wildcards) without the outermost of `number` labels."""
    if not number:
        return False, flow, wildcards
    if number == MAX_MPLS:
        wildcards |= lse_mask(number - 1, MPLS_BOS)
        if not lse(flow, number - 1) & MPLS_BOS:
            return False, flow, wildcards  # who knows what comes behind
    for index in range(1, number):
        wildcards |= lse_mask(index)
    stack = flow >> _MPLS_SHIFT & _MPLS_ONES
    keep = (1 << 96) - (1 << (96 - 32 * number))
    shifted = (stack & keep) << 32 & _MPLS_ONES
    flow = flow & _NO_MPLS | shifted << _MPLS_SHIFT
    return True, put_dl_type(flow, dl_type), wildcards
