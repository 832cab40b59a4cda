# SPDX-License-Identifier: Apache-2.0
"""One running interface: its device, its datapath port and its OpenFlow port."""

from __future__ import annotations

from ovswitch.bridge.config import InterfaceConfig
from ovswitch.bridge.datapaths import Datapath
from ovswitch.bridge.status import statistics
from ovswitch.netdev import provider
from ovswitch.netdev.provider import Features, Netdev, NetdevError, features_to_bps
from ovswitch.ofproto import port as p
from ovswitch.ofproto.ofproto import Ofproto
from ovswitch.ofproto.port import Port, PortStats
from ovswitch.runtime import vlog

_log = vlog.Module("bridge")
_limit = vlog.RateLimit(1, 5)

_PORT_COUNTERS = frozenset(PortStats.__slots__) - {"custom"}


class InterfaceError(Exception):
    """An interface can't be set up; the text goes into its row's `error` column."""


class Interface:
    """An interface of a bridge that is set up.

    Attributes:
        config: what the database says now.
        device, port: what carries it and what OpenFlow sees.
        seen: the device's change_seq when the status was last written.
    """

    def __init__(
        self, config: InterfaceConfig, device: Netdev, datapath: Datapath, port: Port
    ) -> None:
        self.config = config
        self.device = device
        self.port = port
        self.seen = 0
        self._datapath = datapath

    @property
    def name(self) -> str:
        """The interface's name."""
        return self.config.name

    def address(self) -> bytes | None:
        """Return the device's Ethernet address."""
        return self.device.get_etheraddr()

    def set_address(self, address: bytes) -> None:
        """Set the device's Ethernet address. Raises: NetdevError."""
        self.device.set_etheraddr(address)
        self.refresh_port()

    def set_up(self, up: bool) -> bool:
        """Bring the device up or down; return whether that worked."""
        try:
            self.device.set_up(up)
        except NetdevError as error:
            _log.dbg("%s: %s", self.name, error)
            return False
        return True

    def configure(self, config: InterfaceConfig) -> None:
        """Take changed options. Raises: InterfaceError."""
        self.config = config
        _set_options(self.device, config)
        _set_mtu(self.device, config)
        peer = getattr(self.device, "peer", "")
        if peer != self.port.peer_name:
            self.port.peer_name = peer
            self.port.ofproto.port_update(self.port)

    def remove(self) -> None:
        """Take the interface out of the switch and the datapath."""
        self.port.ofproto.port_del(self.port)
        if self.port.odp_port is not None:
            self._datapath.remove_port(self.port.odp_port)
        provider.close_netdev(self.device)

    def refresh_port(self) -> None:
        """Bring the OpenFlow port into line with the device."""
        before = _facts(self.port)
        _read_device(self.port, self.device)
        if _facts(self.port) != before:
            self.port.ofproto.port_update(self.port)

    def stats(self) -> PortStats | None:
        """Return the device's counters as OpenFlow wants them."""
        known = self.device.get_stats()
        if not known:
            return None
        stats = PortStats(p.UNKNOWN)
        for name in known.keys() & _PORT_COUNTERS:
            setattr(stats, name, known[name])
        stats.custom = self.device.get_custom_stats()
        return stats

    def statistics(self) -> dict[str, int]:
        """Return the row's `statistics`; a patch port's are its OpenFlow port's."""
        if self.device.is_virtual:
            counts = self.port.stats
            return {
                "rx_packets": counts.rx_packets,
                "tx_packets": counts.tx_packets,
                "rx_bytes": counts.rx_bytes,
                "tx_bytes": counts.tx_bytes,
            }
        return statistics(self.device)


def _facts(port: Port) -> tuple[object, ...]:
    return (
        port.hw_addr,
        port.config,
        port.state,
        port.curr,
        port.advertised,
        port.supported,
        port.mtu,
    )


def _read_device(port: Port, device: Netdev) -> None:
    """Copy a device's state into its OpenFlow port."""
    address = device.get_etheraddr()
    port.hw_addr = int.from_bytes(address or b"", "big")
    port.mtu = device.get_mtu() or 0
    down = device.is_up() is False
    port.config = port.config & ~p.PORT_DOWN | (p.PORT_DOWN if down else 0)
    carrier = device.get_carrier() and not down
    port.state = port.state & ~(p.LINK_DOWN | p.LIVE) | (
        p.LIVE if carrier else p.LINK_DOWN
    )
    port.may_enable = carrier
    try:
        features = device.get_features()
    except NetdevError:
        features = Features()
    port.curr = features.current
    port.advertised = features.advertised
    port.supported = features.supported
    port.peer_features = features.peer
    port.curr_speed = features_to_bps(features.current) // 1000
    port.max_speed = features_to_bps(features.supported) // 1000


def _set_options(device: Netdev, config: InterfaceConfig) -> None:
    try:
        device.set_config(config.options)
    except NetdevError as error:
        _log.warn("%s", error)
        raise InterfaceError(str(error)) from error


def _set_mtu(device: Netdev, config: InterfaceConfig) -> None:
    if config.mtu_request is not None and device.get_mtu() is not None:
        try:
            device.set_mtu(config.mtu_request)
        except NetdevError as error:
            _log.dbg("%s: setting MTU: %s", config.name, error)


def create(config: InterfaceConfig, ofproto: Ofproto, datapath: Datapath) -> Interface:
    """Set up an interface of a switch.

    Raises: InterfaceError: nothing was changed.
    """
    name = config.name
    if provider.is_reserved_name(name):
        _log.warn("could not create interface %s, name is reserved", name)
        raise InterfaceError("")
    type_ = datapath.open_type(config.type)
    try:
        device = provider.open_netdev(name, type_)
    except NetdevError as error:
        text = f"could not open network device {name} ({error})"
        _log.warn("%s", text)
        raise InterfaceError(text) from error
    try:
        _set_options(device, config)
        odp_port = None if device.is_virtual else datapath.add_port(name, device)
    except InterfaceError:
        provider.close_netdev(device)
        raise
    except OSError as error:
        provider.close_netdev(device)
        text = f"could not add network device {name} to ofproto ({error.strerror})"
        _log.warn_rl(_limit, "%s", text)
        raise InterfaceError(text) from error
    device.changed()
    _set_mtu(device, config)
    port = ofproto.port_add(
        name,
        odp_port,
        netdev_type=type_,
        hw_addr=int.from_bytes(device.get_etheraddr() or b"", "big"),
        ofp_port=config.wanted_ofport,
        peer_name=getattr(device, "peer", ""),
    )
    interface = Interface(config, device, datapath, port)
    if not device.is_virtual:
        port.stats_source = interface.stats
        port.set_up = interface.set_up
    interface.refresh_port()
    _log.info("bridge %s: added interface %s on port %d", ofproto.name, name,
              port.ofp_port)  # fmt: skip
    return interface
