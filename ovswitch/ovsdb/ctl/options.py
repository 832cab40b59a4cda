# SPDX-License-Identifier: Apache-2.0
"""A control tool's own options. Those of its first command may stand among them."""

from __future__ import annotations

import posix
from abc import ABC, abstractmethod

from ovswitch.ovsdb.ctl.numbers import atoi
from ovswitch.ovsdb.error import ParseError
from ovswitch.ovsdb.output import Style
from ovswitch.runtime import dirs, fatal, options, program, vlog
from ovswitch.runtime.options import NO_ARGUMENT, REQUIRED_ARGUMENT, Option

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.ovsdb.ctl.commands import CommandTable

TABLE_OPTIONS = (
    Option("format", REQUIRED_ARGUMENT, "f"),
    Option("data", REQUIRED_ARGUMENT, "d"),
    Option("no-headings"),
    Option("pretty"),
    Option("bare"),
    Option("max-column-width", REQUIRED_ARGUMENT),
)
_COMMAND_OPTION = "command option "  # before the name, in the keys of such options


class Settings(ABC):
    """What the options say; `command_options` are the first command's.

    A tool's subclass knows the options that only that tool has.
    """

    __slots__ = (
        "command_options",
        "db",
        "dry_run",
        "leader_only",
        "log",
        "oneline",
        "retry",
        "shuffle_remotes",
        "style",
        "timeout",
    )

    def __init__(self, log: vlog.Module) -> None:
        self.log = log
        self.db = default_db()
        self.oneline = False
        self.dry_run = False
        self.timeout = 0
        self.retry = False
        self.leader_only = True
        self.shuffle_remotes = True
        self.style = Style("list")
        self.command_options: dict[str, str | None] = {}

    def set_flag(self, key: str) -> bool:
        """Carry out an option without argument; return False if it isn't one."""
        match key:
            case "no-syslog":
                vlog.set_levels(vlog.WARN, self.log, vlog.SYSLOG)
            case "dry-run":
                self.dry_run = True
            case "oneline":
                self.oneline = True
            case "no-headings":
                self.style.headings = False
            case "pretty":
                self.style.pretty = True
            case "bare":
                self.style.set_bare()
            case _:
                return False
        return True

    def set_value(self, key: str, argument: str) -> bool:
        """Carry out an option with an argument; return False if it isn't one."""
        match key:
            case "db":
                self.db = argument
            case "timeout":
                self.timeout = _parse_timeout(argument)
            case "format":
                self.style.set_format(argument)
            case "data":
                self.style.set_data(argument)
            case "max-column-width":
                self.style.max_column_width = atoi(argument)
            case _:
                return False
        return True

    @abstractmethod
    def information(self, key: str, table: CommandTable) -> str | None:
        """What an option prints that then ends the program, None for others."""


def default_db() -> str:
    """Where the database is unless --db says otherwise."""
    return f"unix:{dirs.rundir()}/db.sock"


def _parse_timeout(text: str) -> int:
    digits = text.strip().removeprefix("+")
    valid = digits.isascii() and digits.isdigit() and 0 < int(digits) <= 0xFFFFFFFF
    if not valid:
        fatal.die(f"value {text} on -t or --timeout is invalid")
    return int(digits)


def parse(
    words: Sequence[str],
    table: CommandTable,
    own: Sequence[Option],
    settings: Settings,
) -> list[str]:
    """Parse a tool's options `own` into `settings`; return the commands' words.

    Options that only print something end the program.
    """
    of_commands = [
        Option(
            name,
            REQUIRED_ARGUMENT if has_argument else NO_ARGUMENT,
            key=_COMMAND_OPTION + name,
        )
        for name, has_argument in table.options().items()
    ]
    parser = options.Parser(program.called_by, (*own, *of_commands), stop_early=True)
    for key, argument in parser.iterate_or_die(words):
        try:
            _take(settings, table, key, argument)
        except ParseError as error:
            fatal.die(str(error))
    return parser.rest


def _take(
    settings: Settings, table: CommandTable, key: str, argument: str | None
) -> None:
    if key.startswith(_COMMAND_OPTION):
        settings.command_options["--" + key.removeprefix(_COMMAND_OPTION)] = argument
        return
    if argument is not None:
        done = settings.set_value(key, argument)
    else:
        done = settings.set_flag(key)
        text = None if done else settings.information(key, table)
        if text is not None:
            write(text)
            raise SystemExit(0)
    if not done and not options.handle_logging(key, argument):
        options.handle_ssl(key, argument)


def write(text: str) -> None:
    """Print text whose octets may not all be UTF-8; if nobody reads it, so be it."""
    octets = text.encode("utf-8", "surrogateescape")
    try:
        while octets:
            octets = octets[posix.write(1, octets) :]
    except OSError:
        pass
