# SPDX-License-Identifier: Apache-2.0
"""One OpenFlow connection: what was agreed on it, and what is on its way to its peer.

`Connmgr` owns the connections; `requests/` answers what they receive. A connection is
*primary* when it is a configured controller's, and a *service* connection when someone
connected to us (ovs-ofctl): those get asynchronous messages only after asking.

Long replies are made a piece at a time: the first pieces at once, the others when
`resume()` is called and the peer has taken most of what was sent. Requests that come
before a reply is complete wait for it, because replies keep the requests' order.

Bounds: packet-ins by number in the send buffer (`max_queue_size`) and waiting for the
rate limit (`burst`); multipart requests as `multipart` says; flow monitors pause at 128
kB in the send buffer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ovswitch.ofproto import multipart
from ovswitch.ofproto.bundles import Bundles
from ovswitch.ofproto.flow_mod_log import FlowModLog
from ovswitch.ofproto.flow_monitor import FlowMonitors
from ovswitch.ofproto.in_flight import InFlight
from ovswitch.ofproto.packet_in_queue import PacketInQueue
from ovswitch.openflow import codec, errors, raws
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.async_config import PACKET_IN, AsyncConfig
from ovswitch.openflow.messages.base import Context
from ovswitch.openflow.messages.packet_in import (
    OFPR_ACTION,
    OFPR_ACTION_SET,
    OFPR_EXPLICIT_MISS,
    OFPR_GROUP,
    OFPR_IMPLICIT_MISS,
    OFPR_INVALID_TTL,
    OFPR_NO_MATCH,
    OFPR_PACKET_OUT,
    STANDARD,
)
from ovswitch.openflow.messages.role import EQUAL, SECONDARY
from ovswitch.openflow.version import OF13, OF14
from ovswitch.runtime import vlog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ovswitch.ofproto.connmgr import Connmgr
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.requests.bundle import Entry
    from ovswitch.openflow.messages.base import Message
    from ovswitch.openflow.messages.packet_in import PacketIn

_log = vlog.Module("connmgr")
_error_limit = vlog.RateLimit(10, 10)
_drop_limit = vlog.RateLimit(5, 5)

DEFAULT_MISS_SEND_LEN = 128

#: Octets in the send buffer from which on a long reply waits.
_REPLY_BACKLOG = 256 << 10
#: Messages of a long reply that are made at once, so that others get their turn.
_REPLY_BATCH = 1
#: How soon to look whether the peer has taken what was sent.
_RETRY_MS = 10

_NAME_SIZE = 64  # how much of a refused message its name is looked for in
_ACTION14_BITS = 1 << OFPR_ACTION_SET | 1 << OFPR_GROUP | 1 << OFPR_PACKET_OUT
_MISSES = frozenset((OFPR_NO_MATCH, OFPR_EXPLICIT_MISS, OFPR_IMPLICIT_MISS))
_ACTION, _MISS = range(2)  # the two packet-in queues


class Connection(Protocol):
    """What carries a connection: the shell around the socket."""

    name: str

    @property
    def version(self) -> int:
        """The wire version agreed on."""

    @property
    def backlog(self) -> int:
        """Octets that wait to be sent."""

    def send(self, message: bytes) -> None:
        """Send a message, or queue it."""


class Settings(Protocol):
    """How a connection's controller is configured; intervals in seconds."""

    @property
    def target(self) -> str:
        """Where it is: "tcp:127.0.0.1:6653"."""

    @property
    def is_primary(self) -> bool:
        """Whether it is a controller's."""

    @property
    def probe_interval(self) -> int:
        """After how long a silent peer is probed; 0 for never."""

    @property
    def enable_async_messages(self) -> bool:
        """Whether asynchronous messages are sent that nobody asked for."""

    @property
    def max_queue_size(self) -> int:
        """How many packet-ins may wait in the send buffer."""

    @property
    def rate_limit(self) -> int:
        """How many packet-ins a second may be sent; 0 for any number."""

    @property
    def burst_limit(self) -> int:
        """How many packet-ins may wait for that; 0 for a default."""


class Ofconn:
    """An OpenFlow connection of a switch.

    Attributes:
        role: EQUAL, PRIMARY or SECONDARY.
        packet_in_format: STANDARD, NXT or NXT2.
        miss_send_len: octets of a missed packet, as the controller set it; packets are
            sent whole nevertheless, since there are no buffers.
        controller_id: which packet-ins are for this controller.
        connected: since when, in ms.
        is_admitted: whether the peer is believed to have accepted this switch.
    """

    __slots__ = (
        "_async_config", "_context", "_job", "_pending", "_protocol", "_queues",
        "_sent", "assembler", "bundles", "connected", "connection", "connmgr",
        "controller_id", "flow_mod_log", "is_admitted", "miss_send_len", "monitors",
        "packet_in_format", "packet_ins", "role", "settings", "updates",
    )  # fmt: skip

    def __init__(
        self, connmgr: Connmgr, connection: Connection, settings: Settings
    ) -> None:
        self.connmgr = connmgr
        self.connection = connection
        self.settings = settings
        self.connected = connmgr.ofproto.clock()
        self.is_admitted = False
        self.role = EQUAL
        self._protocol = protocols.first_of_version(connection.version)
        self._context: Context | None = None
        self.packet_in_format = STANDARD
        self.miss_send_len = DEFAULT_MISS_SEND_LEN if settings.is_primary else 0
        self.controller_id = 0
        self._async_config: AsyncConfig | None = None
        self.assembler = multipart.Assembler()
        self.bundles: Bundles[Entry] = Bundles()
        self.flow_mod_log = FlowModLog(connection.name)
        self.monitors = FlowMonitors(self)
        self.packet_ins = InFlight()
        self.updates = InFlight()
        self._queues: tuple[PacketInQueue, PacketInQueue] | None = None
        self._job: Iterator[None] | None = None
        self._pending: Iterator[bytes] | None = None
        self._sent = 0
        self.configure(settings)

    # What was agreed on.

    @property
    def ofproto(self) -> Ofproto:
        """The switch."""
        return self.connmgr.ofproto

    @property
    def name(self) -> str:
        """For logs: "br0<->unix#3"."""
        return self.connection.name

    @property
    def version(self) -> int:
        """The wire version."""
        return self.connection.version

    @property
    def is_primary(self) -> bool:
        """Whether it is a controller's, rather than a management tool's."""
        return self.settings.is_primary

    @property
    def protocol(self) -> int:
        """The protocol in effect: one bit of `openflow.protocol`."""
        return self._protocol

    @protocol.setter
    def protocol(self, protocol: int) -> None:
        self._protocol = protocol
        self._context = None

    @property
    def context(self) -> Context:
        """What decoding this connection's messages depends on."""
        tun = self.ofproto.tun_table
        if self._context is None or self._context.tun is not tun:
            self._context = Context(self._protocol, tun)
        return self._context

    @property
    def wants_packet_in_on_miss(self) -> bool:
        """Whether packets that miss are for this controller unless told otherwise."""
        return self.version < OF13 and self.controller_id == 0

    def configure(self, settings: Settings) -> None:
        """Take settings."""
        self.settings = settings
        rate, burst = settings.rate_limit, settings.burst_limit
        if rate <= 0:
            self._queues = None
        elif self._queues is None:
            self._queues = (PacketInQueue(rate, burst), PacketInQueue(rate, burst))
        else:
            for queue in self._queues:
                queue.set_limits(rate, burst)

    # Which asynchronous messages are sent.

    @property
    def async_config(self) -> AsyncConfig:
        """Which asynchronous messages are sent; not to be changed in place."""
        if self._async_config is not None:
            return self._async_config
        if not self.settings.enable_async_messages:
            return AsyncConfig()
        return AsyncConfig.default(self.version)

    @async_config.setter
    def async_config(self, config: AsyncConfig) -> None:
        config = config.copy()
        if self.version < OF14:
            # Older versions call all of these reasons an action.
            for masks in (config.primary, config.secondary):
                if masks[PACKET_IN] >> OFPR_ACTION & 1:
                    masks[PACKET_IN] |= _ACTION14_BITS
        self._async_config = config

    @property
    def invalid_ttl_to_controller(self) -> bool:
        """Whether packets with an invalid TTL are sent."""
        return bool(self.async_config.primary[PACKET_IN] >> OFPR_INVALID_TTL & 1)

    @invalid_ttl_to_controller.setter
    def invalid_ttl_to_controller(self, enable: bool) -> None:
        config = self.async_config.copy()
        bit = 1 << OFPR_INVALID_TTL
        if enable:
            config.primary[PACKET_IN] |= bit
        else:
            config.primary[PACKET_IN] &= ~bit
        self.async_config = config

    def receives(self, kind: int, reason: int) -> bool:
        """Return whether an asynchronous message of `kind` is sent for `reason`."""
        if not self.is_primary and not self.miss_send_len:
            return False  # service connections must ask for it
        return self.async_config.wants(kind, reason, self.role == SECONDARY)

    # Sending.

    def send(self, octets: bytes, counter: InFlight | None = None) -> None:
        """Send a message, counted by `counter` while it is in the send buffer."""
        self._sent += len(octets)
        if counter is not None:
            counter.add(self._sent, len(octets))
        self.connection.send(octets)

    def update_counters(self) -> None:
        """Take from the counters what has left the send buffer."""
        gone = self._sent - self.connection.backlog
        self.packet_ins.update(gone)
        self.updates.update(gone)

    def reply(self, message: Message, xid: int) -> None:
        """Send a message that answers the request `xid`."""
        self.send(codec.encode(message, self.version, xid, self._protocol))

    def reply_entries(
        self, kind: str, form: str, xid: int, entries: Iterable[bytes]
    ) -> None:
        """Answer a statistics request, by and by.

        Args:
            kind: the reply's type: "FLOW_STATS_REPLY".
            form: "NXST" where the request was Nicira's, else "".
            xid: the request's.
            entries: the reply's entries, encoded; taken only as they can be sent.
        """
        raw = raws.find(kind, self.version, form)
        self._pending = multipart.reply(raw, self.version, xid, entries)
        self.resume()

    def begin(self, job: Iterator[None]) -> None:
        """Do what `job` does between its values, the first part at once."""
        self._job = job
        self.resume()

    @property
    def has_job(self) -> bool:
        """Whether a request is being carried out part by part."""
        return self._job is not None

    def resume(self) -> bool:
        """Go on with a job or a long reply; return whether there is more of it."""
        if self._job is not None:
            for _ in self._job:
                return True
            self._job = None
        if self._pending is None:
            return False
        for _ in range(_REPLY_BATCH):
            if self.connection.backlog > _REPLY_BACKLOG:
                return True
            message = next(self._pending, None)
            if message is None:
                self._pending = None
                return False
            self.send(message)
        return True

    def finish_job(self) -> None:
        """Do all that is left of a job."""
        for _ in self._job or ():
            pass
        self._job = None

    def finish(self) -> None:
        """Do all that is left of a job, and send what is left of a long reply."""
        self.finish_job()
        if self._pending is not None:
            for message in self._pending:
                self.send(message)
            self._pending = None

    def refuse(self, request: bytes, error: OpenFlowError) -> None:
        """Answer a request with an error."""
        if not _log.should_drop(_error_limit, vlog.INFO):
            try:
                name = raws.parse(request[:_NAME_SIZE], partial=True).raw.name
            except OpenFlowError:
                name = "invalid"
            _log.info(
                "%s: sending %s error reply to %s message", self.name, error.name, name
            )
        self.send(errors.encode_reply(error.name, request))

    def send_packet_in(self, packet_in: PacketIn, now: int) -> None:
        """Send a packet, as the rate limit and the send buffer allow."""
        packet_in.packet_in_format = self.packet_in_format
        octets = packet_in.encode(self._protocol)
        if self._queues is None:
            self._send_packet_in(octets)
            return
        queue = self._queues[_MISS if packet_in.reason in _MISSES else _ACTION]
        ready = queue.send(packet_in.in_port, octets, now)
        if ready is not None:
            self._send_packet_in(ready)

    def _send_packet_in(self, octets: bytes) -> None:
        self.update_counters()
        if len(self.packet_ins) >= self.settings.max_queue_size:
            _log.info_rl(
                _drop_limit, "%s: dropping packet-in due to queue overflow", self.name
            )
            return
        self.send(octets, self.packet_ins)

    # Running.

    def run(self, now: int) -> None:
        """Do what is due."""
        for queue in self._queues or ():
            for octets in queue.run(now):
                self._send_packet_in(octets)
        self.resume()
        self.flow_mod_log.run(now)
        for request in self.assembler.expired(now):
            self.send(errors.encode_reply("OFPBRC_MULTIPART_REQUEST_TIMEOUT", request))
        for request in self.bundles.expired(now, self.connmgr.bundle_idle_timeout):
            self.send(errors.encode_reply("OFPBFC_TIMEOUT", request))
        self.update_counters()
        self.monitors.run()

    def deadline(self, now: int) -> int | None:
        """Return when `run()` has something to do; None for not before events."""
        deadlines = [queue.deadline() for queue in self._queues or ()]
        deadlines += [self.flow_mod_log.next_report, self.assembler.deadline()]
        deadlines.append(self.bundles.deadline(self.connmgr.bundle_idle_timeout))
        if self._pending is not None:
            is_full = self.connection.backlog > _REPLY_BACKLOG
            deadlines.append(now + _RETRY_MS if is_full else now)
        if self.monitors.is_paused:
            deadlines.append(now + _RETRY_MS)
        return min((one for one in deadlines if one is not None), default=None)

    @property
    def n_waiting_packets(self) -> int:
        """Packet-ins that wait, for the rate limit or in the send buffer."""
        self.update_counters()
        limited = sum(queue.n_queued for queue in self._queues or ())
        return limited + len(self.packet_ins)

    def packet_in_counts(self) -> dict[str, int]:
        """Return how many packet-ins the rate limit held up, as Controller.status."""
        counts = {}
        for name, queue in zip(("action", "miss"), self._queues or (), strict=False):
            counts[f"packet-in-{name}-backlog"] = queue.n_queued
            counts[f"packet-in-{name}-bypassed"] = queue.n_normal
            counts[f"packet-in-{name}-queued"] = queue.n_limited
            counts[f"packet-in-{name}-dropped"] = queue.n_dropped
        return counts
