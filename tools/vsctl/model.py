# SPDX-License-Identifier: Apache-2.0
"""Bridges, ports and interfaces as ovs-vsctl's commands see them.

The database knows real bridges only; a port that is marked as a fake bridge and has a
VLAN appears here as a `Bridge` of its own, with the ports of that VLAN taken over from
its parent. The model is made when a command first needs it and thrown away when a
command has changed rows behind its back.

Sources: ovs-vsctl(8), utilities/ovs-vsctl.c.
"""

from __future__ import annotations

from ovswitch.ovsdb.ctl.commands import CtlError
from ovswitch.ovsdb.ctl.context import Context
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.ovsdb.ctl.commands import Command
    from ovswitch.ovsdb.ctl.lookup import Tables
    from ovswitch.ovsdb.idl_transaction import TransactionCore
    from ovswitch.ovsdb.replica import Replica
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.ovsdb.symbols import SymbolTable

log = vlog.Module("vsctl")

MAX_VLAN = 4095

FOLLOWED = {
    "Open_vSwitch": ("bridges",),
    "Bridge": ("name", "controller", "fail_mode", "ports"),
    "Port": ("name", "fake_bridge", "tag", "interfaces"),
    "Interface": ("name", "ofport", "error"),
}


MODELLED = {
    "Open_vSwitch": ("bridges",),
    "Bridge": ("name", "ports"),
    "Port": ("name", "fake_bridge", "tag", "interfaces"),
    "Interface": ("name",),
}


class Bridge:
    """A real bridge with its row, or a fake one with its parent and VLAN."""

    __slots__ = ("children", "name", "parent", "ports", "row", "vlan")

    def __init__(
        self, name: str, row: Row | None, parent: Bridge | None = None, vlan: int = 0
    ) -> None:
        self.name = name
        self.row = row
        self.parent = parent
        self.vlan = vlan
        self.ports: list[Port] = []
        self.children: dict[int, Bridge] = {}

    @property
    def real(self) -> Bridge:
        """The bridge itself, or a fake bridge's parent."""
        return self.parent or self

    @property
    def real_row(self) -> Row:
        """The row in which the bridge's configuration is."""
        row = self.real.row
        assert row is not None
        return row


class Port:
    """A port of a bridge, real or fake."""

    __slots__ = ("bridge", "ifaces", "row")

    def __init__(self, row: Row, bridge: Bridge) -> None:
        self.row = row
        self.bridge = bridge
        self.ifaces: list[Iface] = []


class Iface:
    """An interface of a port."""

    __slots__ = ("port", "row")

    def __init__(self, row: Row, port: Port) -> None:
        self.row = row
        self.port = port


class Model:
    """All bridges, ports and interfaces by name."""

    __slots__ = ("bridges", "ifaces", "ports")

    def __init__(self, ovs: Row) -> None:
        self.bridges: dict[str, Bridge] = {}
        self.ports: dict[str, Port] = {}
        self.ifaces: dict[str, Iface] = {}
        real_bridges = self._load_bridges(ovs)
        for bridge in real_bridges:
            self._load_ports(bridge)

    def _load_bridges(self, ovs: Row) -> list[Bridge]:
        """Find real and fake bridges; the ports need to know all of them."""
        real_bridges = []
        port_names: set[str] = set()
        for row in ovs.bridges:
            if row.name in self.bridges:
                log.warn("%s: database contains duplicate bridge name", row.name)
                continue
            bridge = self.bridges[row.name] = Bridge(row.name, row)
            real_bridges.append(bridge)
            for port in row.ports:
                if port.name in port_names:
                    continue
                port_names.add(port.name)
                if is_fake_bridge(port) and port.name not in self.bridges:
                    self.add_fake_bridge(port.name, bridge, port.tag[0])
        return real_bridges

    def add_fake_bridge(self, name: str, parent: Bridge, vlan: int) -> None:
        """Add a fake bridge; only the first of a VLAN gets that VLAN's ports."""
        bridge = Bridge(name, None, parent, vlan)
        conflict = parent.children.setdefault(vlan, bridge)
        if conflict is not bridge:
            log.warn(
                "%s: bridge has multiple VLAN bridges (%s and %s) for VLAN %d, but "
                "only one is allowed",
                parent.name,
                name,
                conflict.name,
                vlan,
            )
        self.bridges[name] = bridge

    def _load_ports(self, bridge: Bridge) -> None:
        for row in bridge.real_row.ports:
            known = self.ports.get(row.name)
            if known is None:
                self._load_port(row, bridge)
            elif known.row is row:
                log.warn(
                    "%s: port is in multiple bridges (%s and %s)",
                    row.name,
                    bridge.name,
                    known.bridge.name,
                )
            else:
                log.err("%s: database contains duplicate port name", row.name)

    def _load_port(self, row: Row, bridge: Bridge) -> None:
        port = self.add_port(row, bridge)
        for iface in row.interfaces:
            known = self.ifaces.get(iface.name)
            if known is None:
                self.add_iface(iface, port)
            elif known.row is iface:
                log.warn(
                    "%s: interface is in multiple ports (%s and %s)",
                    iface.name,
                    known.port.row.name,
                    row.name,
                )
            else:
                log.err("%s: database contains duplicate interface name", iface.name)

    def add_port(self, row: Row, bridge: Bridge) -> Port:
        """Add a port to its bridge, or to the fake bridge of its VLAN."""
        tag = row.tag
        if tag and 0 <= tag[0] <= MAX_VLAN:
            bridge = bridge.children.get(tag[0], bridge)
        port = self.ports[row.name] = Port(row, bridge)
        bridge.ports.append(port)
        return port

    def add_iface(self, row: Row, port: Port) -> Iface:
        """Add an interface to its port."""
        iface = self.ifaces[row.name] = Iface(row, port)
        port.ifaces.append(iface)
        return iface


def is_fake_bridge(port: Row) -> bool:
    """Whether a port's row stands for a fake bridge."""
    tag = port.tag
    return bool(port.fake_bridge and tag and 0 <= tag[0] <= MAX_VLAN)


class VsctlContext(Context):
    """What ovs-vsctl's commands work on, besides the framework's context.

    `ovs` is the root row. `new_ifaces` collects the interfaces that ovs-vswitchd is
    expected to set up.
    """

    __slots__ = ("_has_verified_ports", "_model", "_ovs", "new_ifaces")

    def __init__(
        self,
        replica: Replica,
        tables: Tables,
        txn: TransactionCore | None = None,
        symbols: SymbolTable | None = None,
        ovs: Row | None = None,
    ) -> None:
        super().__init__(replica, tables, txn, symbols)
        self._ovs = ovs
        self._model: Model | None = None
        self._has_verified_ports = False
        self.new_ifaces: list[str] = []

    def begin(self, command: Command, *, is_last: bool = False) -> None:
        """Turn to a command."""
        super().begin(command, is_last=is_last)
        self._has_verified_ports = False

    def note_write(self, table: str, column: str | None) -> None:
        """Make the model anew when it is needed next, if it has to do with a change."""
        if column is None or column in MODELLED.get(table, ()):
            self._model = None

    def invalidate(self) -> None:
        """Make the model anew when it is needed next."""
        self._model = None

    def follow(self, table: str, *columns: str) -> None:
        """Follow a table and some of its columns."""
        followed = self.replica.table(table)
        followed.add()
        for column in columns:
            followed.add_column(column)

    @property
    def ovs(self) -> Row:
        """The row of table Open_vSwitch."""
        assert self._ovs is not None
        return self._ovs

    @property
    def model(self) -> Model:
        """The bridges, ports and interfaces."""
        if self._model is None:
            self._model = Model(self.ovs)
        return self._model

    def verify_ports(self) -> None:
        """Commit only if no bridge, port or interface came or went meanwhile."""
        if self._has_verified_ports:
            return
        self._has_verified_ports = True
        self.ovs.verify("bridges")
        for bridge in self.replica.table("Bridge").rows.values():
            bridge.verify("ports")
        for port in self.replica.table("Port").rows.values():
            port.verify("interfaces")

    def check_conflicts(self, name: str, purpose: str) -> None:
        """Make sure that nothing is called `name` yet. Raises: CtlError."""
        model = self.model
        self.verify_ports()
        if name in model.bridges:
            raise CtlError(f"{purpose} because a bridge named {name} already exists")
        port = model.ports.get(name)
        if port is not None:
            raise CtlError(
                f"{purpose} because a port named {name} already exists on bridge "
                f"{port.bridge.name}"
            )
        iface = model.ifaces.get(name)
        if iface is not None:
            raise CtlError(
                f"{purpose} because an interface named {name} already exists on bridge "
                f"{iface.port.bridge.name}"
            )

    def find_bridge(self, name: str) -> Bridge | None:
        """The bridge called `name`, or None."""
        bridge = self.model.bridges.get(name)
        self.ovs.verify("bridges")
        return bridge

    def get_bridge(self, name: str) -> Bridge:
        """The bridge called `name`. Raises: CtlError."""
        bridge = self.find_bridge(name)
        if bridge is None:
            raise CtlError(f"no bridge named {name}")
        return bridge

    def get_real_bridge(self, name: str) -> Bridge:
        """The real bridge called `name`. Raises: CtlError."""
        bridge = self.get_bridge(name)
        if bridge.parent is not None:
            raise CtlError(f"{name} is a fake bridge")
        return bridge

    def find_port(self, name: str) -> Port | None:
        """The port called `name`, or None; a bridge's local port doesn't count."""
        port = self.model.ports.get(name)
        if port is not None and port.bridge.name == name:
            port = None
        self.verify_ports()
        return port

    def get_port(self, name: str) -> Port:
        """The port called `name`. Raises: CtlError."""
        port = self.find_port(name)
        if port is None:
            raise CtlError(f"no port named {name}")
        return port

    def find_iface(self, name: str) -> Iface | None:
        """The interface called `name`, or None; local ports don't count."""
        iface = self.model.ifaces.get(name)
        if iface is not None and iface.port.bridge.name == name:
            iface = None
        self.verify_ports()
        return iface

    def get_iface(self, name: str) -> Iface:
        """The interface called `name`. Raises: CtlError."""
        iface = self.find_iface(name)
        if iface is None:
            raise CtlError(f"no interface named {name}")
        return iface

    def print_sorted(self, names: list[str]) -> None:
        """Output names, one a line."""
        self.output.extend(f"{name}\n" for name in sorted(names))


def follow_model(ctx: VsctlContext) -> None:
    """Follow what the model is made of."""
    for table, columns in FOLLOWED.items():
        ctx.follow(table, *columns)
