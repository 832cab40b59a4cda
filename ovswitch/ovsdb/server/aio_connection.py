# SPDX-License-Identifier: Apache-2.0
"""Connections of the server's clients: octets to sessions and back.

A passive connection reads as fast as its peer takes what is sent: a peer that doesn't
read is not read from, and its monitors are told nothing until it catches up (then all
at once), so it costs a bounded amount of memory. A silent one is probed and dropped.
An active connection is kept up by `aio_jsonrpc.Session`.
"""

from __future__ import annotations

import asyncio
import errno
from typing import TYPE_CHECKING

from ovswitch.ovsdb.server import wire
from ovswitch.ovsdb.server.session import Session
from ovswitch.runtime import aio_jsonrpc, clock, fatal, jsonrpc, loop, reconnect, vlog

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
_FOREIGN = {b"\x16\x03": "SSL", b"\x01\x00": "OpenFlow"}


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
        self.session = Session(shell.server, stream.name, read_only=options.read_only)
        shell.connections[self.session] = self
        self._framer = jsonrpc.Framer()
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
        self._fsm.set_probe_interval(options.probe_interval)
        self._arm()

    def start(self, ended: Callable[[], None]) -> None:
        """Begin to read; `ended` is called at the end."""
        name = f"client {self.stream.name}"
        self._task = loop.spawn(name, self._run(ended), contained=True)

    def send(self, octets: bytes) -> None:
        """Send what the session says."""
        stream = self.stream
        stream.write(octets)
        if stream.backlog and self.session.may_tell:
            self.session.may_tell = False
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
                    self._report_content(octets)
                    is_first = False
                self._receive(octets)
                if self.session.error is not None or self._framer.error is not None:
                    break
                await self.stream.drain()
        except OSError as error:
            text = fatal.retval_text(error.errno or 0)
            _jsonrpc_log.warn_rl(
                _limit, "%s: receive error: %s", self.stream.name, text
            )
        finally:
            self._end()
            ended()

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._framer.error is not None:
            jsonrpc.log_error(self.stream.name, self._framer.error)
        elif self.session.error is not None:
            _log.warn("%s: %s", self.stream.name, self.session.error)
        self.session.close()
        self.shell.connections.pop(self.session, None)
        self.stream.close()
        self.shell.schedule()  # a lock may have passed on

    def _receive(self, octets: bytes) -> None:
        now = clock.now()
        self._fsm.activity(now)
        wall = clock.wall()
        for message in self._messages(octets):
            if _jsonrpc_log.is_dbg():
                jsonrpc.log_message(self.stream.name, "received", message)
            self.session.handle(message, now, wall)
            if self.session.error is not None:
                break
        self.shell.end_turn()

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

    def _report_content(self, octets: bytes) -> None:
        """Tell an operator who connected something else to this port."""
        kind = _FOREIGN.get(octets[:2])
        if kind is not None:
            _jsonrpc_log.warn_rl(
                _limit,
                "%s: received %s data on JSON-RPC channel",
                self.stream.name,
                kind,
            )

    async def _drain(self) -> None:
        """Wait until the peer has taken all, then tell it what happened since."""
        while self.stream.backlog:
            await self.stream.drain()
            if self.stream.backlog:
                await loop.sleep(10)
        self.session.may_tell = True
        self.shell.server.dirty.add(self.session)
        self.shell.schedule()

    def _arm(self) -> None:
        """Set the timer to when the peer has been silent for too long."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._fsm.receive_attempted(clock.now())
        timeout = self._fsm.timeout(clock.now())
        if timeout is not None:
            self._timer = self._loop.call_later(timeout / 1000, self._on_timer)

    def _on_timer(self) -> None:
        self._fsm.receive_attempted(clock.now())  # we always read
        action = self._fsm.run(clock.now())
        if action == reconnect.PROBE:
            self.stream.write(_PROBE)
        elif action == reconnect.DISCONNECT:
            self._fsm.disconnected(clock.now(), 0)
            self.stream.abort()
            return
        self._arm()


class ActiveConnection:
    """A connection that we make and keep up."""

    def __init__(self, shell: Shell, method: str, options: RemoteOptions) -> None:
        self.shell = shell
        self.session = Session(shell.server, method, read_only=options.read_only)
        shell.connections[self.session] = self
        self._jsonrpc = aio_jsonrpc.Session([method])
        self._jsonrpc.dscp = options.dscp
        self.set_options(options)
        self._jsonrpc.start()
        self._task = loop.spawn(f"client {method}", self._run())

    def set_options(self, options: RemoteOptions) -> None:
        """Let options hold from now on."""
        self._jsonrpc.set_max_backoff(options.max_backoff)
        self._jsonrpc.set_probe_interval(options.probe_interval)

    def send(self, octets: bytes) -> None:
        """Send what the session says."""
        if self._jsonrpc.connection is not None:
            self._jsonrpc.connection.stream.write(octets)

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
        self._task.cancel()
        await self._jsonrpc.close()
        self.session.close()
        self.shell.connections.pop(self.session, None)

    async def _run(self) -> None:
        while True:
            message = await self._jsonrpc.receive()
            if message is None:
                self.session.reset()
            else:
                self.session.handle(message, clock.now(), clock.wall())
                if self.session.error is not None:
                    _log.warn("%s: %s", self._jsonrpc.name, self.session.error)
                    self.session.error = None
                    self._jsonrpc.last_error = errno.EPROTO
                    self._jsonrpc.force_reconnect()
            self.shell.schedule()
