# SPDX-License-Identifier: Apache-2.0
"""Printing flows: their changes, their statistics, their end."""

from __future__ import annotations

from ovswitch.flow.names import OFPP_NONE
from ovswitch.openflow import actions as ofpacts
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.codec import decode_body
from ovswitch.openflow.messages import flow_mod as mods
from ovswitch.openflow.messages import flow_stats
from ovswitch.openflow.messages.base import DEFAULT_CONTEXT, NO_BUFFER, OFPTT_ALL, U64
from ovswitch.openflow.messages.flow_removed import REASONS, FlowRemoved
from ovswitch.openflow.text.output import OFP_DEFAULT_PRIORITY, duration
from ovswitch.openflow.version import OF11

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.text.output import Out
    from ovswitch.openflow.wire import Cursor

_COMMANDS = ("ADD", "MOD", "MOD_STRICT", "DEL", "DEL_STRICT")
_FLAGS = (
    (mods.SEND_FLOW_REM, "send_flow_rem "),
    (mods.CHECK_OVERLAP, "check_overlap "),
    (mods.RESET_COUNTS, "reset_counts "),
    (mods.NO_PKT_COUNTS, "no_packet_counts "),
    (mods.NO_BYT_COUNTS, "no_byte_counts "),
)


def format_flags(flags: int) -> str:
    """Return a flow's flags, each with a space behind."""
    return "".join(name for bit, name in _FLAGS if flags & bit)


def _flow_mod_match(out: Out, mod: mods.FlowMod, octets: bytes, form: str) -> str:
    """Return a flow mod's match; when verbose, as it is on the wire."""
    if out.verbosity >= 3:
        from ovswitch.openflow.text import wire_match

        if form == "OFPT10":
            return wire_match.format_match10(octets, out.verbosity, out.ports)
        if form == "NXT":
            size = int.from_bytes(octets[24:26], "big")
            return wire_match.format_nxm(octets[32 : 32 + size])
    return out.match(mod.match, mod.priority)


def _flow_mod(out: Out, header: raws.Header, cursor: Cursor) -> None:
    octets = cursor.peek()
    mod = decode_body(header, cursor)
    assert isinstance(mod, mods.FlowMod)
    out.put(f" {_COMMANDS[mod.command]}")
    if mod.table_id or out.has_table_name(mod.table_id):
        out.put(f" table:{out.table(mod.table_id)}")
    form = header.raw.form
    match = _flow_mod_match(out, mod, octets, form)
    out.put(f" {match} " if match else " ")
    if mod.new_cookie not in (0, U64):
        out.put(f"cookie:{mod.new_cookie:#x} ")
    if mod.cookie_mask:
        out.put(f"cookie:0x{mod.cookie:x}/0x{mod.cookie_mask:x} ")
    if mod.idle_timeout:
        out.put(f"idle:{mod.idle_timeout} ")
    if mod.hard_timeout:
        out.put(f"hard:{mod.hard_timeout} ")
    if mod.importance:
        out.put(f"importance:{mod.importance} ")
    is_raw = out.verbosity >= 3 and form in ("OFPT10", "NXT")
    if mod.priority != OFP_DEFAULT_PRIORITY and is_raw:
        out.put(f"pri:{mod.priority} ")
    if mod.buffer_id != NO_BUFFER:
        out.put(f"buf:0x{mod.buffer_id:x} ")
    if mod.out_port != OFPP_NONE:
        out.put(f"out_port:{out.port(mod.out_port)} ")
    # Before 1.2 counters are reset by an "add" and by nothing else: not worth telling.
    flags = mod.flags if header.version > OF11 else mod.flags & ~mods.RESET_COUNTS
    out.put(format_flags(flags))
    out.put("actions=" + ofpacts.format_actions(mod.actions, out.names))


def _flow_removed(out: Out, header: raws.Header, cursor: Cursor) -> None:
    removed = decode_body(header, cursor)
    assert isinstance(removed, FlowRemoved)
    reason = str(removed.reason)
    if removed.reason < len(REASONS):
        reason = REASONS[removed.reason]
    out.put(f" {out.match(removed.match, removed.priority)} reason={reason}")
    if removed.table_id != OFPTT_ALL:
        out.put(f" table_id={out.table(removed.table_id)}")
    if removed.cookie:
        out.put(f" cookie:0x{removed.cookie:x}")
    age = duration(removed.duration_sec, removed.duration_nsec)
    out.put(f" duration{age} idle{removed.idle_timeout}")
    if removed.hard_timeout:
        out.put(f" hard{removed.hard_timeout}")
    out.put(f" pkts{removed.packet_count} bytes{removed.byte_count}\n")


def _stats_request(out: Out, header: raws.Header, cursor: Cursor) -> None:
    request = decode_body(header, cursor)
    assert isinstance(request, flow_stats.FlowStatsRequest)
    if request.table_id != OFPTT_ALL:
        out.put(f" table={out.table(request.table_id)}")
    if request.out_port != OFPP_NONE:
        out.put(f" out_port={out.port(request.out_port)}")
    out.put(" " + out.match(request.match))


def format_flow_stats(
    out: Out, flow: flow_stats.FlowStats, show_stats: bool = True
) -> str:
    """Return one line, without its end, about a flow."""
    param, end = colors.param, colors.end
    parts: list[str] = []
    put = parts.append
    if show_stats or flow.cookie:
        put(f"{param}cookie={end}0x{flow.cookie:x}, ")
    if show_stats:
        age = duration(flow.duration_sec, flow.duration_nsec)
        put(f"{param}duration={end}{age}, ")
    if show_stats or flow.table_id or out.has_table_name(flow.table_id):
        put(f"{colors.special}table={end}{out.table(flow.table_id)}, ")
    if show_stats:
        packets, octets = flow.packet_count, flow.byte_count
        put(f"{param}n_packets={end}{'?' if packets == U64 else packets}, ")
        put(f"{param}n_bytes={end}{'?' if octets == U64 else octets}, ")
    if flow.idle_timeout:
        put(f"{param}idle_timeout={end}{flow.idle_timeout}, ")
    if flow.hard_timeout:
        put(f"{param}hard_timeout={end}{flow.hard_timeout}, ")
    if flow.flags:
        put(format_flags(flow.flags))
    if flow.importance:
        put(f"{param}importance={end}{flow.importance}, ")
    if show_stats and flow.idle_age >= 0:
        put(f"{param}idle_age={end}{flow.idle_age}, ")
    if show_stats and flow.hard_age >= 0 and flow.hard_age != flow.duration_sec:
        put(f"{param}hard_age={end}{flow.hard_age}, ")
    match = out.match(flow.match, flow.priority)
    if match:
        put(match + " ")
    actions = ofpacts.format_actions(flow.actions, out.names)
    put(f"{colors.actions}actions={end}{actions}")
    return "".join(parts)


def _stats_reply(out: Out, header: raws.Header, cursor: Cursor) -> None:
    for flow in flow_stats.take_all(header, cursor, DEFAULT_CONTEXT):
        out.put("\n " + format_flow_stats(out, flow))


def _aggregate(out: Out, header: raws.Header, cursor: Cursor) -> None:
    reply = decode_body(header, cursor)
    assert isinstance(reply, flow_stats.AggregateStatsReply)
    out.put(
        f" packet_count={reply.packet_count} byte_count={reply.byte_count}"
        f" flow_count={reply.flow_count}"
    )


PRINTERS = {
    "FLOW_MOD": _flow_mod,
    "FLOW_REMOVED": _flow_removed,
    "FLOW_STATS_REQUEST": _stats_request,
    "FLOW_STATS_REPLY": _stats_reply,
    "AGGREGATE_STATS_REQUEST": _stats_request,
    "AGGREGATE_STATS_REPLY": _aggregate,
}
