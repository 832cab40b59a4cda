# SPDX-License-Identifier: Apache-2.0
"""Links over rtnetlink: look up, change, watch.

Only what ports need: one message kind (links), synchronous requests on one socket, and
a second socket that hears about changes. The well-kept library for this, pyroute2,
takes 170 ms of processor time to import, two thirds of a daemon's whole start-up
budget; these requests are a page of code.

Sources: rtnetlink(7), linux/if_link.h, linux/rtnetlink.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from typing import NamedTuple

_HEADER = struct.Struct("=LHHLL")  # nlmsghdr: length, type, flags, sequence, port
_IFINFO = struct.Struct("=BxHiII")  # family, device type, index, flags, change mask
_ATTR = struct.Struct("=HH")
_STATS64 = struct.Struct("=24Q")

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 1, 4, 0x300
RTMGRP_LINK = 1
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_MASTER = 1, 3, 4, 10
IFLA_LINKINFO, IFLA_STATS64, IFLA_CARRIER, IFLA_CARRIER_CHANGES = 18, 23, 33, 35
IFLA_INFO_KIND = 1
IFF_UP, IFF_PROMISC, IFF_RUNNING, IFF_LOWER_UP = 0x1, 0x100, 0x40, 0x10000

_RECEIVE_BYTES = 1 << 18

#: What rtnl_link_stats64 holds, in order (linux/if_link.h).
_STATS = (
    "rx_packets",
    "tx_packets",
    "rx_bytes",
    "tx_bytes",
    "rx_errors",
    "tx_errors",
    "rx_dropped",
    "tx_dropped",
    "multicast",
    "collisions",
    "rx_length_errors",
    "rx_over_errors",
    "rx_crc_errors",
    "rx_frame_errors",
    "rx_fifo_errors",
    "rx_missed_errors",
    "tx_aborted_errors",
    "tx_carrier_errors",
    "tx_fifo_errors",
    "tx_heartbeat_errors",
    "tx_window_errors",
    "rx_compressed",
    "tx_compressed",
    "rx_nohandler",
)


class Link(NamedTuple):
    """One network device as the kernel tells it.

    Attributes:
        ifindex: the interface's number; `name` its name.
        flags: IFF_*.
        address: link-layer address, 6 octets for Ethernet, else shorter or empty.
        mtu: octets.
        carrier: whether the link is up.
        carrier_changes: how often that has changed.
        kind: driver kind of a virtual device ("veth", "tun"), else "".
        stats: counters by their kernel names.
    """

    ifindex: int
    name: str
    flags: int
    address: bytes
    mtu: int
    carrier: bool
    carrier_changes: int
    kind: str
    stats: dict[str, int]


class Change(NamedTuple):
    """A link that is new or has changed, or is `deleted`."""

    link: Link
    deleted: bool


def _attributes(octets: bytes) -> dict[int, bytes]:
    found = {}
    offset = 0
    while offset + _ATTR.size <= len(octets):
        size, kind = _ATTR.unpack_from(octets, offset)
        if size < _ATTR.size or offset + size > len(octets):
            break
        found[kind & 0x3FFF] = octets[offset + _ATTR.size : offset + size]
        offset += size + 3 & ~3
    return found


def _attribute(kind: int, value: bytes) -> bytes:
    size = _ATTR.size + len(value)
    return _ATTR.pack(size, kind) + value + bytes(-size % 4)


def _number(octets: bytes | None) -> int:
    return int.from_bytes(octets or b"", "little" if _LITTLE else "big")


_LITTLE = struct.pack("=H", 1) == b"\x01\x00"


def _parse_link(body: bytes) -> Link:
    _family, _type, index, flags, _change = _IFINFO.unpack_from(body)
    attrs = _attributes(body[_IFINFO.size :])
    kind = _attributes(attrs.get(IFLA_LINKINFO, b"")).get(IFLA_INFO_KIND, b"")
    carrier = attrs.get(IFLA_CARRIER)
    counters = attrs.get(IFLA_STATS64, b"").ljust(_STATS64.size, b"\0")
    return Link(
        index,
        attrs.get(IFLA_IFNAME, b"").rstrip(b"\0").decode(errors="replace"),
        flags,
        attrs.get(IFLA_ADDRESS, b""),
        _number(attrs.get(IFLA_MTU)),
        bool(flags & IFF_RUNNING) if carrier is None else carrier != b"\0",
        _number(attrs.get(IFLA_CARRIER_CHANGES)),
        kind.rstrip(b"\0").decode(errors="replace"),
        dict(zip(_STATS, _STATS64.unpack_from(counters), strict=True)),
    )


def _messages(octets: bytes) -> list[tuple[int, bytes]]:
    """Split a datagram into (type, body) pairs; what is cut short is left out."""
    found = []
    offset = 0
    while offset + _HEADER.size <= len(octets):
        size, kind, _flags, _sequence, _port = _HEADER.unpack_from(octets, offset)
        if size < _HEADER.size or offset + size > len(octets):
            break
        found.append((kind, octets[offset + _HEADER.size : offset + size]))
        offset += size + 3 & ~3
    return found


class Rtnetlink:
    """A socket for questions about links. Requests block for the kernel's answer."""

    __slots__ = ("_sequence", "_socket")

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0
        )
        self._socket.bind((0, 0))
        self._sequence = 0

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def get(self, name: str) -> Link:
        """Return the link called `name`. Raises: OSError (ENODEV)."""
        encoded = name.encode()
        if not encoded or len(encoded) > 15:
            raise OSError(errno.ENODEV, os.strerror(errno.ENODEV))
        replies = self._request(
            RTM_GETLINK, 0, 0, 0, 0, _attribute(IFLA_IFNAME, encoded + b"\0")
        )
        return _parse_link(replies[0])

    def dump(self) -> list[Link]:
        """Return all links of the network namespace."""
        return [_parse_link(body) for body in self._request(RTM_GETLINK, NLM_F_DUMP)]

    def set_flags(self, index: int, on: int, off: int = 0) -> None:
        """Turn IFF_* bits of a link on and off. Raises: OSError."""
        self._request(RTM_SETLINK, NLM_F_ACK, index, on, on | off)

    def set_mtu(self, index: int, mtu: int) -> None:
        """Set a link's MTU in octets. Raises: OSError."""
        attr = _attribute(IFLA_MTU, struct.pack("=I", mtu))
        self._request(RTM_SETLINK, NLM_F_ACK, index, 0, 0, attr)

    def set_address(self, index: int, address: bytes) -> None:
        """Set a link's Ethernet address (6 octets). Raises: OSError."""
        attr = _attribute(IFLA_ADDRESS, address)
        self._request(RTM_SETLINK, NLM_F_ACK, index, 0, 0, attr)

    def _request(
        self,
        kind: int,
        nl_flags: int,
        index: int = 0,
        flags: int = 0,
        change: int = 0,
        attrs: bytes = b"",
    ) -> list[bytes]:
        self._sequence = self._sequence + 1 & 0xFFFFFFFF
        body = _IFINFO.pack(0, 0, index, flags, change) + attrs
        size = _HEADER.size + len(body)
        header = _HEADER.pack(size, kind, NLM_F_REQUEST | nl_flags, self._sequence, 0)
        self._socket.send(header + body)
        return self._answers(nl_flags)

    def _answers(self, nl_flags: int) -> list[bytes]:
        bodies: list[bytes] = []
        while True:
            for kind, body in _messages(self._socket.recv(_RECEIVE_BYTES)):
                if kind == NLMSG_DONE:
                    return bodies
                if kind == NLMSG_ERROR:
                    code = -struct.unpack_from("=i", body)[0]
                    if code:
                        raise OSError(code, os.strerror(code))
                    return bodies
                bodies.append(body)
            if not nl_flags and bodies:
                return bodies


class Watcher:
    """A socket that hears of every link's changes.

    Register `fileno()` with a loop and call `changes()` when it is readable.
    """

    __slots__ = ("_socket",)

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK,
            socket.SOCK_RAW | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK,
            0,
        )
        self._socket.bind((0, RTMGRP_LINK))

    def fileno(self) -> int:
        """Return the file descriptor to wait on."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def changes(self) -> list[Change] | None:
        """Return what has changed, or None if the kernel had to drop some of it."""
        found: list[Change] = []
        while True:
            try:
                octets = self._socket.recv(_RECEIVE_BYTES)
            except BlockingIOError:
                return found
            except OSError as error:
                if error.errno == errno.ENOBUFS:
                    return None
                raise
            found += [
                Change(_parse_link(body), kind == RTM_DELLINK)
                for kind, body in _messages(octets)
                if kind in (RTM_NEWLINK, RTM_DELLINK)
            ]
