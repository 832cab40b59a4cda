# SPDX-License-Identifier: Apache-2.0
"""Printing flow monitors and what they tell."""

from __future__ import annotations

from ovswitch.flow.names import OFPP_NONE
from ovswitch.flow.numbers import put_hex
from ovswitch.openflow import actions as ofpacts
from ovswitch.openflow.messages import flow_monitor as monitors
from ovswitch.openflow.messages.base import OFPG_ANY, OFPTT_ALL
from ovswitch.openflow.messages.flow_removed import REASONS
from ovswitch.openflow.text.output import bit_names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.openflow import raws
    from ovswitch.openflow.text.output import Out
    from ovswitch.openflow.wire import Cursor

_FLAGS = {
    monitors.INITIAL: "initial",
    monitors.ADD: "add",
    monitors.REMOVED: "delete",
    monitors.MODIFY: "modify",
    monitors.INSTRUCTIONS: "actions",
    monitors.NO_ABBREV: "no-abbrev",
    monitors.ONLY_OWN: "own",
}
_EVENTS = (
    "INITIAL", "ADDED", "DELETED reason=", "MODIFIED", "ABBREV xid=", "PAUSED",
    "RESUMED",
)  # fmt: skip


def format_monitor(out: Out, monitor: monitors.FlowMonitor) -> str:
    """Return a request for a monitor, a line with the line feed in front."""
    text = f"\n id={monitor.id}"
    if monitor.command == monitors.OFPFMC_DELETE:
        return f"{text} command=delete"
    text += f" flags={bit_names(monitor.flags, _FLAGS, ',')}"
    if monitor.out_port != OFPP_NONE:
        text += f" out_port={out.port(monitor.out_port)}"
    if monitor.out_group not in (0, OFPG_ANY):
        group = monitor.out_group
        text += f" out_group={group - (group >> 31 << 32)}"
    if monitor.table_id != OFPTT_ALL:
        text += f" table={out.table(monitor.table_id)}"
    return f"{text} {out.match(monitor.match)}".removesuffix(" ")


def format_update(out: Out, update: monitors.FlowUpdate) -> str:
    """Return an update, a line with the line feed in front."""
    event = update.event
    text = f"\n event={_EVENTS[event]}"
    if event == monitors.OFPFME_REMOVED:
        known = update.reason < len(REASONS)
        text += REASONS[update.reason] if known else str(update.reason)
    elif event == monitors.OFPFME_ABBREV:
        return f"{text}0x{update.xid:x}"
    elif event >= monitors.OFPFME_PAUSED:
        return text
    text += f" table={out.table(update.table_id)}"
    if update.idle_timeout:
        text += f" idle_timeout={update.idle_timeout}"
    if update.hard_timeout:
        text += f" hard_timeout={update.hard_timeout}"
    text += f" cookie={put_hex(update.cookie)} {out.match(update.match)}"
    if update.actions:
        text += "" if text.endswith(" ") else " "
        text += "actions=" + ofpacts.format_actions(update.actions, out.names)
    return text


def _request(out: Out, header: raws.Header, cursor: Cursor) -> None:
    while cursor.left:
        out.put(format_monitor(out, monitors.take_request(header, cursor)))


def _reply(out: Out, header: raws.Header, cursor: Cursor) -> None:
    while cursor.left:
        out.put(format_update(out, monitors.take_update(header, cursor)))


def _cancel(out: Out, header: raws.Header, cursor: Cursor) -> None:
    out.put(f" id={cursor.u32()}")


PRINTERS = {
    "FLOW_MONITOR_STATS_REQUEST": _request,
    "FLOW_MONITOR_STATS_REPLY": _reply,
    "FLOW_MONITOR_CANCEL": _cancel,
}
