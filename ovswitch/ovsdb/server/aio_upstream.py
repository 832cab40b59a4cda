# SPDX-License-Identifier: Apache-2.0
"""A kept-up connection to another server, for a core that converses with it.

The shell of `replication` and `relay`: it connects and reconnects, hands messages over
a batch at a time and sends what the core has to say; after each batch `turn` is called,
for the consequences.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.runtime import clock
from ovswitch.runtime.aio_jsonrpc import Session
from ovswitch.runtime.loop import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from ovswitch.runtime.jsonrpc import Message

    class Core(Protocol):
        """One side of a conversation. Times are in milliseconds."""

        @property
        def wants_reconnect(self) -> bool:
            """Whether to make the connection anew."""

        @property
        def wants_it_at_once(self) -> bool:
            """Whether that should happen without the wait of a failed try."""

        def connected(self, name: str, now: int) -> None:
            """Begin, on a new connection to the remote `name`."""

        def disconnected(self, now: int) -> None:
            """Take notice that the connection is gone."""

        def receive(self, message: Message, now: int, wall_ms: int) -> None:
            """Take a message."""

        def take_output(self) -> list[Message]:
            """Return what is to be sent."""


_BATCH = 50


class Upstream:
    """Runs a core on a connection to one of `remotes`, tried in turn, for good."""

    def __init__(
        self, core: Core, remotes: Sequence[str], turn: Callable[[], None]
    ) -> None:
        self.core = core
        self._session = Session(remotes)
        self._turn = turn
        self._tasks = Group("upstream")
        self._is_closed = False

    def start(self) -> None:
        """Begin to connect."""
        self._session.start()
        self._tasks.spawn("upstream", self._run())

    def set_probe_interval(self, ms: int) -> None:
        """Probe a silent server after that long; 0 for never."""
        self._session.set_probe_interval(ms)

    def stop(self) -> None:
        """Let nothing reach the core any more; `close` must follow."""
        self._is_closed = True

    async def close(self) -> None:
        """End the connection."""
        self.stop()
        await self._session.close()
        await self._tasks.close()

    def flush(self) -> None:
        """Send what the core has to say."""
        for message in self.core.take_output():
            self._session.send(message)

    async def _run(self) -> None:
        session = self._session
        while session.is_alive:
            message = await session.receive()
            if self._is_closed:
                return
            if message is None:
                if session.is_connected:
                    self.core.connected(session.name, clock.now())
                else:
                    self.core.disconnected(clock.now())
            for _ in range(_BATCH):
                if message is not None:
                    self.core.receive(message, clock.now(), clock.wall())
                message = session.try_receive()
                if message is None:
                    break
            if self.core.wants_reconnect and session.is_connected:
                if self.core.wants_it_at_once:
                    session.reset_backoff()
                session.force_reconnect()
            self.flush()
            self._turn()
