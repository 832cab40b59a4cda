# SPDX-License-Identifier: Apache-2.0
"""What goes back into Interface rows, as column values.

The functions only compute; `Writes` then sets those columns of a row that differ from
what is there, so that an unchanged interface costs the database nothing.

Source: ovs-vswitchd.conf.db(5), Interface, "Interface Status" and "Statistics".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ovswitch.bridge.config import Row
from ovswitch.netdev.provider import (
    FULL_DUPLEX,
    Netdev,
    NetdevError,
    features_to_bps,
)

#: The columns of an interface that could not be set up. `error` and `ofport` beside.
CLEARED: dict[str, Any] = {
    "status": {},
    "admin_state": [],
    "duplex": [],
    "link_speed": [],
    "link_state": [],
    "mac_in_use": [],
    "mtu": [],
    "cfm_fault": [],
    "cfm_fault_status": [],
    "cfm_remote_mpids": [],
    "lacp_current": [],
    "statistics": {},
    "ifindex": [],
}


# The names of counters in the `statistics` column, and the kernel's.
_COUNTERS = {
    "rx_packets": "rx_packets",
    "tx_packets": "tx_packets",
    "rx_bytes": "rx_bytes",
    "tx_bytes": "tx_bytes",
    "rx_dropped": "rx_dropped",
    "tx_dropped": "tx_dropped",
    "rx_errors": "rx_errors",
    "tx_errors": "tx_errors",
    "rx_frame_err": "rx_frame_errors",
    "rx_over_err": "rx_over_errors",
    "rx_crc_err": "rx_crc_errors",
    "rx_missed_errors": "rx_missed_errors",
    "collisions": "collisions",
    "rx_multicast_packets": "multicast",
}


def statistics(device: Netdev) -> dict[str, int]:
    """Return the `statistics` column of a device that counts for itself."""
    known = device.get_stats()
    stats = {name: known[key] for name, key in _COUNTERS.items() if key in known}
    return stats | device.get_custom_stats()


def _some(value: Any) -> list[Any]:
    """Return an optional column's value."""
    return [] if value is None else [value]


def link_columns(device: Netdev) -> dict[str, Any]:
    """Return the columns that tell a device's state."""
    try:
        current = device.get_features().current
    except NetdevError:
        current = 0
    bps = features_to_bps(current)
    address = device.get_etheraddr()
    up = device.is_up()
    return {
        "status": device.get_status(),
        "admin_state": _some(None if up is None else _up_or_down(up)),
        "link_state": _some(_up_or_down(up is not False and device.get_carrier())),
        "link_resets": [device.get_carrier_resets()],
        "duplex": _some(_duplex(current) if bps else None),
        "link_speed": _some(bps or None),
        "mtu": _some(device.get_mtu()),
        "mac_in_use": _some(address.hex(":") if address else None),
        "ifindex": [device.get_ifindex()],
    }


def _up_or_down(up: bool) -> str:
    return "up" if up else "down"


def _duplex(features: int) -> str:
    return "full" if features & FULL_DUPLEX else "half"


def error_columns(error: str) -> dict[str, Any]:
    """Return the columns of an interface that could not be set up, and why."""
    return CLEARED | {"ofport": [-1], "error": [error]}


class Writes:
    """Column values to be written, gathered until there is a transaction for them."""

    def __init__(self) -> None:
        self._columns: dict[Row, dict[str, Any]] = {}

    def put(self, row: Row | None, columns: dict[str, Any]) -> None:
        """Add values for a row; later ones replace earlier ones."""
        if row is not None:
            self._columns.setdefault(row, {}).update(columns)

    def apply(self, exists: Callable[[Row], bool]) -> None:
        """Set the values that differ from the rows'. Needs a transaction.

        Args:
            exists: whether a row is still there: it may have gone meanwhile.
        """
        for row, columns in self._columns.items():
            if not exists(row):
                continue
            for name, value in columns.items():
                if getattr(row, name) != value:
                    setattr(row, name, value)
