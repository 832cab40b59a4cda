# SPDX-License-Identifier: Apache-2.0
"""The logging options of every program: what -v and its like accept and do.

Source: ovs-appctl(8), "LOGGING COMMANDS"; the syntax of SPEC is that of `vlog/set`.
"""

from __future__ import annotations

from ovswitch.runtime import dirs, fatal, program, vlog, vlog_output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_SEPARATORS = " ,:\t"
_FACILITIES = {
    name: number << 3
    for number, name in enumerate(
        (
            *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news"),
            *("uucp", "clock", "", "ftp", "ntp", "audit", "alert", "clock2"),
            *(f"local{number}" for number in range(8)),
        )
    )
    if name
}


class SpecError(Exception):
    """A logging specification is wrong; the text is the reference's."""


def handle_option(key: str, argument: str | None) -> bool:
    """Carry out a logging option; return False if `key` isn't one."""
    if key == "verbose":
        _set_verbosity(argument)
    elif key == "log-file":
        if vlog_output.set_log_file(argument) and argument is not None:
            raise SystemExit(1)
    elif key == "syslog-method":
        if not vlog_output.set_syslog_method(argument or ""):
            fatal.die(f"unsupported syslog method '{argument}'")
    elif key == "syslog-target":
        _set_syslog_target(argument or "")
    else:
        return False
    return True


def usage() -> str:
    """Return the logging part of `--help`."""
    return f"""
Logging options:
  -vSPEC, --verbose=SPEC   set logging levels
  -v, --verbose            set maximum verbosity level
  --log-file[=FILE]        enable logging to specified FILE
                           (default: {dirs.logdir()}/{program.name}.log)
  --syslog-method=(libc|unix:file|udp:ip:port)
                           specify how to send messages to syslog daemon
  --syslog-target=HOST:PORT  also send syslog msgs to HOST:PORT via UDP
"""


def _set_verbosity(spec: str | None) -> None:
    if spec is None:
        vlog.set_levels(vlog.DBG)
        return
    try:
        set_from_string(spec)
    except SpecError as error:
        fatal.die(f'processing "{spec}": {error}')


def _set_syslog_target(target: str) -> None:
    import _socket

    host, _, port = target.rpartition(":")
    family = _socket.AF_INET6 if ":" in host else _socket.AF_INET
    try:
        made = _socket.socket(family, _socket.SOCK_DGRAM)
        made.connect((host.strip("[]"), int(port)))
    except (OSError, ValueError):
        return
    vlog_output.set_syslog_target(made.detach())


def _next_word(text: str) -> tuple[str, str]:
    """Split off a word as strtok_r() does: one separator after it is eaten."""
    text = text.lstrip(_SEPARATORS)
    for index, letter in enumerate(text):
        if letter in _SEPARATORS:
            return text[:index], text[index + 1 :]
    return text, ""


def _words(text: str) -> Iterator[str]:
    while True:
        word, text = _next_word(text)
        if not word:
            return
        yield word


def _destination(word: str) -> int | None:
    try:
        return vlog.DESTINATION_NAMES.index(word.upper())
    except ValueError:
        return None


def find_module(name: str) -> vlog.Module | None:
    """Return the module of that name; those that aren't imported yet count too."""
    name = name.lower()
    module = vlog.modules.get(name)
    if module is None:
        from ovswitch.runtime import vlog_modules

        if name in vlog_modules.known(program.name):
            module = vlog.Module(name)
    return module


def set_from_string(spec: str) -> None:
    """Carry out one SPEC of `-v` or `vlog/set`.

    Raises: SpecError.
    """
    word, rest = _next_word(spec)
    if word.upper() == "PATTERN":
        _set_pattern(rest)
    elif word.upper() == "FACILITY":
        if rest.lower() not in _FACILITIES:
            raise SpecError("invalid facility")
        vlog_output.facility = _FACILITIES[rest.lower()]
    else:
        _set_levels(spec)


def _set_pattern(text: str) -> None:
    word, pattern = _next_word(text)
    if not word:
        raise SpecError("missing destination")
    if word.upper() == "ANY":
        vlog_output.patterns[:] = [pattern] * 3
        return
    destination = _destination(word)
    if destination is None:
        raise SpecError(f'unknown destination "{word}"')
    vlog_output.patterns[destination] = pattern


def _set_levels(spec: str) -> None:
    module: vlog.Module | None = None
    level: int | None = None
    destination: int | None = None
    for word in _words(spec):
        upper = word.upper()
        if upper == "ANY":
            continue
        if upper in vlog.DESTINATION_NAMES:
            if destination is not None:
                raise SpecError("cannot specify multiple destinations")
            destination = _destination(word)
        elif upper in vlog.LEVEL_NAMES:
            if level is not None:
                raise SpecError("cannot specify multiple levels")
            level = vlog.LEVEL_NAMES.index(upper)
        else:
            found = find_module(word)
            if found is None:
                raise SpecError(f'no destination, level, or module "{word}"')
            if module is not None:
                raise SpecError("cannot specify multiple modules")
            module = found
    vlog.set_levels(vlog.DBG if level is None else level, module, destination)
