# SPDX-License-Identifier: Apache-2.0
"""In-band control's view of the database and of the local port's device.

Source: ovs-vswitchd.conf.db(5) on `connection_mode`, `disable-in-band`,
`in-band-queue` and the Controller table's `local_ip` and its kin.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable

from ovswitch.bridge.config import BridgeConfig, ControllerConfig, Row, optional
from ovswitch.netdev.provider import Netdev, NetdevError
from ovswitch.ofproto.in_band import Remote
from ovswitch.openflow.version import DEFAULT_PORT
from ovswitch.runtime import target, vlog

_log = vlog.Module("bridge")

_OVSDB_PORT = 6640
_LOOPBACK = 0x7F000001


def parse_ip(text: str) -> int | None:
    """Return an IPv4 address as a number, None if the text isn't one."""
    try:
        return int.from_bytes(socket.inet_pton(socket.AF_INET, text), "big")
    except OSError:
        return None


def remote_of(name: str, default_port: int) -> Remote | None:
    """Return the address and port of a connection method, None if it has none."""
    if not name.startswith(("tcp:", "ssl:")):
        return None
    try:
        parsed = target.parse_active(name, default_port)
    except OSError:
        return None  # what is wrong with it has been logged
    ip = parse_ip(parsed.host)
    return None if ip is None else (ip, parsed.port)


def managers(root: Row | None) -> list[Remote]:
    """Return the managers that the database's server reaches in band."""
    targets = {}
    for row in root.manager_options if root else ():
        targets[row.target] = optional(row.connection_mode) != "out-of-band"
    remotes = (remote_of(t, _OVSDB_PORT) for t, in_band in targets.items() if in_band)
    return [r for r in remotes if r is not None and r[0] != _LOOPBACK]


def remotes_of(
    bridge: BridgeConfig,
    services: Iterable[ControllerConfig],
    managers: Iterable[Remote],
) -> list[Remote]:
    """Return whom a bridge must let its host reach."""
    targets = {s.target: None for s in services if s.in_band}
    remotes = [remote_of(name, DEFAULT_PORT) for name in targets]
    if not bridge.disable_in_band:
        remotes += managers
    return [remote for remote in remotes if remote is not None]


def configure_local(name: str, device: Netdev, controller: ControllerConfig) -> None:
    """Give the local port the address and the host the gateway that a row asks for."""
    ip = parse_ip(controller.local_ip)
    if ip is None:
        return
    mask = parse_ip(controller.local_netmask) or _guess_mask(ip)
    try:
        device.set_up(True)
        device.set_in4(ip, mask)
    except NetdevError as error:
        _log.dbg("bridge %s: setting IP address: %s", name, error)
    else:
        _log.info(
            "bridge %s: configured IP address %s, netmask %s",
            *(name, _dotted(ip), _dotted(mask)),
        )
    gateway = parse_ip(controller.local_gateway)
    if gateway:
        try:
            device.add_router(gateway)
        except NetdevError as error:
            _log.dbg("bridge %s: adding gateway: %s", name, error)
        else:
            _log.info("bridge %s: configured gateway %s", name, _dotted(gateway))


def _guess_mask(ip: int) -> int:
    """Return the mask of the address's class (RFC 791 §3.2)."""
    for top, bits, mask in ((1, 0, 8), (2, 2, 16), (3, 6, 24)):
        if ip >> (32 - top) == bits:
            return 0xFFFFFFFF << (32 - mask) & 0xFFFFFFFF
    return 0


def _dotted(ip: int) -> str:
    return socket.inet_ntoa(ip.to_bytes(4, "big"))
