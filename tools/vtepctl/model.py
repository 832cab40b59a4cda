# SPDX-License-Identifier: Apache-2.0
"""Switches, ports and addresses as vtep-ctl's commands see them.

The model is a view of the replica: physical switches with their ports, logical switches
with the addresses known in each, logical routers, and the locators that anything refers
to. It is made when a command first needs it and thrown away when a command has changed
rows.

Sources: vtep-ctl(8), vtep(5), vtep/vtep-ctl.c.
"""

from __future__ import annotations

from ovswitch.ovsdb.ctl.commands import CtlError
from ovswitch.ovsdb.ctl.context import Context
from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ovswitch.ovsdb.ctl.lookup import Tables
    from ovswitch.ovsdb.idl_transaction import TransactionCore
    from ovswitch.ovsdb.replica import Replica
    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.ovsdb.symbols import SymbolTable

log = vlog.Module("vtep_ctl")

FOLLOWED = {
    "Global": ("switches",),
    "Physical_Switch": ("name", "ports", "tunnels"),
    "Physical_Port": ("name", "vlan_bindings"),
    "Logical_Switch": ("name", "replication_mode"),
    "Logical_Router": ("name",),
    "Ucast_Macs_Local": ("MAC", "locator", "logical_switch"),
    "Ucast_Macs_Remote": ("MAC", "locator", "logical_switch"),
    "Mcast_Macs_Local": ("MAC", "locator_set", "logical_switch"),
    "Mcast_Macs_Remote": ("MAC", "locator_set", "logical_switch"),
    "Physical_Locator_Set": ("locators",),
    "Physical_Locator": ("dst_ip", "encapsulation_type"),
    "Tunnel": ("local", "remote"),
}


class PhysicalSwitch:
    """A physical switch and its ports."""

    __slots__ = ("name", "ports", "row")

    def __init__(self, row: Row) -> None:
        self.row = row
        self.name: str = row.name
        self.ports: list[Port] = []


class Port:
    """A port of a physical switch.

    `bindings` maps VLANs, in text as the user writes them, to logical switches.
    """

    __slots__ = ("bindings", "row", "switch")

    def __init__(self, row: Row, switch: PhysicalSwitch) -> None:
        self.row = row
        self.switch = switch
        self.bindings: dict[str, LogicalSwitch] = {}


class LogicalSwitch:
    """A logical switch; `macs` has the rows of each table of addresses, by address."""

    __slots__ = ("macs", "name", "row")

    def __init__(self, row: Row) -> None:
        self.row = row
        self.name: str = row.name
        self.macs: dict[str, dict[str, Row]] = {
            table: {} for table in FOLLOWED if "_Macs_" in table
        }


class Model:
    """Everything by name; a port's key is "SWITCH+PORT", a locator's "ENCAP+IP"."""

    __slots__ = ("_ctx", "locators", "logical", "physical", "ports", "routers")

    def __init__(self, ctx: VtepContext) -> None:
        self._ctx = ctx
        self.physical: dict[str, PhysicalSwitch] = {}
        self.ports: dict[str, Port] = {}
        self.logical: dict[str, LogicalSwitch] = {}
        self.routers: dict[str, Row] = {}
        self.locators: dict[str, Row] = {}
        switches = self._load_physical()
        for row in self._unique("Logical_Switch", "logical switch"):
            self.logical[row.name] = LogicalSwitch(row)
        for row in self._unique("Logical_Router", "logical router"):
            self.routers[row.name] = row
        self._load_macs()
        self._load_tunnels()
        for switch in switches:
            for port in switch.row.ports:
                self._load_port(port, switch)

    def _rows(self, table: str) -> list[Row]:
        return self._ctx.rows(self._ctx.replica.table(table))

    def _unique(self, table: str, noun: str) -> Iterator[Row]:
        known: set[str] = set()
        for row in self._rows(table):
            if row.name in known:
                log.warn("%s: database contains duplicate %s name", row.name, noun)
            else:
                known.add(row.name)
                yield row

    def _load_physical(self) -> list[PhysicalSwitch]:
        for row in self._ctx.root.switches:
            if row.name in self.physical:
                log.warn(
                    "%s: database contains duplicate physical switch name", row.name
                )
            else:
                self.physical[row.name] = PhysicalSwitch(row)
        return list(self.physical.values())

    def _load_macs(self) -> None:
        for table in ("Ucast_Macs_Local", "Ucast_Macs_Remote"):
            for row in self._rows(table):
                switch = self._switch_of(row)
                if switch is not None:
                    self._add_locators(self._ctx.referred(row, "locator"))
                    switch.macs[table][row.MAC] = row
        for table in ("Mcast_Macs_Local", "Mcast_Macs_Remote"):
            for row in self._rows(table):
                switch = self._switch_of(row)
                if switch is not None:
                    self._add_locators(self._ctx.locators(row))
                    switch.macs[table][row.MAC] = row

    def _switch_of(self, mac: Row) -> LogicalSwitch | None:
        for row in self._ctx.referred(mac, "logical_switch"):
            return self.logical.get(row.name)
        return None

    def _load_tunnels(self) -> None:
        for row in self._rows("Tunnel"):
            self._add_locators(self._ctx.referred(row, "local"))
            self._add_locators(self._ctx.referred(row, "remote"))

    def _add_locators(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self.locators.setdefault(f"{row.encapsulation_type}+{row.dst_ip}", row)

    def _load_port(self, row: Row, switch: PhysicalSwitch) -> None:
        known = self.ports.get(row.name)
        if known is not None:  # its name has the form of a key, "SWITCH+PORT"
            if known.row is row:
                log.warn(
                    "%s: port is in multiple physical switches (%s and %s)",
                    row.name,
                    switch.name,
                    known.switch.name,
                )
            else:
                log.err("%s: database contains duplicate port name", row.name)
            return
        port = self.ports[f"{switch.name}+{row.name}"] = Port(row, switch)
        switch.ports.append(port)
        for vlan, bound in row.vlan_bindings.items():
            port.bindings[str(vlan)] = self._ctx.find_logical(self, bound.name)


class VtepContext(Context):
    """What vtep-ctl's commands work on, besides the framework's context."""

    __slots__ = ("_model", "_root")

    def __init__(
        self,
        replica: Replica,
        tables: Tables,
        txn: TransactionCore | None = None,
        symbols: SymbolTable | None = None,
        root: Row | None = None,
    ) -> None:
        super().__init__(replica, tables, txn, symbols)
        self._root = root
        self._model: Model | None = None

    @property
    def root(self) -> Row:
        """The row of table Global."""
        assert self._root is not None
        return self._root

    @property
    def model(self) -> Model:
        """The switches, ports, routers and addresses."""
        if self._model is None:
            self._model = Model(self)
        return self._model

    def note_write(self, table: str, column: str | None) -> None:
        """Make the model anew when it is needed next."""
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

    def referred(self, row: Row, column: str) -> list[Row]:
        """The rows that a column refers to, without those that are gone."""
        target = row._table.column(column).type.key.ref_table_name
        assert target is not None
        rows = self.replica.table(target).rows
        return [rows[uuid] for uuid in row.read(column) if uuid in rows]

    def locators(self, mac: Row) -> list[Row]:
        """The locators of a multicast address."""
        return [
            locator
            for locator_set in self.referred(mac, "locator_set")
            for locator in self.referred(locator_set, "locators")
        ]

    # Finding things by name.

    def find_physical(self, name: str) -> PhysicalSwitch | None:
        """The physical switch called `name`, or None."""
        switch = self.model.physical.get(name)
        self.root.verify("switches")
        return switch

    def get_physical(self, name: str) -> PhysicalSwitch:
        """The physical switch called `name`. Raises: CtlError."""
        switch = self.find_physical(name)
        if switch is None:
            raise CtlError(f"no physical switch named {name}")
        return switch

    def find_port(self, switch: str, name: str) -> Port | None:
        """A port of a switch, or None; one named as its switch doesn't count."""
        port = self.model.ports.get(f"{switch}+{name}")
        if port is not None and port.switch.name == name:
            port = None
        self._verify_ports()
        return port

    def get_port(self, switch: str, name: str) -> Port:
        """A port of a switch. Raises: CtlError."""
        port = self.find_port(switch, name)
        if port is None:
            raise CtlError(f"no port named {name}")
        return port

    def find_logical(self, model: Model, name: str) -> LogicalSwitch:
        """The logical switch called `name` of a model. Raises: CtlError."""
        switch = model.logical.get(name)
        if switch is None:
            raise CtlError(f"no logical switch named {name}")
        return switch

    def get_logical(self, name: str) -> LogicalSwitch:
        """The logical switch called `name`. Raises: CtlError."""
        return self.find_logical(self.model, name)

    def _verify_ports(self) -> None:
        """Commit only if no physical switch or port came or went meanwhile."""
        self.root.verify("switches")
        for switch in self.replica.table("Physical_Switch").rows.values():
            switch.verify("ports")

    def print_sorted(self, lines: Iterable[str]) -> None:
        """Output lines in the order of their octets."""
        self.output.extend(f"{line}\n" for line in sorted(lines))


def follow_model(ctx: VtepContext) -> None:
    """Follow what the model is made of."""
    for table, columns in FOLLOWED.items():
        ctx.follow(table, *columns)
