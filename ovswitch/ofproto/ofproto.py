# SPDX-License-Identifier: Apache-2.0
"""One OpenFlow switch: its ports, tables, addresses and controllers' side.

Driven by calls: `bridge/` configures it, `connmgr` changes its tables for controllers,
`upcall` translates packets through it. It opens nothing, and all times are given or
come from the backer's clock (ms of monotonic time).

For `bridge/`:

    ofproto = Ofproto("br0", backer, datapath_id=0x..., uuid=row.uuid.bytes)
    port = ofproto.port_add("eth0", odp_port=3, netdev_type="system", hw_addr=...,
                            ofp_port=None)            -> Port with its OpenFlow number
    ofproto.port_del(port); ofproto.port_update(port) after changing its attributes
    ofproto.bundle_set(key, BundleSettings(...), [port, ...]); bundle_remove(key)
    ofproto.set_fail_mode(...), set_mac_aging(...), set_flood_vlans(...),
    set_forward_bpdu(...), set_mirror(...)
    ofproto.connmgr.set_controllers(...)
    ofproto.destroy()
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ovswitch.datapath.odp import actions as odp
from ovswitch.datapath.odp import cookie
from ovswitch.flow.fields import FIELDS
from ovswitch.flow.match import Match
from ovswitch.flow.names import (
    OFPP_CONTROLLER,
    OFPP_LOCAL,
    OFPP_NONE,
    NameMap,
    Names,
)
from ovswitch.ofproto import port as p
from ovswitch.ofproto.bundle import Bundle
from ovswitch.ofproto.connmgr import Connmgr
from ovswitch.ofproto.flow_mod import ADD, DELETE_STRICT, FlowMod
from ovswitch.ofproto.mac_learning import DEFAULT_IDLE_TIME, MacLearning
from ovswitch.ofproto.port import Port
from ovswitch.ofproto.port_order import hash_order
from ovswitch.ofproto.rule import Rule
from ovswitch.ofproto.table import INTERNAL_TABLE
from ovswitch.ofproto.tables import FlowTables
from ovswitch.ofproto.xlate.output import OFPR_IMPLICIT_MISS
from ovswitch.ofproto.xlate.pipeline import FRAG_NORMAL
from ovswitch.openflow.actions import types as t

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from ovswitch.flow.tun_metadata import TunTable
    from ovswitch.ofproto.backer import Backer
    from ovswitch.ofproto.bundle import BundleSettings
    from ovswitch.ofproto.features import Support
    from ovswitch.ofproto.in_band import InBand
    from ovswitch.ofproto.mirror import Mirror
    from ovswitch.ofproto.packet_in import PacketInEvent
    from ovswitch.ofproto.xlate.context import Context
    from ovswitch.openflow.actions.types import Action

MAX_PORTS = 0xFF00
_ALL_COOKIE_BITS = 0xFFFFFFFFFFFFFFFF
_EXPIRE_INTERVAL_MS = 1000

#: Lowest of the numbers that are given to ports that ask for none.
_FIRST_PORT = 1
#: Numbers from here on are only given on request.
_END_OF_AUTOMATIC_PORTS = 32768
_PORT_REST_MS = 60 * 60 * 1000


class Ofproto:
    """One switch.

    Attributes:
        uuid: 16 octets that name it in cookies of `userspace()` actions.
        ports: by OpenFlow number.
        bundles: in the order they were configured: NORMAL floods in it.
        mirrors: by number, 0 to 31.
        frag_handling: FRAG_*: what IP fragments match.
        tun_table: the names of Geneve options; None for none.
        in_band: the in-band control's state; None without.
        stp, rstp: spanning tree, None without.
        special: what takes link protocols' packets from a port, returning SLOW_* bits.
    """

    __slots__ = (
        "_bundles_by_key", "_flood_ports", "_freed_ports", "_last_port", "_names",
        "_next_expiry", "backer", "bundles", "clock", "connmgr", "datapath_id",
        "dp_desc",
        "drop_frags_rule", "forward_bpdu", "frag_handling", "hw_desc", "in_band",
        "mac_learning", "mfr_desc", "mirrors", "miss_rule", "name",
        "no_packet_in_rule", "ports", "rstp", "serial_desc", "special", "stp",
        "sw_desc", "tables", "tun_table", "uuid",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        backer: Backer,
        *,
        datapath_id: int = 0,
        uuid: bytes | None = None,
    ) -> None:
        self.name = name
        self.backer = backer
        self.clock = backer.clock
        self.datapath_id = datapath_id
        self.uuid = os.urandom(16) if uuid is None else uuid
        self.mfr_desc = "Nicira, Inc."
        self.hw_desc = "Open vSwitch"
        self.sw_desc = "3.1.0"
        self.serial_desc = "None"
        self.dp_desc = "None"
        self.tables = FlowTables(self.clock)
        self.ports: dict[int, Port] = {}
        self.bundles: list[Bundle] = []
        self._bundles_by_key: dict[Hashable, Bundle] = {}
        self._flood_ports: list[Port] | None = None
        self._names: Names | None = None
        self._last_port = 0
        self._freed_ports: dict[int, int] = {}  # number -> when it was given back
        self._next_expiry = 0
        self.mac_learning: MacLearning[Bundle] = MacLearning(DEFAULT_IDLE_TIME)
        self.mirrors: dict[int, Mirror] = {}
        self.forward_bpdu = False
        self.frag_handling = FRAG_NORMAL
        self.tun_table: TunTable | None = None
        self.in_band: InBand | None = None
        self.stp: object | None = None
        self.rstp: object | None = None
        self.special: Callable[[Context, Port], int] | None = None
        self._add_internal_rules()
        backer.ofprotos[name] = self
        self.tables.observe(self)
        self.connmgr = Connmgr(self)
        self.tables.observe(self.connmgr)

    def destroy(self) -> None:
        """Remove all ports, flows and connections."""
        self.connmgr.destroy()
        for key in list(self._bundles_by_key):
            self.bundle_remove(key)
        for port in list(self.ports.values()):
            self.port_del(port)
        self.tables.delete(list(self.tables.rules()), 2)
        self.backer.ofprotos.pop(self.name, None)
        self.backer.need_revalidate("destroy")

    # Rules of the switch itself.

    def _add_internal_rules(self) -> None:
        """Fill the internal table: where packets go that match nothing."""
        miss = t.Controller(reason=OFPR_IMPLICIT_MISS, max_len=0xFFFF)
        self.miss_rule = self._add_internal(1, (miss,))
        self.no_packet_in_rule = self._add_internal(2, ())
        self.drop_frags_rule = self._add_internal(3, ())
        match = Match().with_field(FIELDS["recirc_id"], 0)
        self._add_flow(match, 2, (), INTERNAL_TABLE)

    def _add_internal(self, register: int, actions: tuple[Action, ...]) -> Rule:
        match = Match().with_field(FIELDS["reg0"], register)
        return self._add_flow(match, 0, actions, INTERNAL_TABLE)

    def _add_flow(
        self, match: Match, priority: int, actions: tuple[Action, ...], table_id: int
    ) -> Rule:
        flow_mod = FlowMod(ADD, match, priority, actions, table_id=table_id)
        self.tables.apply(flow_mod, internal=True)
        rule = self.tables.tables[table_id].classifier.find_exactly(match, priority)
        assert rule is not None
        return rule

    def add_flow(
        self, match: Match, priority: int, actions: tuple[Action, ...]
    ) -> None:
        """Add a flow of the switch's own to table 0 (hidden above priority 65535)."""
        self._add_flow(match, priority, actions, 0)

    def delete_flow(self, match: Match, priority: int) -> None:
        """Delete what `add_flow()` added."""
        self.tables.apply(FlowMod(DELETE_STRICT, match, priority), internal=True)

    # The tables' observer: cached flows depend on them.

    def rule_added(
        self, rule: Rule, replaced: Rule | None, requester: object | None
    ) -> None:
        """Note that flows may now go another way."""
        self.backer.need_revalidate("flow_table")

    def rule_modified(self, rule: Rule, old: Rule, requester: object | None) -> None:
        """Note that flows may now go another way."""
        self.backer.need_revalidate("flow_table")

    def rule_removed(self, rule: Rule, requester: object | None) -> None:
        """Note that flows may now go another way."""
        self.backer.need_revalidate("flow_table")

    # Ports.

    def port_add(
        self,
        name: str,
        odp_port: int | None,
        *,
        netdev_type: str = "system",
        hw_addr: int = 0,
        ofp_port: int | None = None,
        peer_name: str = "",
    ) -> Port:
        """Add a port.

        Args:
            name: of the device; the switch's own name makes it the local port.
            odp_port: the datapath's number; None for a patch port.
            netdev_type: as configured.
            hw_addr: its Ethernet address.
            ofp_port: the wanted number; None, or one that is taken, for any.
            peer_name: of a patch port: its other end.
        """
        if name == self.name:
            number = OFPP_LOCAL
        elif ofp_port is not None and ofp_port not in self.ports:
            number = ofp_port
        else:
            number = self._alloc_port()
        port = Port(self, name, number, odp_port, netdev_type, hw_addr)
        port.peer_name = peer_name
        port.created = self.clock()
        self.ports[number] = port
        self._ports_changed()
        self.backer.attach(port)
        self.backer.need_revalidate("reconfigure")
        self.connmgr.port_added(port)
        return port

    def _alloc_port(self) -> int:
        """Return a free number, preferably one that no flow can still mean.

        Numbers go round; one that was in use in the last hour is only given when all
        are of that kind, the longest unused first.
        """
        number = self._last_port
        oldest: int | None = None
        for _ in range(_FIRST_PORT, _END_OF_AUTOMATIC_PORTS):
            number += 1
            if number >= _END_OF_AUTOMATIC_PORTS:
                number = _FIRST_PORT
            if number in self.ports:
                continue
            used = self._freed_ports.get(number)
            if used is None or used < self.clock() - _PORT_REST_MS:
                oldest = number
                break
            if oldest is None or used < self._freed_ports[oldest]:
                oldest = number
        if oldest is None:
            raise OverflowError("no free OpenFlow port number")
        self._last_port = number
        self._freed_ports.pop(oldest, None)
        return oldest

    def port_del(self, port: Port) -> None:
        """Remove a port."""
        del self.ports[port.ofp_port]
        if port.ofp_port < MAX_PORTS:
            self._freed_ports[port.ofp_port] = self.clock()
        if port.bundle is not None:
            port.bundle.ports.remove(port)
            port.bundle = None
        self._ports_changed()
        self.backer.detach(port)
        self.backer.need_revalidate("reconfigure")
        self.connmgr.port_deleted(port)

    def port_update(self, port: Port) -> None:
        """Tell controllers and caches that the attributes of `port` changed."""
        self._ports_changed()
        self.backer.detach(port)
        self.backer.attach(port)
        if port.bundle is not None:
            self.bundle_update(port.bundle)
        self.backer.need_revalidate("reconfigure")
        self.connmgr.port_modified(port)

    def port_set_config(self, port: Port, config: int, mask: int) -> bool:
        """Change configuration bits, for a controller; return whether any changed."""
        toggled = (port.config ^ config) & mask & p.CONFIG_MASK
        set_up = port.set_up
        if toggled & p.PORT_DOWN and set_up and not set_up(not config & p.PORT_DOWN):
            toggled &= ~p.PORT_DOWN
        if not toggled:
            return False
        port.config ^= toggled
        if port.bundle is not None:
            self.bundle_update(port.bundle)
        self.backer.need_revalidate("port_toggled")
        self.connmgr.port_modified(port)
        return True

    def tables_changed(self) -> None:
        """Note that tables have other names."""
        self._names = None

    def _ports_changed(self) -> None:
        self._flood_ports = None
        self._names = None

    def port_by_name(self, name: str) -> Port | None:
        """Return the port called `name`."""
        for port in self.ports.values():
            if port.name == name:
                return port
        return None

    def flood_ports(self) -> list[Port]:
        """Return all ports in the order that FLOOD and ALL visit them."""
        if self._flood_ports is None:
            bundled = [port for bundle in self.bundles for port in bundle.ports]
            others = [port for port in self.ports.values() if port.bundle is None]
            order = hash_order(port.ofp_port for port in bundled + others)
            self._flood_ports = [self.ports[number] for number in order]
        return self._flood_ports

    def names(self) -> Names:
        """Return the ports' and tables' names, for text."""
        if self._names is None:
            ports = NameMap()
            for port in self.ports.values():
                ports.put(port.ofp_port, port.name)
            tables = NameMap()
            for table in self.tables:
                if table.name:
                    tables.put(table.table_id, table.name)
            self._names = Names(ports, tables)
        return self._names

    # Bundles.

    def bundle_set(
        self, key: Hashable, settings: BundleSettings, ports: list[Port]
    ) -> Bundle:
        """Configure the logical port that the caller calls `key`."""
        bundle = self._bundles_by_key.get(key)
        if bundle is None:
            bundle = Bundle(self, settings)
            self._bundles_by_key[key] = bundle
            self.bundles.append(bundle)
        else:
            bundle.configure(settings)
        for port in bundle.ports:
            port.bundle = None
        bundle.ports = list(ports)
        for port in ports:
            if port.bundle is not None:
                port.bundle.ports.remove(port)
            port.bundle = bundle
        self.bundle_update(bundle)
        return bundle

    def bundle_update(self, bundle: Bundle) -> None:
        """Note that a bundle changed; it floods unless all its ports say not to."""
        bundle.floodable = not any(
            port.config & p.NO_FLOOD or not port.may_forward for port in bundle.ports
        )
        self._flood_ports = None
        self.backer.need_revalidate("reconfigure")

    def bundle_remove(self, key: Hashable) -> None:
        """Forget a logical port."""
        bundle = self._bundles_by_key.pop(key, None)
        if bundle is None:
            return
        self.bundles.remove(bundle)
        for port in bundle.ports:
            port.bundle = None
        bundle.ports = []
        self.mac_learning.forget_port(bundle)
        self._flood_ports = None
        self.backer.need_revalidate("reconfigure")

    def bundle(self, key: Hashable) -> Bundle | None:
        """Return the logical port called `key`."""
        return self._bundles_by_key.get(key)

    # Settings.

    def set_mac_aging(self, idle_time: int, max_entries: int) -> None:
        """Set how long (s) and how many addresses are remembered."""
        self.mac_learning.set_idle_time(idle_time)
        self.mac_learning.set_max_entries(max_entries)

    def set_flood_vlans(self, vlans: frozenset[int]) -> None:
        """Set the VLANs that are flooded instead of learned in."""
        if self.mac_learning.set_flood_vlans(vlans):
            self.mac_learning.flush()

    def set_forward_bpdu(self, forward: bool) -> None:
        """Set whether NORMAL forwards link-local protocols' packets."""
        if forward != self.forward_bpdu:
            self.forward_bpdu = forward
            self.backer.need_revalidate("reconfigure")

    def set_mirror(self, number: int, mirror: Mirror | None) -> None:
        """Configure mirror `number`, or remove it, and note which bundles it serves."""
        if mirror is None:
            self.mirrors.pop(number, None)
        else:
            self.mirrors[number] = mirror
        for bundle in self.bundles:
            bundle.src_mirrors = bundle.dst_mirrors = 0
            bundle.mirror_out = False
        for index, known in self.mirrors.items():
            known.mark(1 << index, self.mirrors, self.bundles)
        self.backer.need_revalidate("reconfigure")

    # What the pipeline asks.

    @property
    def support(self) -> Support:
        """The datapath's features."""
        return self.backer.support

    def wants_packet_in_on_miss(self) -> bool:
        """Return whether a miss goes to a controller by default."""
        return self.connmgr.wants_packet_in_on_miss()

    def process_special(self, ctx: Context, port: Port) -> bool:
        """Let link protocols take their packets; return whether one did."""
        if self.special is None:
            return False
        slow = self.special(ctx, port)
        ctx.slow |= slow
        return bool(slow)

    def queue_to_priority(self, queue_id: int) -> int | None:
        """Return the datapath's priority for a queue; None if it has no queues."""
        return (1 << 16) + queue_id + 1 if self.backer.type == "system" else queue_id

    def provider_meter(self, meter_id: int) -> int | None:
        """Return the datapath's meter for an OpenFlow one; None if there is none."""
        return None

    def controller_action(
        self,
        ctx: Context,
        recirc_id: int,
        *,
        reason: int,
        controller_id: int,
        max_len: int,
        continuation: bool = False,
    ) -> bytes:
        """Return the datapath action that brings a packet to the controllers."""
        pid = self.backer.upcall_pid()
        # Flows look the same when nothing is to be sent, so that traces show them.
        dont_send = not continuation and ctx.trace is not None and not ctx.side_effects
        userdata = cookie.controller(
            reason,
            dont_send,
            continuation,
            recirc_id,
            ctx.rule_cookie,
            controller_id,
            max_len,
            uuid=self.uuid,
        )
        return odp.userspace(pid, userdata)

    def packet_in(self, event: PacketInEvent) -> None:
        """Send a packet to the controllers that want it."""
        self.connmgr.packet_in(event)

    # What packets teach.

    def learn_mac(
        self, in_port: int, mac: int, vlan: int, *, is_grat_arp: bool = False
    ) -> None:
        """Note that an address was seen behind a port."""
        port = self.ports.get(in_port)
        if port is not None and port.bundle is not None:
            self.mac_learning.update(
                mac, vlan, port.bundle, self.clock() // 1000, is_grat_arp=is_grat_arp
            )

    def learn_flow(self, flow_mod: FlowMod, limit: int = 0) -> bool:
        """Add or refresh a learned flow; return whether the limit allowed it.

        Raises: OpenFlowError: the flow can't be added.
        """
        rule = self._learned(flow_mod)
        if rule is not None:
            rule.modified = self.clock()
            return True
        if limit:
            same = FlowMod(
                table_id=flow_mod.table_id,
                cookie=flow_mod.new_cookie,
                cookie_mask=_ALL_COOKIE_BITS,
            )
            if len(self.tables.select(same)) >= limit:
                return False
        self.tables.apply(flow_mod)
        return True

    def has_learned(self, flow_mod: FlowMod) -> bool:
        """Return whether a learned flow is there, just as it would be added."""
        return self._learned(flow_mod) is not None

    def _learned(self, flow_mod: FlowMod) -> Rule | None:
        table = self.tables.tables[flow_mod.table_id]
        rule = table.classifier.find_exactly(flow_mod.match, flow_mod.priority)
        if (
            rule is not None
            and rule.idle_timeout == flow_mod.idle_timeout
            and rule.hard_timeout == flow_mod.hard_timeout
            and rule.flags == flow_mod.flags
            and (not flow_mod.modify_cookie or rule.cookie == flow_mod.new_cookie)
            and rule.actions == flow_mod.actions
        ):
            return rule
        return None

    def credit_mirrors(self, mirrors: int, n_packets: int, n_bytes: int) -> None:
        """Count packets that were mirrored; `mirrors` are bits."""
        for index, mirror in self.mirrors.items():
            if mirrors >> index & 1:
                mirror.n_packets += n_packets
                mirror.n_bytes += n_bytes

    # Running.

    def run(self, now: int) -> None:
        """Expire rules and addresses; let connections do what is due."""
        if now >= self._next_expiry and self.tables.n_expirable:
            self.tables.expire(now)
            self._next_expiry = now + _EXPIRE_INTERVAL_MS
        if self.mac_learning.run(now // 1000):
            self.backer.need_revalidate("mac_learning")
        self.connmgr.run(now)

    def deadline(self) -> int | None:
        """Return when `run()` has something to do, in ms, or None."""
        deadlines = [self.connmgr.deadline()]
        if self.tables.n_expirable:
            deadlines.append(self._next_expiry)
        if self.mac_learning.need_revalidate:
            deadlines.append(0)
        oldest = self.mac_learning.deadline()
        if oldest is not None:
            deadlines.append(oldest * 1000)
        return min((d for d in deadlines if d is not None), default=None)


#: The in_ports that no port has, but that packets from controllers may.
VIRTUAL_IN_PORTS = frozenset((OFPP_NONE, OFPP_CONTROLLER))
