# SPDX-License-Identifier: Apache-2.0
"""The vlog/* commands of every daemon (ovs-appctl(8), "LOGGING COMMANDS")."""

from __future__ import annotations

import posix

from ovswitch.runtime import program, vlog, vlog_control, vlog_modules, vlog_output
from ovswitch.runtime.unixctl import CommandError, commands


def level_table() -> str:
    """Return what `vlog/list` prints."""
    known = vlog_modules.known(program.name)
    shown = [vlog.Module(name) for name in known] if known else vlog.modules.values()
    lines = []
    for module in shown:
        names = [vlog.LEVEL_NAMES[level] for level in module.levels]
        line = (
            f"{module.name:<16}  {names[vlog.CONSOLE]:>4}       "
            f"{names[vlog.SYSLOG]:>4}       {names[vlog.FILE]:>4}"
        )
        if not module.honor_rate_limits:
            line += "    (rate limiting disabled)"
        lines.append(line + "\n")
    header = (
        "                 console    syslog    file\n"
        "                 -------    ------    ------\n"
    )
    return header + "".join(sorted(lines))


def pattern_table() -> str:
    """Return what `vlog/list-pattern` prints."""
    lines = [
        "         prefix                            format\n"
        "         ------                            ------\n"
    ]
    for place, name in enumerate(vlog.DESTINATION_NAMES):
        prefix = vlog_output.syslog_prefix() if place == vlog.SYSLOG else "none"
        lines.append(f"{name:<7}  {prefix:<32}  {vlog_output.patterns[place]}\n")
    return "".join(lines)


def _set(args: list[str]) -> str:
    if not args:
        vlog.set_levels(vlog.DBG)
    for spec in args:
        try:
            vlog_control.set_from_string(spec)
        except vlog_control.SpecError as error:
            raise CommandError(str(error)) from None
    return ""


def _reopen(_args: list[str]) -> str:
    if vlog_output.file_name is None:
        raise CommandError("Logging to file not configured")
    error = vlog_output.reopen_log_file()
    if error:
        raise CommandError(posix.strerror(error))
    return ""


def _close(_args: list[str]) -> str:
    vlog_output.suspend_log_file()
    return ""


def _set_rate_limits(args: list[str], honor: bool) -> str:
    for word in args or ["ANY"]:
        if word.upper() == "ANY":
            for module in vlog.modules.values():
                module.honor_rate_limits = honor
            continue
        found = vlog_control.find_module(word)
        if found is None:
            raise CommandError("unknown module")
        found.honor_rate_limits = honor
    return ""


def register_commands() -> None:
    """Add the vlog/* commands, and open syslog as the first message would."""
    vlog_output.syslog_prefix()
    level_table()  # makes the modules that aren't imported yet: they have levels too
    register = commands.register
    register("vlog/set", "{spec | PATTERN:destination:pattern}", 0, None, _set)
    register("vlog/list", "", 0, 0, lambda _args: level_table())
    register("vlog/list-pattern", "", 0, 0, lambda _args: pattern_table())
    register(
        "vlog/enable-rate-limit",
        "[module]...",
        0,
        None,
        lambda args: _set_rate_limits(args, True),
    )
    register(
        "vlog/disable-rate-limit",
        "[module]...",
        0,
        None,
        lambda args: _set_rate_limits(args, False),
    )
    register("vlog/reopen", "", 0, 0, _reopen)
    register("vlog/close", "", 0, 0, _close)
