# SPDX-License-Identifier: Apache-2.0
"""ovs-vsctl's own options. Those of its first command may stand among them."""

from __future__ import annotations

import posix

from ovswitch.ovsdb.error import ParseError
from ovswitch.ovsdb.output import Style
from ovswitch.runtime import dirs, fatal, options, program, version, vlog
from ovswitch.runtime.options import NO_ARGUMENT, REQUIRED_ARGUMENT, Option
from ovswitch.tools.vsctl.numbers import atoi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.ovsdb.ctl.commands import CommandTable

_OPTIONS = (
    Option("db", REQUIRED_ARGUMENT),
    Option("no-syslog"),
    Option("no-wait"),
    Option("dry-run"),
    Option("oneline"),
    Option("timeout", REQUIRED_ARGUMENT, "t"),
    Option("retry"),
    Option("help", short="h"),
    Option("commands"),
    Option("options"),
    Option("leader-only"),
    Option("no-leader-only"),
    Option("shuffle-remotes"),
    Option("no-shuffle-remotes"),
    Option("version", short="V"),
    *options.LOGGING,
    Option("format", REQUIRED_ARGUMENT, "f"),
    Option("data", REQUIRED_ARGUMENT, "d"),
    Option("no-headings"),
    Option("pretty"),
    Option("bare"),
    Option("max-column-width", REQUIRED_ARGUMENT),
    *options.SSL,
    options.BOOTSTRAP_CA_CERT,
    options.PEER_CA_CERT,
)
_COMMAND_OPTION = "command option "  # before the name, in the keys of such options


class Settings:
    """What the options say; `command_options` are the first command's."""

    __slots__ = (
        "command_options",
        "db",
        "dry_run",
        "leader_only",
        "oneline",
        "retry",
        "shuffle_remotes",
        "style",
        "timeout",
        "wait_for_reload",
    )

    def __init__(self) -> None:
        self.db = default_db()
        self.oneline = False
        self.dry_run = False
        self.wait_for_reload = True
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
                vlog.set_levels(vlog.WARN, vlog.Module("vsctl"), vlog.SYSLOG)
            case "no-wait":
                self.wait_for_reload = False
            case "dry-run":
                self.dry_run = True
            case "oneline":
                self.oneline = True
            case "retry":
                self.retry = True
            case "leader-only" | "no-leader-only":
                self.leader_only = key == "leader-only"
            case "shuffle-remotes" | "no-shuffle-remotes":
                self.shuffle_remotes = key == "shuffle-remotes"
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


def default_db() -> str:
    """Where the database is unless --db says otherwise."""
    return f"unix:{dirs.rundir()}/db.sock"


def _parse_timeout(text: str) -> int:
    digits = text.strip().removeprefix("+")
    valid = digits.isascii() and digits.isdigit() and 0 < int(digits) <= 0xFFFFFFFF
    if not valid:
        fatal.die(f"value {text} on -t or --timeout is invalid")
    return int(digits)


def parse(words: Sequence[str], table: CommandTable) -> tuple[Settings, list[str]]:
    """Parse the options; return what they say and the commands' words.

    Options that only print something end the program.
    """
    own = [
        Option(
            name,
            REQUIRED_ARGUMENT if has_argument else NO_ARGUMENT,
            key=_COMMAND_OPTION + name,
        )
        for name, has_argument in table.options().items()
    ]
    parser = options.Parser(program.called_by, (*_OPTIONS, *own), stop_early=True)
    settings = Settings()
    for key, argument in parser.iterate_or_die(words):
        try:
            _take(settings, table, key, argument)
        except ParseError as error:
            fatal.die(str(error))
    return settings, parser.rest


def _take(
    settings: Settings, table: CommandTable, key: str, argument: str | None
) -> None:
    if key.startswith(_COMMAND_OPTION):
        settings.command_options["--" + key.removeprefix(_COMMAND_OPTION)] = argument
    elif argument is None and key in ("help", "commands", "options", "version"):
        print_and_exit(_information(key, table))
    else:
        if argument is None:
            done = settings.set_flag(key)
        else:
            done = settings.set_value(key, argument)
        if not done and not options.handle_logging(key, argument):
            options.handle_ssl(key, argument)


def _information(key: str, table: CommandTable) -> str:
    if key == "commands":
        from ovswitch.ovsdb.ctl.commands import completion

        return completion(table)
    if key == "options":
        return _listing()
    from ovswitch.tools.vsctl.schema import load_schema

    if key == "version":
        text = version.version_text(program.name)
        return f"{text}\nDB Schema {load_schema()['version']}\n"
    from ovswitch.tools.vsctl.usage import usage

    return usage(default_db())


def _listing() -> str:
    """What --options prints."""
    lines = []
    for option in _OPTIONS:
        lines.append(f"--{option.name}{'=ARG' if option.argument else ''}\n")
        if option.short:
            lines.append(f"-{option.short}{' ARG' if option.argument else ''}\n")
    return "".join(lines)


def print_and_exit(text: str) -> None:
    """Print and end the program."""
    write(text)
    raise SystemExit(0)


def write(text: str) -> None:
    """Print text whose octets may not all be UTF-8; if nobody reads it, so be it."""
    octets = text.encode("utf-8", "surrogateescape")
    try:
        while octets:
            octets = octets[posix.write(1, octets) :]
    except OSError:
        pass
