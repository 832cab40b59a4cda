# SPDX-License-Identifier: Apache-2.0
"""Taking commands from ovs-appctl, as `ovs.unixctl.server`.

A connection has one command at a time; whoever sends more waits for the answer.
"""

from __future__ import annotations

import errno
import os

from ovswitch.bindings import dirs, unixctl, util
from ovswitch.bindings.jsonrpc import Connection, Message
from ovswitch.bindings.stream import PassiveStream
from ovswitch.bindings.unixctl.client import UnixctlClient
from ovswitch.bindings.version import VERSION
from ovswitch.bindings.vlog import Vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ovswitch.bindings.poller import Poller

__all__ = ["UnixctlClient", "UnixctlConnection", "UnixctlServer"]

_vlog = Vlog("unixctl_server")
_BATCH = 10


class UnixctlConnection:
    """Who gave a command; the command replies once, at once or later."""

    def __init__(self, rpc: Connection) -> None:
        self._rpc = rpc
        self._request_id: Any = None

    def run(self) -> int:
        """Take a command; return why the connection ended, 0 or EAGAIN if not."""
        self._rpc.run()
        for _ in range(_BATCH):
            if self._rpc.get_backlog() or self._request_id is not None:
                break
            error, message = self._rpc.recv()
            if message is None:
                return error
            if message.type != Message.T_REQUEST:
                kind = Message.type_to_string(message.type)
                _vlog.warn(f"{self._rpc.name}: received unexpected {kind} message")
                return errno.EINVAL
            self._request_id = message.id
            self._carry_out(message.method or "", message.params)
        return self._rpc.get_status()

    def _carry_out(self, method: str, params: list[Any]) -> None:
        command = unixctl.commands.get(method)
        if command is None:
            self.reply_error(f'"{method}" is not a valid command')
        elif len(params) < command.min_args:
            least = command.min_args
            self.reply_error(f'"{method}" command requires at least {least} arguments')
        elif len(params) > command.max_args:
            most = command.max_args
            self.reply_error(f'"{method}" command takes at most {most} arguments')
        elif not all(isinstance(param, str) for param in params):
            self.reply_error(f'"{method}" command has non-string argument')
        else:
            command.callback(self, params, command.aux)

    def reply(self, body: str | None) -> None:
        """Answer the command."""
        self._send(Message.create_reply(_line(body), self._request_id))

    def reply_error(self, body: str | None) -> None:
        """Refuse the command."""
        self._send(Message.create_error(_line(body), self._request_id))

    def _send(self, message: Message) -> None:
        assert self._request_id is not None
        self._request_id = None
        self._rpc.send(message)

    def wait(self, poller: Poller) -> None:
        """Wake up when `run` has something to do."""
        self._rpc.wait(poller)
        if not self._rpc.get_backlog() and self._request_id is None:
            self._rpc.recv_wait(poller)

    def close(self) -> None:
        """Drop the connection."""
        self._rpc.close()


def _line(body: str | None) -> str:
    return body + "\n" if body and not body.endswith("\n") else body or ""


class UnixctlServer:
    """A control socket and its connections."""

    def __init__(self, listener: PassiveStream) -> None:
        self._listener = listener
        self._conns: list[UnixctlConnection] = []

    @staticmethod
    def create(
        path: str | None, version: str | None = None
    ) -> tuple[int, UnixctlServer | None]:
        """Listen on `path`, None for RUNDIR/PROGRAM.PID.ctl; return (error, server)."""
        if path is None:
            path = f"{util.PROGRAM_NAME}.{os.getpid()}.ctl"
        name = f"punix:{util.abs_file_name(dirs.RUNDIR, path)}"
        error, listener = PassiveStream.open(name)
        if error or listener is None:
            util.ovs_error(error, f"could not initialize control socket {name}")
            return error, None
        known = VERSION if version is None else version
        unixctl.command_register("version", "", 0, 0, _version, known)
        return 0, UnixctlServer(listener)

    def run(self) -> None:
        """Accept connections and carry out commands."""
        for _ in range(_BATCH):
            error, stream = self._listener.accept()
            if stream is None:
                if error != errno.EAGAIN:
                    text = util.ovs_retval_to_string(error)
                    _vlog.warn(f"{self._listener.name}: accept failed: {text}")
                break
            self._conns.append(UnixctlConnection(Connection(stream)))
        for conn in list(self._conns):
            if conn.run() not in (0, errno.EAGAIN):
                conn.close()
                self._conns.remove(conn)

    def wait(self, poller: Poller) -> None:
        """Wake up when `run` has something to do."""
        self._listener.wait(poller)
        for conn in self._conns:
            conn.wait(poller)

    def close(self) -> None:
        """End all connections and remove the socket."""
        for conn in self._conns:
            conn.close()
        self._conns.clear()
        self._listener.close()


def _version(conn: UnixctlConnection, _argv: list[str], version: str) -> None:
    conn.reply(f"{util.PROGRAM_NAME} (Open vSwitch) {version}")
