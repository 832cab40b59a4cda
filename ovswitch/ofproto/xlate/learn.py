# SPDX-License-Identifier: Apache-2.0
"""learn: flows made from the packet at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow import access
from ovswitch.flow.fields import NONE
from ovswitch.flow.layout import SLOTS
from ovswitch.flow.match import Match
from ovswitch.flow.names import (
    OFPP_ALL,
    OFPP_FLOOD,
    OFPP_IN_PORT,
    OFPP_LOCAL,
    OFPP_MAX,
)
from ovswitch.flow.text import format_match
from ovswitch.ofproto.flow_mod import MODIFY_STRICT, FlowMod
from ovswitch.ofproto.rule import NO_COOKIE, SEND_FLOW_REM
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import fieldops
from ovswitch.openflow import actions as ofactions
from ovswitch.openflow.actions import types as t
from ovswitch.openflow.actions.learn import DST_MATCH, DST_OUTPUT
from ovswitch.openflow.actions.set_field import LOAD
from ovswitch.openflow.errors import OpenFlowError

if TYPE_CHECKING:
    from ovswitch.ofproto.xlate.context import Context

F_SEND_FLOW_REM, F_DELETE_LEARNED, F_WRITE_RESULT = 1, 2, 4

_PACKET_TYPE = SLOTS["packet_type"].mask
_OUTPUTS = frozenset((OFPP_IN_PORT, OFPP_FLOOD, OFPP_LOCAL, OFPP_ALL))


def learn(ctx: Context, action: t.Learn) -> None:
    """Add the flow that `action` makes of the packet, or refresh it."""
    for spec in action.specs:
        if spec.src is not None:
            fieldops.look_at(ctx, spec.src)
    if ctx.trace is not None and not ctx.side_effects:
        ctx.report(c.WARN, "suppressing side effects, so learn action ignored")
        return
    flow_mod = make_flow_mod(ctx, action)
    if ctx.trace is not None:
        ctx.report(c.DETAIL, _describe(flow_mod))
    success = True
    if ctx.side_effects:
        try:
            success = ctx.bridge.learn_flow(flow_mod, action.limit)
        except OpenFlowError as error:
            ctx.report_error(f"LEARN action execution failed ({error.name}).")
            return
    elif action.limit and not ctx.bridge.has_learned(flow_mod):
        # What follows depends on whether there is room: don't keep this answer.
        ctx.avoid_caching = True
    if action.flags & F_WRITE_RESULT and action.result_dst is not None:
        fieldops.load(ctx, action.result_dst, int(success))
        fieldops.report_subfield(ctx, action.result_dst)
    if success:
        ctx.cache.learns.append((ctx.bridge, flow_mod, action.limit))
    else:
        ctx.report(c.DETAIL, "Limit exceeded, learn failed")


def make_flow_mod(ctx: Context, action: t.Learn) -> FlowMod:
    """Return the flow mod that adds what `action` learns from the packet."""
    match = Match()
    actions: list[t.Action] = []
    if action.fin_idle_timeout or action.fin_hard_timeout:
        actions.append(t.FinTimeout(action.fin_idle_timeout, action.fin_hard_timeout))
    for spec in action.specs:
        source = spec.src
        value = spec.immediate if source is None else fieldops.read(ctx, source)
        if spec.dst_type == DST_OUTPUT:
            if value < OFPP_MAX or value in _OUTPUTS:
                actions.append(t.Output(value))
            continue
        target = spec.dst
        assert target is not None
        mask = fieldops.bits_of(target)
        if spec.dst_type == DST_MATCH:
            match = _add_to_match(match, target, value, mask)
        else:
            in_place = value << target.ofs & mask
            actions.append(t.SetField(target.field, in_place, mask, LOAD))
    return FlowMod(
        MODIFY_STRICT,
        match,
        action.priority,
        tuple(actions),
        table_id=action.table_id,
        new_cookie=action.cookie,
        modify_cookie=action.cookie != NO_COOKIE,
        idle_timeout=action.idle_timeout,
        hard_timeout=action.hard_timeout,
        flags=SEND_FLOW_REM if action.flags & F_SEND_FLOW_REM else 0,
    )


def _add_to_match(match: Match, target: t.Subfield, value: int, mask: int) -> Match:
    """Return `match` with a subfield matched, beside what it has of the field."""
    field = target.field
    old_value, old_mask = access.get_match(field, match)
    full = (1 << 8 * field.n_bytes) - 1
    new_mask = old_mask | mask
    new_value = old_value & ~mask | value << target.ofs & mask
    whole = new_mask & field.ones == field.ones
    match = access.set_match(field, match, new_value, full if whole else new_mask)
    if field.prereq != NONE and not match.mask & _PACKET_TYPE:
        match = Match(match.value, match.mask | _PACKET_TYPE, match.tun)
    return match


def _describe(flow_mod: FlowMod) -> str:
    text = f"table={flow_mod.table_id} {format_match(flow_mod.match)}".rstrip(" ")
    text += f" priority={flow_mod.priority}"
    if flow_mod.new_cookie:
        text += f" cookie={flow_mod.new_cookie:#x}"
    if flow_mod.idle_timeout:
        text += f" idle={flow_mod.idle_timeout}"
    if flow_mod.hard_timeout:
        text += f" hard={flow_mod.hard_timeout}"
    if flow_mod.flags & SEND_FLOW_REM:
        text += " send_flow_rem"
    return text + f" actions={ofactions.format_actions(flow_mod.actions)}"
