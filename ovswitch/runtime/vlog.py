# SPDX-License-Identifier: Apache-2.0
"""Logging: modules, levels, destinations, rate limits (ovs-appctl(8), "LOGGING").

Each source of messages has a `Module`; it holds a level for each destination:
syslog, console (stderr) and file. A message below all three costs one comparison.
Message texts are %-formatted with their arguments; without arguments the text is
taken as it stands.

Writing is in `vlog_output`, which is imported with the first message that goes
anywhere; `-v` and the unixctl commands are in `vlog_control`. Times come from the
clock, so that rate limits follow `time/warp`.
"""

from __future__ import annotations

from ovswitch.runtime import clock, program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

OFF, EMER, ERR, WARN, INFO, DBG = range(6)
LEVEL_NAMES = ("OFF", "EMER", "ERR", "WARN", "INFO", "DBG")

SYSLOG, CONSOLE, FILE = range(3)
DESTINATION_NAMES = ("SYSLOG", "CONSOLE", "FILE")

_MESSAGE_TOKENS = 60_000  # a bucket gets `rate` tokens a millisecond: rate per minute
_UINT_MAX = 0xFFFFFFFF

modules: dict[str, Module] = {}
_default_levels = [INFO, INFO, INFO]  # of modules that are made later
file_is_open = False


def set_program(argv0: str) -> None:
    """Name the program in messages, log lines and file names."""
    program.set_name(argv0)


class RateLimit:
    """A token bucket: `rate` messages a minute, `burst` at once.

    Several messages may share one. The first that passes after others were dropped
    tells how many.
    """

    __slots__ = (
        "burst",
        "first_dropped",
        "last_dropped",
        "last_fill",
        "n_dropped",
        "rate",
        "tokens",
    )

    def __init__(self, rate: int, burst: int) -> None:
        self.rate = rate
        self.burst = burst * _MESSAGE_TOKENS
        self.tokens = 0
        self.last_fill: int | None = None
        self.n_dropped = 0
        self.first_dropped = 0
        self.last_dropped = 0

    def withdraw(self) -> bool:
        """Take a message's tokens; return whether they were there."""
        if self.tokens < _MESSAGE_TOKENS:
            now = clock.now()
            if self.last_fill is None:
                self.tokens = self.burst
            elif now > self.last_fill:
                gained = self.rate * (now - self.last_fill)
                self.tokens = min(self.tokens + gained, self.burst, _UINT_MAX)
            else:
                return False
            self.last_fill = now
            if self.tokens < _MESSAGE_TOKENS:
                return False
        self.tokens -= _MESSAGE_TOKENS
        return True


class Module:
    """One source of log messages. The same name always gives the same object."""

    __slots__ = ("honor_rate_limits", "levels", "min_level", "name")

    name: str
    levels: list[int]
    min_level: int
    honor_rate_limits: bool

    def __new__(cls, name: str) -> Module:
        """Find or make the module called `name`."""
        self = modules.get(name)
        if self is None:
            self = modules[name] = super().__new__(cls)
            self.name = name
            self.levels = list(_default_levels)
            self.honor_rate_limits = True
            self.update_min_level()
        return self

    def update_min_level(self) -> None:
        """Recompute the least severe level that goes anywhere."""
        levels = self.levels if file_is_open else self.levels[:FILE]
        self.min_level = max(levels)

    def is_enabled(self, level: int) -> bool:
        """Return whether a message of `level` goes anywhere."""
        return self.min_level >= level

    def is_dbg(self) -> bool:
        """Return whether debug messages go anywhere: ask before costly formatting."""
        return self.min_level >= DBG

    def is_info(self) -> bool:
        """Return whether informational messages go anywhere."""
        return self.min_level >= INFO

    def log(self, level: int, text: str, *args: object) -> None:
        """Log a message at a level known at run time only."""
        if self.min_level >= level:
            _write(self, level, text, args)

    def emer(self, text: str, *args: object) -> None:
        """Log that the program is about to fail."""
        if self.min_level >= EMER:
            _write(self, EMER, text, args)

    def err(self, text: str, *args: object) -> None:
        """Log that an operation failed."""
        if self.min_level >= ERR:
            _write(self, ERR, text, args)

    def warn(self, text: str, *args: object) -> None:
        """Log what an operator should look at."""
        if self.min_level >= WARN:
            _write(self, WARN, text, args)

    def info(self, text: str, *args: object) -> None:
        """Log what is worth keeping."""
        if self.min_level >= INFO:
            _write(self, INFO, text, args)

    def dbg(self, text: str, *args: object) -> None:
        """Log detail that is off by default."""
        if self.min_level >= DBG:
            _write(self, DBG, text, args)

    def log_rl(self, limit: RateLimit, level: int, text: str, *args: object) -> None:
        """Log a rate limited message at a level known at run time only."""
        if self.min_level >= level and not self.should_drop(limit, level):
            _write(self, level, text, args)

    def err_rl(self, limit: RateLimit, text: str, *args: object) -> None:
        """Log an error, rate limited."""
        self.log_rl(limit, ERR, text, *args)

    def warn_rl(self, limit: RateLimit, text: str, *args: object) -> None:
        """Log a warning, rate limited."""
        self.log_rl(limit, WARN, text, *args)

    def info_rl(self, limit: RateLimit, text: str, *args: object) -> None:
        """Log information, rate limited."""
        self.log_rl(limit, INFO, text, *args)

    def dbg_rl(self, limit: RateLimit, text: str, *args: object) -> None:
        """Log detail, rate limited."""
        self.log_rl(limit, DBG, text, *args)

    def should_drop(self, limit: RateLimit, level: int) -> bool:
        """Account for one message; return whether it exceeds the limit.

        When it doesn't and others did before it, a line says how many were lost.
        """
        if not self.honor_rate_limits:
            return False
        if self.min_level < level:
            return True
        now = clock.now() // 1000
        if not limit.withdraw():
            if not limit.n_dropped:
                limit.first_dropped = now
            limit.last_dropped = now
            limit.n_dropped += 1
            return True
        if limit.n_dropped:
            n_dropped, limit.n_dropped = limit.n_dropped, 0
            self.log(
                level,
                "Dropped %d log messages in last %d seconds (most recently, "
                "%d seconds ago) due to excessive rate",
                n_dropped,
                now - limit.first_dropped,
                now - limit.last_dropped,
            )
        return False

    def fatal(self, text: str, *args: object) -> NoReturn:
        """Log at EMER, repeat the message on stderr as an error, exit with 1."""
        from ovswitch.runtime import fatal

        self.levels[CONSOLE] = OFF  # die() writes there
        self.update_min_level()
        self.emer(text, *args)
        fatal.die(text % args if args else text)


def set_levels(
    level: int, module: Module | None = None, destination: int | None = None
) -> None:
    """Set the level of one module or all, for one destination or all."""
    places = range(3) if destination is None else (destination,)
    if module is None:
        for place in places:
            _default_levels[place] = level
    for each in modules.values() if module is None else (module,):
        for place in places:
            each.levels[place] = level
        each.update_min_level()


def set_file_is_open(is_open: bool) -> None:
    """Tell the modules whether there is a log file."""
    global file_is_open
    file_is_open = is_open
    for module in modules.values():
        module.update_min_level()


def _write(module: Module, level: int, text: str, args: tuple[object, ...]) -> None:
    from ovswitch.runtime import vlog_output

    vlog_output.write(module, level, text, args)
