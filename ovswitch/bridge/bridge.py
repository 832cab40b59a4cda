# SPDX-License-Identifier: Apache-2.0
"""One running bridge: brought into line with its configuration, step by step.

The steps are called by `switch` for all bridges in turn, deletions before additions,
since what one bridge gives up another may want (a device's name, a port number).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ovswitch.bridge import identity, in_band, interface, vlan
from ovswitch.bridge.config import (
    BridgeConfig,
    ControllerConfig,
    InterfaceConfig,
    PortConfig,
    Row,
    get_int,
)
from ovswitch.bridge.controllers import Controllers, Service
from ovswitch.bridge.datapaths import Datapath
from ovswitch.bridge.interface import Interface, InterfaceError
from ovswitch.bridge.remotes import allowed_versions, wanted_services
from ovswitch.bridge.status import Writes, error_columns
from ovswitch.flow.names import OFPP_LOCAL
from ovswitch.netdev.provider import NetdevError
from ovswitch.ofproto import bundle as b
from ovswitch.ofproto.bundle import BundleSettings
from ovswitch.ofproto.connmgr import Connmgr
from ovswitch.ofproto.in_band import Remote
from ovswitch.ofproto.ofproto import Ofproto
from ovswitch.ofproto.port import Port
from ovswitch.ofproto.table import UNLIMITED
from ovswitch.openflow.messages import role as roles
from ovswitch.runtime import clock, dirs, vlog

_log = vlog.Module("bridge")
_limit = vlog.RateLimit(1, 5)

_VLAN_MODES = {
    "access": b.ACCESS,
    "trunk": b.TRUNK,
    "native-tagged": b.NATIVE_TAGGED,
    "native-untagged": b.NATIVE_UNTAGGED,
    "dot1q-tunnel": b.DOT1Q_TUNNEL,
}
_PRIORITY_TAGS = {
    "never": b.PRIORITY_TAGS_NEVER,
    "if-nonzero": b.PRIORITY_TAGS_IF_NONZERO,
    "always": b.PRIORITY_TAGS_ALWAYS,
}

_ROLES = {roles.EQUAL: "other", roles.PRIMARY: "master", roles.SECONDARY: "slave"}

_MAC_AGING = (300, 15, 3600)  # default, least, most: seconds
_MAC_TABLE = (8192, 10, 1000000)


class Bridge:
    """A bridge that is running.

    Attributes:
        config: what the database says now.
        ofproto: the OpenFlow switch.
        interfaces: those that are set up, by name.
        address: the Ethernet address of the local port.
    """

    def __init__(
        self, config: BridgeConfig, datapath: Datapath, on_change: Callable[[], None]
    ) -> None:
        self.config = config
        self.datapath = datapath
        self.ofproto = Ofproto(
            config.name,
            datapath.backer,
            uuid=bytes.fromhex(str(config.row.uuid).replace("-", "")),
        )
        self.controllers = Controllers(config.name, self.ofproto.connmgr, on_change)
        self.interfaces: dict[str, Interface] = {}
        self.address = b""
        self._bundles: set[str] = set()
        self._evicting: set[int] = set()  # tables that the database lets evict
        self.ofproto.connmgr.set_port_up = self._set_port_up

    @property
    def name(self) -> str:
        """The bridge's name."""
        return self.config.name

    def destroy(self) -> None:
        """Take the bridge down with its ports and connections."""
        self.controllers.stop()
        for iface in list(self.interfaces.values()):
            self._remove(iface)
        self.ofproto.destroy()

    # Interfaces: first go those that are not wanted or need another number.

    def remove_unwanted(self) -> None:
        """Reconfigure the interfaces that stay; remove the others."""
        wanted = self._wanted()
        for iface in list(self.interfaces.values()):
            config = wanted.get(iface.name)
            if config is None or not self._keep(iface, config):
                self._remove(iface)

    def _wanted(self) -> dict[str, InterfaceConfig]:
        return {c.name: c for port in self.config.ports for c in port.interfaces}

    def _keep(self, iface: Interface, config: InterfaceConfig) -> bool:
        """Reconfigure an interface; return whether it can stay as it is."""
        if iface.device.type != self.datapath.open_type(config.type):
            return False
        try:
            iface.configure(config)
        except InterfaceError:
            return False
        request = config.ofport_request
        if request is None or request == iface.port.ofp_port or self._is_local(iface):
            return True
        return self._is_claimed(request)

    def _is_local(self, iface: Interface) -> bool:
        return iface.port.ofp_port == OFPP_LOCAL

    def _is_claimed(self, number: int) -> bool:
        """Whether a port has `number` and asked for it; one that didn't is removed."""
        victim = self._by_number(number)
        if victim is None:
            return False
        if victim.config.ofport_request == number:
            return True
        self._remove(victim)
        return False

    def _by_number(self, number: int) -> Interface | None:
        for iface in self.interfaces.values():
            if iface.port.ofp_port == number:
                return iface
        return None

    def _remove(self, iface: Interface) -> None:
        if self.interfaces.pop(iface.name, None):
            iface.remove()
            _log.info("bridge %s: deleted interface %s on port %d", self.name,
                      iface.name, iface.port.ofp_port)  # fmt: skip

    def remove_gone(self, name: str) -> None:
        """Remove an interface whose device has disappeared."""
        iface = self.interfaces.get(name)
        if iface:
            self._remove(iface)

    def add_missing(self, writes: Writes) -> None:
        """Set up the interfaces that are not, those that ask for a number first."""
        wanted = list(self._wanted().values())
        for with_request in (True, False):
            for config in wanted:
                has_request = config.ofport_request is not None
                if has_request == with_request and config.name not in self.interfaces:
                    self._add(config, writes)

    def _add(self, config: InterfaceConfig, writes: Writes) -> None:
        try:
            self.interfaces[config.name] = interface.create(
                config, self.ofproto, self.datapath
            )
        except InterfaceError as error:
            writes.put(config.row, error_columns(str(error)))

    # Everything else.

    def configure(self, writes: Writes) -> None:
        """Apply the rest of the configuration."""
        self._configure_mtus()
        self._configure_identity(writes)
        self._configure_bundles()
        for iface in self.interfaces.values():
            self._configure_address(iface)
            error = self._vport_error(iface.port)
            writes.put(
                iface.config.row, {"ofport": [iface.port.ofp_port], "error": error}
            )
        other = self.config.other_config
        self.ofproto.set_flood_vlans(self.config.flood_vlans)
        self.ofproto.set_forward_bpdu(other.get("forward-bpdu", "").lower() == "true")
        self.ofproto.set_mac_aging(
            _clamped(other, "mac-aging-time", _MAC_AGING),
            _clamped(other, "mac-table-size", _MAC_TABLE),
        )
        self.ofproto.connmgr.set_fail_mode(self.config.is_secure)
        self._configure_tables()
        self.ofproto.dp_desc = other.get("dp-desc") or "None"
        self.ofproto.serial_desc = other.get("dp-sn") or "None"

    async def configure_controllers(
        self, managers: list[Remote], *, self_confine: bool
    ) -> None:
        """Open and close OpenFlow connections as the configuration says.

        Args:
            managers: whom the database's server must reach, through this bridge too.
            self_confine: whether Unix domain sockets must be in the run directory.
        """
        versions = allowed_versions(self.config.protocols)
        services = wanted_services(self.config, self_confine=self_confine)
        self._configure_in_band(services, managers)
        self.ofproto.connmgr.set_controllers(services)
        await self.controllers.configure(services, versions)
        if not self.controllers.snoops.is_started:
            await self.controllers.snoops.start(f"{dirs.rundir()}/{self.name}.snoop")

    def _configure_in_band(
        self, services: list[ControllerConfig], managers: list[Remote]
    ) -> None:
        """Tell who is reached through this bridge; set up its own address."""
        local = self.interfaces.get(self.name)
        if local is None:
            return
        for controller in services:
            in_band.configure_local(self.name, local.device, controller)
        self.ofproto.connmgr.set_in_band(
            local.device,
            in_band.remotes_of(self.config, services, managers),
            get_int(self.config.other_config, "in-band-queue", -1),
        )

    def _vport_error(self, port: Port) -> list[str]:
        """Return what is wrong with a port that works on others, as a column."""
        if not port.peer_name or self.ofproto.backer.patch_peer(port):
            return []
        type_ = self.datapath.type
        return [f"No usable peer '{port.peer_name}' exists in '{type_}' datapath."]

    def _configure_mtus(self) -> None:
        """Give internal ports the least MTU of the others, unless one was asked for."""
        mtus = [
            mtu
            for iface in self.interfaces.values()
            if iface.config.type not in ("internal", "patch")
            and (mtu := iface.device.get_mtu())
        ]
        if not mtus:
            return
        for iface in self.interfaces.values():
            if iface.config.type == "internal" and iface.config.mtu_request is None:
                try:
                    iface.device.set_mtu(min(mtus))
                except NetdevError as error:
                    _log.dbg("%s: setting MTU: %s", iface.name, error)

    def _configure_identity(self, writes: Writes) -> None:
        """Choose the bridge's address and datapath ID."""
        self.address = self._choose_address()
        local = self.interfaces.get(self.name)
        if local:
            try:
                local.set_address(self.address)
            except NetdevError as error:
                _log.err_rl(
                    _limit,
                    "bridge %s: failed to set bridge Ethernet address: %s",
                    self.name,
                    error,
                )
        text = self.config.other_config.get("datapath-id", "")
        dpid = identity.parse_datapath_id(text) or int.from_bytes(self.address, "big")
        if dpid != self.ofproto.datapath_id:
            _log.info("bridge %s: using datapath ID %016x", self.name, dpid)
            self.ofproto.datapath_id = dpid
            self.controllers.reconnect()  # there is no message that could tell them
        writes.put(
            self.config.row,
            {"datapath_id": [f"{dpid:016x}"], "datapath_version": "<built-in>"},
        )

    def _choose_address(self) -> bytes:
        hwaddr = self.config.other_config.get("hwaddr", "")
        return (
            identity.configured_address(self.name, hwaddr)
            or identity.lowest_address(self._candidates())
            or identity.default_address(str(self.config.row.uuid))
        )

    def _candidates(self) -> list[tuple[PortConfig, list[identity.Candidate]]]:
        return [
            (
                port,
                [
                    identity.Candidate(name, name == self.name, iface.address())
                    for name, iface in self._members(port)
                ],
            )
            for port in self.config.ports
        ]

    def _members(self, port: PortConfig) -> list[tuple[str, Interface]]:
        names = [config.name for config in port.interfaces]
        return [(n, self.interfaces[n]) for n in names if n in self.interfaces]

    def _configure_address(self, iface: Interface) -> None:
        """Give an internal interface the address that its row asks for."""
        config = iface.config
        if config.type != "internal" or not config.mac:
            return
        address = identity.parse_address(config.mac)
        if address is None:
            return
        if self._is_local(iface):
            _log.err(
                "interface %s: ignoring mac in Interface record (use Bridge record to "
                "set local port's mac)",
                iface.name,
            )
        elif address[0] & 1:
            _log.err("interface %s: cannot set MAC to multicast address", iface.name)
        elif not any(address):
            _log.err("interface %s: cannot set MAC to all zero address", iface.name)
        else:
            try:
                iface.set_address(address)
            except NetdevError as error:
                _log.err("interface %s: setting MAC failed (%s)", iface.name, error)

    def _configure_bundles(self) -> None:
        """Tell the pipeline of ports and their VLANs."""
        wanted = set()
        for port in self.config.ports:
            members = [iface.port for _, iface in self._members(port)]
            if members:
                wanted.add(port.name)
                self.ofproto.bundle_set(port.name, _settings(port), members)
        for name in self._bundles - wanted:
            self.ofproto.bundle_remove(name)
        self._bundles = wanted

    def _configure_tables(self) -> None:
        """Apply the Flow_Table rows; what controllers set elsewhere stays."""
        tables = self.ofproto.tables
        for table in tables:
            config = self.config.tables.get(table.table_id)
            table.set_name(config.name if config else "", 2)
            if config and config.evict:
                self._evicting.add(table.table_id)
                table.eviction = True
            elif table.table_id in self._evicting:
                self._evicting.remove(table.table_id)
                table.eviction = False
            limit = config.flow_limit if config else None
            tables.limit(table.table_id, UNLIMITED if limit is None else limit)

    def _set_port_up(self, port: Port, up: bool) -> bool:
        """Bring a port's device up or down for a controller."""
        iface = self._by_number(port.ofp_port)
        if iface is None:
            return False
        try:
            iface.device.set_up(up)
        except NetdevError as error:
            _log.dbg("%s: %s", iface.name, error)
            return False
        iface.refresh_port()
        return True

    # What is told back.

    def controller_columns(self) -> Iterator[tuple[Row | None, dict[str, Any]]]:
        """Yield the status columns of each Controller row."""
        for config in self.config.controllers:
            service = self.controllers.services.get(config.target)
            yield config.row, _controller_columns(service, self.ofproto.connmgr)


def _controller_columns(service: Service | None, connmgr: Connmgr) -> dict[str, Any]:
    if service is None or service.rconn is None:
        return {"is_connected": False, "role": [], "status": {}}
    connection = service.connections[0] if service.connections else None
    role = _ROLES[connmgr.role(connection)] if connection else None
    return {
        "is_connected": service.rconn.is_connected,
        "role": [role] if role else [],
        "status": service.rconn.status(clock.now()),
    }


def _clamped(values: dict[str, str], key: str, bounds: tuple[int, int, int]) -> int:
    default, least, most = bounds
    value = get_int(values, key, default)
    return min(max(value, least), most) if value > 0 else default


def _settings(port: PortConfig) -> BundleSettings:
    """Return a port's settings as the pipeline takes them."""
    return BundleSettings(
        port.name,
        vlan_mode=_VLAN_MODES[vlan.mode_of(port)],
        vlan=-1 if port.tag is None else port.tag,
        trunks=port.trunks or None,
        cvlans=port.cvlans or None,
        qinq_ethtype=vlan.qinq_ethertype(port),
        use_priority_tags=_PRIORITY_TAGS[vlan.priority_tags_of(port)],
        protected=port.protected,
    )
