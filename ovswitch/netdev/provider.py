# SPDX-License-Identifier: Apache-2.0
"""What a network device can be asked, and which classes there are.

`open_netdev` gives an object for a (name, type); asking again for the same name gives
the same object, as long as the type agrees. Nothing here forwards packets: a datapath
does, with the device's name.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from enum import IntFlag
from typing import NamedTuple


class NetdevError(Exception):
    """A device can't be opened or configured: `errno`, and a text for users."""

    def __init__(self, code: int, text: str = "") -> None:
        super().__init__(text or os.strerror(code))
        self.errno = code


class Feature(IntFlag):
    """Link modes, with the numbers of OpenFlow 1.1's ofp_port_features."""

    SPEED_10MB_HD = 1 << 0
    SPEED_10MB_FD = 1 << 1
    SPEED_100MB_HD = 1 << 2
    SPEED_100MB_FD = 1 << 3
    SPEED_1GB_HD = 1 << 4
    SPEED_1GB_FD = 1 << 5
    SPEED_10GB_FD = 1 << 6
    SPEED_40GB_FD = 1 << 7
    SPEED_100GB_FD = 1 << 8
    SPEED_1TB_FD = 1 << 9
    OTHER = 1 << 10
    COPPER = 1 << 11
    FIBER = 1 << 12
    AUTONEG = 1 << 13
    PAUSE = 1 << 14
    PAUSE_ASYM = 1 << 15


FULL_DUPLEX = (
    Feature.SPEED_10MB_FD
    | Feature.SPEED_100MB_FD
    | Feature.SPEED_1GB_FD
    | Feature.SPEED_10GB_FD
    | Feature.SPEED_40GB_FD
    | Feature.SPEED_100GB_FD
    | Feature.SPEED_1TB_FD
)

# Fastest first: any of the features means the speed, in bits a second.
_SPEEDS = (
    (Feature.SPEED_1TB_FD, 10**12),
    (Feature.SPEED_100GB_FD, 10**11),
    (Feature.SPEED_40GB_FD, 4 * 10**10),
    (Feature.SPEED_10GB_FD, 10**10),
    (Feature.SPEED_1GB_HD | Feature.SPEED_1GB_FD, 10**9),
    (Feature.SPEED_100MB_HD | Feature.SPEED_100MB_FD, 10**8),
    (Feature.SPEED_10MB_HD | Feature.SPEED_10MB_FD, 10**7),
)


def features_to_bps(features: int, default: int = 0) -> int:
    """Return the greatest speed among `features`, in bits a second."""
    for flags, bps in _SPEEDS:
        if features & flags:
            return bps
    return default


class Features(NamedTuple):
    """What a device runs at, offers, could do, and what its peer offers."""

    current: int = 0
    advertised: int = 0
    supported: int = 0
    peer: int = 0


class Netdev:
    """One network device.

    Attributes:
        name, type: as the Interface row says.
        change_seq: grows with each change of state, so that status need not be read
            again in between.
    """

    type = ""
    #: Whether there is no device of its own behind it (patch ports).
    is_virtual = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.change_seq = 1
        self.ref_count = 0

    def changed(self) -> None:
        """Note that the device's state is another."""
        self.change_seq += 1
        for callback in _watchers:
            callback()

    def set_config(self, options: Mapping[str, str]) -> None:
        """Apply an Interface row's options. Raises: NetdevError."""

    def close(self) -> None:
        """Give back what the device holds; called when nobody uses it any more."""

    def get_etheraddr(self) -> bytes | None:
        """Return the Ethernet address (6 octets), or None."""
        return None

    def set_etheraddr(self, address: bytes) -> None:
        """Set the Ethernet address. Raises: NetdevError."""
        raise NetdevError(errno.EOPNOTSUPP)

    def get_mtu(self) -> int | None:
        """Return the MTU in octets, or None where it has no meaning."""
        return None

    def set_mtu(self, mtu: int) -> None:
        """Set the MTU. Raises: NetdevError."""
        raise NetdevError(errno.EOPNOTSUPP)

    def get_next_hop(self, ip: int) -> tuple[int, str]:
        """Return how the host reaches an IPv4 address: gateway (or 0) and device.

        Raises: NetdevError.
        """
        raise NetdevError(errno.EOPNOTSUPP)

    def arp_lookup(self, device: str, ip: int) -> int:
        """Return the Ethernet address of the host's neighbour on `device`.

        Raises: NetdevError.
        """
        raise NetdevError(errno.EOPNOTSUPP)

    def set_in4(self, ip: int, mask: int) -> None:
        """Set the IPv4 address. Raises: NetdevError."""
        raise NetdevError(errno.EOPNOTSUPP)

    def add_router(self, gateway: int) -> None:
        """Add a default route of the host. Raises: NetdevError."""
        raise NetdevError(errno.EOPNOTSUPP)

    def get_ifindex(self) -> int:
        """Return the interface index, 0 where there is none."""
        return 0

    def is_up(self) -> bool | None:
        """Return the administrative state, or None if it can't be told."""
        return True

    def set_up(self, up: bool) -> None:
        """Set the administrative state. Raises: NetdevError."""

    def get_carrier(self) -> bool:
        """Return whether the link is up."""
        return True

    def get_carrier_resets(self) -> int:
        """Return how often the link has changed."""
        return 0

    def get_features(self) -> Features:
        """Return link modes. Raises: NetdevError."""
        raise NetdevError(errno.EOPNOTSUPP)

    def get_status(self) -> dict[str, str]:
        """Return what the Interface row's status column shows."""
        return {}

    def get_stats(self) -> dict[str, int]:
        """Return the counters that the device has, by the kernel's names for them."""
        return {}

    def get_custom_stats(self) -> dict[str, int]:
        """Return counters that only this class has."""
        return {}

    def get_config(self) -> dict[str, str]:
        """Return the options in force, for `dpif/show` and `dpctl/show`."""
        return {}


Factory = Callable[[str], Netdev]

_classes: dict[str, Factory] = {}
_open: dict[str, Netdev] = {}
_watchers: list[Callable[[], None]] = []

#: Names that begin so are kept for the datapath's own tunnel devices.
_RESERVED_PREFIXES = tuple(
    f"{kind}_sys"
    for kind in (
        *("genev", "gre", "ip6gre", "erspan", "ip6erspan"),
        *("vxlan", "lisp", "stt", "gtpu", "bareudp"),
    )
)
#: Datapaths' own devices.
_RESERVED_NAMES = ("ovs-system", "ovs-netdev", "ovs-dummy")


def register(type_: str, factory: Factory) -> None:
    """Make `type_` known."""
    _classes[type_] = factory


def types() -> list[str]:
    """Return the known types, sorted."""
    return sorted(_classes)


def factory_of(type_: str) -> Factory | None:
    """Return what opens devices of `type_`."""
    return _classes.get(type_)


def is_reserved_name(name: str) -> bool:
    """Return whether users may not name an interface so."""
    return name.startswith(_RESERVED_PREFIXES) or name in _RESERVED_NAMES


def watch(callback: Callable[[], None]) -> None:
    """Have `callback` called whenever a device changes; it must not do work itself."""
    _watchers.append(callback)


def unwatch(callback: Callable[[], None]) -> None:
    """Undo `watch`."""
    _watchers.remove(callback)


def open_netdev(name: str, type_: str) -> Netdev:
    """Open a device, or take another reference to it.

    Raises: NetdevError with EAFNOSUPPORT for an unknown type, EEXIST for a name in use
        with another type, and what the class says.
    """
    type_ = type_ or "system"
    device = _open.get(name)
    if device is None:
        factory = _classes.get(type_)
        if factory is None:
            raise NetdevError(errno.EAFNOSUPPORT)
        device = _open[name] = factory(name)
    elif device.type != type_:
        raise NetdevError(errno.EEXIST)
    device.ref_count += 1
    return device


def close_netdev(device: Netdev) -> None:
    """Give a reference back; the last one closes the device."""
    device.ref_count -= 1
    if device.ref_count == 0:
        del _open[device.name]
        device.close()


def from_name(name: str) -> Netdev | None:
    """Return the open device called `name`, without taking a reference."""
    return _open.get(name)


def open_devices() -> list[Netdev]:
    """Return all open devices, in the order in which they were opened."""
    return list(_open.values())
