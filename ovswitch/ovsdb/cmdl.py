# SPDX-License-Identifier: Apache-2.0
"""Sub-commands of a program: found by name, checked for their number of arguments.

Source: lib/command-line.c.
"""

from __future__ import annotations

from ovswitch.runtime import vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Function = Callable[[list[str]], int | None]

NO_LIMIT = 0x7FFFFFFF

_log = vlog.Module("command_line")


class Command:
    """One command: `function` gets the arguments and may return an exit status."""

    __slots__ = ("function", "max_args", "min_args", "name", "usage")

    def __init__(
        self, name: str, usage: str, min_args: int, max_args: int, function: Function
    ) -> None:
        self.name = name
        self.usage = usage
        self.min_args = min_args
        self.max_args = max_args
        self.function = function


def find(commands: Iterable[Command], words: list[str]) -> Command:
    """Return the command that `words` begin with; exit with a message otherwise."""
    if not words:
        from ovswitch.runtime import fatal

        fatal.die("missing command name; use --help for help")
    name, n_args = words[0], len(words) - 1
    for command in commands:
        if command.name != name:
            continue
        if n_args < command.min_args:
            _log.fatal(
                "'%s' command requires at least %d arguments", name, command.min_args
            )
        if n_args > command.max_args:
            _log.fatal(
                "'%s' command takes at most %d arguments", name, command.max_args
            )
        return command
    return _log.fatal("unknown command '%s'; use --help for help", name)


def listing(commands: Iterable[Command]) -> str:
    """Return what `list-commands` prints."""
    lines = ["The available commands are:\n"]
    lines += [f"  {command.name:<23} {command.usage}\n" for command in commands]
    return "".join(lines)
