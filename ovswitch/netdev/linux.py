# SPDX-License-Identifier: Apache-2.0
"""Devices of the Linux kernel: system, internal and tap.

A device's state is read from rtnetlink when somebody asks and kept until the kernel
tells of a change (`notice`). An internal or tap device of the userspace datapath exists
only once the datapath has made it; until then its state is that of no device.

Sources: netdev(7), linux/if_link.h, ovs-vswitchd.conf.db(5) on `status`.
"""

from __future__ import annotations

import errno

from ovswitch.netdev import ethtool, inet
from ovswitch.netdev.provider import Features, Netdev, NetdevError, register
from ovswitch.netdev.rtnetlink import IFF_UP, Change, Link, Rtnetlink

# A tap's other end is the host: what it sends is what the switch receives.
_SWAPPED = ("packets", "bytes", "errors", "dropped")
# Errors of a wire that a tap doesn't have.
_WIRE_ERRORS = (
    *("rx_length_errors", "rx_over_errors", "rx_crc_errors", "rx_frame_errors"),
    *("rx_fifo_errors", "rx_missed_errors", "tx_aborted_errors", "tx_carrier_errors"),
    *("tx_fifo_errors", "tx_heartbeat_errors", "tx_window_errors"),
)

_rtnetlink: Rtnetlink | None = None


def rtnetlink() -> Rtnetlink:
    """Return the process's socket for questions about links."""
    global _rtnetlink
    if _rtnetlink is None:
        _rtnetlink = Rtnetlink()
    return _rtnetlink


class LinuxNetdev(Netdev):
    """A device that exists before the switch does."""

    type = "system"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._link: Link | None = None
        self._features: Features | NetdevError | None = None
        self._status: dict[str, str] | None = None
        if self._must_exist():
            self._fetch()

    def _must_exist(self) -> bool:
        return True

    def _fetch(self) -> Link:
        """Return the device's state, from the kernel if it isn't known.

        Raises: NetdevError.
        """
        if self._link is None:
            try:
                self._link = rtnetlink().get(self.name)
            except OSError as error:
                raise NetdevError(error.errno or errno.EIO) from error
        return self._link

    def _peek(self) -> Link | None:
        try:
            return self._fetch()
        except NetdevError:
            return None

    def changed(self) -> None:
        """Forget what is known, so that it is read again."""
        super().changed()
        self._link = self._features = self._status = None

    def notice(self, change: Change) -> None:
        """Take in what the kernel tells of this device."""
        self.changed()
        if not change.deleted:
            self._link = change.link

    def get_etheraddr(self) -> bytes | None:
        """See Netdev."""
        link = self._peek()
        return link.address if link and len(link.address) == 6 else None

    def set_etheraddr(self, address: bytes) -> None:
        """See Netdev."""
        link = self._fetch()
        if link.address != address:
            try:
                rtnetlink().set_address(link.ifindex, address)
            except OSError as error:
                raise NetdevError(error.errno or errno.EIO) from error
            self.changed()

    def get_next_hop(self, ip: int) -> tuple[int, str]:
        """See Netdev."""
        return inet.next_hop(ip)

    def arp_lookup(self, device: str, ip: int) -> int:
        """See Netdev."""
        return inet.arp_lookup(device, ip)

    def set_in4(self, ip: int, mask: int) -> None:
        """See Netdev."""
        inet.set_address(self.name, ip, mask)

    def add_router(self, gateway: int) -> None:
        """See Netdev."""
        inet.add_router(gateway)

    def get_mtu(self) -> int | None:
        """See Netdev."""
        link = self._peek()
        return link.mtu if link else None

    def set_mtu(self, mtu: int) -> None:
        """See Netdev."""
        link = self._fetch()
        if link.mtu != mtu:
            try:
                rtnetlink().set_mtu(link.ifindex, mtu)
            except OSError as error:
                raise NetdevError(error.errno or errno.EIO) from error
            self.changed()

    def get_ifindex(self) -> int:
        """See Netdev."""
        link = self._peek()
        return link.ifindex if link else 0

    def is_up(self) -> bool | None:
        """See Netdev."""
        link = self._peek()
        return bool(link.flags & IFF_UP) if link else None

    def set_up(self, up: bool) -> None:
        """See Netdev."""
        link = self._fetch()
        if bool(link.flags & IFF_UP) != up:
            on, off = (IFF_UP, 0) if up else (0, IFF_UP)
            try:
                rtnetlink().set_flags(link.ifindex, on, off)
            except OSError as error:
                raise NetdevError(error.errno or errno.EIO) from error
            self.changed()

    def get_carrier(self) -> bool:
        """See Netdev."""
        link = self._peek()
        return bool(link and link.carrier)

    def get_carrier_resets(self) -> int:
        """See Netdev."""
        link = self._peek()
        return link.carrier_changes if link else 0

    def get_features(self) -> Features:
        """See Netdev."""
        if self._features is None:
            try:
                self._features = ethtool.get_features(self.name)
            except NetdevError as error:
                self._features = error
        if isinstance(self._features, NetdevError):
            raise self._features
        return self._features

    def get_status(self) -> dict[str, str]:
        """See Netdev."""
        if self._status is None:
            try:
                driver = ethtool.get_driver_info(self.name)
            except NetdevError:
                return {}
            self._status = {
                "driver_name": driver.driver,
                "driver_version": driver.version,
                "firmware_version": driver.firmware,
            }
        return self._status

    def get_stats(self) -> dict[str, int]:
        """See Netdev."""
        try:
            return rtnetlink().get(self.name).stats
        except OSError:
            return {}


class TapNetdev(LinuxNetdev):
    """A device that the userspace datapath makes when the port is added."""

    type = "tap"

    def _must_exist(self) -> bool:
        return False

    def get_stats(self) -> dict[str, int]:
        """See Netdev."""
        stats = super().get_stats()
        if stats:
            for what in _SWAPPED:
                rx, tx = f"rx_{what}", f"tx_{what}"
                stats[rx], stats[tx] = stats[tx], stats[rx]
            stats |= dict.fromkeys(_WIRE_ERRORS, 0)
        return stats


class InternalNetdev(TapNetdev):
    """A device that the kernel datapath makes when the port is added."""

    type = "internal"

    def get_status(self) -> dict[str, str]:
        """See Netdev."""
        return {"driver_name": "openvswitch"}

    def get_features(self) -> Features:
        """See Netdev."""
        raise NetdevError(errno.EOPNOTSUPP)


def register_classes() -> None:
    """Make system, tap and internal known."""
    register("system", LinuxNetdev)
    register("tap", TapNetdev)
    register("internal", InternalNetdev)
