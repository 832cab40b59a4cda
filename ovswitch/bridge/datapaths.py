# SPDX-License-Identifier: Apache-2.0
"""The datapaths under the bridges: opened when the first bridge of a type needs one.

All bridges of a type share a datapath ("ovs-netdev"). One that is there already, left
by an ovs-vswitchd that exited or died, is adopted with its ports and flows: traffic
goes on while the configuration is read, and what is no longer wanted goes then.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from ovswitch.datapath.dpif import Dpif, DpifError
from ovswitch.datapath.native_codec import NativeCodec, set_native_vlan_limit
from ovswitch.datapath.probe import probe
from ovswitch.datapath.transport_dummy import DummyTransport
from ovswitch.datapath.transport_userspace import UserspaceTransport
from ovswitch.flow.layout import N_VLANS
from ovswitch.netdev.dummy import DummyNetdev
from ovswitch.netdev.provider import Netdev
from ovswitch.ofproto.backer import Backer
from ovswitch.ofproto.features import Support
from ovswitch.packet import extract
from ovswitch.runtime import clock, dirs, vlog

if TYPE_CHECKING:
    from ovswitch.datapath.transport import Transport

_log = vlog.Module("ofproto_dpif")
_ofproto_log = vlog.Module("ofproto")
_dpif_log = vlog.Module("dpif")


class Datapath:
    """One datapath in use.

    Attributes:
        type: "netdev", "dummy", or what a dummy stands in for.
        backer: the switches on it.
    """

    def __init__(self, type_: str, transport: Transport, vlan_limit: int) -> None:
        self.type = type_
        self.transport = transport
        self.dpif = Dpif.create_and_open(transport, f"ovs-{type_}")
        self._existing = {port.name: port.port_no for port in self.dpif.port_dump()}
        self._in_use: set[int] = {0}
        self._dummies: dict[int, DummyNetdev] = {}
        self._vlan_limit = _limit_vlans(self.dpif, vlan_limit)
        if isinstance(transport, DummyTransport):
            transport.on_transmit = self._transmit
        support = Support(probe(self.dpif))
        self.backer = Backer(type_, self.dpif, support=support, clock=clock.now)
        self.backer.udpif.codec = NativeCodec()

    def set_vlan_limit(self, limit: int) -> None:
        """Match at most `limit` VLAN headers, though never more than when opened."""
        if limit != self._vlan_limit:
            self._vlan_limit = _limit_vlans(self.dpif, limit)
            self.backer.need_revalidate("reconfigure")

    def open_type(self, type_: str) -> str:
        """Return the device type that an interface of `type_` has here."""
        if type_ != "internal":
            return type_
        is_dummy = isinstance(self.transport, DummyTransport)
        return "dummy-internal" if is_dummy else "tap"

    def add_port(self, name: str, device: Netdev) -> int:
        """Add a device; return the datapath's port number. Raises: DpifError."""
        number = self._existing.pop(name, None)
        if number is None:
            number = self.dpif.port_add(name, device.type)
        self._in_use.add(number)
        self._plug(number, device)
        return number

    def _plug(self, number: int, device: Netdev) -> None:
        """Connect a dummy device with the in-process datapath."""
        transport, index = self.transport, self.dpif.dp_ifindex
        if isinstance(transport, DummyTransport) and isinstance(device, DummyNetdev):
            self._dummies[number] = device
            device.on_receive = lambda packet: transport.inject(index, number, packet)

    def _transmit(self, _index: int, number: int, packet: bytes) -> None:
        device = self._dummies.get(number)
        if device:
            device.transmit(packet)

    def remove_port(self, number: int) -> None:
        """Remove a port; one that is gone already is no matter."""
        self._in_use.discard(number)
        device = self._dummies.pop(number, None)
        if device:
            device.on_receive = None
        try:
            self.dpif.port_del(number)
        except DpifError as error:
            if error.errno not in (errno.ENODEV, errno.ENOENT):
                _log.warn("%s: failed to delete port: %s", self.dpif.name, error)

    def remove_unused_ports(self) -> None:
        """Remove what was adopted and is not configured any more."""
        for number in list(self._existing.values()):
            if number not in self._in_use:
                self.remove_port(number)
        self._existing.clear()

    def remove_foreign_ports(self) -> None:
        """Remove what somebody else has put into the datapath."""
        for port in self.dpif.port_dump():
            if port.port_no not in self._in_use:
                self.remove_port(port.port_no)

    def delete(self) -> None:
        """Delete the datapath with its ports and flows."""
        try:
            self.dpif.delete()
        except DpifError as error:
            _log.dbg("%s: %s", self.dpif.name, error)


def _limit_vlans(dpif: Dpif, limit: int) -> int:
    """Let the datapath and this process look at `limit` VLAN headers; return it."""
    dpif.set_vlan_limit(limit)
    set_native_vlan_limit(limit)
    extract.set_vlan_limit(limit)
    return limit


# The types that are dummies, by the argument of --enable-dummy.
_DUMMIES = {"": ("dummy",), "system": ("dummy", "system")}
_ALL_DUMMIES = ("dummy", "netdev", "system")  # "override"


class Datapaths:
    """The datapaths by type.

    Args:
        dummy: the argument of --enable-dummy, None without it.
        disable_system: do without the kernel's datapath.
    """

    def __init__(
        self, *, dummy: str | None = None, disable_system: bool = False
    ) -> None:
        self.transports: dict[str, Transport] = {}
        if dummy is not None:
            for type_ in _ALL_DUMMIES if dummy == "override" else _DUMMIES[dummy]:
                self.transports[type_] = DummyTransport(type_)
        if "netdev" not in self.transports:
            self.transports["netdev"] = UserspaceTransport(dirs.rundir())
        self._types = set(self.transports) | (set() if disable_system else {"system"})
        self.open: dict[str, Datapath] = {}
        self._vlan_limit = 1

    def set_vlan_limit(self, limit: int) -> None:
        """Match at most `limit` VLAN headers; 0 for as many as datapaths can."""
        self._vlan_limit = min(limit, N_VLANS) if limit > 0 else N_VLANS
        for datapath in self.open.values():
            datapath.set_vlan_limit(self._vlan_limit)

    def types(self) -> list[str]:
        """Return the known types, sorted."""
        return sorted(self._types)

    def get(self, type_: str, bridge: str) -> Datapath:
        """Return the datapath of a type, opening it for a bridge if need be.

        Raises: OSError: EAFNOSUPPORT for a type that isn't known, ENOENT for the
            kernel's, which isn't there, or what opening says.
        """
        datapath = self.open.get(type_)
        if datapath is None:
            try:
                datapath = self.open[type_] = self._open(type_, bridge)
            except OSError as error:
                if type_ in self._types:
                    text = error.strerror
                    _dpif_log.warn("failed to create datapath ovs-%s: %s", type_, text)
                    _log.err("failed to open datapath of type %s: %s", type_, text)
                    _ofproto_log.err("failed to open datapath %s: %s", bridge, text)
                raise
        return datapath

    def _open(self, type_: str, bridge: str) -> Datapath:
        transport = self.transports.get(type_)
        if transport is not None:
            return Datapath(type_, transport, self._vlan_limit)
        code = errno.ENOENT
        if type_ not in self._types:
            code = errno.EAFNOSUPPORT
            _ofproto_log.warn("unknown datapath type %s", type_)
            _ofproto_log.warn(
                "could not create datapath %s of unknown type %s", bridge, type_
            )
        raise OSError(code, os.strerror(code))

    def remove(self, type_: str, *, delete: bool) -> None:
        """Give up a datapath; unless deleted, it goes on forwarding."""
        datapath = self.open.pop(type_, None)
        if datapath and delete:
            datapath.delete()

    def close(self) -> None:
        """Let go of everything."""
        for transport in self.transports.values():
            transport.close()
