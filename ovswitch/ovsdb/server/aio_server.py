# SPDX-License-Identifier: Apache-2.0
"""The server's shell: turns, remotes and timers around `server.Server`.

Input is handed to sessions as it arrives. A turn follows: the core settles, then all
output goes out. If durable transactions wait for a sync, the turn waits until all that
was ready has been read, so that those which came in together share the sync.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ovswitch.ovsdb.server.aio_connection import ActiveConnection, PassiveConnection
from ovswitch.runtime import aio, clock, target, vlog

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from ovswitch.ovsdb.server.remote_config import RemoteOptions
    from ovswitch.ovsdb.server.server import Server
    from ovswitch.ovsdb.server.session import Session

    class Connection(Protocol):
        """What carries a session."""

        session: Session

        @property
        def backlog(self) -> int: ...  # noqa: D102
        def send(self, octets: bytes) -> None: ...  # noqa: D102
        def disconnect(self) -> None: ...  # noqa: D102
        def set_options(self, options: RemoteOptions) -> None: ...  # noqa: D102
        async def close(self) -> None: ...  # noqa: D102


_log = vlog.Module("ovsdb_jsonrpc_server")
_limit = vlog.RateLimit(1, 5)
# What a listener tells of its connections' times, which it doesn't have.
_NO_TIMES = {"sec_since_connect": "0", "sec_since_disconnect": "0"}


class Remote:
    """A connection method at work: a listener with its connections, or one of ours."""

    def __init__(self, shell: Shell, method: str, options: RemoteOptions) -> None:
        self.shell = shell
        self.method = method
        self.options = options
        self.connections: set[PassiveConnection] = set()
        self.active: ActiveConnection | None = None
        self._listener: aio.Listener | None = None

    async def start(self) -> bool:
        """Listen or begin to connect; return whether that is possible."""
        if not target.is_passive(self.method):
            self.active = ActiveConnection(self.shell, self.method, self.options)
            return True
        try:
            self._listener = await aio.listen(
                self.method,
                self._accept,
                dscp=self.options.dscp,
                refused=self._refused,
            )
        except OSError as error:
            if error.errno == target.EAFNOSUPPORT:
                self.active = ActiveConnection(self.shell, self.method, self.options)
                return True
            _log.err_rl(_limit, "%s: listen failed: %s", self.method, error.strerror)
            return False
        return True

    def _accept(self, stream: aio.AioStream) -> None:
        connection = PassiveConnection(self.shell, stream, self.options)
        self.connections.add(connection)
        connection.start(lambda: self.connections.discard(connection))

    def _refused(self, error: OSError) -> None:
        _log.warn_rl(
            _limit, "%s: accept failed: %s", self._listener_name, error.strerror
        )

    @property
    def _listener_name(self) -> str:
        return self.method if self._listener is None else self._listener.bound_name

    def set_options(self, options: RemoteOptions) -> None:
        """Let new options hold for the connections there are."""
        self.options = options
        for connection in self.connections:
            connection.set_options(options)
        if self.active is not None:
            self.active.set_options(options)

    def status(self) -> tuple[bool, dict[str, str]]:
        """Return whether anyone is connected, and what status columns tell."""
        if self.active is not None:
            return self.active.status()
        status = dict(_NO_TIMES)
        if len(self.connections) > 1:
            status["n_connections"] = str(len(self.connections))
        if self._listener is not None and self._listener.bound_port:
            status["bound_port"] = str(self._listener.bound_port)
        return bool(self.connections), status

    async def close(self) -> None:
        """End it all."""
        if self._listener is not None:
            self._listener.close()
        for connection in list(self.connections):
            await connection.close()
        if self.active is not None:
            await self.active.close()


class Shell:
    """Runs a server on the event loop."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.connections: dict[Session, Connection] = {}
        self.remotes: dict[str, Remote] = {}
        self._loop = asyncio.get_running_loop()
        self._is_scheduled = False
        self._timer: asyncio.TimerHandle | None = None
        self._stop_listening = clock.subscribe(self.schedule)

    def end_turn(self, *, at_once: bool = False) -> None:
        """Have a turn now, or soon if others may share its sync."""
        if at_once:
            self._turn()
        elif self._is_scheduled:
            return
        elif any(served.needs_sync for served in self.server.databases.values()):
            self.schedule()
        else:
            self._turn()

    def schedule(self) -> None:
        """Have a turn when what is ready has been read."""
        if not self._is_scheduled:
            self._is_scheduled = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._is_scheduled = False
        server = self.server
        now = clock.now()
        server.settle(now, clock.wall())
        while server.talking:
            session = server.talking.pop()
            connection = self.connections.get(session)
            if connection is None:
                continue
            octets = session.take_output()
            if octets:
                connection.send(octets)
            if session.is_dropped:
                connection.disconnect()
        self._arm(now)

    def _arm(self, now: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.server.next_deadline()
        if deadline is not None:
            delay = max(deadline - now, 0) / 1000
            self._timer = self._loop.call_later(delay, self.schedule)

    @property
    def backlog(self) -> int:
        """How many octets wait to be sent, over all connections."""
        return sum(connection.backlog for connection in self.connections.values())

    # Remotes

    async def set_remotes(self, wanted: Mapping[str, RemoteOptions]) -> None:
        """Serve these connection methods and no others."""
        await self._stop_remotes(wanted)
        await self._start_remotes(wanted)
        self.schedule()

    async def _stop_remotes(self, wanted: Mapping[str, RemoteOptions]) -> None:
        for method, remote in list(self.remotes.items()):
            options = wanted.get(method)
            if options is None or not options.suits(remote.options):
                if options is None:
                    _log.info("%s: remote deconfigured", method)
                del self.remotes[method]
                await remote.close()

    async def _start_remotes(self, wanted: Mapping[str, RemoteOptions]) -> None:
        for method, options in wanted.items():
            known = self.remotes.get(method)
            if known is not None:
                known.set_options(options)
                continue
            remote = Remote(self, method, options)
            if await remote.start():
                self.remotes[method] = remote

    def remote_status(self, method: str) -> tuple[bool, dict[str, str]]:
        """Return whether a method has a connection, and what status columns tell."""
        remote = self.remotes.get(method)
        return (False, dict(_NO_TIMES)) if remote is None else remote.status()

    async def close(self) -> None:
        """Close all connections."""
        self._stop_listening()
        remotes, self.remotes = self.remotes, {}
        for remote in remotes.values():
            await remote.close()
        if self._timer is not None:
            self._timer.cancel()
