# SPDX-License-Identifier: Apache-2.0
"""Flow monitors: what one connection is told of changes of the flow tables.

A monitor says which flows and which kinds of changes. What one flow mod changes goes
out together, once it is done. Changes that the connection asked for itself are told in
one short notice that they are done (ABBREV), unless a monitor wants its own in full.

When too much of this waits to be sent, the connection pauses: it is told of removals
only, and only of flows that it knows of. Which flows came or changed meanwhile is
noted, so that memory is bounded by the number of flows; they are told when all has
been sent.

Sources: ONF EXT-187; OpenFlow 1.5.1 §7.3.5.19; ofctl's man page; nicira-ext.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow.names import OFPP_NONE
from ovswitch.ofproto import multipart
from ovswitch.openflow import raws
from ovswitch.openflow.actions import outputs_to_group, outputs_to_port
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import OFPG_ANY, OFPTT_ALL
from ovswitch.openflow.messages.core import FlowMonitorPaused, FlowMonitorResumed
from ovswitch.openflow.messages.flow_monitor import (
    ADD,
    INITIAL,
    INSTRUCTIONS,
    MODIFY,
    OFPFME_ABBREV,
    OFPFME_ADDED,
    OFPFME_INITIAL,
    OFPFME_MODIFIED,
    OFPFME_PAUSED,
    OFPFME_REMOVED,
    OFPFME_RESUMED,
    ONLY_OWN,
    REMOVED,
    FlowMonitor,
    FlowMonitorReply,
    FlowUpdate,
    form_of,
)
from ovswitch.openflow.version import OF14
from ovswitch.runtime import coverage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ovswitch.ofproto.in_flight import InFlight
    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.requests.request import Request
    from ovswitch.ofproto.rule import Rule
    from ovswitch.openflow.actions.types import Action

_pauses = coverage.Counter("ofmonitor_pause")
_resumptions = coverage.Counter("ofmonitor_resume")

_MAX_MONITORS = 4096
_PAUSE_BYTES = 128 << 10


class FlowMonitors:
    """The monitors of one connection, and what they have heard."""

    __slots__ = ("_has_abbrev", "_monitors", "_ofconn", "_paused", "_updates")

    def __init__(self, ofconn: Ofconn) -> None:
        self._ofconn = ofconn
        self._monitors: dict[int, FlowMonitor] = {}
        self._updates: list[FlowUpdate] = []
        self._has_abbrev = False
        #: While paused: the rules that came (ADD | MODIFY) or changed (MODIFY).
        self._paused: dict[Rule, int] | None = None

    def __bool__(self) -> bool:
        return bool(self._monitors)

    @property
    def is_paused(self) -> bool:
        """Whether only removals are told."""
        return self._paused is not None

    # Monitors.

    def add(self, monitor: FlowMonitor) -> None:
        """Add a monitor. Raises: OpenFlowError: its number is taken."""
        if monitor.id in self._monitors:
            raise OpenFlowError("OFPMOFC_MONITOR_EXISTS")
        if len(self._monitors) >= _MAX_MONITORS:
            raise OpenFlowError("OFPMOFC_UNKNOWN")
        self._monitors[monitor.id] = monitor

    def remove(self, monitor_id: int) -> None:
        """Forget a monitor. Raises: OpenFlowError: there is none of that number."""
        if monitor_id not in self._monitors:
            raise OpenFlowError("OFPMOFC_UNKNOWN_MONITOR")
        del self._monitors[monitor_id]

    def discard(self, monitors: Iterable[FlowMonitor]) -> None:
        """Forget monitors, those that are still there."""
        for monitor in monitors:
            if self._monitors.get(monitor.id) is monitor:
                del self._monitors[monitor.id]

    def initial(self, monitors: Iterable[FlowMonitor]) -> list[FlowUpdate]:
        """Return the flows that new monitors want to hear of at once."""
        found: dict[Rule, int] = {}
        for monitor in monitors:
            if monitor.flags & INITIAL:
                for rule in _rules(self._ofconn, monitor):
                    flags = found.get(rule, 0)
                    found[rule] = flags | monitor.flags & INSTRUCTIONS
        return [_update(OFPFME_INITIAL, rule, flags) for rule, flags in found.items()]

    # What happens to rules.

    def rule_added(
        self, rule: Rule, replaced: Rule | None, source: Request | None
    ) -> None:
        """Hear of a rule that was added, perhaps in place of another one."""
        if self._paused is not None:
            if replaced is not None:
                self._paused.pop(replaced, None)
            self._paused[rule] = ADD | MODIFY
            return
        self._report(OFPFME_ADDED, ADD, rule, source, _other_actions(rule, replaced))

    def rule_modified(self, rule: Rule, old: Rule, source: Request | None) -> None:
        """Hear of a rule that took the place of `old`."""
        if self._paused is not None:
            self._paused[rule] = self._paused.pop(old, 0) | MODIFY
            return
        actions = _other_actions(rule, old)
        if actions is not None or rule.cookie != old.cookie:
            self._report(OFPFME_MODIFIED, MODIFY, rule, source, actions)

    def rule_removed(self, rule: Rule, source: Request | None) -> None:
        """Hear of a rule that is gone."""
        if self._paused is not None and self._paused.pop(rule, 0) & ADD:
            return  # it came and went during the pause
        self._report(OFPFME_REMOVED, REMOVED, rule, source)

    def _report(
        self,
        event: int,
        kind: int,
        rule: Rule,
        source: Request | None,
        old_actions: tuple[Action, ...] | None = None,
    ) -> None:
        flags = 0
        for monitor in self._monitors.values():
            if monitor.flags & kind and _is_about(monitor, rule, old_actions):
                flags |= monitor.flags
        if not flags:
            return
        is_own = source is not None and source.ofconn is self._ofconn
        if not is_own or flags & ONLY_OWN or self.is_paused:
            self._updates.append(_update(event, rule, flags))
        elif not self._has_abbrev:
            assert source is not None
            update = FlowUpdate(OFPFME_ABBREV)
            update.xid = source.xid
            self._updates.append(update)
            self._has_abbrev = True

    # Sending.

    def flush(self) -> None:
        """Send what was heard of one flow mod; pause if too much waits."""
        if not self._updates:
            return
        ofconn = self._ofconn
        updates, self._updates = self._updates, []
        self._has_abbrev = False
        self._send(updates, ofconn.updates)
        ofconn.update_counters()
        if self._paused is None and ofconn.updates.n_bytes > _PAUSE_BYTES:
            _pauses.add()
            self._paused = {}
            self._send_pause(OFPFME_PAUSED)

    def _send(self, updates: list[FlowUpdate], counter: InFlight | None = None) -> None:
        version = self._ofconn.version
        raw = raws.find(FlowMonitorReply.type, version, form_of(version))
        entries = (update.encode(version) for update in updates)
        for octets in multipart.reply(raw, version, 0, entries):
            self._ofconn.send(octets, counter)

    def _send_pause(self, event: int) -> None:
        counter = self._ofconn.updates if event == OFPFME_PAUSED else None
        if self._ofconn.version >= OF14:
            self._send([FlowUpdate(event)], counter)
        else:
            is_pause = event == OFPFME_PAUSED
            message = FlowMonitorPaused() if is_pause else FlowMonitorResumed()
            self._ofconn.send(message.encode(self._ofconn.protocol), counter)

    def run(self) -> None:
        """End a pause when all has been sent."""
        if self._paused is not None and not self._ofconn.updates:
            _resumptions.add()
            paused, self._paused = self._paused, None
            updates = self._refresh(paused)
            if updates:
                self._send(updates)
            self._send_pause(OFPFME_RESUMED)

    def _refresh(self, paused: dict[Rule, int]) -> list[FlowUpdate]:
        """Return what happened during a pause."""
        updates = []
        for rule, kinds in paused.items():
            flags = 0
            for monitor in self._monitors.values():
                if monitor.flags & kinds and _is_about(monitor, rule):
                    flags |= monitor.flags
            if flags:
                event = OFPFME_ADDED if kinds & ADD else OFPFME_MODIFIED
                updates.append(_update(event, rule, flags))
        return updates


def _update(event: int, rule: Rule, flags: int) -> FlowUpdate:
    update = FlowUpdate(
        event,
        rule.match,
        rule.priority,
        rule.table_id,
        rule.actions if flags & INSTRUCTIONS else (),
        rule.cookie,
    )
    update.idle_timeout = rule.idle_timeout
    update.hard_timeout = rule.hard_timeout
    if event == OFPFME_REMOVED:
        update.reason = rule.removed_reason or 0
    return update


def _other_actions(rule: Rule, old: Rule | None) -> tuple[Action, ...] | None:
    """Return the old actions if they were others."""
    return None if old is None or old.actions == rule.actions else old.actions


def _is_about(
    monitor: FlowMonitor, rule: Rule, old_actions: tuple[Action, ...] | None = None
) -> bool:
    """Return whether a rule is one of those that a monitor asks for."""
    if monitor.table_id not in {OFPTT_ALL, rule.table_id}:
        return False
    if not monitor.match.covers(rule.match):
        return False
    port, group = monitor.out_port, monitor.out_group
    if port != OFPP_NONE and not (
        outputs_to_port(rule.actions, port)
        or (old_actions is not None and outputs_to_port(old_actions, port))
    ):
        return False
    return group == OFPG_ANY or outputs_to_group(rule.actions, group)


def _rules(ofconn: Ofconn, monitor: FlowMonitor) -> list[Rule]:
    """Return the rules that a monitor asks for."""
    tables = ofconn.ofproto.tables
    if monitor.table_id == OFPTT_ALL:
        chosen = [table for table in tables if not table.hidden]
    else:
        chosen = [tables.tables[monitor.table_id]]
    return [
        rule
        for table in chosen
        if table.n_flows
        for rule in table.classifier.matching(monitor.match)
        if not rule.is_hidden and _is_about(monitor, rule)
    ]
