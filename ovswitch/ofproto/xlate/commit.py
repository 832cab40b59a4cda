# SPDX-License-Identifier: Apache-2.0
"""Writing the pipeline's changes to a packet as datapath actions.

Actions change the context's `flow` only. Before the packet leaves (an output, a
controller, a recirculation) `commit()` compares it with `base_flow`, the packet as the
datapath has it, emits what turns one into the other, and makes them equal. A header is
set with a mask of what the flow's actions and matches have looked at, so that one
megaflow serves packets that differ elsewhere.

What the datapath can't set (ARP, ICMP, neighbour discovery) makes the flow a slow-path
one: userspace executes its actions.

Source: the reference's odp-util.c, commit_odp_actions().
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.datapath.odp import actions as odp
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.attributes import KEYS
from ovswitch.datapath.odp.cookie import SLOW_ACTION
from ovswitch.flow.layout import SLOTS, TUNNEL_MASK
from ovswitch.ofproto.xlate import headers as h

if TYPE_CHECKING:
    from ovswitch.ofproto.xlate.context import Context

_TUNNEL_DST = SLOTS["tun_dst"].mask | SLOTS["tun_ipv6_dst"].mask
_ICMP_BITS = 0xFF
_IPPROTO_ICMP, _IPPROTO_ICMPV6 = 1, 58
_TRANSPORTS = {
    6: n.OVS_KEY_ATTR_TCP,
    17: n.OVS_KEY_ATTR_UDP,
    132: n.OVS_KEY_ATTR_SCTP,
}
_ARP_OP = slice(8, 10)


class _Header:
    """A header that the datapath sets as a whole.

    Attributes:
        writable: the masks of the members that actions can change.
        mask: all members.
        clear: its complement.
    """

    __slots__ = ("clear", "key", "mask", "number", "writable")

    def __init__(self, number: int, writable: str, readonly: str = "") -> None:
        self.number = number
        self.key = KEYS.get(number)
        self.writable = tuple(SLOTS[name].mask for name in writable.split())
        self.mask = sum(self.writable)
        for name in readonly.split():
            self.mask |= SLOTS[name].mask
        self.clear = h.without(self.mask)


_ETHERNET = _Header(n.OVS_KEY_ATTR_ETHERNET, "dl_src dl_dst")
_IPV4 = _Header(n.OVS_KEY_ATTR_IPV4, "nw_src nw_dst nw_tos nw_ttl", "nw_proto nw_frag")
_IPV6 = _Header(
    n.OVS_KEY_ATTR_IPV6,
    "ipv6_src ipv6_dst ipv6_label nw_tos nw_ttl",
    "nw_proto nw_frag",
)
_ARP = _Header(n.OVS_KEY_ATTR_ARP, "nw_src nw_dst nw_proto arp_sha arp_tha")
_ND = _Header(n.OVS_KEY_ATTR_ND, "nd_target arp_sha arp_tha")
_ND_EXTENSIONS = _Header(n.OVS_KEY_ATTR_ND_EXTENSIONS, "igmp_group_ip4 tcp_flags")
_PORTS = {
    protocol: _Header(number, "tp_src tp_dst")
    for protocol, number in _TRANSPORTS.items()
}
_ICMP = _Header(n.OVS_KEY_ATTR_ICMP, "tp_src tp_dst")
_ICMPV6 = _Header(n.OVS_KEY_ATTR_ICMPV6, "tp_src tp_dst")
_PRIORITY = _Header(n.OVS_KEY_ATTR_PRIORITY, "skb_priority")
_MARK = _Header(n.OVS_KEY_ATTR_SKB_MARK, "pkt_mark")

_L3_BITS = _IPV4.mask | _IPV6.mask | _ARP.mask | _ND.mask | _ND_EXTENSIONS.mask
_PORT_BITS = SLOTS["tp_src"].mask | SLOTS["tp_dst"].mask

#: What can differ at all between the packet and its base.
_COMMITTED = (
    h.PACKET_TYPE.mask
    | h.DL_TYPE.mask
    | _ETHERNET.mask
    | h.VLANS_MASK
    | h.MPLS_MASK
    | _L3_BITS
    | _PORT_BITS
    | _PRIORITY.mask
    | _MARK.mask
)
_PACKET_TYPE_MASK = h.PACKET_TYPE.mask


def commit(ctx: Context) -> None:
    """Emit the datapath actions that turn `base_flow` into `flow`."""
    ctx.wildcards |= _PACKET_TYPE_MASK
    changed = (ctx.flow ^ ctx.base_flow) & _COMMITTED
    if not changed and not ctx.pending_encap and not ctx.pending_decap:
        return
    if ctx.pending_encap or ctx.pending_decap or changed & _PACKET_TYPE_MASK:
        _encap_decap(ctx)
    if changed & _ETHERNET.mask and not (ctx.flow | ctx.base_flow) & h.PACKET_TYPE.mask:
        _set(ctx, _ETHERNET)
    pops_all_mpls = h.is_mpls(h.DL_TYPE.get(ctx.base_flow)) and not h.is_mpls(
        h.DL_TYPE.get(ctx.flow)
    )
    if pops_all_mpls:
        # What lies behind the labels can only be set when they are gone.
        _mpls(ctx)
    if changed & _L3_BITS:
        _layer3(ctx)
    if changed & _PORT_BITS:
        _layer4(ctx)
    if not pops_all_mpls and changed & (h.MPLS_MASK | h.DL_TYPE.mask):
        _mpls(ctx)
    if changed & h.VLANS_MASK:
        _vlans(ctx)
    if changed & _PRIORITY.mask:
        _set(ctx, _PRIORITY)
    if changed & _MARK.mask:
        _set(ctx, _MARK)


def _set(
    ctx: Context, header: _Header, keep: int = 0, *, masked: bool | None = None
) -> bool:
    """Set the members of `header` that differ, but not the bits of `keep`.

    Return whether any did.
    """
    flow, wildcards = ctx.flow, ctx.wildcards
    difference = flow ^ ctx.base_flow
    mask = 0
    differs = False
    for member in header.writable:
        if difference & member:
            differs = True
            mask |= wildcards & member
    if not differs:
        return False
    mask &= ~keep
    key = header.key
    assert key is not None
    if masked is None:
        masked = ctx.bridge.support.masked_set_action
    if masked and mask != header.mask:
        value, bits = key.pack(flow & mask), key.pack(mask, is_mask=True)
        if header is _ARP and mask & h.NW_PROTO.mask:
            bits = bits[:8] + b"\xff\xff" + bits[10:]  # the operation has 16 bits
        ctx.odp.append(odp.set_masked(header.number, value, bits))
    else:
        ctx.odp.append(odp.set_key(header.number, key.pack(flow & header.mask)))
        ctx.wildcards |= header.mask
    ctx.base_flow = ctx.base_flow & header.clear | flow & header.mask
    return True


def _layer3(ctx: Context) -> None:
    if not h.NW_PROTO.get(ctx.flow):
        return  # the packet has no layer 3
    dl_type = h.DL_TYPE.get(ctx.base_flow)
    if dl_type == h.ETH_TYPE_IP:
        _set(ctx, _IPV4, _tunnel_ecn(ctx))
    elif dl_type == h.ETH_TYPE_IPV6:
        _set(ctx, _IPV6, _tunnel_ecn(ctx))
        if h.NW_PROTO.get(ctx.base_flow) == _IPPROTO_ICMPV6:
            extended = _set(ctx, _ND_EXTENSIONS)
            if _set(ctx, _ND) or extended:
                ctx.slow |= SLOW_ACTION
    elif dl_type == h.ETH_TYPE_ARP and _set(ctx, _ARP, masked=True):
        ctx.slow |= SLOW_ACTION


def _tunnel_ecn(ctx: Context) -> int:
    """Return the ECN bits where a tunnel's must be kept."""
    ecn = h.IP_ECN_MASK << h.NW_TOS.shift
    if not ctx.base_flow & _TUNNEL_DST or (ctx.base_flow ^ ctx.flow) & ecn:
        return 0
    return ecn


def _layer4(ctx: Context) -> None:
    protocol = h.NW_PROTO.get(ctx.flow)
    if not protocol:
        return
    ports = _PORTS.get(protocol)
    if ports is not None:
        if h.is_ip_any(ctx.base_flow):
            _set(ctx, ports)
        return
    dl_type = h.DL_TYPE.get(ctx.flow)
    if dl_type == h.ETH_TYPE_IP and protocol == _IPPROTO_ICMP:
        header = _ICMP
    elif dl_type == h.ETH_TYPE_IPV6 and protocol == _IPPROTO_ICMPV6:
        header = _ICMPV6
    else:
        return
    before = ctx.wildcards
    if _set(ctx, header, masked=False):
        # The fields use 8 bits of the 16 that they share with the ports.
        own = _ICMP_BITS << h.TP_SRC.shift | _ICMP_BITS << h.TP_DST.shift
        ctx.wildcards = before | own
        ctx.slow |= SLOW_ACTION


def _mpls(ctx: Context) -> None:
    flow, base = ctx.flow, ctx.base_flow
    base_n, _ = h.count_mpls(base)
    flow_n, _ = h.count_mpls(flow)
    common = h.count_common_mpls(flow, flow_n, base, base_n)
    dl_type = h.DL_TYPE.get(flow)
    while base_n > common:
        if base_n - 1 == common and flow_n > common:
            # One label too many here and at least one there: overwrite it.
            entry = h.lse(flow, flow_n - base_n)
            octets = entry.to_bytes(4, "big")
            ctx.odp.append(odp.set_key(n.OVS_KEY_ATTR_MPLS, octets))
            base = h.put_lse(base, 0, entry)
            common += 1
        else:
            # Only the last pop shows what lies behind the labels.
            behind = not h.is_mpls(dl_type) and base_n > 1
            ctx.odp.append(odp.pop_mpls(h.ETH_TYPE_MPLS if behind else dl_type))
            done, base, _ = h.pop_mpls(base, base_n, dl_type, 0)
            assert done
            base_n -= 1
    while base_n < flow_n:
        entry = h.lse(flow, flow_n - base_n - 1)
        push = odp.add_mpls if ctx.pending_encap else odp.push_mpls
        ctx.odp.append(push(entry, dl_type))
        # Keep layer 3: whoever restores the flow later needs it.
        base, _ = h.push_mpls(base, base_n, dl_type, 0, clear=False)
        base = h.put_lse(base, 0, entry)
        base_n += 1
    ctx.base_flow = base


def _vlans(ctx: Context) -> None:
    flow_tags, base_tags = h.vlans(ctx.flow), h.vlans(ctx.base_flow)
    flow_n, base_n = h.count_vlans(ctx.flow), h.count_vlans(ctx.base_flow)
    while flow_n and base_n and _tag(flow_tags, flow_n) == _tag(base_tags, base_n):
        flow_n -= 1
        base_n -= 1
    for number in range(base_n, 0, -1):
        ctx.odp.append(odp.POP_VLAN)
        ctx.wildcards |= 0xFFFFFFFF << (h.VLANS_SHIFT + 32 * (2 - number))
    for number in range(flow_n, 0, -1):
        tag = _tag(flow_tags, number)
        ctx.odp.append(odp.push_vlan(tag >> 16, tag & 0xFFFF))
    ctx.base_flow = h.put_vlans(ctx.base_flow, flow_tags)


def _tag(tags: int, number: int) -> int:
    """Return tag `number` (1 is the outer one) of a pair."""
    return tags >> 32 * (2 - number) & 0xFFFFFFFF


def _encap_decap(ctx: Context) -> None:
    """Add or remove the Ethernet header."""
    flow, base = ctx.flow, ctx.base_flow
    own = h.PACKET_TYPE.mask | _ETHERNET.mask
    packet_type = h.PACKET_TYPE.get(flow)
    if ctx.pending_encap:
        if not packet_type:
            ctx.odp.append(odp.push_eth(h.DL_SRC.get(flow), h.DL_DST.get(flow)))
            ctx.base_flow = base & h.without(own) | flow & own
    elif packet_type >> 16 == 1 and not h.PACKET_TYPE.get(base):
        ctx.odp.append(odp.POP_ETH)
        ctx.base_flow = base & h.without(own) | flow & h.PACKET_TYPE.mask
    ctx.pending_encap = ctx.pending_decap = False


#: A tunnel's metadata is the sending port's business: the datapath starts without.
NO_TUNNEL = h.without(TUNNEL_MASK)
