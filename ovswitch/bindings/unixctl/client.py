# SPDX-License-Identifier: Apache-2.0
"""Giving commands to running programs, as `ovs.unixctl.client`."""

from __future__ import annotations

from ovswitch.bindings import dirs, util
from ovswitch.bindings.jsonrpc import Connection, Message
from ovswitch.bindings.stream import Stream
from ovswitch.bindings.vlog import Vlog

_vlog = Vlog("unixctl_client")


class UnixctlClient:
    """A connection with a program's control socket."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    @staticmethod
    def create(path: str) -> tuple[int, UnixctlClient | None]:
        """Connect to a control socket; return (error, client)."""
        name = f"unix:{util.abs_file_name(dirs.RUNDIR, path)}"
        error, stream = Stream.open_block(Stream.open(name))
        if error or stream is None:
            _vlog.warn(f"failed to connect to {path}")
            return error, None
        return 0, UnixctlClient(Connection(stream))

    def transact(
        self, command: str, argv: list[str]
    ) -> tuple[int, str | None, str | None]:
        """Give a command; return (error of the connection, its error, its answer)."""
        request = Message.create_request(command, argv)
        error, reply = self._conn.transact_block(request)
        if error or reply is None:
            text = util.ovs_retval_to_string(error)
            _vlog.warn(f"error communicating with {self._conn.name}: {text}")
            return error, None, None
        if reply.error is not None:
            return 0, str(reply.error), None
        return 0, None, str(reply.result)

    def close(self) -> None:
        """Drop the connection."""
        self._conn.close()
