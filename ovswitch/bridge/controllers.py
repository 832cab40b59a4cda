# SPDX-License-Identifier: Apache-2.0
"""A bridge's OpenFlow connections: sockets and timers around the pure cores.

A `Service` is one target. An active one connects, and again after each loss, as its
`Rconn` says; a passive one listens, and each peer that connects gets a `Connection` of
its own. What a connection receives goes to the bridge's connection manager, which
answers through `Connection.send`. `Snoops` copies a controller's traffic to whoever
connects to BRIDGE.snoop.

Bounds: no more is read from a peer while `_BACKLOG_LIMIT` octets wait to be sent to it,
and after `_MESSAGES_AT_ONCE` messages the other tasks get their turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Iterable
from typing import Protocol

from ovswitch.bridge.config import ControllerConfig, is_active
from ovswitch.openflow.rconn import CONNECT, EOF, PROBE, Rconn
from ovswitch.openflow.vconn import (
    CLOSED,
    OFPT_ECHO_REPLY,
    OFPT_ECHO_REQUEST,
    Vconn,
)
from ovswitch.openflow.version import DEFAULT_PORT
from ovswitch.runtime import clock, loop, target, vlog
from ovswitch.runtime.aio import AioStream, Listener, listen, open_stream

_log = vlog.Module("connmgr")
_rconn_log = vlog.Module("rconn")
_limit = vlog.RateLimit(1, 5)

_BACKLOG_LIMIT = 1 << 20
_MESSAGES_AT_ONCE = 50
_MAX_SNOOPS = 8
#: OFPT numbers that say nothing about being accepted by a controller: hello, error,
#: echo, features, configuration.
_NO_ADMISSION = frozenset((0, 1, 2, 3, 5, 6, 7, 8, 9))
#: OFPT numbers that need not wait for other connections: hello, error, echo.
_HARMLESS = frozenset((0, 1, 2, 3))

ECHO_REQUEST_SIZE = 8


class ConnectionManager(Protocol):
    """Who understands the messages: `ofproto.connmgr.Connmgr`."""

    def connect(self, connection: Connection, settings: ControllerConfig) -> None:
        """Take a new connection, whose version is agreed on."""

    def configure(self, connection: Connection, settings: ControllerConfig) -> None:
        """Take changed settings of a connection."""

    def receive(self, connection: Connection, message: bytes) -> None:
        """Take a message and answer it, or begin to."""

    def resume(self, connection: Connection) -> bool:
        """Go on with a long job or answer; return whether there is more of it."""

    def must_wait(self, connection: Connection) -> bool:
        """Return whether another connection's request must be complete first."""

    def disconnect(self, connection: Connection) -> None:
        """Forget a connection that is gone."""

    def role(self, connection: Connection) -> int:
        """Return a connection's role, as `messages.role` numbers them."""

    def role_rank(self, connection: Connection) -> int:
        """Return how much a connection matters to snoopers: the master's most."""


class Connection:
    """One live OpenFlow connection.

    Attributes:
        name: for logs: "br0<->unix#3".
        version: the wire version agreed on.
        is_primary: whether it is a controller's, rather than a management tool's.
    """

    def __init__(self, service: Service, stream: AioStream, vconn: Vconn) -> None:
        self.name = vconn.name
        self.is_primary = service.settings.is_primary
        self.vconn = vconn
        self._service = service
        self._stream = stream

    @property
    def version(self) -> int:
        """The wire version agreed on."""
        return self.vconn.version

    @property
    def backlog(self) -> int:
        """Octets that wait to be sent."""
        return self._stream.backlog

    def send(self, message: bytes) -> None:
        """Send a message, or queue it."""
        self.vconn.send(message)
        self._stream.write(self.vconn.take_output())
        self._service.snoops.copy(self, message)


class Service:
    """One target: connects to it, or listens on it."""

    def __init__(
        self, owner: Controllers, settings: ControllerConfig, versions: int
    ) -> None:
        self.target = settings.target
        self.settings = settings
        self.versions = versions
        self.connections: list[Connection] = []
        self.rconn: Rconn | None = None
        self.snoops = owner.snoops
        self._owner = owner
        self._tasks = loop.Group(f"{owner.bridge}<->{self.target}")
        self._listener: Listener | None = None
        self._stream: AioStream | None = None

    async def start(self) -> None:
        """Begin. Raises: OSError if the target can't be listened on."""
        if is_active(self.target):
            name = f"{self._owner.bridge}<->{self.target}"
            needs_probes = target.needs_probes(self.target)
            self.rconn = Rconn(
                name,
                clock.now(),
                probe_interval=self.settings.probe_interval if needs_probes else 0,
                max_backoff=self.settings.max_backoff,
            )
            self._tasks.spawn(name, self._keep_connected(self.rconn))
        else:
            self._listener = await listen(
                self.target, self._accept, DEFAULT_PORT, self.settings.dscp
            )

    def configure(self, settings: ControllerConfig) -> None:
        """Take settings that do not need a new connection."""
        self.settings = settings
        if self.rconn:
            if target.needs_probes(self.target):
                self.rconn.probe_interval = settings.probe_interval
            self.rconn.set_max_backoff(settings.max_backoff)
        for connection in self.connections:
            self._owner.manager.configure(connection, settings)

    def stop(self) -> None:
        """End the service and its connections."""
        if self._listener:
            self._listener.close()
        self._tasks.cancel()

    def reconnect(self) -> None:
        """Give up live connections; active ones come back."""
        if self.rconn and self.rconn.reconnect(clock.now()) and self._stream:
            self._stream.abort()

    # An active target.

    async def _keep_connected(self, rconn: Rconn) -> None:
        while True:
            deadline = rconn.deadline()
            assert deadline is not None
            await loop.sleep(max(0, deadline - clock.now()))
            if rconn.run(clock.now()) == CONNECT:
                await self._connect_once(rconn)

    async def _connect_once(self, rconn: Rconn) -> None:
        """Connect, and serve the connection until it is lost."""
        deadline = rconn.deadline()
        assert deadline is not None
        seconds = (deadline - clock.now()) / 1000
        try:
            async with asyncio.timeout(max(seconds, 0)):
                stream = await open_stream(
                    self.target, DEFAULT_PORT, self.settings.dscp
                )
        except TimeoutError:
            rconn.run(clock.now())
            return
        except OSError as error:
            number = error.errno or 0
            rconn.failed(number, os.strerror(number), clock.now())
            return
        await self._serve(stream, rconn)

    # A passive one.

    def _accept(self, stream: AioStream) -> None:
        name = f"{self._owner.bridge}<->{stream.name}"
        rconn = Rconn(
            name,
            clock.now(),
            reliable=False,
            probe_interval=self.settings.probe_interval,
            max_backoff=self.settings.max_backoff,
        )
        self._tasks.spawn(name, self._serve(stream, rconn), contained=True)

    # Both.

    async def _serve(self, stream: AioStream, rconn: Rconn) -> None:
        """Exchange messages on `stream` until it is over."""
        vconn = Vconn(rconn.name, self.versions)
        connection = Connection(self, stream, vconn)
        self._stream = stream
        watch = self._tasks.spawn(f"{rconn.name} timer", self._watch(rconn, connection))
        try:
            await self._exchange(stream, rconn, connection)
        finally:
            watch.cancel()
            if connection in self.connections:
                self.connections.remove(connection)
                self._owner.manager.disconnect(connection)
                self._owner.on_change()
            stream.close()
            self._stream = None

    async def _exchange(
        self, stream: AioStream, rconn: Rconn, connection: Connection
    ) -> None:
        vconn = connection.vconn
        stream.write(vconn.take_output())
        while True:
            try:
                octets = await stream.read()
            except OSError as error:
                number = error.errno or 0
                self._lose(rconn, number, os.strerror(number))
                return
            if not octets:
                vconn.end_of_stream()
                if vconn.error and not rconn.is_connected:
                    self._lose(rconn, vconn.error, os.strerror(vconn.error))
                else:
                    self._lose(rconn, EOF, "End of file")
                return
            messages = vconn.feed(octets)
            stream.write(vconn.take_output())
            if vconn.version and not rconn.is_connected:
                self._begin(rconn, connection)
            await self._handle(messages, rconn, connection, stream)
            if vconn.state is CLOSED:
                self._lose(rconn, vconn.error, os.strerror(vconn.error))
                return

    def _lose(self, rconn: Rconn, error: int, text: str) -> None:
        if rconn.is_connected:
            rconn.lost(error, text, clock.now())
        elif rconn.deadline() is not None and rconn.state == "CONNECTING":
            rconn.failed(error, text, clock.now())

    def _begin(self, rconn: Rconn, connection: Connection) -> None:
        rconn.connected(clock.now())
        self.connections.append(connection)
        self._owner.manager.connect(connection, self.settings)

    async def _handle(
        self,
        messages: list[bytes],
        rconn: Rconn,
        connection: Connection,
        stream: AioStream,
    ) -> None:
        manager = self._owner.manager
        for count, message in enumerate(messages, 1):
            rconn.received(clock.now(), message[1] not in _NO_ADMISSION)
            self.snoops.copy(connection, message)
            if message[1] == OFPT_ECHO_REPLY:
                continue
            while message[1] not in _HARMLESS and manager.must_wait(connection):
                await loop.yield_now()
            manager.receive(connection, message)
            while manager.resume(connection):
                await stream.drain()
                await loop.yield_now()
                if stream.is_closed:
                    return
            if count % _MESSAGES_AT_ONCE == 0:
                await loop.yield_now()
        self._owner.on_change()

    async def _watch(self, rconn: Rconn, connection: Connection) -> None:
        """Probe a silent peer, and give it up if it stays silent."""
        while True:
            deadline = rconn.deadline()
            pause = 1000 if deadline is None else max(deadline - clock.now(), 10)
            await loop.sleep(pause)
            wanted = rconn.run(clock.now())
            if wanted == PROBE:
                connection.send(_echo_request(connection.version))
            elif wanted is not None:
                connection._stream.abort()
                return


def _echo_request(version: int) -> bytes:
    return bytes((version, OFPT_ECHO_REQUEST, 0, ECHO_REQUEST_SIZE, 0, 0, 0, 0))


class Snoops:
    """BRIDGE.snoop: copies of the most important controller's messages."""

    def __init__(self, owner: Controllers) -> None:
        self._owner = owner
        self._listener: Listener | None = None
        self._watchers: dict[AioStream, Connection] = {}

    @property
    def is_started(self) -> bool:
        """Whether it listens."""
        return self._listener is not None

    async def start(self, path: str) -> None:
        """Listen; the stream module says why it can't."""
        with contextlib.suppress(OSError):
            self._listener = await listen(f"punix:{path}", self._accept)

    def stop(self) -> None:
        """Stop listening and drop who listens."""
        if self._listener:
            self._listener.close()
        for stream in self._watchers:
            stream.close()
        self._watchers.clear()

    def _accept(self, stream: AioStream) -> None:
        subjects = self._owner.active_connections()
        if not subjects:
            _log.info_rl(_limit, "no controller connection to snoop")
            stream.close()
        elif len(self._watchers) >= _MAX_SNOOPS:
            _rconn_log.dbg("too many monitor connections, discarding %s", stream.name)
            stream.close()
        else:
            _rconn_log.info("new monitor connection from %s", stream.name)
            best = max(subjects, key=self._owner.manager.role_rank)
            stream.write(Vconn(stream.name, best.vconn.allowed).take_output())
            self._watchers[stream] = best

    def copy(self, connection: Connection, message: bytes) -> None:
        """Send a message of `connection` to its watchers."""
        for stream, subject in list(self._watchers.items()):
            if stream.is_closed or stream.backlog > _BACKLOG_LIMIT:
                stream.close()
                del self._watchers[stream]
            elif subject is connection:
                stream.write(message)


class Controllers:
    """All OpenFlow connections of a bridge."""

    def __init__(
        self,
        bridge: str,
        manager: ConnectionManager,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self.bridge = bridge
        self.on_change = on_change  # called after messages that may change flows
        self.manager = manager
        self.services: dict[str, Service] = {}
        self.snoops = Snoops(self)

    async def configure(
        self, wanted: Iterable[ControllerConfig], versions: int
    ) -> None:
        """Bring the services into line with `wanted`."""
        by_target = {settings.target: settings for settings in wanted}
        for settings in by_target.values():
            if settings.target not in self.services:
                await self._add(settings, versions)
        for name, service in list(self.services.items()):
            kind = "primary" if service.settings.is_primary else "service"
            if name not in by_target:
                _log.info('%s: removed %s controller "%s"', self.bridge, kind, name)
                self._remove(service)
            elif service.versions != versions:
                _log.info(
                    '%s: Changes to controller "%s" expects re-initialization: '
                    "Re-initializing now.",
                    self.bridge,
                    name,
                )
                self._remove(service)
                await self._add(by_target[name], versions)
            else:
                service.configure(by_target[name])

    async def _add(self, settings: ControllerConfig, versions: int) -> None:
        service = Service(self, settings, versions)
        name = settings.target
        if not target.is_active(name) and not target.is_passive(name):
            _log.warn_rl(_limit, '%s: unsupported controller "%s"', self.bridge, name)
            return
        try:
            await service.start()
        except OSError:
            return  # the stream module has said why
        self.services[name] = service
        kind = "primary" if settings.is_primary else "service"
        _log.info('%s: added %s controller "%s"', self.bridge, kind, name)

    def _remove(self, service: Service) -> None:
        del self.services[service.target]
        service.stop()

    def stop(self) -> None:
        """End all services."""
        self.snoops.stop()
        for service in list(self.services.values()):
            self._remove(service)

    def reconnect(self) -> None:
        """Give up all live connections to controllers."""
        for service in self.services.values():
            service.reconnect()

    def active_connections(self) -> list[Connection]:
        """Return the live connections that we opened."""
        return [
            connection
            for service in self.services.values()
            if service.rconn
            for connection in service.connections
        ]
