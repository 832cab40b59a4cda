# SPDX-License-Identifier: Apache-2.0
"""Calling a daemon's commands over its unixctl socket: the side of ovs-appctl."""

from __future__ import annotations

from ovswitch.runtime import dirs, fatal, jsonrpc, vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.runtime.json import Value

_log = vlog.Module("unixctl")
_EINVAL = 22


def connect(path: str) -> jsonrpc.Client:
    """Connect to a daemon's socket; a relative path is in the run directory.

    Raises: OSError.
    """
    full = dirs.abs_file_name(dirs.rundir(), path)
    try:
        return jsonrpc.Client(f"unix:{full}")
    except OSError:
        _log.warn("failed to connect to %s", path)
        raise


def transact(client: jsonrpc.Client, command: str, args: list[str]) -> tuple[bool, str]:
    """Carry out a command; return whether it succeeded, and its reply.

    Raises: OSError: the connection failed or the answer makes no sense.
    """
    params: list[Value] = list(args)
    try:
        reply = client.call(command, params)
    except OSError as error:
        text = fatal.retval_text(error.errno or 0)
        _log.warn("error communicating with %s: %s", client.name, text)
        raise
    ok = reply.error is None
    answer = reply.result if ok else reply.error
    if not isinstance(answer, str):
        what = "result type in JSON rpc" if ok else "error type in JSON RPC"
        _log.warn("%s: unexpected %s reply: %s", client.name, what, _type_name(answer))
        raise OSError(_EINVAL, "Invalid argument")
    return ok, answer


def call(path: str, command: str, args: list[str]) -> tuple[bool, str]:
    """Carry out one command of the daemon at `path` over a connection of its own.

    Raises: OSError.
    """
    with connect(path) as client:
        return transact(client, command, args)


def _type_name(value: Value) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {dict: "object", list: "array", int: "integer", float: "real"}
    return names.get(type(value), "string")
