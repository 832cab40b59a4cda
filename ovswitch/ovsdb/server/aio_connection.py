# SPDX-License-Identifier: Apache-2.0
"""Connections of the server's clients: octets to sessions and back.

A connection reads as fast as its peer takes what is sent: a peer that doesn't read is
not read from, and its monitors are told nothing until it catches up (then all at once),
so it costs a bounded amount of memory. A silent one is probed and dropped, unless it
has yet to take what was sent. `aio_jsonrpc.Session` keeps an active connection up.
"""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

from ovswitch.ovsdb.server import wire
from ovswitch.ovsdb.server.session import Session
from ovswitch.runtime import (
    aio_jsonrpc,
    clock,
    content,
    fatal,
    jsonrpc,
    loop,
    reconnect,
    replay,
    vlog,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ovswitch.ovsdb.server.aio_server import Shell
    from ovswitch.ovsdb.server.remote_config import RemoteOptions
    from ovswitch.runtime import aio
    from ovswitch.runtime.jsonrpc import Message

_log = vlog.Module("ovsdb_jsonrpc_server")
_jsonrpc_log = vlog.Module("jsonrpc")
_limit = vlog.RateLimit(5, 5)
_PROBE = b'{"id":"echo","method":"echo","params":[]}'


_BATCH = 64  # messages of one client in a row
_OUTPUT_LIMIT = 1 << 20  # octets of answers before they are sent


def _tell_again(shell: Shell, session: Session) -> None:
    """Tell a session's monitors what happened while its peer didn't read."""
    session.may_tell = True
    shell.server.dirty.add(session)
    shell.schedule()


def _is_plain_request(value: Any) -> bool:
    """Return whether JSON is a request beyond doubt: most of them are."""
    return (
        isinstance(value, dict)
        and len(value) == 3
        and isinstance(value.get("method"), str)
        and isinstance(value.get("params"), list)
        and value.get("id") is not None
    )


class PassiveConnection:
    """A connection that a client made."""

    def __init__(
        self, shell: Shell, stream: aio.AioStream, options: RemoteOptions
    ) -> None:
        self.shell = shell
        self.stream = stream
        self.session = Session(
            shell.server,
            stream.name,
            read_only=options.read_only,
            role=options.role,
        )
        shell.connections[self.session] = self
        self._framer = jsonrpc.Framer()
        self._head = b""
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._fsm = reconnect.Reconnect(clock.now())
        self._fsm.set_quiet(True)
        self._fsm.set_name(stream.name)
        self._fsm.set_max_tries(0)
        self._fsm.connected(clock.now())
        self.set_options(options)

    def set_options(self, options: RemoteOptions) -> None:
        """Let options hold from now on."""
        interval = 0 if replay.is_active() else options.probe_interval
        self._fsm.set_probe_interval(interval)
        self._arm()

    def start(self, ended: Callable[[], None]) -> None:
        """Begin to read; `ended` is called at the end."""
        name = f"client {self.stream.name}"
        self._task = loop.spawn(name, self._run(ended), contained=True)

    @property
    def backlog(self) -> int:
        """How many octets wait to be sent."""
        return self.stream.backlog

    def send(self, octets: bytes) -> None:
        """Send what the session says."""
        stream = self.stream
        stream.write(octets)
        if stream.backlog and self.session.may_tell:
            self.session.may_tell = False
            self._arm()
            loop.spawn(f"drain {stream.name}", self._drain(), contained=True)

    def disconnect(self) -> None:
        """Drop the connection after what was sent has left."""
        self.stream.close()

    async def close(self) -> None:
        """End the connection."""
        self.stream.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self, ended: Callable[[], None]) -> None:
        try:
            is_first = True
            while True:
                octets = await self.stream.read()
                if not octets:
                    break
                if is_first:
                    is_first = False
                    self._begin(octets)
                await self._receive(octets)
                if self.session.error is not None or self._framer.error is not None:
                    break
        except OSError as error:
            text = fatal.retval_text(error.errno or 0)
            _jsonrpc_log.warn_rl(
                _limit, "%s: receive error: %s", self.stream.name, text
            )
            self._fsm.disconnected(clock.now(), error.errno or errno.EIO)
        finally:
            self._end()
            ended()

    def _begin(self, octets: bytes) -> None:
        """Take notice of who the peer is and how it begins."""
        self.session.client.client_id = self.stream.peer_id or None
        self._head = octets[:2]

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._framer.error is not None:
            jsonrpc.log_error(self.stream.name, self._framer.error)
            name = self.stream.name
            content.report(_jsonrpc_log, name, self._head, content.JSONRPC)
            self._fsm.disconnected(clock.now(), errno.EPROTO)
        elif self.session.error is not None:
            _log.warn("%s: %s", self.stream.name, self.session.error)
        self.session.close()
        self.shell.connections.pop(self.session, None)
        self.stream.close()
        self.shell.schedule()  # a lock may have passed on

    async def _receive(self, octets: bytes) -> None:
        """Answer requests, as fast as the peer takes the answers."""
        self._fsm.activity(clock.now())
        messages = self._messages(octets)
        done = self._answer(messages, 0)
        await self.stream.drain()
        while done < len(messages) and self.session.error is None:
            await loop.yield_now()  # others want to be served, too
            if self.stream.is_closed:
                break  # nobody would get the answers
            done = self._answer(messages, done)
            await self.stream.drain()

    def _answer(self, messages: list[Message], start: int) -> int:
        """Handle some messages and have a turn; return where to go on."""
        now, wall = clock.now(), clock.wall()
        end = min(start + _BATCH, len(messages))
        while start < end and self.session.output_size < _OUTPUT_LIMIT:
            message = messages[start]
            start += 1
            if _jsonrpc_log.is_dbg():
                jsonrpc.log_message(self.stream.name, "received", message)
            self.session.handle(message, now, wall)
            if self.session.error is not None:
                break
        is_over = self.session.error is not None or self._framer.error is not None
        has_more = start < len(messages)
        self.shell.end_turn(at_once=is_over or has_more)
        return start

    def _messages(self, octets: bytes) -> list[Message]:
        """Return the messages that are complete; mostly it is one, and whole."""
        if self._framer.is_idle:
            value = wire.decode_message(octets)
            if _is_plain_request(value):
                request = value["method"], value["params"], value["id"]
                return [jsonrpc.Message(*request)]
            if value is not None:
                try:
                    return [jsonrpc.from_json(value)]
                except jsonrpc.ProtocolError:
                    pass  # the framer will say so again
        return self._framer.feed(octets)

    async def _drain(self) -> None:
        """Wait until the peer has taken all, then tell it what happened since."""
        await self.stream.drain()
        if self.stream.is_closed:
            return
        self._fsm.activity(clock.now())
        self._arm()
        _tell_again(self.shell, self.session)

    def _arm(self) -> None:
        """Set the timer to when the peer has been silent for too long."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.stream.backlog:
            return  # we don't read, so its silence means nothing
        self._fsm.receive_attempted(clock.now())
        timeout = self._fsm.timeout(clock.now())
        if timeout is not None:
            self._timer = self._loop.call_later(timeout / 1000, self._on_timer)

    def _on_timer(self) -> None:
        self._fsm.receive_attempted(clock.now())  # we always read
        action = self._fsm.run(clock.now())
        if action == reconnect.PROBE:
            self.send(_PROBE)
        elif action == reconnect.DISCONNECT:
            self._fsm.disconnected(clock.now(), 0)
            self.stream.abort()
            return
        self._arm()


class ActiveConnection:
    """A connection that we make and keep up."""

    def __init__(self, shell: Shell, method: str, options: RemoteOptions) -> None:
        self.shell = shell
        self.session = Session(
            shell.server, method, read_only=options.read_only, role=options.role
        )
        shell.connections[self.session] = self
        self._jsonrpc = aio_jsonrpc.Session([method])
        self._jsonrpc.dscp = options.dscp
        self.set_options(options)
        self._jsonrpc.start()
        self._tasks = loop.Group(f"client {method}")
        self._tasks.spawn(f"client {method}", self._run())

    def set_options(self, options: RemoteOptions) -> None:
        """Let options hold from now on."""
        self._jsonrpc.set_max_backoff(options.max_backoff)
        self._jsonrpc.set_probe_interval(options.probe_interval)

    @property
    def backlog(self) -> int:
        """How many octets wait to be sent."""
        return self._jsonrpc.backlog

    def send(self, octets: bytes) -> None:
        """Send what the session says."""
        connection = self._jsonrpc.connection
        if connection is None:
            return
        connection.stream.write(octets)
        if connection.backlog and self.session.may_tell:
            self.session.may_tell = False
            self._tasks.spawn("drain", self._drain(connection))

    async def _drain(self, connection: aio_jsonrpc.Connection) -> None:
        await connection.drain()
        if connection is self._jsonrpc.connection:
            _tell_again(self.shell, self.session)

    def disconnect(self) -> None:
        """Drop the connection; it will be made anew."""
        self.session.is_dropped = False
        self._jsonrpc.force_reconnect()

    def status(self) -> tuple[bool, dict[str, str]]:
        """Return whether there's a connection, and what status columns tell."""
        stats = self._jsonrpc.stats()
        status = {"state": stats.state}
        if stats.msec_since_connect is not None:
            status["sec_since_connect"] = str(stats.msec_since_connect // 1000)
        if stats.msec_since_disconnect is not None:
            status["sec_since_disconnect"] = str(stats.msec_since_disconnect // 1000)
        for name, locks in self.session.lock_status().items():
            if locks:
                status[name] = " ".join(locks)
        return self._jsonrpc.is_connected, status

    async def close(self) -> None:
        """End the connection."""
        await self._tasks.close()
        await self._jsonrpc.close()
        self.session.close()
        self.shell.connections.pop(self.session, None)

    async def _run(self) -> None:
        while True:
            message = await self._jsonrpc.receive()
            if message is None:
                self.session.reset()
                self.session.client.client_id = self._jsonrpc.peer_id
            else:
                self.session.handle(message, clock.now(), clock.wall())
                if self.session.error is not None:
                    _log.warn("%s: %s", self._jsonrpc.name, self.session.error)
                    self.session.error = None
                    self._jsonrpc.last_error = errno.EPROTO
                    self._jsonrpc.force_reconnect()
            self.shell.schedule()
            connection = self._jsonrpc.connection
            if connection is not None:
                if self.session.output_size > _OUTPUT_LIMIT:
                    self.shell.end_turn(at_once=True)
                await connection.drain()
