# SPDX-License-Identifier: Apache-2.0
"""How actions that direct the pipeline are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.datapath.odp import actions as odp
from ovswitch.datapath.odp.cookie import SLOW_ACTION
from ovswitch.flow.names import OFPP_IN_PORT
from ovswitch.ofproto.table import INTERNAL_TABLE
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import fieldops, learn, pipeline, recirc
from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate.compiler import (
    AFTER,
    BRANCH,
    FROZEN_AFTER,
    STOP,
    compile_actions,
    compiles,
)
from ovswitch.openflow import actions as ofactions
from ovswitch.openflow.actions import types as t
from ovswitch.openflow.actions.action_set import execution_order

if TYPE_CHECKING:
    from ovswitch.ofproto.xlate.compiler import Step
    from ovswitch.ofproto.xlate.context import Context


@compiles(t.Resubmit)
def _resubmit(action: t.Resubmit) -> Step:
    def step(ctx: Context) -> int:
        in_port = action.in_port
        if in_port == OFPP_IN_PORT:
            in_port = h.IN_PORT.get(ctx.flow)
        # The switch's own table may send misses to the controller.
        internal = ctx.rule is not None and ctx.rule.table_id == INTERNAL_TABLE
        pipeline.table_action(
            ctx,
            in_port,
            ctx.table_id if action.table_id == 0xFF else action.table_id,
            may_packet_in=internal,
            honor_miss=internal,
            with_ct_orig=action.with_ct_orig,
            last=ctx.last,
        )
        return FROZEN_AFTER

    return step


@compiles(t.GotoTable)
def _goto_table(action: t.GotoTable) -> Step:
    def step(ctx: Context) -> int:
        pipeline.table_action(
            ctx,
            h.IN_PORT.get(ctx.flow),
            action.table_id,
            may_packet_in=True,
            honor_miss=True,
            last=ctx.last,
        )
        return FROZEN_AFTER

    return step


@compiles(t.Clone)
def _clone(action: t.Clone) -> Step:
    program = compile_actions(action.actions)

    def step(ctx: Context) -> None:
        pipeline.clone(ctx, program, ctx.last)

    return step


@compiles(t.Exit)
def _exit(action: t.Exit) -> Step:
    def step(ctx: Context) -> None:
        ctx.exit = True

    return step


@compiles(t.Note)
def _note(action: t.Note) -> Step:
    return _nothing


def _nothing(ctx: Context) -> None:
    """Do nothing."""


@compiles(t.Conjunction)
def _conjunction(action: t.Conjunction) -> Step:
    def step(ctx: Context) -> None:
        # Flows that are part of a match are not executed, but a packet-out may try.
        ctx.report_error("executing no-op conjunction action")

    return step


@compiles(t.WriteActions)
def _write_actions(action: t.WriteActions) -> Step:
    def step(ctx: Context) -> None:
        pipeline.write_actions(ctx, action.actions)
        _report_action_set(ctx, "is")

    return step


@compiles(t.ClearActions)
def _clear_actions(action: t.ClearActions) -> Step:
    def step(ctx: Context) -> None:
        _report_action_set(ctx, "was")
        ctx.action_set = []
        ctx.flow = h.ACTSET_OUTPUT.put(ctx.flow, c.OFPP_UNSET)
        ctx.action_set_has_group = False

    return step


def _report_action_set(ctx: Context, verb: str) -> None:
    if ctx.trace is None:
        return
    actions = execution_order(ctx.action_set)
    if actions:
        text = ofactions.format_actions(actions)
        ctx.report(c.DETAIL, f"action set {verb}: {text}")
    else:
        ctx.report(c.DETAIL, f"action set {verb} empty")


@compiles(t.Learn)
def _learn(action: t.Learn) -> Step:
    def step(ctx: Context) -> None:
        learn.learn(ctx, action)

    return step


@compiles(t.FinTimeout)
def _fin_timeout(action: t.FinTimeout) -> Step:
    idle, hard = action.fin_idle_timeout, action.fin_hard_timeout
    fin_or_rst = 0x05

    def step(ctx: Context) -> None:
        ctx.wildcards |= h.NW_PROTO.mask
        rule = ctx.rule
        if rule is None or not (idle or hard):
            return
        if ctx.side_effects and ctx.tcp_flags & fin_or_rst:
            rule.reduce_timeouts(idle, hard)
            ctx.bridge.tables.set_expirable(rule)
        ctx.cache.fins.append((ctx.bridge, rule, idle, hard))

    return step


@compiles(recirc.UnrollXlate)
def _unroll_xlate(action: recirc.UnrollXlate) -> Step:
    def step(ctx: Context) -> None:
        ctx.table_id = action.table_id
        ctx.rule_cookie = action.rule_cookie
        if ctx.trace is not None:
            cookie = f"{action.rule_cookie:#x}" if action.rule_cookie else "0"
            ctx.report(
                c.THAW, f"restored state: table={action.table_id}, cookie={cookie}"
            )

    return step


@compiles(t.DebugRecirc)
def _debug_recirc(action: t.DebugRecirc) -> Step:
    def step(ctx: Context) -> int:
        ctx.trigger_freeze()
        return AFTER

    return step


@compiles(t.DebugSlow)
def _debug_slow(action: t.DebugSlow) -> Step:
    def step(ctx: Context) -> None:
        ctx.slow |= SLOW_ACTION

    return step


@compiles(t.CheckPktLarger)
def _check_pkt_larger(action: t.CheckPktLarger) -> Step:
    def step(ctx: Context) -> int | None:
        if ctx.bridge.support.check_pkt_len:
            return BRANCH
        # Only userspace can tell, by the packet at hand.
        larger = ctx.packet is not None and len(ctx.packet) > action.pkt_len
        fieldops.write(ctx, action.dst, int(larger))
        ctx.slow |= SLOW_ACTION
        return None

    return step


@compiles(t.Meter, reversible=False)
def _meter(action: t.Meter) -> Step:
    def step(ctx: Context) -> None:
        meter_id = ctx.bridge.provider_meter(action.meter_id)
        if meter_id is not None:
            ctx.odp.append(odp.meter(meter_id))

    return step


@compiles(t.Sample)
def _sample(action: t.Sample) -> Step:
    return _nothing  # nobody samples: the switch exports nothing


@compiles(t.CtClear)
def _ct_clear(action: t.CtClear) -> Step:
    def step(ctx: Context) -> None:
        if ctx.conntracked:
            recirc.clear_conntrack(ctx)
            if ctx.bridge.support.ct_clear:
                ctx.odp.append(odp.CT_CLEAR)

    return step


@compiles(t.Encap)
def _encap(action: t.Encap) -> Step:
    return _unsupported_packet_type


@compiles(t.Decap, reversible=False)
def _decap(action: t.Decap) -> Step:
    return _unsupported_packet_type


@compiles(t.DecNshTtl, reversible=False)
def _dec_nsh_ttl(action: t.DecNshTtl) -> Step:
    def step(ctx: Context) -> int:
        ctx.report(c.WARN, "NSH decrement TTL exception")
        return STOP

    return step


def _unsupported_packet_type(ctx: Context) -> None:
    ctx.error = c.UNSUPPORTED_PACKET_TYPE
