# SPDX-License-Identifier: Apache-2.0
"""A control tool's commands: their table, and command lines parsed against it.

A chain is `[options] command args [-- [options] command args]...`. The options before
the first command were parsed together with the tool's own and come in as `options`.

Sources: lib/db-ctl-base.c, struct ctl_command_syntax.
"""

from __future__ import annotations

from ovswitch.ovsdb.ctl.order import hash_order, string_hash

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import TypeAlias

    from ovswitch.ovsdb.ctl.context import Context
    from ovswitch.ovsdb.output import Table as OutputTable

    Step: TypeAlias = Callable[[Context], None]

UNLIMITED = 1 << 31
NO_COMMAND = "missing command name (use --help for help)"


class CtlError(Exception):
    """A command can't be done; the text is for the user, without the tool's name."""


class ExitError(Exception):
    """End the program with a status other than 0 or 1, without a message."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Syntax:
    """One kind of command.

    `arguments` is for shells' completion: "[X]" optional, "X..." repeated. `options` is
    comma separated, "--x" plain, "--x=" with a required argument. `prepare` registers
    the tables and columns that `run` reads, before the tool connects; `finish` runs
    after the commit.
    """

    __slots__ = (
        "arguments",
        "finish",
        "max_args",
        "min_args",
        "name",
        "options",
        "prepare",
        "run",
        "writes",
    )

    def __init__(
        self,
        name: str,
        min_args: int,
        max_args: int,
        arguments: str,
        prepare: Step | None,
        run: Step | None,
        options: str = "",
        *,
        writes: bool = False,
        finish: Step | None = None,
    ) -> None:
        self.name = name
        self.min_args = min_args
        self.max_args = max_args
        self.arguments = arguments
        self.prepare = prepare
        self.run = run
        self.options = options
        self.writes = writes
        self.finish = finish

    def option_arguments(self) -> dict[str, bool]:
        """Map each option of the command to whether it takes an argument."""
        return {
            option.rstrip("="): option.endswith("=")
            for option in self.options.split(",")
            if option
        }


class Command:
    """One command of a command line. `words[0]` is its name."""

    __slots__ = ("options", "output", "syntax", "table", "words")

    def __init__(
        self, syntax: Syntax, words: Sequence[str], options: dict[str, str | None]
    ) -> None:
        self.syntax = syntax
        self.words = words
        self.options = options
        self.output = ""
        self.table: OutputTable | None = None


class CommandTable:
    """All commands of a tool, by name."""

    __slots__ = ("commands",)

    def __init__(self, *groups: Iterable[Syntax]) -> None:
        self.commands = {syntax.name: syntax for group in groups for syntax in group}

    def in_hash_order(self) -> list[Syntax]:
        """The commands in the order in which the reference lists them."""
        return [self.commands[name] for name in hash_order(self.commands, string_hash)]

    def options(self) -> dict[str, bool]:
        """All commands' options, in the reference's order, without the dashes."""
        found: dict[str, bool] = {}
        for syntax in self.commands.values():
            for name, has_argument in syntax.option_arguments().items():
                found.setdefault(name[2:], has_argument)
        return found

    def parse(
        self, words: Sequence[str], options: dict[str, str | None]
    ) -> list[Command]:
        """Parse a chain of commands; `options` belong to the first.

        Raises: CtlError.
        """
        commands: list[Command] = []
        for part in _split(words):
            if part:
                commands.append(self._parse_one(part, options))
                options = {}
            elif options:
                raise CtlError(NO_COMMAND)
        if not commands:
            raise CtlError(NO_COMMAND)
        return commands

    def _parse_one(
        self, words: Sequence[str], options: dict[str, str | None]
    ) -> Command:
        options = dict(options)
        position = 0
        for position, word in enumerate(words):  # noqa: B007 (used below)
            if not word.startswith("-"):
                break
            key, equals, value = word.partition("=")
            if key in options:
                raise CtlError(f"'{word}' option specified multiple times")
            options[key] = value if equals else None
        else:
            raise CtlError(NO_COMMAND)
        name = words[position]
        syntax = self.commands.get(name)
        if syntax is None:
            raise CtlError(f"unknown command '{name}'; use --help for help")
        _check_options(syntax, options)
        _check_arguments(syntax, words[position + 1 :])
        return Command(syntax, words[position:], options)


def _split(words: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for word in words:
        if word == "--":
            parts.append([])
        else:
            parts[-1].append(word)
    return parts


def _check_options(syntax: Syntax, options: dict[str, str | None]) -> None:
    known = syntax.option_arguments()
    for option in hash_order(options, string_hash):
        wants = known.get(option)
        if wants is None:
            raise CtlError(f"'{syntax.name}' command has no '{option}' option")
        if wants and options[option] is None:
            raise CtlError(
                f"missing argument to '{option}' option on '{syntax.name}' command"
            )
        if not wants and options[option] is not None:
            raise CtlError(
                f"'{option}' option on '{syntax.name}' does not accept an argument"
            )


def _check_arguments(syntax: Syntax, arguments: Sequence[str]) -> None:
    if len(arguments) < syntax.min_args:
        raise CtlError(
            f"'{syntax.name}' command requires at least {syntax.min_args} arguments"
        )
    if len(arguments) > syntax.max_args:
        hint = ""
        if any(argument.startswith("-") for argument in arguments):
            hint = (
                " (note that options must precede command names and follow a "
                '"--" argument)'
            )
        raise CtlError(
            f"'{syntax.name}' command takes at most {syntax.max_args} arguments{hint}"
        )


def completion(table: CommandTable) -> str:
    """What `--commands` prints: every command in a form for shells' completion."""
    lines = []
    for syntax in table.in_hash_order():
        options = "".join(
            f"[{option}] " for option in syntax.options.split(",") if option
        )
        words = " ".join(_completion_word(w) for w in syntax.arguments.split())
        lines.append(f"{options},{syntax.name},{words}\n")
    return "".join(lines)


def _completion_word(word: str) -> str:
    """Mark an argument: "!" required, "?" optional, "*" any number, "+" some."""
    repeated = word.endswith("...")
    word = word.rstrip(".")
    if word.startswith("[") and word.endswith("]"):
        mark, word = "*" if repeated else "?", word[1:-1]
    else:
        mark = "+" if repeated else "!"
    return mark + word.replace("[", "?").replace("]", "")
