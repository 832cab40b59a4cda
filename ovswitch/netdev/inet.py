# SPDX-License-Identifier: Apache-2.0
"""IPv4 of the host: addresses, routes and neighbours, over ioctls and /proc.

In-band control asks the way to its controllers here. Numbers are host integers.

Sources: netdevice(7), arp(7), linux/route.h (struct rtentry), /proc/net/route.
"""

from __future__ import annotations

import errno
import fcntl
import socket
import struct

from ovswitch.netdev.provider import NetdevError
from ovswitch.runtime import coverage, vlog

_log = vlog.Module("netdev_linux")
_limit = vlog.RateLimit(5, 20)
_arp_lookups = coverage.Counter("netdev_arp_lookup")

_SIOCADDRT, _SIOCSIFADDR, _SIOCSIFNETMASK, _SIOCGARP = 0x890B, 0x8916, 0x891C, 0x8954
_ARPHRD_ETHER = 1
_RTF_UP, _RTF_GATEWAY = 0x1, 0x2
_ROUTES = "/proc/net/route"

_IN = struct.Struct("=H2x4s8x")  # sockaddr_in without a port
_IFREQ = struct.Struct("=16s16s8x")
_ARPREQ = struct.Struct("=16sH14si16s16s")
_RTENTRY = struct.Struct("=8x16s16s16sH102x")  # what follows the flags is 0
_NUMBER = struct.Struct("=I")


def _ioctl(request: int, argument: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        try:
            return fcntl.ioctl(raw, request, argument)
        except OSError as error:
            raise NetdevError(error.errno or errno.EIO) from error


def _address(ip: int) -> bytes:
    return _IN.pack(socket.AF_INET, ip.to_bytes(4, "big"))


def _hex(text: str) -> int:
    """Return a number of /proc/net/route, where addresses are in network order."""
    return int.from_bytes(_NUMBER.pack(int(text, 16)), "big")


def next_hop(ip: int) -> tuple[int, str]:
    """Return where packets to `ip` go: a gateway (0 for none) and a device's name.

    Raises: NetdevError: there is no route, or routes can't be read.
    """
    try:
        with open(_ROUTES, encoding="ascii") as routes:
            lines = routes.readlines()[1:]
    except OSError as error:
        raise NetdevError(error.errno or errno.EIO) from error
    for line in lines:
        words = line.split()
        try:
            name, flags = words[0], int(words[3], 16)
            destination, gateway, mask = (_hex(words[at]) for at in (1, 2, 7))
        except (IndexError, ValueError):
            continue
        if flags & _RTF_UP and not (ip ^ destination) & mask:
            return gateway, name
    raise NetdevError(errno.ENXIO)


def arp_lookup(device: str, ip: int) -> int:
    """Return the Ethernet address of a neighbour of `device`.

    Raises: NetdevError: ENXIO if it isn't known.
    """
    _arp_lookups.add()
    request = _ARPREQ.pack(
        _address(ip), _ARPHRD_ETHER, b"", 0, b"", device.encode()[:15]
    )
    try:
        answer = _ioctl(_SIOCGARP, request)
    except NetdevError as error:
        if error.errno != errno.ENXIO:
            text = socket.inet_ntoa(ip.to_bytes(4, "big"))
            _log.warn_rl(
                _limit, "%s: could not look up ARP entry for %s: %s",
                *(device, text, error),
            )  # fmt: skip
        raise
    hardware: bytes = _ARPREQ.unpack(answer)[2]
    return int.from_bytes(hardware[:6], "big")


def set_address(device: str, ip: int, mask: int) -> None:
    """Give a device an address. Raises: NetdevError."""
    name = device.encode()[:15]
    _ioctl(_SIOCSIFADDR, _IFREQ.pack(name, _address(ip)))
    if ip:
        _ioctl(_SIOCSIFNETMASK, _IFREQ.pack(name, _address(mask)))


def add_router(gateway: int) -> None:
    """Add a default route. Raises: NetdevError."""
    anywhere = _address(0)
    flags = _RTF_UP | _RTF_GATEWAY
    try:
        _ioctl(_SIOCADDRT, _RTENTRY.pack(anywhere, _address(gateway), anywhere, flags))
    except NetdevError as error:
        _log.warn("ioctl(SIOCADDRT): %s", error)
        raise
