# SPDX-License-Identifier: Apache-2.0
"""A bridge's Ethernet address and datapath ID.

The address is `other_config:hwaddr`, else the lowest suitable address among the
bridge's ports, else one made from the row's UUID, so that it stays the same from one
run to the next. The datapath ID is `other_config:datapath-id`, else that address.

Source: ovs-vswitchd.conf.db(5), Bridge, `other_config : hwaddr` and `datapath-id`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ovswitch.bridge.config import PortConfig
from ovswitch.packet.address import AddressError, format_mac, parse_mac
from ovswitch.runtime import vlog

_log = vlog.Module("bridge")

_HEX = frozenset("0123456789abcdefABCDEF")


class Candidate(NamedTuple):
    """An interface that could give the bridge its address."""

    name: str
    is_local: bool  # whether it is the bridge's own port
    address: bytes | None


def parse_address(text: str) -> bytes | None:
    """Return an Ethernet address's octets, or None if `text` is no such address."""
    try:
        return parse_mac(text).to_bytes(6, "big")
    except AddressError:
        return None


def default_address(uuid: str) -> bytes:
    """Return the address that a bridge has if nothing else gives it one.

    The reference takes the first six octets of the UUID's words as they lie in a
    little-endian machine's memory; so do we, everywhere.
    """
    digits = uuid.replace("-", "")
    memory = bytes.fromhex(digits[:8])[::-1] + bytes.fromhex(digits[8:16])[::-1]
    return bytes([memory[0] & 0xFE | 0x02]) + memory[1:6]


def _is_suitable(address: bytes) -> bool:
    is_multicast_or_local = address[0] & 0x03
    return not is_multicast_or_local and any(address)


def _of_port(
    port: PortConfig, interfaces: list[Candidate], tag: int | None
) -> bytes | None:
    """Return the address that stands for a port, or None if it has no say."""
    configured = parse_address(port.mac)
    if configured is not None:
        return configured
    # Of a bond's members the first by name, as the Linux bonding driver and the
    # distributions' network scripts have it.
    chosen = min(interfaces)
    if chosen.is_local or (tag is not None and port.tag != tag):
        return None
    return chosen.address


def lowest_address(
    ports: Iterable[tuple[PortConfig, list[Candidate]]], tag: int | None = None
) -> bytes | None:
    """Return the lowest suitable address of a bridge's ports.

    Args:
        ports: each port with its interfaces; those that mirrors send to are left out.
        tag: only ports of this VLAN count (for a fake bridge).
    """
    addresses = (_of_port(port, ifaces, tag) for port, ifaces in ports if ifaces)
    return min(
        (address for address in addresses if address and _is_suitable(address)),
        default=None,
    )


def configured_address(bridge: str, hwaddr: str) -> bytes | None:
    """Return `other_config:hwaddr` if it can be an address, complaining if not."""
    address = parse_address(hwaddr)
    if address is None:
        return None
    if address[0] & 1:
        _log.err(
            "bridge %s: cannot set MAC address to multicast address %s",
            bridge,
            format_mac(int.from_bytes(address, "big")),
        )
    elif not any(address):
        _log.err("bridge %s: cannot set MAC address to zero", bridge)
    else:
        return address
    return None


def parse_datapath_id(value: str) -> int | None:
    """Read `other_config:datapath-id`: 16 hex digits, or 0x and up to 16."""
    digits = value
    if value[:2] in ("0x", "0X"):
        digits = value[2:]
        if len(digits) > 16:
            return None
    elif len(value) != 16:
        return None
    if not digits or not set(digits) <= _HEX:
        return None
    return int(digits, 16) or None
