# SPDX-License-Identifier: Apache-2.0
"""Commands that ovs-appctl can give to a program, as `ovs.unixctl`."""

from __future__ import annotations

from ovswitch.bindings import daemon, dirs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Callback = Callable[[Any, list[str], Any], None]


class Command:
    """A command: how many arguments it takes and what it calls."""

    def __init__(
        self, usage: str, min_args: int, max_args: int, callback: Callback, aux: Any
    ) -> None:
        self.usage = usage
        self.min_args = min_args
        self.max_args = max_args
        self.callback = callback
        self.aux = aux


commands: dict[str, Command] = {}


def command_register(
    name: str, usage: str, min_args: int, max_args: int, callback: Callback, aux: Any
) -> None:
    """Register a command, unless there is one of that name.

    `callback(connection, arguments, aux)` calls `reply` or `reply_error` of the
    connection, at once or later.
    """
    commands.setdefault(name, Command(usage, min_args, max_args, callback, aux))


def socket_name_from_target(target: str) -> tuple[int, str]:
    """Return (0, socket) of a program's name or a socket's; else (error, message)."""
    if target.startswith("/") or ":" in target:
        return 0, target
    pidfile = f"{dirs.RUNDIR}/{target}.pid"
    pid = daemon.read_pidfile(pidfile)
    if pid < 0:
        return -pid, f'cannot read pidfile "{pidfile}"'
    return 0, f"{dirs.RUNDIR}/{target}.{pid}.ctl"


def _help(conn: Any, _argv: list[str], _aux: Any) -> None:
    lines = ["The available commands are:"]
    for name, command in sorted(commands.items()):
        lines.append(f"  {name:<23} {command.usage}" if command.usage else f"  {name}")
    conn.reply("\n".join(lines) + "\n")


command_register("help", "", 0, 0, _help, None)
