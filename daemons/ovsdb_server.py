# SPDX-License-Identifier: Apache-2.0
"""ovsdb-server: the database server.

Here are the command line and the order in which things start; `ovsdb.server` does the
work. Sources: ovsdb-server(1), ovsdb/ovsdb-server.c.
"""

from __future__ import annotations

import asyncio
import signal
import sys

from ovswitch.ovsdb import log_record, uuids_replay
from ovswitch.ovsdb.error import OvsdbError
from ovswitch.ovsdb.server.app import App, Config
from ovswitch.ovsdb.server.commands import Commands
from ovswitch.ovsdb.usage import stream_usage
from ovswitch.runtime import (
    daemon,
    dirs,
    fatal,
    loop,
    memory,
    options,
    proctitle,
    program,
    replay,
    ssl_config,
    version,
    vlog,
)
from ovswitch.runtime.options import NO_ARGUMENT, OPTIONAL_ARGUMENT, REQUIRED_ARGUMENT
from ovswitch.runtime.unixctl import server as unixctl_server

_OPTIONS = (
    options.Option("remote", REQUIRED_ARGUMENT),
    options.Option("unixctl", REQUIRED_ARGUMENT),
    options.Option("run", REQUIRED_ARGUMENT),
    options.Option("help", NO_ARGUMENT, "h"),
    options.Option("version", NO_ARGUMENT, "V"),
    *options.DAEMON,
    *options.LOGGING,
    options.BOOTSTRAP_CA_CERT,
    options.PEER_CA_CERT,
    *options.SSL,
    options.Option("record", OPTIONAL_ARGUMENT),
    options.Option("replay", OPTIONAL_ARGUMENT),
    options.Option("sync-from", REQUIRED_ARGUMENT),
    options.Option("sync-exclude-tables", REQUIRED_ARGUMENT),
    options.Option("active"),
    options.Option("no-dbs"),
    options.Option("disable-file-column-diff"),
)
# Each may name a database column instead of a file.
_SSL_OPTIONS = (
    "private-key",
    "certificate",
    "ca-cert",
    "bootstrap-ca-cert",
    "ssl-protocols",
    "ssl-ciphers",
)

_log = vlog.Module("ovsdb_server")


class _CommandLine:
    """What the user asked for."""

    def __init__(self) -> None:
        self.config = Config()
        self.daemon = daemon.Daemon()
        self.unixctl: str | None = None
        self.command: str | None = None
        self.ssl: dict[str, str] = {}
        self.use_diff = True
        self._has_default = True
        self._is_active = False

    def parse(self, words: list[str]) -> None:
        """Parse the command line; exit if it is wrong."""
        parser = options.Parser(program.called_by, _OPTIONS)
        for key, argument in parser.iterate_or_die(words):
            if not self._take(key, argument or ""):
                self.daemon.handle_option(key, argument)
                options.handle_logging(key, argument)
        names = list(dict.fromkeys(parser.rest))
        if not names and self._has_default:
            names = [f"{dirs.dbdir()}/conf.db"]
        self.config.files = names
        is_follower = self.config.sync_from is not None
        self.config.is_backup = is_follower and not self._is_active

    def _take(self, key: str, argument: str) -> bool:
        """Take one of our own options; return False if it isn't one."""
        if key == "remote":
            if argument not in self.config.remotes:
                self.config.remotes.append(argument)
        elif key == "unixctl":
            self.unixctl = argument
        elif key == "run":
            self.command = argument
        elif key == "help":
            _print(_usage())
            raise SystemExit(0)
        elif key == "version":
            _print(version.version_text(program.name) + "\n")
            raise SystemExit(0)
        elif key in _SSL_OPTIONS:
            self.ssl[key] = argument
        elif key == "peer-ca-cert":
            ssl_config.settings.set_option(key, argument)
        elif key == "no-dbs":
            self._has_default = False
        elif key == "disable-file-column-diff":
            self.use_diff = False
        elif key == "sync-from":
            self.config.sync_from = argument
        elif key == "sync-exclude-tables":
            self.config.sync_exclude = argument
        elif key == "active":
            self._is_active = True
        elif key in {"record", "replay"}:
            replay.start(key, argument)
        else:
            return False
        return True


async def _serve(command_line: _CommandLine) -> int:
    """Serve until told to stop; return the exit status."""
    uuids_replay.start()
    app = App(command_line.config, command_line.ssl, use_diff=command_line.use_diff)
    try:
        app.open_all()
    except OvsdbError as error:
        fatal.die(str(error))
    errors = await app.configure()
    if errors:
        fatal.die("\n".join(errors) + "\n")
    Commands(app).register()
    memory.register(app.memory_usage)
    memory.start()
    try:
        control = await unixctl_server.serve(command_line.unixctl)
    except OSError:
        return 1
    process = None
    if command_line.command is not None:
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", command_line.command
        )
        app.spawn("run", _exit_with(process, app))
    command_line.daemon.complete()
    if process is None:
        _log.info("%s", version.version_text(program.name))
    app.start()
    await app.exiting.wait()
    if control is not None:
        await control.close()
    await app.close()
    return _status_of(process, command_line.command)


async def _exit_with(process: asyncio.subprocess.Process, app: App) -> None:
    await process.wait()
    app.exiting.set()


def _status_of(process: asyncio.subprocess.Process | None, command: str | None) -> int:
    """Report a command that failed; return our exit status."""
    if process is None or not process.returncode:
        return 0
    code = process.returncode
    how = f"exit status {code}" if code > 0 else f"killed ({_signal_text(-code)})"
    fatal.report(f"{command}: child exited, {how}")
    return 1


def _signal_text(number: int) -> str:
    return signal.strsignal(number) or f"signal {number}"


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def _usage() -> str:
    from ovswitch.runtime import vlog_control

    return f"""\
{program.name}: Open vSwitch database server
usage: {program.name} [OPTIONS] [DATABASE...]
where each DATABASE is a database file in ovsdb format.
The default DATABASE, if none is given, is
{dirs.dbdir()}/conf.db.

JSON-RPC options (may be specified any number of times):
  --remote=REMOTE         connect or listen to REMOTE
{stream_usage("JSON-RPC", bootstrap=True)}{daemon.usage()}{vlog_control.usage()}
Syncing options:
  --sync-from=SERVER      sync DATABASE from active SERVER and start in
                          backup mode (except with --active)
  --sync-exclude-tables=DB:TABLE,...
                          exclude the TABLE in DB from syncing
  --active                with --sync-from, start in active mode

Replay options:
  --record[=DIR]            turn on writing replay files
  --replay[=DIR]            run from replay files

Other options:
  --run COMMAND           run COMMAND as subprocess then exit
  --unixctl=SOCKET        override default control socket name
  --disable-file-column-diff
                          don't use column diff in database file
  -h, --help              display this help message
  -V, --version           display version information
"""


def main(argv: list[str]) -> int:
    """Run the program; return its exit status."""
    vlog.set_program(argv[0])
    proctitle.init(argv)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    command_line = _CommandLine()
    command_line.parse(argv[1:])
    log_record.use_fast_hash()
    command_line.daemon.become_user(access_datapath=False)
    command_line.config.save()
    command_line.daemon.start()
    command_line.config.load()
    return loop.run(lambda: _serve(command_line))
