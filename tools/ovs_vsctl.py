# SPDX-License-Identifier: Apache-2.0
"""ovs-vsctl: query and configure ovs-vswitchd through its database (ovs-vsctl(8)).

Exit status 0: done; 1: wrong usage or an error; 2: `br-exists` found no bridge.
"""

from __future__ import annotations

from ovswitch.ovsdb.ctl.commands import CtlError, ExitError
from ovswitch.ovsdb.ctl.escape import escape_words
from ovswitch.runtime import fatal, vlog
from ovswitch.tools.vsctl import options
from ovswitch.tools.vsctl.commands import command_table
from ovswitch.tools.vsctl.model import log

_ctl_log = vlog.Module("db_ctl_base")


def _die(message: str) -> None:
    """Log an error, print it, exit with status 1."""
    vlog.set_levels(vlog.OFF, _ctl_log, vlog.CONSOLE)
    _ctl_log.err("%s", message)
    fatal.die(message)


def main(argv: list[str]) -> int:
    """Run the program; return its exit status."""
    vlog.set_program(argv[0])
    vlog.set_levels(vlog.WARN, None, vlog.CONSOLE)
    vlog.set_levels(vlog.WARN, vlog.Module("reconnect"))
    try:
        _run(argv)
    except CtlError as error:
        _die(str(error))
    except ExitError as error:
        return error.status
    return 0


def _run(argv: list[str]) -> None:
    table = command_table()
    settings, words = options.parse(argv[1:], table)
    commands = table.parse(words, settings.command_options)
    line = escape_words(argv)
    writes = any(command.syntax.writes for command in commands)
    log.log(vlog.INFO if writes else vlog.DBG, "Called as %s", line)
    fatal.install()
    fatal.set_timeout(settings.timeout)
    from ovswitch.tools.vsctl.run import Chain

    chain = Chain(settings, commands, line)
    try:
        chain.run()
    finally:
        chain.close()
