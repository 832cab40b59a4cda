# SPDX-License-Identifier: Apache-2.0
"""ovs-appctl: give a command to a running daemon (ovs-appctl(8)).

The daemon is named by its pidfile's name, by default ovs-vswitchd, or by the path of
its control socket. Exit status 0: done; 1: wrong usage or no connection; 2: the
daemon refused, with its words on stderr.
"""

from __future__ import annotations

import sys

from ovswitch.runtime import dirs, fatal, options, program, version, vlog
from ovswitch.runtime.options import Option
from ovswitch.runtime.unixctl import client

_OPTIONS = (
    Option("target", options.REQUIRED_ARGUMENT, "t"),
    Option("execute", short="e"),
    Option("help", short="h"),
    Option("option", short="o"),
    Option("version", short="V"),
    Option("timeout", options.REQUIRED_ARGUMENT, "T"),
    *options.LOGGING,
)

_USAGE = """\
{0}, for querying and controlling Open vSwitch daemon
usage: {0} [TARGET] COMMAND [ARG...]
Targets:
  -t, --target=TARGET  pidfile or socket to contact
Common commands:
  list-commands      List commands supported by the target
  version            Print version of the target
  vlog/list          List current logging levels
  vlog/list-pattern  List logging patterns for each destination.
  vlog/set [SPEC]
      Set log levels as detailed in SPEC, which may include:
      A valid module name (all modules, by default)
      'syslog', 'console', 'file' (all destinations, by default))
      'off', 'emer', 'err', 'warn', 'info', or 'dbg' ('dbg', bydefault)
  vlog/reopen        Make the program reopen its log file
Other options:
  --timeout=SECS     wait at most SECS seconds for a response
  -h, --help         Print this helpful information
  -V, --version      Display ovs-appctl version information
"""


def _parse_command_line(argv0: str, words: list[str]) -> tuple[str, list[str]]:
    """Return the target, and the command with its arguments."""
    parser = options.Parser(argv0, _OPTIONS, stop_early=True)
    target: str | None = None
    timeout = 0
    executed = False
    for key, argument in parser.iterate_or_die(words):
        if key == "target":
            if target is not None:
                fatal.die("-t or --target may be specified only once")
            target = argument
        elif key == "execute":
            if executed:
                fatal.die("-e or --execute may be speciifed only once")
            executed = True  # old scripts put it before the command
        elif key == "help":
            fatal.write_out(_USAGE.format(program.name))
            raise SystemExit(0)
        elif key == "option":
            fatal.write_out(options.listing(_OPTIONS))
            raise SystemExit(0)
        elif key == "version":
            fatal.write_out(version.version_text(program.name) + "\n")
            raise SystemExit(0)
        elif key == "timeout":
            timeout = fatal.parse_timeout(argument or "")
        else:
            options.handle_logging(key, argument)
    fatal.set_timeout(timeout)
    if not parser.rest:
        fatal.die("at least one non-option argument is required (use --help for help)")
    return target or "ovs-vswitchd", parser.rest


def _socket_path(target: str) -> str:
    if target.startswith("/"):
        return target
    from ovswitch.runtime import pidfile

    path = f"{dirs.rundir()}/{target}.pid"
    pid = pidfile.read(path)
    if pid < 0:
        fatal.die(f'cannot read pidfile "{path}"', error=-pid)
    return f"{dirs.rundir()}/{target}.{pid}.ctl"


def main(argv: list[str]) -> int:
    """Run the program; return its exit status."""
    vlog.set_program(argv[0])
    fatal.install()
    fatal.default_sigpipe()
    target, (command, *args) = _parse_command_line(argv[0], argv[1:])
    path = _socket_path(target)
    try:
        connection = client.connect(path)
    except OSError as error:
        fatal.die(f'cannot connect to "{path}"', error=error.errno or 0)
    with connection:
        try:
            ok, text = client.transact(connection, command, args)
        except OSError as error:
            fatal.die(f"{target}: transaction error", error=error.errno or 0)
    if not ok:
        sys.stderr.flush()
        sys.stderr.buffer.write(text.encode("utf-8", "surrogateescape"))
        fatal.report(f"{target}: server returned an error")
        return 2
    fatal.write_out(text)
    return 0
