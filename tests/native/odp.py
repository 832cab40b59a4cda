# SPDX-License-Identifier: Apache-2.0
"""A small client of the datapath protocol for the tests: builds and reads messages.

It is written apart from `ovswitch.datapath`, from the uapi header's numbers, so that
the two check one another.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable

DATAPATH, VPORT, FLOW, PACKET, METER, CT_LIMIT = range(0x20, 0x26)
NEW, DEL, GET, SET = range(1, 5)
MISS, ACTION, EXECUTE = range(1, 4)

REQUEST, MULTI, ACK, ECHO, DUMP = 0x1, 0x2, 0x4, 0x8, 0x300
EXCL, CREATE = 0x200, 0x400
ERROR, DONE = 2, 3

# Key attributes.
(K_ENCAP, K_PRIORITY, K_IN_PORT, K_ETHERNET, K_VLAN, K_ETHERTYPE, K_IPV4, K_IPV6) = (
    range(1, 9)
)
K_TCP, K_UDP, K_ICMP, K_ICMPV6, K_ARP, K_ND, K_SKB_MARK, K_TUNNEL = range(9, 17)
K_SCTP, K_TCP_FLAGS, K_DP_HASH, K_RECIRC_ID, K_MPLS = range(17, 22)
K_CT_STATE, K_CT_ZONE, K_CT_MARK, K_CT_LABELS = range(22, 26)
K_NSH, K_PACKET_TYPE, K_ND_EXT = 28, 29, 30

# Actions.
(
    A_OUTPUT,
    A_USERSPACE,
    A_SET,
    A_PUSH_VLAN,
    A_POP_VLAN,
    A_SAMPLE,
    A_RECIRC,
    A_HASH,
    A_PUSH_MPLS,
    A_POP_MPLS,
    A_SET_MASKED,
    A_CT,
    A_TRUNC,
    A_PUSH_ETH,
    A_POP_ETH,
    A_CT_CLEAR,
    A_PUSH_NSH,
    A_POP_NSH,
    A_METER,
    A_CLONE,
    A_CHECK_PKT_LEN,
    A_ADD_MPLS,
) = range(1, 23)
A_DROP = 25

NETDEV, INTERNAL = 1, 2


def attr(kind: int, content: bytes = b"") -> bytes:
    padding = b"\0" * (-len(content) % 4)
    return struct.pack("=HH", 4 + len(content), kind) + content + padding


def u16(kind: int, value: int) -> bytes:
    return attr(kind, struct.pack("=H", value))


def be16(kind: int, value: int) -> bytes:
    return attr(kind, struct.pack("!H", value))


def u32(kind: int, value: int) -> bytes:
    return attr(kind, struct.pack("=I", value))


def string(kind: int, value: str) -> bytes:
    return attr(kind, value.encode() + b"\0")


def message(
    family: int, cmd: int, flags: int, dp: int, attrs: bytes = b"", seq: int = 1
) -> bytes:
    size = 24 + len(attrs)
    header = struct.pack("=IHHII", size, family, REQUEST | flags, seq, 0)
    return header + struct.pack("=BBHI", cmd, 1, 0, dp) + attrs


def parse_attrs(octets: bytes) -> dict[int, bytes]:
    attrs = {}
    while len(octets) >= 4:
        size, kind = struct.unpack_from("=HH", octets)
        assert 4 <= size <= len(octets), octets
        attrs[kind & 0x3FFF] = octets[4:size]
        octets = octets[(size + 3) & ~3 :]
    assert not octets
    return attrs


class Reply:
    """One message from the datapath."""

    def __init__(self, octets: bytes) -> None:
        _, self.family, self.flags, self.seq, self.pid = struct.unpack_from(
            "=IHHII", octets
        )
        self.error = None
        self.cmd = self.dp = 0
        self.attrs: dict[int, bytes] = {}
        if self.family == ERROR:
            (self.error,) = struct.unpack_from("=i", octets, 16)
        elif self.family != DONE:
            self.cmd, _, _, self.dp = struct.unpack_from("=BBHI", octets, 16)
            self.attrs = parse_attrs(octets[24:])


def split(datagram: bytes) -> list[Reply]:
    replies = []
    while datagram:
        (size,) = struct.unpack_from("=I", datagram)
        assert 16 <= size <= len(datagram)
        replies.append(Reply(datagram[:size]))
        datagram = datagram[(size + 3) & ~3 :]
    return replies


class Client:
    """A connection to a forwarder's process."""

    def __init__(self, path: str) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.settimeout(10)
        self.sock.connect(path)
        self.upcalls: list[Reply] = []
        self.seq = 0

    def close(self) -> None:
        self.sock.close()

    def receive(self) -> list[Reply]:
        datagram = self.sock.recv(1 << 20)
        if not datagram:
            raise ConnectionError
        replies = []
        for reply in split(datagram):
            (self.upcalls if reply.family == PACKET else replies).append(reply)
        return replies

    def wait_upcall(self) -> Reply:
        while not self.upcalls:
            assert not self.receive()
        return self.upcalls.pop(0)

    def request(
        self, family: int, cmd: int, dp: int, attrs: bytes = b"", flags: int = ECHO
    ) -> list[Reply]:
        """Send a request and return its replies; OSError if it is refused."""
        self.seq += 1
        self.sock.send(message(family, cmd, flags | ACK, dp, attrs, self.seq))
        replies: list[Reply] = []
        while True:
            for reply in self.receive():
                assert reply.seq == self.seq
                if reply.error:
                    raise OSError(-reply.error, "refused")
                if reply.family in (ERROR, DONE):
                    return replies
                replies.append(reply)


class InProcess:
    """The same requests, served by the dummy datapath in this process."""

    def __init__(self, dp_request) -> None:
        self.dp_request = dp_request
        self.seq = 0

    def request(
        self, family: int, cmd: int, dp: int, attrs: bytes = b"", flags: int = ECHO
    ) -> list[Reply]:
        self.seq += 1
        octets = message(family, cmd, flags | ACK, dp, attrs, self.seq)
        replies = [r for d in self.dp_request(octets) for r in split(d)]
        last = replies.pop()
        assert last.family in (ERROR, DONE)
        if last.error:
            raise OSError(-last.error, "refused")
        return replies


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def eth(src: bytes = bytes(6), dst: bytes = bytes(6)) -> bytes:
    return attr(K_ETHERNET, src + dst)


def port_flow(in_port: int) -> tuple[bytes, bytes]:
    """Return the key and mask attributes of a flow that matches all of a port."""
    key = u32(K_IN_PORT, in_port) + eth() + be16(K_ETHERTYPE, 0x9999)
    mask = u32(K_IN_PORT, 0xFFFFFFFF) + eth() + be16(K_ETHERTYPE, 0)
    return key, mask


def flow_attrs(key: bytes, mask: bytes | None, actions: bytes) -> bytes:
    attrs = attr(1, key) + attr(2, actions)
    return attrs if mask is None else attrs + attr(7, mask)


def output(*ports: int) -> bytes:
    return b"".join(u32(A_OUTPUT, port) for port in ports)


def stats(reply: Reply) -> tuple[int, int]:
    """Return the packets and octets that a flow's reply tells."""
    return struct.unpack("=QQ", reply.attrs.get(3, bytes(16)))


def join(parts: Iterable[bytes]) -> bytes:
    return b"".join(parts)
