# SPDX-License-Identifier: Apache-2.0
"""Netlink messages and attributes as octets, both ways; no socket here.

An attribute is a 4-octet header (size including the header, type) and a payload, padded
to 4 octets; attributes nest. A message is `nlmsghdr`, `genlmsghdr`, `ovs_header` and
attributes. Everything is in host byte order, as netlink is.
Sources: linux/netlink.h, linux/genetlink.h, linux/openvswitch.h.
"""

from __future__ import annotations

from struct import Struct
from sys import byteorder

NLMSG_ERROR = 2
NLMSG_DONE = 3
NLM_F_REQUEST = 0x001
NLM_F_MULTI = 0x002
NLM_F_ACK = 0x004
NLM_F_ECHO = 0x008
NLM_F_DUMP = 0x300
NLM_F_CREATE = 0x400
NLM_F_EXCL = 0x200

_ATTR = Struct("=HH")
_TYPE_MASK = 0x3FFF  # the upper bits say "nested" and "network byte order"
_PAD = (b"", b"\0\0\0", b"\0\0", b"\0")
MAX_ATTR_SIZE = 0xFFFF

_U8 = Struct("=HHBxxx")
_U16 = Struct("=HHHxx")
_U32 = Struct("=HHI")
_HEADER = Struct("=IHHII")
_GENL_OVS = Struct("=BBHi")
_ERRNO = Struct("=i")
HEADER_SIZE = _HEADER.size
_BODY_AT = HEADER_SIZE + _GENL_OVS.size


class NetlinkError(ValueError):
    """The octets are no well-formed attributes or messages."""


def attr(kind: int, payload: bytes = b"") -> bytes:
    """Return an attribute; a nested one is given its attributes joined."""
    size = len(payload) + 4
    return _ATTR.pack(size, kind) + payload + _PAD[size & 3]


def put_u8(kind: int, value: int) -> bytes:
    """Return an attribute of 8 bits."""
    return _U8.pack(5, kind, value)


def put_u16(kind: int, value: int) -> bytes:
    """Return an attribute of 16 bits."""
    return _U16.pack(6, kind, value)


def put_u32(kind: int, value: int) -> bytes:
    """Return an attribute of 32 bits."""
    return _U32.pack(8, kind, value)


def put_string(kind: int, text: str) -> bytes:
    """Return an attribute of a null-terminated string."""
    return attr(kind, text.encode() + b"\0")


def walk(octets: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return the attributes as (type, payload) in order, and what follows the last.

    The rest is empty unless the octets are malformed there.
    """
    found = []
    at, end = 0, len(octets)
    while end - at >= 4:
        size, kind = _ATTR.unpack_from(octets, at)
        if size < 4 or size > end - at:
            break
        found.append((kind & _TYPE_MASK, octets[at + 4 : at + size]))
        at = min(at + (size + 3 & ~3), end)
    return found, octets[at:]


def parse(octets: bytes) -> dict[int, bytes]:
    """Return the payloads by type; the last one wins where a type repeats.

    Raises: NetlinkError: the octets are malformed.
    """
    found, rest = walk(octets)
    if rest:
        raise NetlinkError("malformed attributes")
    return dict(found)


def get_uint(payload: bytes) -> int:
    """Return a payload of any size as an unsigned integer in host order."""
    return int.from_bytes(payload, byteorder)


def get_string(payload: bytes) -> str:
    """Return a payload that is a string with or without its null octet."""
    return payload.partition(b"\0")[0].decode("utf-8", "replace")


class Message:
    """One generic netlink message of an Open vSwitch family, taken apart.

    `error` is a positive errno for NLMSG_ERROR (0 for an acknowledgement), otherwise
    None; `done` ends a dump. Both have no attributes.
    """

    __slots__ = (
        "attributes",
        "cmd",
        "done",
        "dp_ifindex",
        "error",
        "family",
        "flags",
        "pid",
        "seq",
    )

    def __init__(self, family: int, flags: int, seq: int, pid: int) -> None:
        self.family = family
        self.flags = flags
        self.seq = seq
        self.pid = pid
        self.cmd = 0
        self.dp_ifindex = 0
        self.error: int | None = None
        self.done = False
        self.attributes = b""


def message(
    family: int, cmd: int, dp_ifindex: int, flags: int, seq: int, attributes: bytes
) -> bytes:
    """Return a request's octets, padded to 4."""
    size = _BODY_AT + len(attributes)
    return (
        _HEADER.pack(size, family, flags | NLM_F_REQUEST, seq, 0)
        + _GENL_OVS.pack(cmd, 1, 0, dp_ifindex)
        + attributes
        + _PAD[size & 3]
    )


def split(datagram: bytes) -> list[Message]:
    """Return the messages of a datagram.

    Raises: NetlinkError: it is malformed.
    """
    messages = []
    at, end = 0, len(datagram)
    while at < end:
        if end - at < HEADER_SIZE:
            raise NetlinkError("truncated message header")
        size, family, flags, seq, pid = _HEADER.unpack_from(datagram, at)
        if size < HEADER_SIZE or size > end - at:
            raise NetlinkError("bad message size")
        one = Message(family, flags, seq, pid)
        _fill(one, datagram[at : at + size])
        messages.append(one)
        at += size + 3 & ~3
    return messages


def _fill(one: Message, octets: bytes) -> None:
    if one.family == NLMSG_ERROR:
        if len(octets) < HEADER_SIZE + 4:
            raise NetlinkError("truncated error message")
        one.error = -_ERRNO.unpack_from(octets, HEADER_SIZE)[0]
    elif one.family == NLMSG_DONE:
        one.done = True
    elif len(octets) < _BODY_AT:
        raise NetlinkError("truncated generic netlink header")
    else:
        one.cmd, _, _, one.dp_ifindex = _GENL_OVS.unpack_from(octets, HEADER_SIZE)
        one.attributes = octets[_BODY_AT:]


def u128_octets(value: int) -> bytes:
    """Return a 128-bit value (connection labels) in host order."""
    return value.to_bytes(16, byteorder)
