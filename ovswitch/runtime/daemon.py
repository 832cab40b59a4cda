# SPDX-License-Identifier: Apache-2.0
"""Becoming a daemon: --detach, --pidfile, --monitor, --user and their relatives.

A program parses the options into a `Daemon`, calls `start()` before it opens anything
and `complete()` when it serves. With --detach, the process that the user started
waits in `start()` until then and exits with 0, or with the daemon's own status if
that ended too early. With --monitor, one process stays behind and starts the daemon
anew when it crashed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from ovswitch.runtime import (
    crash,
    dirs,
    fatal,
    pidfile,
    proctitle,
    program,
    vlog,
    vlog_output,
)

if TYPE_CHECKING:
    from ovswitch.runtime.privileges import User

_log = vlog.Module("daemon_unix")
_common_log = vlog.Module("daemon")
_backtrace_log = vlog.Module("backtrace")

# The signals of a crash; others mean that somebody wanted the daemon to end.
_CRASH_SIGNALS = frozenset(
    {
        signal.SIGABRT,
        signal.SIGALRM,
        signal.SIGBUS,
        signal.SIGFPE,
        signal.SIGILL,
        signal.SIGPIPE,
        signal.SIGSEGV,
        signal.SIGXCPU,
        signal.SIGXFSZ,
    }
)
_RESTART_INTERVAL_S = 10

_KEYS = frozenset(
    {
        "detach",
        "no-self-confinement",
        "no-chdir",
        "pidfile",
        "overwrite-pidfile",
        "monitor",
        "user",
    }
)


def usage() -> str:
    """Return the daemon part of `--help`."""
    return f"""
Daemon options:
  --detach                run in background as daemon
  --monitor               creates a process to monitor this daemon
  --user=username[:group] changes the effective daemon user:group
  --no-chdir              do not chdir to '/'
  --pidfile[=FILE]        create pidfile (default: {dirs.rundir()}/{program.name}.pid)
  --overwrite-pidfile     with --pidfile, start even if already running
"""


def status_text(status: int) -> str:
    """Return how a child ended, from waitpid()'s status."""
    if os.WIFEXITED(status):
        return f"exit status {os.WEXITSTATUS(status)}"
    if os.WIFSIGNALED(status):
        text = f"killed ({fatal.signal_text(os.WTERMSIG(status))})"
    elif os.WIFSTOPPED(status):
        text = f"stopped ({fatal.signal_text(os.WSTOPSIG(status))})"
    else:
        text = f"terminated abnormally ({status:x})"
    return text + (", core dumped" if os.WCOREDUMP(status) else "")


class Daemon:
    """The daemon options, and what they do."""

    def __init__(self) -> None:
        self.detach = False
        self.monitor = False
        self.pidfile = ""
        self.overwrite_pidfile = False
        self.chdir = True
        self.self_confine = True
        self.saved_fds: set[int] = set()
        self._user: User | None = None
        self._notify_fd = -1
        self._completed = False

    # Options.

    def handle_option(self, key: str, argument: str | None) -> bool:
        """Take one of `options.DAEMON`; return False if `key` isn't one."""
        if key not in _KEYS:
            return False
        if key == "detach":
            self.detach = True
        elif key == "monitor":
            self.monitor = True
        elif key == "pidfile":
            self.set_pidfile(argument)
        elif key == "overwrite-pidfile":
            self.overwrite_pidfile = True
        elif key == "no-chdir":
            self.chdir = False
        elif key == "no-self-confinement":
            self.self_confine = False
        else:
            self._set_user(argument or "")
        return True

    def set_pidfile(self, name: str | None) -> None:
        """Write a pidfile; None is RUNDIR/PROGRAM.pid."""
        if name is None:
            name = f"{program.name}.pid"
        self.pidfile = dirs.abs_file_name(dirs.rundir(), name)

    def save_fd(self, fd: int) -> None:
        """Keep a standard stream open after detaching: it is wanted."""
        self.saved_fds.add(fd)

    def _set_user(self, spec: str) -> None:
        from ovswitch.runtime import privileges

        self._user = privileges.parse(spec, self.pidfile or "(null)")

    # Starting.

    def become_user(self, *, access_datapath: bool) -> None:
        """Change to --user's user, if not done yet."""
        if self._user is not None:
            from ovswitch.runtime import privileges

            user, self._user = self._user, None
            privileges.become(
                user, self.pidfile or "(null)", access_datapath=access_datapath
            )

    def start(self, *, access_datapath: bool = False) -> None:
        """Detach and leave a monitor behind, as the options say; write the pidfile.

        Returns in the daemon's process only.
        """
        crash.install()
        self.become_user(access_datapath=access_datapath)
        if self.detach:
            child, self._notify_fd = self._fork_and_wait()
            if child is None:
                _log.fatal("could not detach from foreground session")
            if child:
                _exit(0)
            os.setsid()
        if self.monitor:
            self._start_monitor()
        if self.pidfile:
            self._make_pidfile()

    def complete(self) -> None:
        """Tell whoever waits that the daemon serves; let go of the terminal."""
        if self._completed:
            return
        self._completed = True
        self._notify(self._notify_fd)
        if self.detach:
            if self.chdir:
                os.chdir("/")
            self._close_standard_fds()

    def _fork_and_wait(self) -> tuple[int | None, int]:
        """Fork; in the parent, wait until the child serves or ended.

        Returns the child's process id, 0 in the child, None if the child died
        without a status to pass on; and the descriptor of the pipe between them.
        """
        read_fd, write_fd = os.pipe()
        sys.stdout.flush()
        child = os.fork()
        if not child:
            os.close(read_fd)
            return 0, write_fd
        fatal.forget()
        os.close(write_fd)
        if os.read(read_fd, 1):
            return child, read_fd
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            _exit(os.WEXITSTATUS(status))
        _log.err("fork child died before signaling startup (%s)", status_text(status))
        self._last_status = status
        return None, read_fd

    def _notify(self, fd: int) -> None:
        if fd < 0:
            return
        try:
            os.write(fd, b"\0")
        except OSError as error:
            _log.fatal("pipe write failed (%s)", os.strerror(error.errno or 0))

    def _close_standard_fds(self) -> None:
        """Point the standard streams nowhere, so that pipes to us end."""
        try:
            null_fd = os.open("/dev/null", os.O_RDWR)
        except OSError as error:
            text = os.strerror(error.errno or 0)
            _common_log.err("could not open %s: %s", "/dev/null", text)
        else:
            for fd in range(3):
                if fd not in self.saved_fds:
                    os.dup2(null_fd, fd)
            if null_fd > 2:
                os.close(null_fd)
        vlog.set_levels(vlog.OFF, None, vlog.CONSOLE)

    # The monitor.

    def _start_monitor(self) -> None:
        detach_fd = self._notify_fd
        child, self._notify_fd = self._fork_and_wait()
        if child is None:
            _log.fatal("could not initiate process monitoring")
        if child:
            self._notify(detach_fd)
            if self.detach:
                self._close_standard_fds()
            self._watch(child)  # returns in a new daemon only
        elif detach_fd >= 0:
            os.close(detach_fd)

    def _watch(self, child: int) -> None:
        """Wait for the daemon to end; start it anew when it crashed.

        Returns in the new daemon; the monitor itself exits with the daemon.
        """
        program.set_subprogram("monitor")
        n_crashes = 0
        condition = "healthy"
        last_restart = -float("inf")
        ready = True
        while True:
            proctitle.show(f"monitoring pid {child} ({condition})")
            status = self._wait(child) if ready else self._last_status
            how = status_text(status)
            crashed = os.WIFSIGNALED(status) and os.WTERMSIG(status) in _CRASH_SIGNALS
            if not crashed:
                _log.info("pid %d died, %s, exiting", child, how)
                _exit(0)
            n_crashes += 1
            condition = f"{n_crashes} crashes: pid {child} died, {how}"
            _backtrace_log.warn("Backtrace using libunwind not supported.")
            os.close(self._notify_fd)
            last_restart = self._throttle(last_restart, condition)
            _log.err("%s, restarting", condition)
            started, self._notify_fd = self._fork_and_wait()
            ready = started is not None
            if started == 0:
                break
            child = started or child
        proctitle.restore()
        program.set_subprogram(program.name)  # log lines tell a restarted daemon's

    def _wait(self, child: int) -> int:
        """Wait for the daemon; the log file is closed, so that it can be rotated."""
        log_file = vlog_output.file_name
        if log_file is not None:
            vlog_output.close_log_file()
        _, status = os.waitpid(child, 0)
        if log_file is not None:
            vlog_output.set_log_file(log_file)
        return status

    def _throttle(self, last_restart: float, condition: str) -> float:
        """Restart no more often than every ten seconds; return the time of this one."""
        now = _seconds()
        if now < last_restart + _RESTART_INTERVAL_S:
            _log.warn("%s, waiting until 10 seconds since last restart", condition)
            time.sleep(last_restart + _RESTART_INTERVAL_S - now)
        return _seconds()

    # The pidfile.

    def _make_pidfile(self) -> None:
        """Write and lock the pidfile; die if another daemon holds it."""
        if self.overwrite_pidfile:
            temporary = f"{self.pidfile}.tmp{os.getpid()}"
            fatal.unlink_at_exit(temporary)
        else:
            # All who start share this file as a lock, so it isn't ours to remove
            # until we hold it.
            temporary = f"{self.pidfile}.tmp"
        fd = self._create(temporary)
        error = pidfile.lock(fd)
        if error:
            text = os.strerror(error)
            _log.fatal("%s: fcntl(F_SETLK) failed (%s)", temporary, text)
        if not self.overwrite_pidfile:
            fatal.unlink_at_exit(temporary)
            self._check_already_running()
        try:
            os.ftruncate(fd, 0)
            os.write(fd, b"%d\n" % os.getpid())
        except OSError as failure:
            text = os.strerror(failure.errno or 0)
            _log.fatal("%s: write failed (%s)", temporary, text)
        status = os.fstat(fd)
        try:
            os.rename(temporary, self.pidfile)
        except OSError as failure:
            _log.fatal(
                'failed to rename "%s" to "%s" (%s)',
                temporary,
                self.pidfile,
                os.strerror(failure.errno or 0),
            )
        fatal.keep(temporary)
        fatal.unlink_at_exit(self.pidfile)
        pidfile.own = (status.st_dev, status.st_ino)  # `fd` stays open: it's the lock

    def _create(self, path: str) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        try:
            return os.open(path, flags, 0o666)
        except OSError as error:
            text = os.strerror(error.errno or 0)
            _log.fatal("%s: create failed (%s)", path, text)

    def _check_already_running(self) -> None:
        pid = pidfile.read(self.pidfile, delete_if_stale=True)
        if pid > 0:
            _log.fatal("%s: already running as pid %d, aborting", self.pidfile, pid)
        if pid < 0:
            text = os.strerror(-pid)
            _log.fatal("%s: pidfile check failed (%s), aborting", self.pidfile, text)

    _last_status = 0


def _seconds() -> float:
    return time.clock_gettime(time.CLOCK_MONOTONIC)


def _exit(status: int) -> None:
    """End a process that has nothing to clean up: its child has it all."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
