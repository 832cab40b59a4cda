# SPDX-License-Identifier: Apache-2.0
"""Ports' queues: how they are set up, and their statistics.

OpenFlow 1.0 to 1.3 tell the set-up in messages of their own, each port's in one; from
OpenFlow 1.4 on it is statistics like any other (OpenFlow 1.3.5 §7.3.6, OpenFlow 1.5.1
§7.3.5.8 and §7.3.5.9).
"""

from __future__ import annotations

import struct

from ovswitch.flow.names import (
    OFPP_ALL,
    OFPP_MAX,
    OFPP_NONE,
    port_from_ofp11,
    port_to_ofp11,
)
from ovswitch.openflow import wire
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.base import U16, U32, U64, Message, port_number
from ovswitch.openflow.version import OF10, OF12, OF13, OF14

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.openflow import raws
    from ovswitch.openflow.messages.base import Context

OFPQ_ALL = U32

#: A rate that isn't set; others are tenths of a per cent of the port's.
NO_RATE = U16

_MIN_RATE, _MAX_RATE = 1, 2

_CONFIG10 = struct.Struct("!H2x")
_CONFIG11 = struct.Struct("!I4x")
_CONFIG14 = struct.Struct("!II")
_REPLY10 = struct.Struct("!H6x")
_QUEUE10 = struct.Struct("!IH2x")
_QUEUE12 = struct.Struct("!IIH6x")
_RATE10 = struct.Struct("!HH4xH6x")
_RATE10_HEAD = struct.Struct("!HH4x")
_STATS_REQUEST10 = struct.Struct("!H2xI")
_STATS_REQUEST11 = struct.Struct("!II")
_STATS10 = struct.Struct("!H2xIQQQ")
_STATS11 = struct.Struct("!IIQQQ")
_STATS13 = struct.Struct("!IIQQQII")
_STATS14 = struct.Struct("!H6xIIQQQII")


class QueueConfigRequest(Message):
    """A request for the set-up of a port's queues.

    Attributes:
        port: which port; `OFPP_NONE` for all, from OpenFlow 1.1 on.
        queue: which queue; before OpenFlow 1.4 always all of them, `OFPQ_ALL`.
    """

    __slots__ = ("port", "queue")

    type = "QUEUE_GET_CONFIG_REQUEST"

    def __init__(self, port: int, queue: int = OFPQ_ALL) -> None:
        self.port = port
        self.queue = queue
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        if version == OF10:
            return "", _CONFIG10.pack(self.port)
        port = port_to_ofp11(self.port)
        if version < OF14:
            return "", _CONFIG11.pack(port)
        return "", _CONFIG14.pack(port, self.queue)


def _decode_config_request(
    header: raws.Header, cursor: wire.Cursor, context: Context
) -> QueueConfigRequest:
    if header.version >= OF14:
        port, queue = cursor.unpack(_CONFIG14)
        return QueueConfigRequest(port_number(port), queue)
    if header.version == OF10:
        (port,) = cursor.unpack(_CONFIG10)
    else:
        port = port_number(cursor.unpack(_CONFIG11)[0])
    if port >= OFPP_MAX and (port != OFPP_NONE or header.version == OF10):
        raise OpenFlowError("OFPQOFC_BAD_PORT")
    return QueueConfigRequest(port)


class QueueConfig:
    """How a queue is set up.

    Attributes:
        port, queue: which queue.
        min_rate, max_rate: in tenths of a per cent; more than 1000: switched off;
            `NO_RATE`: not set.
    """

    __slots__ = ("max_rate", "min_rate", "port", "queue")

    def __init__(
        self, port: int, queue: int, min_rate: int = NO_RATE, max_rate: int = NO_RATE
    ) -> None:
        self.port = port
        self.queue = queue
        self.min_rate = min_rate
        self.max_rate = max_rate

    def encode(self, version: int) -> bytes:
        """Return the entry's octets."""
        rates = [
            (kind, rate)
            for kind, rate in ((_MIN_RATE, self.min_rate), (_MAX_RATE, self.max_rate))
            if rate != NO_RATE
        ]
        if version >= OF14:
            inner = b"".join(wire.put_u16(kind, rate) for kind, rate in rates)
            size = _QUEUE12.size + len(inner)
            port = port_to_ofp11(self.port)
            return _QUEUE12.pack(port, self.queue, size) + inner
        inner = b"".join(_RATE10.pack(kind, _RATE10.size, rate) for kind, rate in rates)
        if version < OF12:
            return _QUEUE10.pack(self.queue, _QUEUE10.size + len(inner)) + inner
        size = _QUEUE12.size + len(inner)
        return _QUEUE12.pack(self.queue, port_to_ofp11(self.port), size) + inner


class QueueConfigReply(Message):
    """Queues' set-up.

    Before OpenFlow 1.4 it is one message (`encode`), which tells about `port` only;
    from then on one part of a statistics reply (`entries`).
    """

    __slots__ = ("more", "port", "queues")

    type = "QUEUE_GET_CONFIG_REPLY"

    def __init__(
        self, port: int, queues: list[QueueConfig], more: bool = False
    ) -> None:
        self.port = port
        self.queues = queues
        self.more = more
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        octets = b"".join(self.entries("", version))
        if version == OF10:
            return "", _REPLY10.pack(self.port) + octets
        if version < OF14:
            return "", _CONFIG11.pack(port_to_ofp11(self.port)) + octets
        return "", octets

    def entries(self, form: str, version: int) -> Iterator[bytes]:
        """Yield each entry's octets."""
        return (queue.encode(version) for queue in self.queues)


def take_configs(header: raws.Header, cursor: wire.Cursor) -> Iterator[QueueConfig]:
    """Yield a reply's entries; an error comes when its entry is reached.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN, OFPBAC_BAD_OUT_PORT, OFPBPC_*.
    """
    if header.version >= OF14:
        while cursor.left:
            yield _take_config14(cursor)
        return
    head = cursor.unpack(_REPLY10 if header.version == OF10 else _CONFIG11)
    while cursor.left:
        port = head[0] if header.version == OF10 else port_number(head[0])
        yield _take_config10(header.version, port, cursor)


def _inner(cursor: wire.Cursor, size: int, head_size: int) -> wire.Cursor:
    """Take the rest of an entry whose head was taken."""
    if size < head_size or size % 8:
        raise OpenFlowError("OFPBRC_BAD_LEN")
    return cursor.sub(size - head_size)


def _take_config10(version: int, port: int, cursor: wire.Cursor) -> QueueConfig:
    if version < OF12:
        number, size = cursor.unpack(_QUEUE10)
        inner = _inner(cursor, size, _QUEUE10.size)
    else:
        number, _, size = cursor.unpack(_QUEUE12)
        inner = _inner(cursor, size, _QUEUE12.size)
    queue = QueueConfig(port, number)
    while inner.left:
        kind, size = _RATE10_HEAD.unpack(inner.peek()[: _RATE10_HEAD.size])
        if size < _RATE10_HEAD.size or size % 8:
            raise OpenFlowError("OFPBRC_BAD_LEN")
        octets = inner.take(size)
        if kind in (_MIN_RATE, _MAX_RATE):
            if size != _RATE10.size:
                raise OpenFlowError("OFPBRC_BAD_LEN")
            _set_rate(queue, kind, _RATE10.unpack(octets)[2])
    return queue


def _take_config14(cursor: wire.Cursor) -> QueueConfig:
    number, queue_id, size = cursor.unpack(_QUEUE12)
    queue = QueueConfig(port_number(number), queue_id)
    for item in wire.properties(_inner(cursor, size, _QUEUE12.size).rest()):
        if item.type in (_MIN_RATE, _MAX_RATE):
            _set_rate(queue, item.type, item.u16())
    return queue


def _set_rate(queue: QueueConfig, kind: int, rate: int) -> None:
    if kind == _MIN_RATE:
        queue.min_rate = rate
    else:
        queue.max_rate = rate


def _decode_config_reply(
    header: raws.Header, cursor: wire.Cursor, context: Context
) -> QueueConfigReply:
    port: int | None = OFPP_NONE
    if header.version == OF10:
        port = int.from_bytes(cursor.peek()[:2], "big")
    elif header.version < OF14:
        port = port_from_ofp11(int.from_bytes(cursor.peek()[:4], "big"))
    queues = list(take_configs(header, cursor))
    return QueueConfigReply(OFPP_NONE if port is None else port, queues, header.more)


class QueueStatsRequest(Message):
    """A request for queues' statistics.

    Attributes:
        port: which port's; `OFPP_NONE` for all ports'.
        queue: which queue; `OFPQ_ALL` for all.
    """

    __slots__ = ("port", "queue")

    type = "QUEUE_STATS_REQUEST"

    def __init__(self, port: int = OFPP_NONE, queue: int = OFPQ_ALL) -> None:
        self.port = port
        self.queue = queue
        self.xid = self.version = 0

    def body(self, version: int, protocol: int) -> tuple[str, bytes]:
        """Return the form and body for a version."""
        if version == OF10:
            # There is no OFPP_ANY yet.
            port = OFPP_ALL if self.port == OFPP_NONE else self.port
            return "", _STATS_REQUEST10.pack(port, self.queue)
        return "", _STATS_REQUEST11.pack(port_to_ofp11(self.port), self.queue)


def _decode_stats_request(
    header: raws.Header, cursor: wire.Cursor, context: Context
) -> QueueStatsRequest:
    if header.version == OF10:
        port, queue = cursor.unpack(_STATS_REQUEST10)
        return QueueStatsRequest(OFPP_NONE if port == OFPP_ALL else port, queue)
    port, queue = cursor.unpack(_STATS_REQUEST11)
    return QueueStatsRequest(port_number(port), queue)


class QueueStats:
    """A queue's statistics.

    Attributes:
        port, queue: which queue.
        tx_bytes, tx_packets, tx_errors: all ones if unknown.
        duration_sec, duration_nsec: since it is there; all ones if unknown.
    """

    __slots__ = (
        "duration_nsec", "duration_sec", "port", "queue", "tx_bytes", "tx_errors",
        "tx_packets",
    )  # fmt: skip

    def __init__(
        self,
        port: int,
        queue: int,
        tx_bytes: int = U64,
        tx_packets: int = U64,
        tx_errors: int = U64,
        duration_sec: int = U32,
        duration_nsec: int = U32,
    ) -> None:
        self.port = port
        self.queue = queue
        self.tx_bytes = tx_bytes
        self.tx_packets = tx_packets
        self.tx_errors = tx_errors
        self.duration_sec = duration_sec
        self.duration_nsec = duration_nsec

    def encode(self, version: int) -> bytes:
        """Return the entry's octets."""
        counts = (self.queue, self.tx_bytes, self.tx_packets, self.tx_errors)
        if version == OF10:
            return _STATS10.pack(self.port, *counts)
        port = port_to_ofp11(self.port)
        if version < OF13:
            return _STATS11.pack(port, *counts)
        duration = (self.duration_sec, self.duration_nsec)
        if version < OF14:
            return _STATS13.pack(port, *counts, *duration)
        return _STATS14.pack(_STATS14.size, port, *counts, *duration)


def take_stats(header: raws.Header, cursor: wire.Cursor) -> QueueStats:
    """Take one entry of a reply.

    Raises:
        OpenFlowError: OFPBRC_BAD_LEN, OFPBAC_BAD_OUT_PORT.
    """
    form = header.raw.form
    if form == "OFPST10":
        return QueueStats(*cursor.unpack(_STATS10))
    if form == "OFPST11":
        port, *rest = cursor.unpack(_STATS11)
    elif form == "OFPST13":
        port, *rest = cursor.unpack(_STATS13)
    else:
        size, port, *rest = cursor.unpack(_STATS14)
        cursor.skip(size - _STATS14.size)
    return QueueStats(port_number(port), *rest)


class QueueStatsReply(Message):
    """Queues' statistics: one part of a reply."""

    __slots__ = ("more", "queues")

    type = "QUEUE_STATS_REPLY"

    def __init__(self, queues: list[QueueStats], more: bool = False) -> None:
        self.queues = queues
        self.more = more
        self.xid = self.version = 0

    def entries(self, form: str, version: int) -> Iterator[bytes]:
        """Yield each entry's octets."""
        return (queue.encode(version) for queue in self.queues)


def _decode_stats_reply(
    header: raws.Header, cursor: wire.Cursor, context: Context
) -> QueueStatsReply:
    queues = []
    while cursor.left:
        queues.append(take_stats(header, cursor))
    return QueueStatsReply(queues, header.more)


DECODERS = {
    "QUEUE_GET_CONFIG_REQUEST": _decode_config_request,
    "QUEUE_GET_CONFIG_REPLY": _decode_config_reply,
    "QUEUE_STATS_REQUEST": _decode_stats_request,
    "QUEUE_STATS_REPLY": _decode_stats_reply,
}
