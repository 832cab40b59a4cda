# SPDX-License-Identifier: Apache-2.0
"""Where log messages go: stderr, syslog and the log file, each by its own pattern.

Patterns are those of ovs-appctl(8), "vlog/set PATTERN:". A message's serial number
counts messages, not lines. Nothing here raises: a full disk or a closed stderr loses
the message and no more.
"""

from __future__ import annotations

import posix
import time

from ovswitch.runtime import clock, dirs, program, vlog

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.runtime.vlog_syslog import Logger

_DEFAULT_PATTERNS = (
    "ovs|%05N|%c%T|%p|%m",
    "%D{%Y-%m-%dT%H:%M:%SZ}|%05N|%c%T|%p|%m",
    "%D{%Y-%m-%dT%H:%M:%S.###Z}|%05N|%c%T|%p|%m",
)
_RFC5424_PATTERN = "<%B>1 %D{%Y-%m-%dT%H:%M:%S.###Z} %E %A %P %c - \ufeff%m"
_TIME_PATTERN = "%Y-%m-%d %H:%M:%S.###"
SYSLOG_LEVELS = (1, 1, 3, 4, 5, 7)  # alert, alert, error, warning, notice, debug
_LOG_LOCAL0 = 16 << 3
_LOG_DAEMON = 3 << 3
_FILE_FLAGS = posix.O_WRONLY | posix.O_CREAT | posix.O_APPEND | posix.O_CLOEXEC

patterns = list(_DEFAULT_PATTERNS)
facility = 0
serial = 0
file_name: str | None = None
_file_fd = -1
_syslog: Logger | None = None
_syslog_opened = False
_target_fd = -1

_module = vlog.Module("vlog")


def write(module: vlog.Module, level: int, text: str, args: tuple[object, ...]) -> None:
    """Send one message to each destination whose level lets it through."""
    global serial
    to_file = _file_fd >= 0 and module.levels[vlog.FILE] >= level
    to_console = module.levels[vlog.CONSOLE] >= level
    to_syslog = module.levels[vlog.SYSLOG] >= level
    if not (to_file or to_console or to_syslog):
        return
    message = (text % args if args else text).rstrip("\n")
    if to_syslog and not _syslog_opened:
        _open_syslog()
    serial += 1
    if to_console:
        line = compose(patterns[vlog.CONSOLE], module, level, message)
        _write_all(2, line + "\n")
    if to_syslog:
        _write_syslog(module, level, message)
    if to_file:
        line = compose(patterns[vlog.FILE], module, level, message)
        _write_all(_file_fd, line + "\n")


def _write_all(fd: int, line: str) -> None:
    octets = line.encode("utf-8", "surrogateescape")
    try:  # noqa: SIM105  contextlib costs a tool 5 ms
        posix.write(fd, octets)
    except OSError:
        pass  # nowhere to complain


def _write_syslog(module: vlog.Module, level: int, message: str) -> None:
    if _syslog is not None:
        text = compose(patterns[vlog.SYSLOG], module, level, message)
        for line in text.split("\n"):
            if line:
                _syslog.write(SYSLOG_LEVELS[level] | facility, line)
    if _target_fd >= 0:
        _write_all(_target_fd, compose(_RFC5424_PATTERN, module, level, message))


def compose(pattern: str, module: vlog.Module, level: int, message: str) -> str:
    """Return a message's line as `pattern` wants it."""
    out: list[str] = []
    position = 0
    while True:
        percent = pattern.find("%", position)
        if percent < 0:
            out.append(pattern[position:])
            return "".join(out)
        out.append(pattern[position:percent])
        position = percent + 1
        left = pattern.startswith("-", position)
        position += left
        zero = pattern.startswith("0", position)
        position += zero
        width = 0
        while position < len(pattern) and pattern[position] in "0123456789":
            width = min(width * 10 + int(pattern[position]), 4096)
            position += 1
        letter = pattern[position : position + 1]
        position += 1
        braces: str | None = None
        if letter in "cdD" and letter and pattern.startswith("{", position):
            end = pattern.find("}", position)
            end = len(pattern) if end < 0 else end
            braces = pattern[position + 1 : end]
            position = end + 1
        field = _field(letter, braces, module, level, message)
        fill = "0" if zero else " "
        out.append(field.ljust(width, fill) if left else field.rjust(width, fill))


def _field(
    letter: str, braces: str | None, module: vlog.Module, level: int, message: str
) -> str:
    if letter == "m":
        return message
    if letter == "N":
        return str(serial)
    if letter == "c":
        return module.name
    if letter == "p":
        return vlog.LEVEL_NAMES[level]
    if letter == "T":
        return f"({program.subprogram})" if program.subprogram else ""
    if letter in {"d", "D"}:
        form = _TIME_PATTERN if braces is None else braces
        return format_time(form, clock.wall(), utc=letter == "D")
    if letter == "A":
        return program.name
    if letter == "B":
        return str((facility or _LOG_LOCAL0) + SYSLOG_LEVELS[level])
    if letter == "E":
        return posix.uname().nodename
    if letter == "n":
        return "\n"
    if letter == "P":
        return str(posix.getpid())
    if letter == "r":
        return str(clock.now() - clock.boot)
    if letter == "t":
        return program.subprogram or "main"
    return letter


def format_time(form: str, ms: int, *, utc: bool) -> str:
    """Return strftime()'s text, with runs of "#" replaced by decimals of a second."""
    seconds, ms = divmod(ms, 1000)
    fields = time.gmtime(seconds) if utc else time.localtime(seconds)
    text = time.strftime(form, fields)
    if "#" not in text:
        return text
    out: list[str] = []
    run = 0
    for letter in text:
        if letter == "#":
            out.append(f"{ms:03d}"[run] if run < 3 else "0")
            run += 1
        else:
            out.append(letter)
            run = 0
    return "".join(out)


def set_log_file(name: str | None) -> int:
    """Log to a file, the default one for None; return 0 or an error number."""
    return _switch_file(name or f"{dirs.logdir()}/{program.name}.log")


def close_log_file() -> None:
    """Stop logging to a file and forget its name."""
    _switch_file(None)


def suspend_log_file() -> None:
    """Stop logging to a file but keep its name for `reopen_log_file()`."""
    global _file_fd
    if _file_fd >= 0:
        posix.close(_file_fd)
        _file_fd = -1
        vlog.set_file_is_open(False)


def reopen_log_file() -> int:
    """Open the log file anew, after it was rotated away, say."""
    return _switch_file(file_name) if file_name is not None else 0


def change_owner(uid: int, gid: int) -> OSError | None:
    """Give the log file to another user; return what went wrong."""
    if file_name is not None:
        try:
            posix.chown(file_name, uid, gid)
        except OSError as error:
            return error
    return None


def _same_file(first: int, second: int) -> bool:
    if first < 0 or second < 0:
        return first < 0 and second < 0
    one, two = posix.fstat(first), posix.fstat(second)
    return (one.st_dev, one.st_ino) == (two.st_dev, two.st_ino)


def _switch_file(name: str | None) -> int:
    global _file_fd, file_name
    fd = -1
    if name is not None:
        try:
            fd = posix.open(name, _FILE_FLAGS, 0o660)
        except OSError as error:
            text = posix.strerror(error.errno or 0)
            _module.warn("failed to open %s for logging: %s", name, text)
            return error.errno or 0
    if _same_file(_file_fd, fd):
        if fd >= 0:
            posix.close(fd)
        return 0
    if _file_fd >= 0:
        _module.info("closing log file")
        posix.close(_file_fd)
    _file_fd = fd
    file_name = name
    vlog.set_file_is_open(fd >= 0)
    _module.info("opened log file %s", name if name is not None else "(null)")
    return 0


def syslog_prefix() -> str:
    """Return the pattern of what the syslog method puts before each message."""
    if _syslog is None:
        _open_syslog()
    return _syslog.prefix if _syslog is not None else "none"


def set_syslog_method(method: str) -> bool:
    """Choose how to reach syslog; the first choice holds. False: no such method."""
    global _syslog
    if _syslog is None:
        from ovswitch.runtime import vlog_syslog

        _syslog = vlog_syslog.create(method)
    return _syslog is not None


def set_syslog_target(fd: int) -> None:
    """Send each message to a datagram socket too, in RFC 5424's form."""
    global _target_fd
    if _target_fd >= 0:
        posix.close(_target_fd)
    _target_fd = fd


def syslog_target_is_set() -> bool:
    """Return whether `set_syslog_target()` was given a socket."""
    return _target_fd >= 0


def _open_syslog() -> None:
    global _syslog_opened
    _syslog_opened = True
    if _syslog is None:
        method = dirs.environment("OVS_SYSLOG_METHOD") or "libc"
        if not set_syslog_method(method):
            from ovswitch.runtime import fatal

            fatal.die(f"unsupported syslog method '{method}'")
    assert _syslog is not None
    _syslog.open(facility or _LOG_DAEMON)
    if _target_fd >= 0:
        _module.warn("--syslog-target flag is deprecated, use --syslog-method instead")
