# SPDX-License-Identifier: Apache-2.0
"""Detaching, pidfiles and monitors, as `ovs.daemon`: one daemon a process."""

from __future__ import annotations

import os

from ovswitch.bindings import dirs, util
from ovswitch.runtime import daemon as _daemon
from ovswitch.runtime import fatal, pidfile, program

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

_the_daemon = _daemon.Daemon()


def make_pidfile_name(name: str | None) -> str:
    """Return a pidfile's full name; None is RUNDIR/PROGRAM.pid."""
    if not name:
        return f"{dirs.RUNDIR}/{util.PROGRAM_NAME}.pid"
    return util.abs_file_name(dirs.RUNDIR, name)


def set_pidfile(name: str | None) -> None:
    """Write a pidfile; None is RUNDIR/PROGRAM.pid."""
    _the_daemon.set_pidfile(make_pidfile_name(name))


def set_no_chdir() -> None:
    """Stay in the current folder."""
    _the_daemon.chdir = False


def ignore_existing_pidfile() -> None:
    """Start even if the pidfile says that the daemon runs."""
    _the_daemon.overwrite_pidfile = True


def set_detach() -> None:
    """Run in the background."""
    _the_daemon.detach = True


def get_detach() -> bool:
    """Whether to run in the background."""
    return _the_daemon.detach


def set_monitor() -> None:
    """Leave a process behind that starts the daemon again when it crashes."""
    _the_daemon.monitor = True


def daemonize() -> None:
    """Detach, write the pidfile, and let the caller go on."""
    daemonize_start()
    daemonize_complete()


def daemonize_start() -> None:
    """Detach and write the pidfile; returns in the daemon only, and who waits waits."""
    program.set_name(util.PROGRAM_NAME)
    fatal.install()
    _the_daemon.start()


def daemonize_complete() -> None:
    """Tell who waits that the daemon serves."""
    _the_daemon.complete()


def read_pidfile(pidfile_name: str) -> int:
    """Return the process that holds a pidfile, or a negative error number."""
    return pidfile.read(pidfile_name)


def usage() -> str:
    """Return the daemon part of `--help`."""
    return _daemon.usage()


def add_args(parser: argparse.ArgumentParser) -> None:
    """Add the daemon options to a parser's."""
    name = make_pidfile_name(None)
    group = parser.add_argument_group(title="Daemon Options")
    for option, text in (
        ("--detach", "Run in background as a daemon."),
        ("--no-chdir", "Do not chdir to '/'."),
        ("--monitor", f"Monitor {util.PROGRAM_NAME} process."),
        ("--overwrite-pidfile", "With --pidfile, start even if already running."),
    ):
        group.add_argument(option, action="store_true", help=text)
    text = f"Create pidfile (default {name})."
    group.add_argument("--pidfile", nargs="?", const=os.fspath(name), help=text)


def handle_args(args: argparse.Namespace) -> None:
    """Carry out the options of `add_args`."""
    if args.detach:
        set_detach()
    if args.no_chdir:
        set_no_chdir()
    if args.pidfile:
        set_pidfile(args.pidfile)
    if args.overwrite_pidfile:
        ignore_existing_pidfile()
    if args.monitor:
        set_monitor()
