# SPDX-License-Identifier: Apache-2.0
"""The pipeline: running programs, searching tables, and a whole translation.

`translate()` is the entry. Actions run each other through tables (`resubmit`,
`goto_table`), patch ports and clones: `table_action()` and `run()` are the recursion,
which `MAX_DEPTH` and `MAX_RESUBMITS` bound. Tables in increasing order don't count as
depth, since they end by themselves; the interpreter's own limit is raised accordingly.

Source: the reference's ofproto-dpif-xlate.c for what happens in which order.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ovswitch.datapath.odp import actions as odp
from ovswitch.datapath.odp import numbers as n
from ovswitch.datapath.odp.cookie import SLOW_ACTION
from ovswitch.flow.layout import NW_FRAG_ANY, REGS_MASK, SLOTS, VLAN_CFI
from ovswitch.flow.names import OFPP_LOCAL
from ovswitch.ofproto.port import NO_PACKET_IN
from ovswitch.ofproto.table import (
    INTERNAL_TABLE,
    MISS_CONTINUE,
    MISS_CONTROLLER,
    MISS_DEFAULT,
    N_TABLES,
)
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import fieldops, mirror, output, recirc
from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate.commit import NO_TUNNEL, commit
from ovswitch.ofproto.xlate.compiler import (
    AFTER,
    BRANCH,
    FROZEN_AFTER,
    STOP,
    compile_actions,
)
from ovswitch.openflow import actions as ofactions
from ovswitch.openflow.actions import types as t
from ovswitch.openflow.actions.action_set import execution_order

if TYPE_CHECKING:
    from ovswitch.ofproto.rule import Rule
    from ovswitch.ofproto.xlate.compiler import Program
    from ovswitch.ofproto.xlate.context import Context

# A resubmit is some four frames deep, and 4096 of them may be nested. Frames of Python
# functions that call each other take no C stack.
_RECURSION_LIMIT = 8 * c.MAX_RESUBMITS
sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION_LIMIT))

FRAG_NORMAL, FRAG_DROP, FRAG_REASM, FRAG_NX_MATCH = range(4)

_ALWAYS = (
    h.PACKET_TYPE.mask | h.IN_PORT.mask | h.DL_TYPE.mask | h.RECIRC_ID.mask
)  # fmt: skip
_FRAG_BITS = h.FRAG_MASK << h.NW_FRAG.shift
_PORTS = h.TP_SRC.mask | h.TP_DST.mask
_NO_PORTS = h.without(_PORTS)
_NO_IN_PORT = h.without(h.IN_PORT.mask)
_CS_TRACKED = 0x20 << h.CT_STATE.shift
_MAX_OUTPUTS = 1000  # as many as Linux queues without loss
_SMALL = 64


# Running actions.


def run(ctx: Context, program: Program, last: bool) -> None:
    """Run a list of actions; `last` says that nothing comes behind it."""
    steps = program.steps
    if not steps:
        ctx.report(c.ACTION, "drop")
        return
    actions = program.actions
    end = len(steps) - 1
    for index, step in enumerate(steps):
        if ctx.error:
            return
        if ctx.was_mpls and not ctx.exit and recirc.needs_parsing(actions[index]):
            ctx.trigger_freeze()
        if ctx.exit:
            if ctx.freezing:
                recirc.unroll(ctx, actions, index)
            return
        if ctx.trace is not None:
            text = ofactions.format_actions((actions[index],), ctx.names)
            ctx.report(c.ACTION, text)
        ctx.last = last and index == end and not ctx.action_set
        signal = step(ctx)
        if signal == STOP:
            return
        if signal == BRANCH:
            action = actions[index]
            assert isinstance(action, t.CheckPktLarger)
            branch_on_length(ctx, action, actions[index + 1 :])
            return
        if ctx.freezing and signal != FROZEN_AFTER and _begins_freeze(ctx):
            recirc.unroll(ctx, actions, index + (signal == AFTER))
            return


def _begins_freeze(ctx: Context) -> bool:
    """Return whether the action just done stopped the translation."""
    return ctx.exit and not ctx.error and not ctx.frozen_actions


def run_rest(ctx: Context, actions: tuple[t.Action, ...], last: bool) -> None:
    """Run a list of actions, then the action set, and freeze if they want to."""
    run(ctx, compile_actions(actions), last)
    finish_actions(ctx)


def finish_actions(ctx: Context) -> None:
    """After the last action: execute the action set, and end a freeze."""
    if not ctx.freezing:
        execute_action_set(ctx)
    if ctx.freezing:
        commit(ctx)
        recirc.finish(ctx)


def execute_action_set(ctx: Context) -> None:
    """Execute what write_actions have gathered, in OpenFlow's order."""
    if not ctx.action_set:
        return
    actions = execution_order(ctx.action_set)
    ctx.action_set = []
    if not actions:
        return
    ctx.in_action_set = True
    trace = ctx.trace
    ctx.trace = ctx.report(c.TABLE, "--. Executing action set:")
    run(ctx, compile_actions(actions), True)
    ctx.trace = trace
    ctx.in_action_set = False


def clone(ctx: Context, program: Program, last: bool) -> None:
    """Run actions on a copy of the packet and of the pipeline's state."""
    old_flow, old_stack = ctx.flow, ctx.stack
    old_set, old_has_group = ctx.action_set, ctx.action_set_has_group
    ctx.stack = list(old_stack)
    ctx.action_set = list(old_set)
    if program.reversible or last:
        run(ctx, program, last)
        finish_actions(ctx)
    else:
        # Commit first, lest both the clone and what follows do it again.
        commit(ctx)
        saved = ctx.base_flow, ctx.was_mpls, ctx.conntracked
        outer, ctx.odp = ctx.odp, []
        run(ctx, program, True)
        finish_actions(ctx)
        inner, ctx.odp = ctx.odp, outer
        if inner:
            ctx.odp.append(odp.clone(odp.encode(inner)))
        ctx.base_flow, ctx.was_mpls, ctx.conntracked = saved
    ctx.action_set, ctx.action_set_has_group = old_set, old_has_group
    ctx.stack = old_stack
    ctx.flow = old_flow


def branch_on_length(
    ctx: Context, action: t.CheckPktLarger, rest: tuple[t.Action, ...]
) -> None:
    """Let the datapath decide, for each packet, which way the rest of the list goes."""
    old_flow, old_stack = ctx.flow, ctx.stack
    old_set, old_has_group, old_exit = (
        ctx.action_set,
        ctx.action_set_has_group,
        ctx.exit,
    )
    commit(ctx)
    saved = ctx.base_flow, ctx.was_mpls, ctx.conntracked
    outer = ctx.odp
    branches = []
    for larger in (1, 0):
        ctx.odp = []
        ctx.stack, ctx.action_set = list(old_stack), list(old_set)
        fieldops.write(ctx, action.dst, larger)
        run_rest(ctx, rest, True)
        branches.append(odp.encode(ctx.odp))
        ctx.base_flow, ctx.was_mpls, ctx.conntracked = saved
        ctx.flow = old_flow
        old_exit = old_exit or (larger == 1 and ctx.exit)
        ctx.exit = False
    ctx.odp = outer
    ctx.odp.append(odp.check_pkt_len(action.pkt_len, *branches))
    ctx.stack, ctx.action_set = old_stack, old_set
    ctx.action_set_has_group = old_has_group
    ctx.exit = old_exit


# Tables.


def table_action(
    ctx: Context,
    in_port: int,
    table_id: int,
    *,
    may_packet_in: bool = False,
    honor_miss: bool = False,
    with_ct_orig: bool = False,
    last: bool = False,
    clone: bool = False,
) -> None:
    """Search a table and execute the rule that it has.

    Args:
        ctx: the translation.
        in_port: the OpenFlow port to search with.
        table_id: where to begin.
        may_packet_in: whether a miss may go to a controller.
        honor_miss: whether the tables' configuration says what a miss does.
        with_ct_orig: search with the original direction's addresses and ports.
        last: whether nothing comes behind.
        clone: whether the rule runs on a copy of the pipeline's state.
    """
    if ctx.was_mpls:
        ctx.trigger_freeze()
        return
    if not _may_resubmit(ctx):
        return
    old_table_id = ctx.table_id
    ctx.table_id = table_id
    if with_ct_orig:
        if not SLOTS["ct_nw_proto"].get(ctx.flow) or not h.is_ip_any(ctx.flow):
            ctx.report_error("resubmit(ct) with non-tracked or non-IP packet!")
            ctx.table_id = old_table_id
            return
        _swap_tuples(ctx)
    rule = _lookup(ctx, in_port, may_packet_in, honor_miss)
    if with_ct_orig:
        _swap_tuples(ctx)
    ctx.cache.rules.append(rule)
    trace = ctx.trace
    if trace is not None:
        ctx.trace = _report_table(ctx, rule, table_id)
    old_rule, old_cookie = ctx.rule, ctx.rule_cookie
    ctx.resubmits += 1
    deepens = table_id <= old_table_id
    ctx.depth += deepens
    ctx.rule, ctx.rule_cookie = rule, rule.cookie
    program = rule.program
    if program is None:
        program = rule.program = compile_actions(rule.actions)
    if clone:
        _clone(ctx, program, last)
    else:
        run(ctx, program, last)
    ctx.rule, ctx.rule_cookie = old_rule, old_cookie
    ctx.depth -= deepens
    ctx.trace = trace
    ctx.table_id = old_table_id


_clone = clone


def _may_resubmit(ctx: Context) -> bool:
    """Return whether the translation may go on, or fail it."""
    if ctx.depth >= c.MAX_DEPTH:
        ctx.report_error(f"over max translation depth {c.MAX_DEPTH}")
        ctx.error = c.RECURSION_TOO_DEEP
    elif ctx.resubmits >= c.MAX_RESUBMITS:
        ctx.report_error(f"over {c.MAX_RESUBMITS} resubmit actions")
        ctx.error = c.TOO_MANY_RESUBMITS
    elif len(ctx.odp) > _SMALL and sum(map(len, ctx.odp)) > c.MAX_ACTIONS_SIZE:
        ctx.report_error("resubmits yielded over 64 kB of actions")
        ctx.exit = True  # no error: the slow path can execute so many
    elif len(ctx.stack) > _SMALL and _stack_size(ctx) >= c.MAX_STACK_SIZE:
        ctx.report_error("resubmits yielded over 64 kB of stack")
        ctx.error = c.STACK_TOO_DEEP
    else:
        return True
    return False


def _stack_size(ctx: Context) -> int:
    return sum((bits + 7) // 8 + 1 for _, bits in ctx.stack)


def _lookup(ctx: Context, in_port: int, may_packet_in: bool, honor_miss: bool) -> Rule:
    """Return the rule for the packet, beginning in the context's table.

    Sets the table to where it was found. A miss gives one of the switch's own rules.
    """
    bridge = ctx.bridge
    flow = ctx.flow
    cache = ctx.cache.tables
    tables = bridge.tables.tables
    table_id = ctx.table_id
    if flow >> h.NW_FRAG.shift & NW_FRAG_ANY and bridge.frag_handling != FRAG_NX_MATCH:
        if bridge.frag_handling == FRAG_DROP:
            cache.append((tables[table_id], True))
            return bridge.drop_frags_rule
        flow &= _NO_PORTS  # pretend that fragments have no transport header
    flow_port = flow >> h.IN_PORT.shift & 0xFFFFFFFF
    if in_port != flow_port:
        flow = flow & _NO_IN_PORT | in_port << h.IN_PORT.shift
    miss = MISS_CONTINUE
    while table_id < N_TABLES:
        ctx.table_id = table_id
        table = tables[table_id]
        rule, ctx.wildcards = table.classifier.lookup(flow, ctx.wildcards)
        cache.append((table, rule is not None))
        if rule is not None:
            return rule
        if not honor_miss:
            break
        miss = table.miss
        if miss != MISS_CONTINUE:
            break
        table_id += 1
        if table_id == INTERNAL_TABLE:
            table_id += 1
    return _miss(ctx, miss, flow_port) if may_packet_in else bridge.no_packet_in_rule


def _miss(ctx: Context, miss: int, in_port: int) -> Rule:
    bridge = ctx.bridge
    if miss in {MISS_CONTINUE, MISS_CONTROLLER}:
        port = bridge.ports.get(in_port)
        if port is not None and not port.config & NO_PACKET_IN:
            return bridge.miss_rule
    elif miss == MISS_DEFAULT and bridge.wants_packet_in_on_miss():
        return bridge.miss_rule
    return bridge.no_packet_in_rule


_TUPLES4 = ("nw_proto", "nw_src", "nw_dst", "tp_src", "tp_dst")
_TUPLES6 = ("nw_proto", "ipv6_src", "ipv6_dst", "tp_src", "tp_dst")


def _swap_tuples(ctx: Context) -> None:
    """Exchange the packet's addresses with its connection's original ones."""
    names = _TUPLES4 if h.DL_TYPE.get(ctx.flow) == h.ETH_TYPE_IP else _TUPLES6
    for name in names:
        one, other = SLOTS[name], SLOTS["ct_" + name]
        for attribute in ("flow", "wildcards"):
            value = getattr(ctx, attribute)
            a, b = one.get(value), other.get(value)
            setattr(ctx, attribute, other.put(one.put(value, b), a))


def _report_table(ctx: Context, rule: Rule, table_id: int) -> list[c.TraceNode] | None:
    return ctx.report(c.TABLE, f"{table_id:2d}. {_describe(ctx, rule)}")


def _describe(ctx: Context, rule: Rule) -> str:
    ofproto = ctx.bridge
    if rule is ofproto.miss_rule:
        return 'No match, and a "packet-in" is called for.'
    if rule is ofproto.no_packet_in_rule:
        return "No match."
    if rule is ofproto.drop_frags_rule:
        return 'Packets are IP fragments and the fragment handling mode is "drop".'
    from ovswitch.flow.text import format_match

    ports = ctx.names.ports if ctx.names is not None else None
    text = format_match(rule.match, ports)
    if text and not text.endswith(" "):
        text += ", "
    text += f"priority {rule.priority}"
    if rule.cookie:
        text += f", cookie {rule.cookie:#x}"
    return text


# A whole translation.


def translate(ctx: Context, actions: tuple[t.Action, ...] | None = None) -> None:
    """Translate the context's flow into datapath actions.

    The flow table says what happens, or `actions` if they are given. On failure
    `ctx.error` says why, and the datapath actions drop. `ctx.recircs` holds references
    that whoever keeps the result must release.
    """
    ctx.base_flow &= NO_TUNNEL
    ctx.wildcards = _ALWAYS
    if h.is_ip_any(ctx.flow):
        ctx.wildcards |= _FRAG_BITS
    outer_trace = ctx.trace
    ctx.trace = ctx.report(c.BRIDGE, f'bridge("{ctx.bridge.name}")')
    _translate(ctx, actions)
    ctx.trace = outer_trace
    if ctx.error:
        ctx.slow = 0
        ctx.odp.clear()
    else:
        _flatten_last_clone(ctx)
    if not ctx.odp and ctx.bridge.support.explicit_drop_action:
        ctx.odp.append(odp.drop(ctx.error))
    if ctx.error in {c.CONGESTION_DROP, c.FORWARDING_DISABLED}:
        ctx.error = c.OK


def _translate(ctx: Context, actions: tuple[t.Action, ...] | None) -> None:
    in_bridge = ctx.bridge
    recirc_id = h.RECIRC_ID.get(ctx.flow)
    if recirc_id or ctx.frozen_state is not None:
        actions = _begin_frozen(ctx, recirc_id, actions)
        if ctx.error:
            return
        is_frozen = True
    else:
        is_frozen = False
        if ctx.flow & _CS_TRACKED:
            ctx.conntracked = True
    in_port = in_bridge.ports.get(h.IN_PORT.get(ctx.base_flow))
    if in_port is not None and in_port.odp_port is not None:
        ctx.xport = in_port
    if not actions and ctx.rule is None and not (actions is not None and not is_frozen):
        number = h.IN_PORT.get(ctx.flow)
        ctx.rule = _lookup(ctx, number, may_packet_in=True, honor_miss=True)
        ctx.cache.rules.append(ctx.rule)
        if ctx.trace is not None:
            ctx.trace = _report_table(ctx, ctx.rule, ctx.table_id)
        actions = None
    if (
        not is_frozen
        and in_port is not None
        and ctx.bridge.process_special(ctx, in_port)
    ):
        mirror.mirror_ingress(ctx)
    elif in_port is not None and in_port.bundle and in_port.bundle.mirror_out:
        ctx.report_error(
            f"dropping packet received on port {in_port.bundle.name}, which is reserved"
            " exclusively for mirroring"
        )
    else:
        if in_port is None or output.may_receive(ctx, in_port):
            _execute(ctx, actions, may_forward=in_port is None or in_port.may_forward)
            if ctx.error and ctx.error != c.FORWARDING_DISABLED:
                return
        if not ctx.freezing and ctx.bridge.in_band is not None:
            _in_band_output(ctx)
    _check_size(ctx)
    _finish_wildcards(ctx)


def _begin_frozen(
    ctx: Context, recirc_id: int, actions: tuple[t.Action, ...] | None
) -> tuple[t.Action, ...] | None:
    """Thaw the state that the packet's recirculation id names."""
    state = ctx.frozen_state
    if state is None:
        state = ctx.ofproto.backer.recirc.find(recirc_id)
    if state is None:
        ctx.report_error(f"Recirculation context not found for ID {recirc_id:x}")
        ctx.error = c.NO_RECIRCULATION_CONTEXT
        return None
    trace = ctx.trace
    ctx.trace = ctx.report(c.THAW, "thaw")
    if actions or ctx.rule is not None:
        kind = "actions" if actions else "rule"
        ctx.report_error(f"Recirculation conflict ({kind})!")
        ctx.error = c.RECIRCULATION_CONFLICT
        return None
    if state.bridge != ctx.bridge.uuid:
        bridge = ctx.ofproto.backer.find_by_uuid(state.bridge)
        if bridge is None:
            ctx.report_error("Frozen bridge no longer exists.")
            ctx.error = c.BRIDGE_NOT_FOUND
            ctx.trace = trace
            return None
        ctx.bridge = bridge
    ctx.frozen_state = state
    actions = recirc.thaw(ctx, state)
    if state.action_set:
        _report_actions(ctx, "Restoring action set", state.action_set)
        write_actions(ctx, state.action_set)
    if actions:
        _report_actions(ctx, "Restoring actions", actions)
    ctx.trace = trace
    return actions


def _report_actions(ctx: Context, title: str, actions: tuple[t.Action, ...]) -> None:
    if ctx.trace is not None:
        text = ofactions.format_actions(actions, ctx.names)
        ctx.report(c.THAW, f"{title}: {text}")


def write_actions(ctx: Context, actions: tuple[t.Action, ...]) -> None:
    """Merge `actions` into the action set, and note where it outputs to."""
    if not ctx.action_set_has_group:
        for action in actions:
            if isinstance(action, t.Output):
                ctx.flow = h.ACTSET_OUTPUT.put(ctx.flow, action.port)
            elif isinstance(action, t.Group):
                ctx.flow = h.ACTSET_OUTPUT.put(ctx.flow, c.OFPP_UNSET)
                ctx.action_set_has_group = True
                break
    ctx.action_set.extend(actions)


def _execute(
    ctx: Context, actions: tuple[t.Action, ...] | None, *, may_forward: bool
) -> None:
    """Run the actions of the packet's rule, or those given, and what follows."""
    if actions:
        program = compile_actions(actions)
    elif ctx.rule is not None:
        rule = ctx.rule
        ctx.rule_cookie = rule.cookie
        if rule.program is None:
            rule.program = compile_actions(rule.actions)
        program = rule.program
    else:
        program = compile_actions(())
    mirror.mirror_ingress(ctx)
    run(ctx, program, True)
    if ctx.error:
        return
    if not may_forward:
        # NORMAL and learn have had their look; spanning tree lets nothing out.
        ctx.odp.clear()
        ctx.cancel_freeze()
        ctx.action_set = []
        ctx.error = c.FORWARDING_DISABLED
    finish_actions(ctx)


_DHCP_SERVER, _DHCP_CLIENT, _IPPROTO_UDP = 67, 68, 17


def _in_band_output(ctx: Context) -> None:
    """Give DHCP replies for the local port to it, whatever the flows say."""
    flow = ctx.flow
    if (
        h.DL_TYPE.get(flow) != h.ETH_TYPE_IP
        or h.NW_PROTO.get(flow) != _IPPROTO_UDP
        or h.TP_SRC.get(flow) != _DHCP_SERVER
        or h.TP_DST.get(flow) != _DHCP_CLIENT
    ):
        return
    local = ctx.bridge.ports.get(OFPP_LOCAL)
    if (
        local is not None
        and local.odp_port is not None
        and odp.output(local.odp_port) in ctx.odp
    ):
        return
    ctx.wildcards |= h.NW_PROTO.mask | _PORTS | h.DL_TYPE.mask
    ctx.report(c.DETAIL, "outputting DHCP packet to local port for in-band control")
    output.compose_output(ctx, OFPP_LOCAL)


def _check_size(ctx: Context) -> None:
    """Keep flows with more actions than the datapath takes in userspace."""
    if len(ctx.odp) <= _SMALL:
        return
    outputs = sum(_attribute_type(action) in _OUTPUTS for action in ctx.odp)
    if sum(map(len, ctx.odp)) > c.MAX_ACTIONS_SIZE - 4 or outputs > _MAX_OUTPUTS:
        ctx.slow |= SLOW_ACTION


_OUTPUTS = frozenset({n.OVS_ACTION_ATTR_OUTPUT, n.OVS_ACTION_ATTR_LB_OUTPUT})
_NLA_HEADER = 4


def _attribute_type(action: bytes) -> int:
    return int.from_bytes(action[2:_NLA_HEADER], sys.byteorder) & 0x3FFF


def _flatten_last_clone(ctx: Context) -> None:
    """A clone at the end needs no copy: do its actions themselves."""
    if ctx.odp and _attribute_type(ctx.odp[-1]) == n.OVS_ACTION_ATTR_CLONE:
        ctx.odp[-1] = ctx.odp[-1][_NLA_HEADER:]


_NOT_PACKET = h.without(
    h.METADATA.mask | h.ACTSET_OUTPUT.mask | SLOTS["conj_id"].mask | REGS_MASK
)
_NO_ADDRESSES = h.without(h.DL_SRC.mask | h.DL_DST.mask)
_NO_HIGH_PORT_OCTETS = h.without(0xFF00 << h.TP_SRC.shift | 0xFF00 << h.TP_DST.shift)
_NO_MPLS = h.without(h.MPLS_MASK)
_NO_TAGS = (
    h.without(h.TPID0.mask | h.TCI0.mask),
    h.without(h.TPID1.mask | h.TCI1.mask),
)
_TUNNEL_DST = SLOTS["tun_dst"].mask | SLOTS["tun_ipv6_dst"].mask
_ICMP_OF = {h.ETH_TYPE_IP: 1, h.ETH_TYPE_IPV6: 58}


def _finish_wildcards(ctx: Context) -> None:
    """Drop what isn't in the original packet, or can't be matched there."""
    wildcards = ctx.wildcards & _NOT_PACKET
    flow, upcall_flow = ctx.flow, ctx.upcall_flow
    if upcall_flow & h.PACKET_TYPE.mask:
        wildcards &= _NO_ADDRESSES
    dl_type = flow >> h.DL_TYPE.shift & 0xFFFF
    if _ICMP_OF.get(dl_type) == flow >> h.NW_PROTO.shift & 0xFF:
        wildcards &= _NO_HIGH_PORT_OCTETS
    tags = upcall_flow >> h.VLANS_SHIFT
    if wildcards & h.VLANS_MASK:
        if not h.is_vlan_type(tags >> 48 & 0xFFFF):
            wildcards &= _NO_TAGS[0]
        elif wildcards & h.TCI0.mask:
            wildcards |= VLAN_CFI << h.TCI0.shift
        if not h.is_vlan_type(tags >> 16 & 0xFFFF):
            wildcards &= _NO_TAGS[1]
        elif wildcards & h.TCI1.mask:
            wildcards |= VLAN_CFI << h.TCI1.shift
    if h.is_later_fragment(flow):
        wildcards &= _NO_PORTS
    if wildcards & h.MPLS_MASK and not h.is_mpls(h.DL_TYPE.get(upcall_flow)):
        wildcards &= _NO_MPLS
    if not upcall_flow & _TUNNEL_DST:
        wildcards &= NO_TUNNEL
    ctx.wildcards = wildcards
