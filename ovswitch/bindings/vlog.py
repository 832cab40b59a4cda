# SPDX-License-Identifier: Apache-2.0
"""Logging with the names of `ovs.vlog`, over `ovswitch.runtime.vlog`.

As upstream's, a program logs nothing before it calls `Vlog.init`.
"""

from __future__ import annotations

import sys

from ovswitch.runtime import vlog as _vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from ovswitch.bindings.unixctl.server import UnixctlConnection

DESTINATIONS = {"console": "info", "file": "info", "syslog": "info"}
LEVELS = {
    "dbg": _vlog.DBG,
    "info": _vlog.INFO,
    "warn": _vlog.WARN,
    "err": _vlog.ERR,
    "emer": _vlog.EMER,
    "off": _vlog.OFF,
}

_settings: list[str] = []  # to be applied by init()


class Vlog:
    """A module's log. Extra arguments are the values of a %(name)s format."""

    _initialized = False

    def __init__(self, name: str) -> None:
        self.name = name.lower()
        self._module = _vlog.Module(self.name)

    def _log(self, level: int, message: str, values: dict[str, Any]) -> None:
        if Vlog._initialized and self._module.is_enabled(level):
            self._module.log(level, "%s", message % values if values else message)

    def emer(self, message: str, **kwargs: Any) -> None:
        """Log that the program is about to fail."""
        self._log(_vlog.EMER, message, kwargs)

    def err(self, message: str, **kwargs: Any) -> None:
        """Log a failure."""
        self._log(_vlog.ERR, message, kwargs)

    def warn(self, message: str, **kwargs: Any) -> None:
        """Log what an operator should look at."""
        self._log(_vlog.WARN, message, kwargs)

    def info(self, message: str, **kwargs: Any) -> None:
        """Log the ordinary course of things."""
        self._log(_vlog.INFO, message, kwargs)

    def dbg(self, message: str, **kwargs: Any) -> None:
        """Log for developers."""
        self._log(_vlog.DBG, message, kwargs)

    def exception(self, message: str) -> None:
        """Log an error with the traceback of the exception being handled."""
        import traceback

        if sys.exc_info()[0] is not None:
            message = f"{message}\n{traceback.format_exc()}"
        self.err(message)

    def _is_enabled(self, level: int) -> bool:
        return Vlog._initialized and self._module.is_enabled(level)

    def emer_is_enabled(self) -> bool:
        """Whether such messages go anywhere."""
        return self._is_enabled(_vlog.EMER)

    def err_is_enabled(self) -> bool:
        """Whether such messages go anywhere."""
        return self._is_enabled(_vlog.ERR)

    def warn_is_enabled(self) -> bool:
        """Whether such messages go anywhere."""
        return self._is_enabled(_vlog.WARN)

    def info_is_enabled(self) -> bool:
        """Whether such messages go anywhere."""
        return self._is_enabled(_vlog.INFO)

    def dbg_is_enabled(self) -> bool:
        """Whether such messages go anywhere."""
        return self._is_enabled(_vlog.DBG)

    @staticmethod
    def init(log_file: str | None = None) -> None:
        """Begin to log: to the console, to syslog, and to `log_file` if given."""
        if Vlog._initialized:
            return
        Vlog._initialized = True
        _vlog.set_levels(_vlog.INFO)
        for spec in _settings:
            _apply(spec)
        _settings.clear()
        if log_file is not None:
            from ovswitch.runtime import vlog_output

            vlog_output.set_log_file(log_file)
        _register_commands()

    @staticmethod
    def set_level(module: str, destination: str, level: str) -> None:
        """Set the level of a module or "any" for a destination or "any"."""
        _change(f"{module}:{destination}:{level}")

    @staticmethod
    def set_levels_from_string(s: str) -> str | None:
        """Set levels as ``-v`` does; return what is wrong, or None."""
        return _change(s)

    @staticmethod
    def set_pattern(destination: str, pattern: str) -> None:
        """Set the form of a destination's lines."""
        _change(f"PATTERN:{destination}:{pattern}")

    @staticmethod
    def get_levels() -> str:
        """Return all modules and their levels as a table."""
        lines = ["                 console    syslog    file"]
        lines.append("                 -------    ------    ------")
        order = (_vlog.CONSOLE, _vlog.SYSLOG, _vlog.FILE)
        for name, module in sorted(_vlog.modules.items()):
            levels = (_vlog.LEVEL_NAMES[module.levels[place]] for place in order)
            lines.append("{:<16}  {:>6}  {:>8}  {:>8}".format(name, *levels))
        return "\n".join(lines) + "\n"

    @staticmethod
    def reopen_log_file() -> None:
        """Open the log file anew, after it was moved away."""
        from ovswitch.runtime import vlog_output

        vlog_output.reopen_log_file()

    @staticmethod
    def close_log_file() -> None:
        """Close the log file."""
        from ovswitch.runtime import vlog_output

        vlog_output.close_log_file()


def quiet() -> None:
    """Keep the library from logging until `Vlog.init`: whoever connects calls this."""
    if not Vlog._initialized:
        _vlog.set_levels(_vlog.OFF)


def _change(spec: str) -> str | None:
    if not Vlog._initialized:
        _settings.append(spec)
        return None
    return _apply(spec)


def _apply(spec: str) -> str | None:
    from ovswitch.runtime import vlog_control

    try:
        vlog_control.set_from_string(spec)
    except vlog_control.SpecError as error:
        return str(error)
    return None


def _register_commands() -> None:
    from ovswitch.bindings.unixctl import command_register

    command_register("vlog/reopen", "", 0, 0, _reopen, None)
    command_register("vlog/close", "", 0, 0, _close, None)
    command_register("vlog/set", "spec", 1, sys.maxsize, _set, None)
    command_register("vlog/list", "", 0, 0, _list, None)


def _reopen(conn: UnixctlConnection, _argv: list[str], _aux: object) -> None:
    from ovswitch.runtime import vlog_output

    if vlog_output.file_name is None:
        conn.reply("Logging to file not configured")
        return
    Vlog.reopen_log_file()
    conn.reply(None)


def _close(conn: UnixctlConnection, _argv: list[str], _aux: object) -> None:
    Vlog.close_log_file()
    conn.reply(None)


def _set(conn: UnixctlConnection, argv: list[str], _aux: object) -> None:
    for spec in argv:
        message = Vlog.set_levels_from_string(spec)
        if message:
            conn.reply(message)
            return
    conn.reply(None)


def _list(conn: UnixctlConnection, _argv: list[str], _aux: object) -> None:
    conn.reply(Vlog.get_levels())


def add_args(parser: argparse.ArgumentParser) -> None:
    """Add ``--log-file`` and ``--verbose`` to a parser's options."""
    group = parser.add_argument_group(title="Logging Options")
    group.add_argument("--log-file", nargs="?", help="Enables logging to a file.")
    group.add_argument(
        "-v", "--verbose", nargs="*", help="Sets logging levels. Default: dbg."
    )


def handle_args(args: argparse.Namespace) -> None:
    """Carry out the options of `add_args` and begin to log."""
    for spec in args.verbose or ():
        message = Vlog.set_levels_from_string(spec)
        if message:
            sys.exit(f'processing "{spec}": {message}')
    Vlog.init(args.log_file)
