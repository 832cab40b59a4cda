# SPDX-License-Identifier: Apache-2.0
"""What becomes of our own bugs: log lines, then an end that `--monitor` notices.

A daemon's stderr holds nothing but log lines, so tracebacks, Python's warnings and
asyncio's messages are turned into them.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import traceback
import warnings
from typing import TYPE_CHECKING

from ovswitch.runtime import vlog

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, NoReturn, TextIO

_log = vlog.Module("backtrace")


def log_exception(what: str, error: BaseException, level: int = vlog.ERR) -> None:
    """Log an exception with its traceback, a line each."""
    _log.log(level, "%s: %s: %s", what, type(error).__name__, error)
    for block in traceback.format_exception(error):
        for line in block.rstrip("\n").split("\n"):
            _log.log(vlog.ERR, "%s", line)


def die(what: str, error: BaseException) -> NoReturn:
    """Log a bug and abort, so that a monitor process starts the daemon anew."""
    try:
        log_exception(what, error, vlog.EMER)
    finally:
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # it wouldn't help anyone
        os.abort()


def install() -> None:
    """Send everything Python would print to the log; a second call does nothing."""
    if sys.excepthook is _on_exception:
        return
    sys.excepthook = _on_exception
    sys.unraisablehook = _on_unraisable
    threading.excepthook = _on_thread_exception
    warnings.showwarning = _on_warning
    logger = logging.getLogger()
    logger.addHandler(_Handler(logging.WARNING))


class _Handler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        level = vlog.ERR if record.levelno >= logging.ERROR else vlog.WARN
        _log.log(level, "%s: %s", record.name, record.getMessage())
        if record.exc_info and record.exc_info[1] is not None:
            log_exception(record.name, record.exc_info[1])


def _on_exception(
    kind: type[BaseException],
    error: BaseException,
    _where: TracebackType | None,
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    die("unexpected exception", error)


def _on_unraisable(unraisable: Any) -> None:
    if unraisable.exc_value is not None:
        log_exception("exception ignored", unraisable.exc_value, vlog.WARN)


def _on_thread_exception(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        die("unexpected exception in a thread", args.exc_value)


def _on_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    _log.dbg("%s:%d: %s: %s", filename, lineno, category.__name__, message)
