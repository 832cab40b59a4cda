# SPDX-License-Identifier: Apache-2.0
"""Ways to end: fatal errors, fatal signals, timeouts, files to remove on the way out.

SIGTERM, SIGINT, SIGHUP and SIGALRM end a program after its hooks ran (files are
unlinked), with a log line, and by the signal itself, so that the parent sees the true
cause. A forked child that must not run its parent's hooks calls `forget()`.

The modules `signal`, `os` and `socket` cost a tool more than the rest of its
start-up, so the built-in ones beneath them are used.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # typeshed has `signal` only
import posix
import sys

from ovswitch.runtime import dirs, program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

SIGHUP: int = _signal.SIGHUP
SIGINT: int = _signal.SIGINT
SIGALRM: int = _signal.SIGALRM
SIGTERM: int = _signal.SIGTERM
FATAL_SIGNALS = (SIGTERM, SIGINT, SIGHUP, SIGALRM)

EOF = -1  # the reference's "error number" of an orderly close
NO_LIMIT = 0

_files: dict[str, None] = {}
_hooks: list[tuple[Callable[[], None], bool]] = []
_installed = False
_deferred: Callable[[int], None] | None = None

_SIGNAL_NAMES = {
    1: "Hangup",
    2: "Interrupt",
    14: "Alarm clock",
    15: "Terminated",
}


def retval_text(error: int) -> str:
    """Return the text of an error number; EOF has one of its own."""
    if error == EOF:
        return "End of file"
    if error == 0:
        return ""
    return posix.strerror(error)


def signal_text(number: int) -> str:
    """Return a signal's description as strsignal() gives it."""
    known = _SIGNAL_NAMES.get(number)
    if known is None:
        known = _signal.strsignal(number) or f"signal {number}"
    return known


def report(message: str, error: int = 0) -> None:
    """Print "program: message (error)" on stderr."""
    suffix = f" ({retval_text(error)})" if error else ""
    try:
        sys.stderr.write(f"{program.prefix()}: {message}{suffix}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass  # nobody listens


def die(message: str, status: int = 1, error: int = 0) -> NoReturn:
    """Print "program: message (error)" on stderr and exit."""
    report(message, error)
    raise SystemExit(status)


def write_out(text: str) -> None:
    """Write to standard output, past Python's buffer.

    A reader that has gone is no error: the rest is dropped.
    """
    octets = memoryview(text.encode("utf-8", "surrogateescape"))
    try:
        sys.stdout.flush()
        while octets:
            octets = octets[posix.write(1, octets) :]
    except (OSError, AttributeError):
        return


def default_sigpipe() -> None:
    """End silently when the reader of our output has gone, as C programs do."""
    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)


def install() -> None:
    """Catch the fatal signals that still have their default handling."""
    global _installed
    if _installed:
        return
    _installed = True
    for number in FATAL_SIGNALS:
        if _signal.getsignal(number) in (_signal.SIG_DFL, _signal.default_int_handler):
            _signal.signal(number, _on_signal)
    import atexit

    atexit.register(run_hooks, by_signal=False)


def add_hook(hook: Callable[[], None], *, at_exit: bool = True) -> None:
    """Run `hook` on a fatal signal and, if `at_exit`, on a normal exit."""
    install()
    _hooks.append((hook, at_exit))


def unlink_at_exit(path: str) -> None:
    """Remove a file when the program ends."""
    install()
    _files[path] = None


def keep(path: str) -> None:
    """Take back `unlink_at_exit()`."""
    _files.pop(path, None)


def unlink_now(path: str) -> int:
    """Remove a file and forget it; return 0 or an error number, which is logged."""
    keep(path)
    try:
        posix.unlink(path)
    except OSError as error:
        from ovswitch.runtime import vlog

        text = posix.strerror(error.errno or 0)
        vlog.Module("fatal_signal").warn('could not unlink "%s" (%s)', path, text)
        return error.errno or 0
    return 0


def forget() -> None:
    """Drop all hooks and files: in a process that leaves the work to its child."""
    _hooks.clear()
    _files.clear()


def run_hooks(*, by_signal: bool) -> None:
    """Run the hooks, each once, and unlink the files."""
    hooks, _hooks[:] = list(_hooks), []
    for hook, at_exit in hooks:
        if by_signal or at_exit:
            hook()
    while _files:
        _unlink(_files.popitem()[0])


def _unlink(path: str) -> None:
    try:  # noqa: SIM105  contextlib costs a tool 5 ms
        posix.unlink(path)
    except OSError:
        pass


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            return  # closed, or never there


def terminate(number: int) -> NoReturn:
    """End the process by signal `number` as if it had been delivered just now."""
    from ovswitch.runtime import vlog

    vlog.Module("fatal_signal").warn(
        "terminating with signal %d (%s)", number, signal_text(number)
    )
    run_hooks(by_signal=True)
    _flush()
    _signal.signal(number, _signal.SIG_DFL)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [number])
    posix.kill(posix.getpid(), number)
    raise SystemExit(128 + number)  # a blocked signal can't get here


def defer(handler: Callable[[int], None] | None) -> None:
    """Hand fatal signals to `handler` instead of ending at once.

    An event loop sets one so that a signal ends the program between two of its steps
    and not within one; None restores the direct way.
    """
    global _deferred
    install()
    _deferred = handler


def _on_signal(number: int, _frame: object) -> None:
    if _deferred is not None:
        _deferred(number)
    else:
        terminate(number)


def set_timeout(seconds: int) -> None:
    """End the program by SIGALRM after `seconds`; 0 asks OVS_CTL_TIMEOUT."""
    if not seconds:
        text = dirs.environment("OVS_CTL_TIMEOUT")
        seconds = int(text) if text.isascii() and text.isdigit() else NO_LIMIT
    if seconds:
        install()
        _signal.alarm(min(seconds, 0xFFFFFFFF))


def parse_timeout(text: str) -> int:
    """Return the argument of -T/--timeout; die with its message when it is wrong."""
    if text.isascii() and text.isdigit() and 0 < int(text) <= 0xFFFFFFFF:
        return int(text)
    die(f"value {text} on -T or --timeout is invalid")
