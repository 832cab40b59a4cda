# SPDX-License-Identifier: Apache-2.0
"""ovsdb-client: talks to a database server (ovsdb-client(1)).

Here are the command line and the table of commands; `ovsdb.client` has the commands,
which are imported as they are needed, for the program starts often.
"""

from __future__ import annotations

import sys

from ovswitch.ovsdb.client import settings
from ovswitch.ovsdb.client.connection import (
    NEED_DATABASE,
    NEED_NONE,
    NEED_RPC,
    connect,
)
from ovswitch.ovsdb.error import OvsdbError, ParseError
from ovswitch.runtime import fatal, options, program, version, vlog
from ovswitch.runtime.options import NO_ARGUMENT, OPTIONAL_ARGUMENT, REQUIRED_ARGUMENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_NO_LIMIT = 0x7FFFFFFF
_UINT_MAX = 0xFFFFFFFF
_OPTIONS = (
    options.Option("help", NO_ARGUMENT, "h"),
    options.Option("version", NO_ARGUMENT, "V"),
    options.Option("timestamp"),
    options.Option("force"),
    options.Option("timeout", REQUIRED_ARGUMENT, "t"),
    options.Option("db-change-aware"),
    options.Option("no-db-change-aware"),
    options.Option("leader-only"),
    options.Option("no-leader-only"),
    *options.LOGGING,
    *options.DAEMON,
    options.BOOTSTRAP_CA_CERT,
    *options.SSL,
    options.Option("format", REQUIRED_ARGUMENT, "f"),
    options.Option("data", REQUIRED_ARGUMENT, "d"),
    options.Option("no-headings"),
    options.Option("pretty"),
    options.Option("bare"),
    options.Option("max-column-width", REQUIRED_ARGUMENT),
    options.Option("record", OPTIONAL_ARGUMENT),
    options.Option("replay", OPTIONAL_ARGUMENT),
)
_DAEMON_KEYS = frozenset(option.key for option in options.DAEMON)

# Name -> what it needs, least and most arguments after that, module and function.
_COMMANDS: dict[str, tuple[int, int, int, str, str]] = {
    "list-dbs": (NEED_RPC, 0, 0, "schema_commands", "list_dbs"),
    "get-schema": (NEED_DATABASE, 0, 0, "schema_commands", "get_schema"),
    "get-schema-version": (
        NEED_DATABASE,
        0,
        0,
        "schema_commands",
        "get_schema_version",
    ),
    "get-schema-cksum": (NEED_DATABASE, 0, 0, "schema_commands", "get_schema_cksum"),
    "list-tables": (NEED_DATABASE, 0, 0, "schema_commands", "list_tables"),
    "list-columns": (NEED_DATABASE, 0, 1, "schema_commands", "list_columns"),
    "transact": (NEED_NONE, 1, 2, "schema_commands", "transact"),
    "query": (NEED_NONE, 1, 2, "schema_commands", "query"),
    "monitor": (NEED_DATABASE, 1, _NO_LIMIT, "monitor", "monitor"),
    "monitor-cond": (NEED_DATABASE, 2, 3, "monitor", "monitor_cond"),
    "monitor-cond-since": (NEED_DATABASE, 2, 4, "monitor", "monitor_cond_since"),
    "wait": (NEED_NONE, 2, 3, "lock", "wait"),
    "convert": (NEED_NONE, 1, 2, "schema_commands", "convert"),
    "needs-conversion": (NEED_NONE, 1, 2, "schema_commands", "needs_conversion"),
    "dump": (NEED_DATABASE, 0, _NO_LIMIT, "dump", "dump"),
    "backup": (NEED_DATABASE, 0, 0, "dump", "backup"),
    "restore": (NEED_DATABASE, 0, 0, "dump", "restore"),
    "lock": (NEED_RPC, 1, 1, "lock", "lock"),
    "steal": (NEED_RPC, 1, 1, "lock", "steal"),
    "unlock": (NEED_RPC, 1, 1, "lock", "unlock"),
    "help": (NEED_NONE, 0, _NO_LIMIT, "help", "print_help"),
}

_log = vlog.Module("ovsdb_client")


def _function(module: str, name: str) -> Callable[[Any, list[str]], None]:
    """Load a command's function."""
    path = f"ovswitch.ovsdb.client.{module}"
    __import__(path)
    function: Callable[[Any, list[str]], None] = getattr(sys.modules[path], name)
    return function


def _take_option(key: str, argument: str | None) -> None:
    text = argument or ""
    style = settings.style
    match key:
        case "help":
            _function("help", "print_help")(None, [])
            raise SystemExit(0)
        case "version":
            settings.write(version.version_text(program.name) + "\n")
            raise SystemExit(0)
        case "timestamp":
            settings.timestamp = True
        case "force":
            settings.force = True
        case "timeout":
            fatal.set_timeout(_parse_timeout(text))
        case "db-change-aware" | "no-db-change-aware":
            settings.db_change_aware = key == "db-change-aware"
        case "leader-only" | "no-leader-only":
            settings.leader_only = key == "leader-only"
        case "format":
            style.set_format(text)
        case "data":
            style.set_data(text)
        case "no-headings":
            style.headings = False
        case "pretty":
            style.pretty = True
        case "bare":
            style.set_bare()
        case "max-column-width":
            style.max_column_width = int(text) if text.isdecimal() else 0
        case "record" | "replay":
            from ovswitch.runtime import replay_streams

            replay_streams.start(key, argument)
        case _:
            _take_shared_option(key, argument)


def _parse_timeout(text: str) -> int:
    digits = text.lstrip().removeprefix("+")
    if digits.isascii() and digits.isdigit() and 0 < int(digits) <= _UINT_MAX:
        return int(digits)
    return fatal.die(f"value {text} on -t or --timeout is invalid")


def _take_shared_option(key: str, argument: str | None) -> None:
    if key in _DAEMON_KEYS:
        if settings.daemon is None:
            from ovswitch.runtime.daemon import Daemon

            settings.daemon = Daemon()
        settings.daemon.handle_option(key, argument)
    elif not options.handle_logging(key, argument):
        options.handle_ssl(key, argument)


def _run(words: list[str]) -> None:
    """Carry a command out."""
    if not words:
        fatal.die("missing command name; use --help for help")
    name, *args = words
    if name not in _COMMANDS:
        _log.fatal("unknown command '%s'; use --help for help", name)
    need, least, most, module, function = _COMMANDS[name]
    connection = None
    if need != NEED_NONE:
        connection, args = connect(args, least, need)
    if not least <= len(args) <= most:
        _log.fatal("invalid syntax for '%s' (use --help for help)", name)
    _function(module, function)(connection, args)


def main(argv: list[str]) -> int:
    """Run the program; return its exit status."""
    vlog.set_program(argv[0])
    fatal.install()
    fatal.set_timeout(0)
    parser = options.Parser(argv[0], _OPTIONS)
    try:
        for key, argument in parser.iterate_or_die(argv[1:]):
            _take_option(key, argument)
        if settings.daemon is not None:
            settings.daemon.become_user(access_datapath=False)
        _run(parser.rest)
    except (OvsdbError, ParseError) as error:
        fatal.die(str(error))
    return 0
