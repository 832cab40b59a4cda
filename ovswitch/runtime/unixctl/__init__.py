# SPDX-License-Identifier: Apache-2.0
"""Commands that ovs-appctl gives to running daemons (ovs-appctl(8)).

Here is the registry: any part of a daemon registers its commands in `commands`.
`server` serves them on a socket, `client` calls them in another process.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Function = Callable[[list[str]], "str | Awaitable[str | None] | None"]

NO_LIMIT = 0x7FFFFFFF


class CommandError(Exception):
    """A command failed; the text goes to the caller."""


class Command:
    """One command: how many arguments it takes and what carries it out.

    `function` gets the arguments and returns the reply, or a coroutine that does.
    A command whose `usage` is None works but isn't listed.
    """

    __slots__ = ("function", "max_args", "min_args", "name", "usage")

    def __init__(
        self,
        name: str,
        usage: str | None,
        min_args: int,
        max_args: int | None,
        function: Function,
    ) -> None:
        self.name = name
        self.usage = usage
        self.min_args = min_args
        self.max_args = NO_LIMIT if max_args is None else max_args
        self.function = function


class Commands:
    """The commands of this process by name."""

    __slots__ = ("_by_name",)

    def __init__(self) -> None:
        self._by_name: dict[str, Command] = {}

    def register(
        self,
        name: str,
        usage: str | None,
        min_args: int,
        max_args: int | None,
        function: Function,
    ) -> None:
        """Add a command; a second registration of a name replaces the first.

        `max_args` None means any number. `function` raises CommandError to fail.
        """
        self._by_name[name] = Command(name, usage, min_args, max_args, function)

    def unregister(self, name: str) -> None:
        """Take a command away."""
        self._by_name.pop(name, None)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def find(self, name: str, n_args: int) -> Command:
        """Return the command that takes `n_args` arguments.

        Raises: CommandError: there is none, with the text for the caller.
        """
        command = self._by_name.get(name)
        if command is None:
            raise CommandError(
                f'"{name}" is not a valid command (use "list-commands" to see a list '
                "of valid commands)"
            )
        if n_args < command.min_args:
            raise CommandError(
                f'"{name}" command requires at least {command.min_args} arguments'
            )
        if n_args > command.max_args:
            raise CommandError(
                f'"{name}" command takes at most {command.max_args} arguments'
            )
        return command

    def listing(self) -> str:
        """Return what `list-commands` prints."""
        lines = ["The available commands are:\n"]
        for name in sorted(self._by_name):
            usage = self._by_name[name].usage
            if usage is not None:
                lines.append(f"  {name:<23} {usage}\n")
        return "".join(lines)


commands = Commands()
