# SPDX-License-Identifier: Apache-2.0
"""NORMAL: the switch as an ordinary one that learns addresses and knows VLANs.

Source: the reference's ofproto-dpif-xlate.c, xlate_normal(), for what is dropped, what
is learned, and which bits of the packet each decision looks at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow.layout import VLAN_CFI, VLAN_VID_MASK
from ovswitch.flow.names import OFPP_CONTROLLER, OFPP_NONE
from ovswitch.ofproto import bundle as b
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate import output, vlan

if TYPE_CHECKING:
    from ovswitch.ofproto.bundle import Bundle
    from ovswitch.ofproto.port import Port
    from ovswitch.ofproto.xlate.context import Context

_LOOKED_AT = h.DL_SRC.mask | h.DL_DST.mask | (VLAN_CFI | VLAN_VID_MASK) << h.TCI0.shift
_BROADCAST = 0xFFFFFFFFFFFF
_ARP_REQUEST, _ARP_REPLY = 1, 2

#: Addresses of link-local protocols outside 01:80:c2:00:00:0x.
_RESERVED = frozenset({
    0x00E02B000000, 0x00E02B000004, 0x00E02B000006,  # EDP, EAPS
    0x01000C000000, 0x01000CCCCCCC, 0x01000CCCCCCD, 0x01000CCDCDCD,  # Cisco
    *range(0x01000CCCCCC0, 0x01000CCCCCC8),  # Cisco CFM
})  # fmt: skip


def is_reserved_address(dl_dst: int) -> bool:
    """Return whether bridges don't forward packets to `dl_dst`."""
    return dl_dst >> 4 == 0x0180C200000 or dl_dst in _RESERVED


def input_bundle(ctx: Context, in_port: int) -> tuple[Bundle | None, Port | None]:
    """Return where the packet came in; report it if that is nowhere."""
    port = ctx.bridge.ports.get(in_port)
    if port is not None and port.bundle is not None:
        return port.bundle, port
    if in_port in {OFPP_CONTROLLER, OFPP_NONE}:
        return b.NONE_BUNDLE, port
    ctx.report_error(f"received packet on unknown port {in_port}")
    return None, port


def normal(ctx: Context) -> None:
    """Forward the packet as an ordinary switch does."""
    ctx.wildcards |= _LOOKED_AT
    flow = ctx.flow
    bundle, in_port = input_bundle(ctx, h.IN_PORT.get(flow))
    if bundle is None:
        ctx.report(c.WARN, "no input bundle, dropping")
        return
    tags = _admit(ctx, bundle, in_port)
    if tags is None:
        return
    vid = tags[0][1]
    _learn(ctx, bundle, in_port, vid)
    _forward(ctx, bundle, tags, vid)


def _admit(ctx: Context, bundle: Bundle, in_port: Port | None) -> vlan.Tags | None:
    """Return the packet's VLANs inside the switch, or None if it is dropped."""
    flow = ctx.flow
    tags = vlan.extract(flow)
    if h.is_vlan_type(h.DL_TYPE.get(flow)) and not flow >> h.TCI0.shift & VLAN_CFI:
        if ctx.packet is not None:
            ctx.report_error(
                f"dropping packet with partial VLAN tag received on port {bundle.name}"
            )
        ctx.report(c.WARN, "partial VLAN tag, dropping")
        return None
    if bundle.mirror_out:
        if ctx.packet is not None:
            ctx.report_error(
                f"dropping packet received on port {bundle.name}, which is reserved"
                " exclusively for mirroring"
            )
        ctx.report(c.WARN, "input port is mirror output port, dropping")
        return None
    if not vlan.is_valid_input(ctx, tags[0][1], bundle):
        ctx.report(c.WARN, "disallowed VLAN VID for this input port, dropping")
        return None
    if (
        in_port is not None
        and not ctx.bridge.forward_bpdu
        and is_reserved_address(h.DL_DST.get(flow))
    ):
        ctx.report(c.DETAIL, "packet has reserved destination MAC, dropping")
        return None
    return vlan.from_input(bundle, tags)


def _learn(ctx: Context, bundle: Bundle, in_port: Port | None, vid: int) -> None:
    """Learn where the packet's source is."""
    flow = ctx.flow
    is_grat_arp = _is_gratuitous_arp(ctx)
    if bundle is b.NONE_BUNDLE:
        return
    source = h.DL_SRC.get(flow)
    if ctx.side_effects and in_port is not None and not flow & h.PACKET_TYPE.mask:
        is_new = ctx.bridge.mac_learning.update(
            source, vid, bundle, ctx.now // 1000, is_grat_arp=is_grat_arp
        )
        if is_new and ctx.trace is not None:
            from ovswitch.flow.values import format_eth

            ctx.report_debug(
                c.DETAIL,
                f"learned that {format_eth(source)} is on port {bundle.name} in VLAN"
                f" {vid}",
            )
    ctx.cache.macs.append((ctx.bridge, h.IN_PORT.get(flow), source, vid, is_grat_arp))


def _is_gratuitous_arp(ctx: Context) -> bool:
    """Return whether the packet announces its sender, as a moved machine's does."""
    flow = ctx.flow
    if h.DL_TYPE.get(flow) != h.ETH_TYPE_ARP or h.DL_DST.get(flow) != _BROADCAST:
        return False
    ctx.wildcards |= h.NW_PROTO.mask
    operation = h.NW_PROTO.get(flow)
    if operation == _ARP_REPLY:
        return True
    if operation != _ARP_REQUEST:
        return False
    ctx.wildcards |= h.NW_SRC.mask | h.NW_DST.mask
    return h.NW_SRC.get(flow) == h.NW_DST.get(flow)


def _forward(ctx: Context, bundle: Bundle, tags: vlan.Tags, vid: int) -> None:
    entry = ctx.bridge.mac_learning.lookup(h.DL_DST.get(ctx.flow), vid)
    if entry is None:
        ctx.report(c.DETAIL, "no learned MAC for destination, flooding")
        flood(ctx, bundle, tags)
        return
    target = entry.port
    if target.mirror_out:
        ctx.report(c.WARN, "learned port is a mirror port, dropping")
    elif target is not bundle:
        ctx.report(c.DETAIL, "forwarding to learned port")
        output_bundle(ctx, target, tags)
    else:
        ctx.report(c.DETAIL, "learned port is input port, dropping")


def flood(ctx: Context, bundle: Bundle, tags: vlan.Tags) -> None:
    """Send the packet to all other bundles in its VLAN."""
    outer, inner = tags[0][1], tags[1][1]
    for other in ctx.bridge.bundles:
        if (
            other is not bundle
            and other.floodable
            and not other.mirror_out
            and other.includes(outer, inner)
        ):
            output_bundle(ctx, other, tags)
    ctx.nf_output_iface = c.NF_OUT_FLOOD


def output_bundle(ctx: Context, bundle: Bundle, tags: vlan.Tags) -> None:
    """Send the packet through a bundle, with the VLAN tags it is configured for."""
    if bundle.vlan_mode == b.DOT1Q_TUNNEL and bundle.cvlans is not None:
        ctx.wildcards |= h.TCI1.mask
    on_wire = vlan.to_output(bundle, tags)
    if bundle.use_priority_tags:
        pcp = h.TCI0.get(ctx.flow) & 0xE000
        on_wire = (on_wire[0][0], on_wire[0][1], pcp), on_wire[1]
    if not bundle.ports:
        return
    before = h.vlans(ctx.flow)
    ctx.flow = vlan.put(ctx.flow, on_wire, bundle.use_priority_tags)
    output.compose_output(ctx, bundle.ports[0].ofp_port)
    ctx.flow = h.put_vlans(ctx.flow, before)
