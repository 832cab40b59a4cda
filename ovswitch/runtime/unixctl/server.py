# SPDX-License-Identifier: Apache-2.0
"""The unixctl server: JSON-RPC requests on a unix socket carry out commands.

A connection's requests are carried out one after the other, in order; a command that
is a coroutine holds up its own connection only.
"""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING

from ovswitch.runtime import (
    aio,
    aio_jsonrpc,
    coverage,
    dirs,
    fatal,
    json,
    jsonrpc,
    loop,
    program,
    version,
    vlog,
    vlog_commands,
)
from ovswitch.runtime.unixctl import CommandError, commands

if TYPE_CHECKING:
    from ovswitch.runtime.jsonrpc import Message

_log = vlog.Module("unixctl")
_limit = vlog.RateLimit(5, 5)
_received = coverage.Counter("unixctl_received")
_replied = coverage.Counter("unixctl_replied")


class Server:
    """A listening socket and its connections."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._listener: aio.Listener | None = None
        self._connections = loop.Group("unixctl")

    async def start(self) -> None:
        """Listen.

        Raises: OSError.
        """
        self._listener = await aio.listen(f"punix:{self.path}", self._accept)

    async def close(self) -> None:
        """Stop listening and drop the connections."""
        if self._listener is not None:
            self._listener.close()
        await self._connections.close()

    def _accept(self, stream: aio.AioStream) -> None:
        name = f"unixctl {stream.name}"
        self._connections.spawn(name, _serve(stream), contained=True)


async def serve(path: str | None = None) -> Server | None:
    """Register what every daemon has and listen; "none" listens nowhere.

    `path` None means RUNDIR/PROGRAM.PID.ctl; a relative one is in the run directory.
    Raises: OSError: it was reported on stderr.
    """
    register_common_commands()
    if path == "none":
        return None
    if path is None:
        full = f"{dirs.rundir()}/{program.name}.{os.getpid()}.ctl"
    else:
        full = dirs.abs_file_name(dirs.rundir(), path)
    server = Server(full)
    try:
        await server.start()
    except OSError as error:
        number = error.errno or 0
        fatal.report(f"{full}: could not initialize control socket", number)
        raise
    return server


def register_common_commands() -> None:
    """Add the commands that every daemon has."""
    text = version.version_text(program.name)
    commands.register("list-commands", "", 0, 0, lambda _args: commands.listing())
    commands.register("version", "", 0, 0, lambda _args: text)
    vlog_commands.register_commands()
    coverage.register_commands()


async def _serve(stream: aio.AioStream) -> None:
    connection = aio_jsonrpc.Connection(stream)
    try:
        while True:
            message = await connection.receive()
            if message.kind != jsonrpc.REQUEST:
                _log.warn_rl(
                    _limit,
                    "%s: received unexpected %s message",
                    stream.name,
                    message.kind,
                )
                return
            connection.send(await _answer(message))
            await connection.drain()
    except OSError:
        pass  # the caller is gone
    finally:
        connection.close()


async def _answer(request: Message) -> Message:
    """Carry out a request; return its reply."""
    _received.add()
    if _log.is_dbg():
        _log.dbg(
            "received request %s%s, id=%s",
            request.method,
            json.to_string(request.params),
            json.to_string(request.id),
        )
    try:
        ok, body = True, await _carry_out(request)
    except CommandError as error:
        ok, body = False, str(error)
    _replied.add()
    if _log.is_dbg():
        _log.dbg(
            'replying with %s, id=%s: "%s"',
            "success" if ok else "error",
            json.to_string(request.id),
            body,
        )
    if body and not body.endswith("\n"):
        body += "\n"
    make = jsonrpc.Message.reply if ok else jsonrpc.Message.failure
    return make(body, request.id)


async def _carry_out(request: Message) -> str:
    assert request.method is not None
    assert isinstance(request.params, list)
    command = commands.find(request.method, len(request.params))
    args = [arg for arg in request.params if isinstance(arg, str)]
    if len(args) != len(request.params):
        raise CommandError(f'"{request.method}" command has non-string argument')
    result = command.function(args)
    if inspect.isawaitable(result):
        result = await result
    assert result is None or isinstance(result, str)
    return result or ""
