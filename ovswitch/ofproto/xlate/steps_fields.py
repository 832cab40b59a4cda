# SPDX-License-Identifier: Apache-2.0
"""How actions that change fields and headers are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow.access import tun_metadata_index
from ovswitch.flow.fields import NONE
from ovswitch.flow.layout import SLOTS, VLAN_CFI, VLAN_PCP_MASK, VLAN_VID_MASK
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import fieldops, output
from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate.commit import commit
from ovswitch.ofproto.xlate.compiler import STOP, compiles
from ovswitch.openflow.actions import types as t

if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.flow.layout import Slot
    from ovswitch.ofproto.xlate.compiler import Step
    from ovswitch.ofproto.xlate.context import Context


_TUN_PRESENT = SLOTS["tun_metadata_present"]


@compiles(t.SetField)
def _set_field(action: t.SetField) -> Step:
    field = action.field
    put = fieldops.setter(field, action.value, action.mask)
    if field.prereq == NONE:
        return put

    def step(ctx: Context) -> None:
        # Only if the packet has the field at all.
        if fieldops.has_field(ctx, field):
            fieldops.look_at_protocol(ctx, field)
            put(ctx)
        elif ctx.trace is not None:
            ctx.report(
                c.WARN, f"unmet prerequisites for {field.name}, set_field ignored"
            )

    return step


@compiles(t.RegMove)
def _move(action: t.RegMove) -> Step:
    source, target = action.src, action.dst

    def step(ctx: Context) -> None:
        if fieldops.has_field(ctx, target.field) and fieldops.has_field(
            ctx, source.field
        ):
            fieldops.look_at(ctx, source)
            fieldops.look_at(ctx, target)
            fieldops.write(ctx, target, fieldops.read(ctx, source))
        fieldops.report_subfield(ctx, target)

    return step


@compiles(t.StackPush)
def _push(action: t.StackPush) -> Step:
    subfield = action.subfield

    def step(ctx: Context) -> None:
        fieldops.look_at(ctx, subfield)
        ctx.stack.append((fieldops.read(ctx, subfield), subfield.n_bits))

    return step


@compiles(t.StackPop)
def _pop(action: t.StackPop) -> Step:
    subfield = action.subfield

    def step(ctx: Context) -> None:
        if not ctx.stack:
            ctx.report_error("stack underflow")
            return
        value, _ = ctx.stack.pop()
        fieldops.look_at(ctx, subfield)
        fieldops.write(ctx, subfield, value)
        fieldops.report_subfield(ctx, subfield)

    return step


@compiles(t.WriteMetadata)
def _write_metadata(action: t.WriteMetadata) -> Step:
    clear = h.without(action.mask << h.METADATA.shift)
    bits = (action.metadata & action.mask) << h.METADATA.shift

    def step(ctx: Context) -> None:
        ctx.flow = ctx.flow & clear | bits

    return step


@compiles(t.SetTunnel)
def _set_tunnel(action: t.SetTunnel) -> Step:
    return _put(h.TUN_ID, action.tun_id, looks=False)


def _put(slot: Slot, value: int, *, looks: bool = True) -> Step:
    """Return a step that sets a whole slot of any packet."""
    clear, bits = h.without(slot.mask), value << slot.shift
    mask = slot.mask if looks else 0

    def step(ctx: Context) -> None:
        ctx.wildcards |= mask
        ctx.flow = ctx.flow & clear | bits

    return step


@compiles(t.SetEthSrc)
def _set_eth_src(action: t.SetEthSrc) -> Step:
    return _put(h.DL_SRC, action.mac)


@compiles(t.SetEthDst)
def _set_eth_dst(action: t.SetEthDst) -> Step:
    return _put(h.DL_DST, action.mac)


# Fields that only some packets have.


def _put_if(
    condition: Callable[[int], bool],
    slot: Slot,
    value: int,
    bits: int | None = None,
) -> Step:
    """Return a step that sets `bits` of a slot (None: all) if the packet has it."""
    mask = (slot.ones if bits is None else bits) << slot.shift
    clear, wanted = h.without(mask), value << slot.shift & mask
    looked_at = mask | h.NW_PROTO.mask

    def step(ctx: Context) -> None:
        if condition(ctx.flow):
            ctx.wildcards |= looked_at
            ctx.flow = ctx.flow & clear | wanted

    return step


def _is_ipv4(flow: int) -> bool:
    return flow >> h.DL_TYPE.shift & 0xFFFF == h.ETH_TYPE_IP


def _has_ports(flow: int) -> bool:
    return h.is_ip_any(flow) and not h.is_later_fragment(flow)


@compiles(t.SetIpv4Src)
def _set_ipv4_src(action: t.SetIpv4Src) -> Step:
    return _put_if(_is_ipv4, h.NW_SRC, action.ipv4)


@compiles(t.SetIpv4Dst)
def _set_ipv4_dst(action: t.SetIpv4Dst) -> Step:
    return _put_if(_is_ipv4, h.NW_DST, action.ipv4)


@compiles(t.SetIpDscp)
def _set_ip_dscp(action: t.SetIpDscp) -> Step:
    return _put_if(h.is_ip_any, h.NW_TOS, action.dscp, h.IP_DSCP_MASK)


@compiles(t.SetIpEcn)
def _set_ip_ecn(action: t.SetIpEcn) -> Step:
    return _put_if(h.is_ip_any, h.NW_TOS, action.ecn, h.IP_ECN_MASK)


@compiles(t.SetIpTtl)
def _set_ip_ttl(action: t.SetIpTtl) -> Step:
    return _put_if(h.is_ip_any, h.NW_TTL, action.ttl)


@compiles(t.SetL4SrcPort)
def _set_l4_src_port(action: t.SetL4SrcPort) -> Step:
    return _put_if(_has_ports, h.TP_SRC, action.port)


@compiles(t.SetL4DstPort)
def _set_l4_dst_port(action: t.SetL4DstPort) -> Step:
    return _put_if(_has_ports, h.TP_DST, action.port)


@compiles(t.DecTtl)
def _dec_ttl(action: t.DecTtl) -> Step:
    looked_at = h.NW_TTL.mask | h.NW_PROTO.mask

    def step(ctx: Context) -> int | None:
        ctx.wildcards |= looked_at
        if not h.is_ip_any(ctx.flow):
            return None
        ttl = h.NW_TTL.get(ctx.flow)
        if ttl > 1:
            ctx.flow = h.NW_TTL.put(ctx.flow, ttl - 1)
            return None
        for controller_id in action.cnt_ids:
            output.to_controller(ctx, 0xFFFF, output.OFPR_INVALID_TTL, controller_id)
        version = 4 if _is_ipv4(ctx.flow) else 6
        ctx.report(c.WARN, f"IPv{version} decrement TTL exception")
        return STOP

    return step


# VLAN headers.


def _set_tci(bits: int, value: int, push_if_needed: bool) -> Step:
    looked_at = (bits | VLAN_CFI) << h.TCI0.shift
    cfi = VLAN_CFI << h.TCI0.shift
    clear = h.without(bits << h.TCI0.shift)
    wanted = (value | VLAN_CFI) << h.TCI0.shift
    tpid = h.ETH_TYPE_VLAN_8021Q << h.TPID0.shift

    def step(ctx: Context) -> None:
        ctx.wildcards |= looked_at
        flow = ctx.flow
        if flow & cfi or push_if_needed:
            if not flow & h.TPID0.mask:
                flow |= tpid
            ctx.flow = flow & clear | wanted

    return step


@compiles(t.SetVlanVid)
def _set_vlan_vid(action: t.SetVlanVid) -> Step:
    return _set_tci(VLAN_VID_MASK, action.vlan_vid, action.push_vlan_if_needed)


@compiles(t.SetVlanPcp)
def _set_vlan_pcp(action: t.SetVlanPcp) -> Step:
    return _set_tci(VLAN_PCP_MASK, action.vlan_pcp << 13, action.push_vlan_if_needed)


@compiles(t.StripVlan)
def _strip_vlan(action: t.StripVlan) -> Step:
    def step(ctx: Context) -> None:
        ctx.flow, ctx.wildcards = h.pop_vlan(ctx.flow, ctx.wildcards)

    return step


@compiles(t.PushVlan)
def _push_vlan(action: t.PushVlan) -> Step:
    def step(ctx: Context) -> None:
        ctx.flow, ctx.wildcards = h.push_vlan(ctx.flow, ctx.wildcards, action.ethertype)

    return step


# MPLS labels.


def _set_lse(bits: int, value: int) -> Step:
    mask = h.lse_mask(0, bits)
    clear, wanted = h.without(mask), h.lse_mask(0, value & bits)

    def step(ctx: Context) -> None:
        if h.is_mpls(h.DL_TYPE.get(ctx.flow)):
            ctx.wildcards |= mask
            ctx.flow = ctx.flow & clear | wanted

    return step


@compiles(t.SetMplsLabel)
def _set_mpls_label(action: t.SetMplsLabel) -> Step:
    return _set_lse(0xFFFFF000, action.label << 12)


@compiles(t.SetMplsTc)
def _set_mpls_tc(action: t.SetMplsTc) -> Step:
    return _set_lse(0xE00, action.tc << 9)


@compiles(t.SetMplsTtl)
def _set_mpls_ttl(action: t.SetMplsTtl) -> Step:
    return _set_lse(0xFF, action.ttl)


@compiles(t.DecMplsTtl)
def _dec_mpls_ttl(action: t.DecMplsTtl) -> Step:
    def step(ctx: Context) -> int | None:
        if h.is_mpls(h.DL_TYPE.get(ctx.flow)):
            ctx.wildcards |= h.lse_mask(0, 0xFF)
            entry = h.lse(ctx.flow, 0)
            if entry & 0xFF > 1:
                ctx.flow = h.put_lse(ctx.flow, 0, entry - 1)
                return None
            output.to_controller(ctx, 0xFFFF, output.OFPR_INVALID_TTL)
        ctx.report(c.WARN, "MPLS decrement TTL exception")
        return STOP

    return step


@compiles(t.PushMpls)
def _push_mpls(action: t.PushMpls) -> Step:
    def step(ctx: Context) -> None:
        number, ctx.wildcards = h.count_mpls(ctx.flow, ctx.wildcards)
        if not number:
            commit(ctx)
        elif number >= h.MAX_MPLS:
            if ctx.packet is not None:
                ctx.report_error(
                    "dropping packet on which an MPLS push action can't be performed"
                    f" as it would have more MPLS LSEs than the {h.MAX_MPLS} supported."
                )
            ctx.error = c.TOO_MANY_MPLS_LABELS
            return
        ctx.flow, ctx.wildcards = h.push_mpls(
            ctx.flow, number, action.ethertype, ctx.wildcards, clear=True
        )

    return step


@compiles(t.PopMpls)
def _pop_mpls(action: t.PopMpls) -> Step:
    def step(ctx: Context) -> None:
        number, ctx.wildcards = h.count_mpls(ctx.flow, ctx.wildcards)
        done, ctx.flow, ctx.wildcards = h.pop_mpls(
            ctx.flow, number, action.ethertype, ctx.wildcards
        )
        if done:
            if not h.is_mpls(action.ethertype) and ctx.bridge.support.recirc:
                ctx.was_mpls = True
        elif number >= h.MAX_MPLS:
            if ctx.packet is not None:
                ctx.report_error(
                    "dropping packet on which an MPLS pop action can't be performed as"
                    f" it has more MPLS LSEs than the {h.MAX_MPLS} supported."
                )
            ctx.error = c.TOO_MANY_MPLS_LABELS
            ctx.odp.clear()

    return step


@compiles(t.DeleteField)
def _delete_field(action: t.DeleteField) -> Step:
    index = tun_metadata_index(action.field)

    def step(ctx: Context) -> None:
        if index is not None:
            ctx.flow &= h.without(1 << (_TUN_PRESENT.shift + index))
        ctx.report(c.DETAIL, f"delete {action.field.name}")

    return step
