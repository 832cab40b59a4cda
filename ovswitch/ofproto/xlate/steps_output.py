# SPDX-License-Identifier: Apache-2.0
"""How actions that send packets somewhere are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.datapath.odp import actions as odp
from ovswitch.flow.names import (
    OFPP_ALL,
    OFPP_CONTROLLER,
    OFPP_FLOOD,
    OFPP_IN_PORT,
    OFPP_NONE,
    OFPP_NORMAL,
    OFPP_TABLE,
    format_port,
)
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import fieldops, output
from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate.compiler import AFTER, STOP, compiles
from ovswitch.openflow.actions import types as t

if TYPE_CHECKING:
    from ovswitch.ofproto.xlate.compiler import Step
    from ovswitch.ofproto.xlate.context import Context

_UNTRUNCATED = frozenset(
    (OFPP_TABLE, OFPP_NORMAL, OFPP_FLOOD, OFPP_ALL, OFPP_CONTROLLER, OFPP_NONE)
)


@compiles(t.Output)
def _output(action: t.Output) -> Step:
    port, max_len = action.port, action.max_len

    def step(ctx: Context) -> None:
        output.output(ctx, port, max_len, may_packet_in=True, last=ctx.last)

    return step


@compiles(t.OutputReg)
def _output_reg(action: t.OutputReg) -> Step:
    source = action.src

    def step(ctx: Context) -> None:
        port = fieldops.read(ctx, source)
        if port > 0xFFFF:
            ctx.report(c.WARN, f"output port {port} is out of range")
            return
        ctx.report(c.DETAIL, f"output port is {port}")
        fieldops.look_at(ctx, source)
        output.output(ctx, port, action.max_len, last=ctx.last)

    return step


@compiles(t.OutputTrunc, reversible=False)
def _output_trunc(action: t.OutputTrunc) -> Step:
    number = action.port

    def step(ctx: Context) -> None:
        name = format_port(number)
        if number in _UNTRUNCATED:
            ctx.report(c.WARN, f"output_trunc does not support port: {name}")
            return
        if number == h.IN_PORT.get(ctx.flow):
            ctx.report_info("skipping output to input port")
            return
        port = ctx.bridge.ports.get(number)
        if port is None or port.odp_port is None:
            ctx.report_error(f"output_trunc does not support patch port {name}")
            return
        ctx.odp.append(odp.trunc(action.max_len))
        output.output(ctx, number, last=ctx.last, truncate=True)

    return step


@compiles(t.Controller)
def _controller(action: t.Controller) -> Step:
    if action.pause:

        def pause(ctx: Context) -> int:
            ctx.pause = action
            ctx.trigger_freeze()
            return AFTER

        return pause

    def step(ctx: Context) -> None:
        output.to_controller(
            ctx,
            action.max_len,
            action.reason,
            action.controller_id,
            action.userdata,
        )

    return step


@compiles(t.Enqueue)
def _enqueue(action: t.Enqueue) -> Step:
    def step(ctx: Context) -> None:
        ctx.wildcards |= h.SKB_PRIORITY.mask
        priority = ctx.bridge.queue_to_priority(action.queue)
        if priority is None:
            output.output(ctx, action.port, last=ctx.last)
            return
        port = action.port
        in_port = h.IN_PORT.get(ctx.flow)
        if port == OFPP_IN_PORT:
            port = in_port
        elif port == in_port:
            return
        before = h.SKB_PRIORITY.get(ctx.flow)
        ctx.flow = h.SKB_PRIORITY.put(ctx.flow, priority)
        output.compose_output(ctx, port, last=ctx.last)
        ctx.flow = h.SKB_PRIORITY.put(ctx.flow, before)
        if ctx.nf_output_iface == c.NF_OUT_DROP:
            ctx.nf_output_iface = port
        elif ctx.nf_output_iface != c.NF_OUT_FLOOD:
            ctx.nf_output_iface = c.NF_OUT_MULTI

    return step


@compiles(t.SetQueue)
def _set_queue(action: t.SetQueue) -> Step:
    def step(ctx: Context) -> None:
        ctx.wildcards |= h.SKB_PRIORITY.mask
        priority = ctx.bridge.queue_to_priority(action.queue_id)
        if priority is not None:
            ctx.flow = h.SKB_PRIORITY.put(ctx.flow, priority)

    return step


@compiles(t.PopQueue)
def _pop_queue(action: t.PopQueue) -> Step:
    def step(ctx: Context) -> None:
        ctx.wildcards |= h.SKB_PRIORITY.mask
        priority = ctx.orig_skb_priority
        if h.SKB_PRIORITY.get(ctx.flow) != priority:
            ctx.flow = h.SKB_PRIORITY.put(ctx.flow, priority)
            ctx.report(c.DETAIL, f"queue = {priority:#x}" if priority else "queue = 0")

    return step


@compiles(t.Group)
def _group(action: t.Group) -> Step:
    def step(ctx: Context) -> int:
        ctx.report(c.WARN, f"output to nonexistent group {action.group_id}")
        return STOP

    return step
