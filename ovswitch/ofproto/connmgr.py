# SPDX-License-Identifier: Apache-2.0
"""A switch's OpenFlow connections: who is connected, in which role, and what they hear.

It knows no sockets: a shell hands in connections (`connect`), their messages
(`receive`) and their ends (`disconnect`), and answers go out through `Connection.send`.
What messages ask for is done in `requests/`.

The switch tells it of ports and packets; as an observer of the flow tables it hears of
rules. From these come port status, packet-in, flow removed and flow monitor messages.

Without controllers a standalone switch forwards as NORMAL, through an ordinary flow of
priority 0; a secure one has no flow. When the first controller is configured and when
the last one goes, the tables are flushed. `fail_open` is for controllers that are gone.

For `bridge/`:

    connmgr.set_controllers(settings)      all configured ones, before they connect
    connmgr.set_fail_mode(is_secure=...)
    connmgr.set_in_band(local, remotes, queue_id)
    connmgr.set_port_up = function         (port, whether up) -> whether it worked
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow.match import MATCH_ALL
from ovswitch.flow.names import OFPP_NORMAL
from ovswitch.ofproto import requests, vacancy
from ovswitch.ofproto.admission import Admissions
from ovswitch.ofproto.bundles import DEFAULT_IDLE_TIMEOUT_MS
from ovswitch.ofproto.fail_open import FailOpen
from ovswitch.ofproto.in_band import InBand
from ovswitch.ofproto.ofconn import Ofconn
from ovswitch.ofproto.packet_in_message import message_of
from ovswitch.ofproto.port_desc import describe
from ovswitch.ofproto.requests.request import Request
from ovswitch.ofproto.rule import SEND_FLOW_REM
from ovswitch.ofproto.ticks import duration
from ovswitch.openflow.actions.types import Output
from ovswitch.openflow.messages.async_config import (
    FLOW_REMOVED,
    PACKET_IN,
    PORT_STATUS,
)
from ovswitch.openflow.messages.base import U64
from ovswitch.openflow.messages.flow_removed import FlowRemoved
from ovswitch.openflow.messages.port import (
    OFPPR_ADD,
    OFPPR_DELETE,
    OFPPR_MODIFY,
    PortStatus,
)
from ovswitch.openflow.messages.role import (
    EQUAL,
    PRIMARY,
    PRIMARY_REQUEST,
    SECONDARY,
    RoleStatus,
)
from ovswitch.openflow.version import OF13, OF15
from ovswitch.runtime import coverage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ovswitch.netdev.provider import Netdev
    from ovswitch.ofproto.in_band import Remote
    from ovswitch.ofproto.ofconn import Connection, Settings
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.packet_in import PacketInEvent
    from ovswitch.ofproto.port import Port
    from ovswitch.ofproto.rule import Rule
    from ovswitch.ofproto.table import FlowTable
    from ovswitch.openflow.messages.packet_in import PacketIn
    from ovswitch.openflow.messages.port import PhyPort

_received = coverage.Counter("ofproto_recv_openflow")

_SIGN_BIT = 1 << 63
_RANKS = {PRIMARY: 3, EQUAL: 2, SECONDARY: 1}


class Connmgr:
    """The OpenFlow connections of one switch.

    Attributes:
        connections: the live ones, in the order they came.
        bundle_idle_timeout: after how many ms an unused bundle is forgotten.
        is_secure: what happens without controllers: nothing, or NORMAL forwarding.
        generation_id: the latest election of a primary, None before the first.
        set_port_up: brings a port's device up or down; None without devices.
    """

    __slots__ = (
        "_admissions", "_changing_port", "_descriptions", "_evictions", "_settings",
        "bundle_idle_timeout", "connections", "fail_open", "generation_id", "is_secure",
        "ofproto", "set_port_up",
    )  # fmt: skip

    def __init__(self, ofproto: Ofproto) -> None:
        self.ofproto = ofproto
        self.connections: dict[Connection, Ofconn] = {}
        self.bundle_idle_timeout = DEFAULT_IDLE_TIMEOUT_MS
        self.is_secure = True
        self.generation_id: int | None = None
        self.fail_open: FailOpen | None = None
        self.set_port_up: Callable[[Port, bool], bool] | None = None
        self._settings: dict[str, Settings] = {}
        self._admissions = Admissions()
        self._descriptions: dict[Port, PhyPort] = {}
        self._changing_port: Ofconn | None = None
        self._evictions: dict[FlowTable, bool] = {}  # asked for; and what was before

    def destroy(self) -> None:
        """Forget all connections."""
        for connection in list(self.connections):
            self.disconnect(connection)
        self.fail_open = None

    # What the shell calls.

    def connect(self, connection: Connection, settings: Settings) -> None:
        """Take a new connection, whose version is agreed on."""
        self.connections[connection] = Ofconn(self, connection, settings)
        self._controllers_changed(settings)

    def configure(self, connection: Connection, settings: Settings) -> None:
        """Take changed settings of a connection."""
        self.connections[connection].configure(settings)

    def receive(self, connection: Connection, message: bytes) -> None:
        """Take a message and answer it; long answers need `resume()`."""
        ofconn = self.connections[connection]
        ofconn.finish()
        _received.add()
        self._admissions.heard(ofconn, message, self.ofproto.clock())
        if self.fail_open is not None:
            self.fail_open.recover_if_admitted()
        requests.handle(ofconn, message)

    def resume(self, connection: Connection) -> bool:
        """Go on with a long job or answer; return whether there is still more of it.

        A shell that calls this, once its send buffer has room, before it reads the
        next message keeps the buffer small. `run()` does it otherwise.
        """
        return self.connections[connection].resume()

    def must_wait(self, connection: Connection) -> bool:
        """Return whether another connection's request must be complete first."""
        ofconn = self.connections.get(connection)
        own = ofconn is not None and ofconn.has_job
        return self.ofproto.backer.n_commits > own

    def disconnect(self, connection: Connection) -> None:
        """Forget a connection that is gone."""
        ofconn = self.connections.get(connection)
        if ofconn is not None:
            ofconn.finish_job()
            del self.connections[connection]
            ofconn.flow_mod_log.report(self.ofproto.clock())
            self._controllers_changed(ofconn.settings)

    def _controllers_changed(self, settings: Settings) -> None:
        """Note that misses may be for someone now, or for nobody any more.

        Management connections come and go too often to check all cached flows.
        """
        if settings.is_primary:
            self.ofproto.backer.need_revalidate("reconfigure")

    def role_rank(self, connection: Connection) -> int:
        """Return how much a connection matters to snoopers: the primary's most."""
        ofconn = self.connections.get(connection)
        return 0 if ofconn is None else _RANKS.get(ofconn.role, 0)

    def role(self, connection: Connection) -> int:
        """Return a connection's role, as `messages.role` numbers them."""
        return self.connections[connection].role

    def packet_in_counts(self, connection: Connection) -> dict[str, int]:
        """Return how many packet-ins were held up, for the status in the database."""
        return self.connections[connection].packet_in_counts()

    def memory_usage(self) -> dict[str, int]:
        """Return how many connections there are, and packets that wait on them."""
        ofconns = self.connections.values()
        return {
            "ofconns": len(ofconns),
            "packets": sum(ofconn.n_waiting_packets for ofconn in ofconns),
        }

    # Configuration.

    def set_controllers(self, controllers: Iterable[Settings]) -> None:
        """Take the configured controllers and listeners, connected or not."""
        had_controllers = self.has_primary_controllers
        self._settings = {settings.target: settings for settings in controllers}
        self._admissions.configure(self._settings.values(), self.ofproto.clock())
        self._update_fail_open()
        if had_controllers != self.has_primary_controllers:
            self.flush_flows()

    @property
    def has_primary_controllers(self) -> bool:
        """Whether any controller is configured, management connections aside."""
        return any(settings.is_primary for settings in self._settings.values())

    def set_fail_mode(self, is_secure: bool) -> None:
        """Set what happens without controllers."""
        if is_secure != self.is_secure:
            self.is_secure = is_secure
            self._update_fail_open()
            if not self.has_primary_controllers:
                self.flush_flows()

    def set_in_band(
        self, local: Netdev, remotes: Iterable[Remote], queue_id: int = -1
    ) -> None:
        """Set which controllers and managers are reached through the switch itself.

        Args:
            local: the local port's device.
            remotes: their addresses and ports.
            queue_id: the queue for traffic with them; negative for the default.
        """
        remotes = list(remotes)
        in_band = self.ofproto.in_band
        if in_band is None:
            if not remotes:
                return
            in_band = self.ofproto.in_band = InBand(self.ofproto, local)
            self.ofproto.backer.need_revalidate("reconfigure")
        in_band.local = local
        in_band.queue_id = queue_id
        in_band.set_remotes(remotes)

    def _run_in_band(self, now: int) -> None:
        in_band = self.ofproto.in_band
        if in_band is not None and not in_band.run(now):
            self.ofproto.in_band = None
            self.ofproto.backer.need_revalidate("reconfigure")

    def _update_fail_open(self) -> None:
        if self.is_secure or not self.has_primary_controllers:
            if self.fail_open is not None:
                self.fail_open.recover()
            self.fail_open = None
        elif self.fail_open is None:
            self.fail_open = FailOpen(self)

    def flush_flows(self) -> None:
        """Remove all flows, and set up those of a switch on its own again."""
        self.ofproto.tables.flush()
        self.flush_monitors()
        if self.fail_open is not None:
            self.fail_open.flushed(self.ofproto.clock())
        if not self.has_primary_controllers and not self.is_secure:
            self.ofproto.add_flow(MATCH_ALL, 0, (Output(OFPP_NORMAL),))

    # How controllers are doing, for failing open.

    def _primaries(self) -> list[Ofconn]:
        return [ofconn for ofconn in self.connections.values() if ofconn.is_primary]

    def max_probe_interval(self) -> int:
        """Return the longest of the controllers' probe intervals, in s."""
        intervals = (
            settings.probe_interval
            for settings in self._settings.values()
            if settings.is_primary
        )
        return max(intervals, default=0)

    def failing_since(self) -> int | None:
        """Return since when, in ms, no controller has admitted us; None if one does."""
        return self._admissions.failing_since(self.connections.values())

    def failure_seconds(self, now: int) -> int:
        """Return for how long no controller has admitted us."""
        since = self.failing_since()
        return 0 if since is None else (now - since) // 1000

    def is_any_controller_connected(self) -> bool:
        """Return whether a controller is connected."""
        return bool(self._primaries())

    def is_any_controller_admitted(self) -> bool:
        """Return whether a connected controller seems to have admitted the switch."""
        return any(ofconn.is_admitted for ofconn in self._primaries())

    # Roles.

    def elect(self, generation_id: int) -> bool:
        """Take a generation id; return whether it is new (OpenFlow 1.5.1 §6.3.6)."""
        last = self.generation_id
        if last is not None and (generation_id - last) & U64 >= _SIGN_BIT:
            return False
        self.generation_id = generation_id
        return True

    def set_role(self, ofconn: Ofconn, role: int) -> None:
        """Give a connection a role; a former primary becomes a secondary."""
        if role == PRIMARY != ofconn.role:
            for other in self.connections.values():
                if other.role == PRIMARY:
                    other.role = SECONDARY
                    self._send_role_status(other)
        ofconn.role = role

    def _send_role_status(self, ofconn: Ofconn) -> None:
        if ofconn.version < OF13:
            return
        generation_id = U64 if self.generation_id is None else self.generation_id
        ofconn.reply(RoleStatus(SECONDARY, PRIMARY_REQUEST, generation_id), 0)

    # Packets.

    def wants_packet_in_on_miss(self) -> bool:
        """Return whether a miss goes to a controller by default."""
        return any(
            ofconn.wants_packet_in_on_miss for ofconn in self.connections.values()
        )

    def packet_in(self, event: PacketInEvent) -> None:
        """Send a packet from the pipeline to the controllers that it is for."""
        if self.connections:
            message = message_of(self.ofproto, event)
            self.send_packet_in(message, event.controller_id)

    def send_packet_in(self, packet_in: PacketIn, controller_id: int = 0) -> None:
        """Send a packet to the controllers with this id that want it."""
        now = self.ofproto.clock()
        for ofconn in list(self.connections.values()):
            if ofconn.controller_id == controller_id and ofconn.receives(
                PACKET_IN, packet_in.reason
            ):
                ofconn.send_packet_in(packet_in, now)

    # Ports.

    def port_added(self, port: Port) -> None:
        """Tell controllers of a new port."""
        self._descriptions[port] = describe(port)
        self._send_port_status(OFPPR_ADD, self._descriptions[port])

    def port_deleted(self, port: Port) -> None:
        """Tell controllers of a port that is gone."""
        last = self._descriptions.pop(port, None)
        self._send_port_status(OFPPR_DELETE, last or describe(port))

    def port_modified(self, port: Port) -> None:
        """Tell controllers of a change, each one if it can see it."""
        old = self._descriptions.get(port)
        new = self._descriptions[port] = describe(port)
        if new != old:
            self._send_port_status(OFPPR_MODIFY, new, old)

    def change_port(self, ofconn: Ofconn, port: Port, config: int, mask: int) -> None:
        """Change a port's configuration as a controller asks.

        Before OpenFlow 1.5 that controller isn't told of its own change.
        """
        if ofconn.version < OF15:
            self._changing_port = ofconn
        try:
            self.ofproto.port_set_config(port, config, mask)
        finally:
            self._changing_port = None

    def _send_port_status(
        self, reason: int, new: PhyPort, old: PhyPort | None = None
    ) -> None:
        status = PortStatus(reason, new)
        for ofconn in list(self.connections.values()):
            if ofconn is self._changing_port or not ofconn.receives(
                PORT_STATUS, reason
            ):
                continue
            version = ofconn.version
            if old is not None and old.encode(version) == new.encode(version):
                continue
            ofconn.reply(status, 0)

    # Tables.

    def set_eviction(self, table: FlowTable, enable: bool) -> None:
        """Let a full table give up flows, or take that back, as controllers ask."""
        if enable and table not in self._evictions:
            self._evictions[table] = table.eviction
            table.eviction = True
        elif not enable and table in self._evictions:
            table.eviction = self._evictions.pop(table)

    def has_eviction(self, table: FlowTable) -> bool:
        """Return whether a controller asked a table to give up flows."""
        return table in self._evictions

    def _report_vacancy(self, table_id: int) -> None:
        table = self.ofproto.tables.tables[table_id]
        if table.vacancy_event:
            vacancy.report(self, table)

    # Rules: an observer of the flow tables.

    def rule_added(
        self, rule: Rule, replaced: Rule | None, requester: object | None
    ) -> None:
        """Tell flow monitors."""
        for ofconn in self._watchers(rule):
            ofconn.monitors.rule_added(rule, replaced, _source(requester))
        if replaced is None:
            self._report_vacancy(rule.table_id)

    def rule_modified(self, rule: Rule, old: Rule, requester: object | None) -> None:
        """Tell flow monitors."""
        for ofconn in self._watchers(rule):
            ofconn.monitors.rule_modified(rule, old, _source(requester))

    def rule_removed(self, rule: Rule, requester: object | None) -> None:
        """Tell flow monitors and, if the rule asked for it, all controllers."""
        for ofconn in self._watchers(rule):
            ofconn.monitors.rule_removed(rule, _source(requester))
        self._report_vacancy(rule.table_id)
        if rule.flags & SEND_FLOW_REM and not rule.is_hidden:
            self._send_flow_removed(rule)

    def _watchers(self, rule: Rule) -> list[Ofconn]:
        if rule.is_hidden:
            return []
        return [ofconn for ofconn in self.connections.values() if ofconn.monitors]

    def flush_monitors(self) -> None:
        """Send what flow monitors have heard of one flow mod."""
        for ofconn in self.connections.values():
            ofconn.monitors.flush()

    def _send_flow_removed(self, rule: Rule) -> None:
        assert rule.removed_reason is not None
        removed = None
        for ofconn in list(self.connections.values()):
            if ofconn.receives(FLOW_REMOVED, rule.removed_reason):
                removed = removed or _flow_removed(rule, self.ofproto.clock())
                ofconn.reply(removed, 0)

    # Running.

    def run(self, now: int) -> None:
        """Do what is due."""
        self._run_in_band(now)
        for ofconn in list(self.connections.values()):
            ofconn.run(now)
        self.flush_monitors()
        if self.fail_open is not None:
            self.fail_open.run(now)

    def deadline(self) -> int | None:
        """Return when `run()` has something to do; None for not before events."""
        now = self.ofproto.clock()
        deadlines = [ofconn.deadline(now) for ofconn in self.connections.values()]
        if self.fail_open is not None:
            deadlines.append(self.fail_open.deadline(now))
        if self.ofproto.in_band is not None:
            deadlines.append(self.ofproto.in_band.deadline())
        return min((one for one in deadlines if one is not None), default=None)


def _source(requester: object | None) -> Request | None:
    return requester if isinstance(requester, Request) else None


def _flow_removed(rule: Rule, now: int) -> FlowRemoved:
    assert rule.removed_reason is not None
    removed = FlowRemoved(
        rule.match, rule.priority, rule.table_id, rule.removed_reason, rule.cookie
    )
    removed.duration_sec, removed.duration_nsec = duration(rule.created, now)
    removed.idle_timeout = rule.idle_timeout
    removed.hard_timeout = rule.hard_timeout
    removed.packet_count = rule.n_packets
    removed.byte_count = rule.n_bytes
    return removed
