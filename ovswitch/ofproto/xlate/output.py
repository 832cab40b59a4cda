# SPDX-License-Identifier: Apache-2.0
"""Where packets leave: ports, patches to other switches, controllers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.datapath.odp import actions as odp
from ovswitch.flow.layout import REGS_MASK, TUNNEL_MASK
from ovswitch.flow.names import (
    OFPP_ALL,
    OFPP_CONTROLLER,
    OFPP_FLOOD,
    OFPP_IN_PORT,
    OFPP_NONE,
    OFPP_NORMAL,
    OFPP_TABLE,
)
from ovswitch.ofproto import port as p
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate import mirror, normal, pipeline, recirc
from ovswitch.ofproto.xlate.commit import commit

if TYPE_CHECKING:
    from ovswitch.ofproto.port import Port
    from ovswitch.ofproto.xlate.context import Context

# Reasons of packet-ins: OpenFlow 1.3's, 1.4's, and the two that tell misses apart.
(
    OFPR_NO_MATCH,
    OFPR_ACTION,
    OFPR_INVALID_TTL,
    OFPR_ACTION_SET,
    OFPR_GROUP,
    OFPR_PACKET_OUT,
    OFPR_EXPLICIT_MISS,
    OFPR_IMPLICIT_MISS,
) = range(8)

_STP_ADDRESS = 0x0180C2000000
_OUTPUT_RESTORED = (
    h.VLANS_MASK | h.NW_TOS.mask | h.DL_SRC.mask | h.DL_DST.mask
    | h.PACKET_TYPE.mask | h.DL_TYPE.mask
)  # fmt: skip
_NOT_RESTORED = h.without(_OUTPUT_RESTORED)
_NO_PIPELINE_STATE = h.without(
    TUNNEL_MASK | REGS_MASK | h.METADATA.mask | h.ACTSET_OUTPUT.mask | h.IN_PORT.mask
)
_UNSET = c.OFPP_UNSET << h.ACTSET_OUTPUT.shift


def is_stp(flow: int) -> bool:
    """Return whether the packet is a spanning tree BPDU."""
    return h.DL_DST.get(flow) == _STP_ADDRESS and h.DL_TYPE.get(flow) == 0x05FF


def may_receive(ctx: Context, port: Port) -> bool:
    """Return whether packets that come in through `port` are looked at."""
    refusal = p.NO_RECV_STP if is_stp(ctx.flow) else p.NO_RECV
    if port.config & refusal:
        return False
    return port.may_forward or port.may_learn


def _may_output(ctx: Context, port: Port | None, check_stp: bool) -> bool:
    """Return whether the packet may leave through `port`, or report why not."""
    if port is None:
        ctx.report(c.WARN, "Nonexistent output port")
        return False
    if port.config & p.NO_FWD:
        ctx.report(c.DETAIL, "OFPPC_NO_FWD set, skipping output")
        return False
    if ctx.mirror_snaplen and port.odp_port is None:
        ctx.report(c.WARN, "Mirror truncate to ODPP_NONE, skipping output")
        return False
    if _is_protected(ctx, port):
        ctx.report(c.WARN, "Flow is between protected ports, skipping output.")
        return False
    if check_stp and not port.may_forward and not is_stp(ctx.base_flow):
        kind = "RSTP" if ctx.bridge.rstp is not None else "STP"
        ctx.report(c.WARN, f"{kind} not in forwarding state, skipping output")
        return False
    if ctx.flow & h.PACKET_TYPE.mask:
        ctx.report(
            c.WARN,
            "Trying to send non-Ethernet packet through legacy L2 port."
            " Dropping packet.",
        )
        return False
    return True


def _is_protected(ctx: Context, port: Port) -> bool:
    if port.bundle is None or not port.bundle.protected:
        return False
    in_port = ctx.bridge.ports.get(h.IN_PORT.get(ctx.flow))
    return (
        in_port is not None and in_port.bundle is not None and in_port.bundle.protected
    )


def compose_output(
    ctx: Context,
    ofp_port: int,
    *,
    last: bool = False,
    check_stp: bool = True,
    truncate: bool = False,
) -> None:
    """Send the packet through a port, whatever it came in through.

    Args:
        ctx: the translation.
        ofp_port: the port's number.
        last: whether nothing else happens to the packet.
        check_stp: whether spanning tree has a say.
        truncate: whether the packet is being truncated, which a patch can't do.
    """
    port = ctx.bridge.ports.get(ofp_port)
    if not _may_output(ctx, port, check_stp):
        return
    assert port is not None
    peer = port.peer
    if peer is not None:
        if truncate:
            ctx.report_error("Cannot truncate output to patch port")
        patch_output(ctx, port, peer, last)
        return
    before = ctx.flow & _OUTPUT_RESTORED
    if port.odp_port is not None:
        commit(ctx)
        if 0 < ctx.mirror_snaplen < 0xFFFF:
            ctx.odp.append(odp.trunc(ctx.mirror_snaplen))
        ctx.odp.append(odp.output(port.odp_port))
        ctx.nf_output_iface = ofp_port
    if port.bundle is not None and ctx.bridge.mirrors:
        mirror.mirror_packet(ctx, port.bundle, port.bundle.dst_mirrors)
    ctx.flow = ctx.flow & _NOT_RESTORED | before


def patch_output(ctx: Context, sender: Port, receiver: Port, last: bool) -> None:
    """Go on in the switch at the other end of a patch, then come back.

    The other switch sees the packet as it is now, but none of this one's metadata; and
    whatever it does with it or with the translation has no effect here.
    """
    old_flow, old_tunnel_wildcards = ctx.flow, ctx.wildcards & TUNNEL_MASK
    old = (
        ctx.bridge, ctx.stack, ctx.action_set, ctx.action_set_has_group,
        ctx.conntracked, ctx.was_mpls, ctx.trace, ctx.mirrors,
    )  # fmt: skip
    other = receiver.ofproto
    ctx.stack = []
    ctx.action_set = []
    ctx.flow = (
        ctx.flow & _NO_PIPELINE_STATE | receiver.ofp_port << h.IN_PORT.shift | _UNSET
    )
    ctx.wildcards &= h.without(TUNNEL_MASK)
    recirc.clear_conntrack(ctx)
    ctx.trace = ctx.report(c.BRIDGE, f'bridge("{other.name}")')
    if other is not ctx.bridge:
        ctx.mirrors = 0
    ctx.bridge = other
    if not other.process_special(ctx, receiver) and may_receive(ctx, receiver):
        if receiver.may_forward:
            _enter(ctx, receiver, last)
        else:
            # NORMAL and learn may look at the packet, then it is dropped.
            base, length, mirrors = ctx.base_flow, len(ctx.odp), ctx.mirrors
            pipeline.table_action(
                ctx, receiver.ofp_port, 0, may_packet_in=True, honor_miss=True,
                last=last, clone=True,
            )  # fmt: skip
            ctx.base_flow, ctx.mirrors = base, mirrors
            del ctx.odp[length:]
            ctx.cancel_freeze()
    ctx.flow = old_flow
    ctx.wildcards = ctx.wildcards & h.without(TUNNEL_MASK) | old_tunnel_wildcards
    independent = other is not old[0]
    mirrors = ctx.mirrors
    (
        ctx.bridge, ctx.stack, ctx.action_set, ctx.action_set_has_group,
        ctx.conntracked, ctx.was_mpls, ctx.trace, ctx.mirrors,
    ) = old  # fmt: skip
    if not independent:
        ctx.mirrors = mirrors
    # The other switch's end, or failure, is its own.
    ctx.exit = False
    ctx.error = c.OK
    ctx.cache.patches.append((sender, receiver))


def _enter(ctx: Context, receiver: Port, last: bool) -> None:
    """Search table 0 of the receiving switch, and do what follows."""
    pipeline.table_action(
        ctx, receiver.ofp_port, 0, may_packet_in=True, honor_miss=True, last=last,
        clone=True,
    )  # fmt: skip
    if not ctx.freezing:
        pipeline.execute_action_set(ctx)
    if ctx.freezing:
        commit(ctx)
        recirc.finish(ctx)


def output(
    ctx: Context,
    port: int,
    max_len: int = 0,
    *,
    may_packet_in: bool = False,
    last: bool = False,
    truncate: bool = False,
) -> None:
    """Carry out an output action to a port or one of the reserved ones.

    `max_len` is how many octets a controller gets; `may_packet_in` whether a table miss
    on the way may go to one.
    """
    before = ctx.nf_output_iface
    ctx.nf_output_iface = c.NF_OUT_DROP
    in_port = h.IN_PORT.get(ctx.flow)
    if port == OFPP_NORMAL:
        normal.normal(ctx)
    elif port == OFPP_IN_PORT:
        compose_output(ctx, in_port, last=last, truncate=truncate)
    elif port == OFPP_TABLE:
        pipeline.table_action(
            ctx, in_port, 0, may_packet_in=may_packet_in, honor_miss=True
        )
    elif port in {OFPP_FLOOD, OFPP_ALL}:
        flood(ctx, port == OFPP_ALL, last)
    elif port == OFPP_CONTROLLER:
        reason = OFPR_ACTION
        if ctx.in_packet_out:
            reason = OFPR_PACKET_OUT
        elif ctx.in_action_set:
            reason = OFPR_ACTION_SET
        to_controller(ctx, max_len, reason)
    elif port == OFPP_NONE:
        pass
    elif port != in_port:
        compose_output(ctx, port, last=last, truncate=truncate)
    else:
        ctx.report_info("skipping output to input port")
    now = ctx.nf_output_iface
    if before == c.NF_OUT_FLOOD:
        ctx.nf_output_iface = c.NF_OUT_FLOOD
    elif now == c.NF_OUT_DROP:
        ctx.nf_output_iface = before
    elif before != c.NF_OUT_DROP and now != c.NF_OUT_FLOOD:
        ctx.nf_output_iface = c.NF_OUT_MULTI


def flood(ctx: Context, to_all: bool, last: bool) -> None:
    """Send the packet to every port but the one it came in through."""
    in_port = h.IN_PORT.get(ctx.flow)
    ports = [
        port.ofp_port
        for port in ctx.bridge.flood_ports()
        if port.ofp_port != in_port and (to_all or not port.config & p.NO_FLOOD)
    ]
    for number in ports:
        compose_output(
            ctx, number, last=last and number == ports[-1], check_stp=not to_all
        )
    ctx.nf_output_iface = c.NF_OUT_FLOOD


def to_controller(
    ctx: Context,
    max_len: int,
    reason: int,
    controller_id: int = 0,
    userdata: bytes = b"",
) -> None:
    """Send the packet, as it is now, to the controllers with `controller_id`."""
    commit(ctx)
    # OpenFlow before 1.3 doesn't tell these misses from actions; a connection with
    # an older version translates the reason back.
    if reason == OFPR_ACTION and ctx.rule is not None and ctx.rule.is_table_miss:
        reason = OFPR_EXPLICIT_MISS
    recirc_id = recirc.freeze_for_controller(ctx, userdata)
    ctx.odp.append(
        ctx.bridge.controller_action(
            ctx,
            recirc_id,
            reason=reason,
            controller_id=controller_id,
            max_len=max_len,
        )
    )
