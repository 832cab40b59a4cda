# SPDX-License-Identifier: Apache-2.0
"""Going on with a connection: what monitor and lock do until they are ended.

In the foreground the program blocks on the connection. Detached, it serves unixctl
commands too, on an event loop which is loaded only then.
"""

from __future__ import annotations

from ovswitch.ovsdb.client import settings
from ovswitch.runtime import fatal, jsonrpc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.ovsdb.client.connection import Connection
    from ovswitch.runtime.unixctl import Function


class Follower:
    """Hands messages to `on_message` until told to exit.

    `commands` are the unixctl commands of the detached program, by name: usage,
    number of arguments, function.
    """

    def __init__(
        self, connection: Connection, on_message: Callable[[jsonrpc.Message], None]
    ) -> None:
        self.connection = connection
        self.commands: dict[str, tuple[str, int, Function]] = {}
        self.is_blocked = False
        self._on_message = on_message
        self._exiting: Callable[[], None] | None = None

    def send(self, message: jsonrpc.Message) -> None:
        """Send a message; exit if the connection is lost."""
        try:
            self.connection.client.send(message)
        except OSError as error:
            fatal.die(f"{self.connection.name}: send failed", error=error.errno or 0)

    def run(self) -> None:
        """Follow the connection; returns only when detached and told to exit."""
        if settings.detaches():
            self._run_detached()
        else:
            while True:
                self._handle_next(-1)

    def _handle_next(self, timeout_ms: int) -> bool:
        """Handle one message; return whether there was one."""
        try:
            message = self.connection.client.receive(timeout_ms)
        except OSError as error:
            fatal.die(f"{self.connection.name}: receive failed", error=error.errno or 0)
        if message is None:
            return False
        if message.kind == jsonrpc.REQUEST and message.method == "echo":
            self.send(jsonrpc.Message.reply(message.params, message.id))
        else:
            self._on_message(message)
        return True

    def _run_detached(self) -> None:
        import asyncio

        from ovswitch.runtime import loop
        from ovswitch.runtime.unixctl import commands, server

        async def main() -> None:
            control = await server.serve()
            exiting = asyncio.Event()
            for name, (usage, n_args, function) in self.commands.items():
                commands.register(name, usage, n_args, n_args, function)
            commands.register("exit", "", 0, 0, lambda _args: exiting.set())
            event_loop = asyncio.get_running_loop()
            fd = self.connection.client.stream.fileno()
            event_loop.add_reader(fd, self._on_readable)
            self._on_readable()  # what came with an earlier answer
            await exiting.wait()
            event_loop.remove_reader(fd)
            if control is not None:
                await control.close()

        loop.run(main)

    def _on_readable(self) -> None:
        while not self.is_blocked and self._handle_next(0):
            pass
