# SPDX-License-Identifier: Apache-2.0
"""Counters of rare and frequent events, and their rates (`coverage/show`).

A `Counter` is made once, where its event happens. Rates come from totals sampled
every five seconds: the last sample, the last minute's twelve, the last hour's sixty
minutes. The event loop calls `run()` at each of its steps, so sampling needs no timer.
"""

from __future__ import annotations

from ovswitch.runtime import clock, vlog
from ovswitch.runtime.unixctl import CommandError, commands

RUN_INTERVAL_MS = 5000
_N_MINUTE = 12  # samples in a minute
_N_HOUR = 60
_DAY_MS = 24 * 60 * 60 * 1000
_UINT32 = 0xFFFFFFFF

_log = vlog.Module("coverage")
_limit = vlog.RateLimit(1, 3)


class Counter:
    """Counts one kind of event. The same name always gives the same counter."""

    __slots__ = ("hour", "last_total", "minute", "name", "total")

    name: str
    total: int
    last_total: int
    minute: list[int]
    hour: list[int]

    def __new__(cls, name: str) -> Counter:
        """Find or make the counter called `name`."""
        self = _counters.get(name)
        if self is None:
            self = _counters[name] = super().__new__(cls)
            self.name = name
            self.total = self.last_total = 0
            self.minute = [0] * _N_MINUTE
            self.hour = [0] * _N_HOUR
        return self

    def add(self, n: int = 1) -> None:
        """Count `n` events."""
        self.total += n

    def sample(self, index: int, n_slots: int) -> None:
        """Spread what was counted since the last sample over `n_slots` intervals."""
        count = self.total - self.last_total
        self.last_total = self.total
        portion, remainder = divmod(count, n_slots)
        for slot in range(n_slots):
            hour, minute = divmod((index + slot) % (_N_MINUTE * _N_HOUR), _N_MINUTE)
            value = portion + (remainder if slot == n_slots - 1 else 0)
            self.minute[minute] = value
            self.hour[hour] = value + (self.hour[hour] if minute else 0)

    def line(self, index: int) -> str:
        """Return the counter's line of `coverage/show`."""
        recent = self.minute[(index - 1) % _N_MINUTE] * 1000 / RUN_INTERVAL_MS
        return (
            f"{self.name:<24} {recent:5.1f}/sec {sum(self.minute) / 60:9.3f}/sec "
            f"{sum(self.hour) / 3600:13.4f}/sec   total: {self.total}"
        )


_counters: dict[str, Counter] = {}
_index = 0
_next_sample: int | None = None
_logged: set[int] = set()
_next_clear = 0


def run() -> None:
    """Take the samples that are due."""
    global _index, _next_sample
    now = clock.now()
    if _next_sample is None:
        _next_sample = now + RUN_INTERVAL_MS
    if now < _next_sample:
        return
    n_slots = (now - _next_sample) // RUN_INTERVAL_MS + 1
    for counter in _counters.values():
        counter.sample(_index, min(n_slots, _N_MINUTE * _N_HOUR))
    _index = (_index + n_slots) % (_N_MINUTE * _N_HOUR)
    _next_sample = now + RUN_INTERVAL_MS


def read(name: str) -> int | None:
    """Return a counter's total, None if there is no such counter."""
    counter = _counters.get(name)
    return None if counter is None else counter.total


def _rotate(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (32 - bits))) & _UINT32


def _mix(state: int, word: int) -> int:
    """Add a word to a MurmurHash3 state."""
    word = _rotate(word * 0xCC9E2D51 & _UINT32, 15) * 0x1B873593 & _UINT32
    return (_rotate(state ^ word, 13) * 5 + 0xE6546B64) & _UINT32


def _finish(state: int) -> int:
    state = ((state ^ (state >> 16)) * 0x85EBCA6B) & _UINT32
    state = ((state ^ (state >> 13)) * 0xC2B2AE35) & _UINT32
    return state ^ (state >> 16)


def _hash_word(word: int, basis: int) -> int:
    return _finish(_mix(_mix(word, 0), basis) ^ 8)


def _hash_text(text: str, basis: int) -> int:
    octets = text.encode()
    state = basis
    whole = len(octets) & ~3
    for start in range(0, whole, 4):
        state = _mix(state, int.from_bytes(octets[start : start + 4], "little"))
    if octets[whole:]:
        state = _mix(state, int.from_bytes(octets[whole:], "little"))
    return _finish(state ^ len(octets))


def fingerprint() -> int:
    """Return a hash of which counters rank where: alike behaviour, alike hash."""
    ranked = sorted(_counters.values(), key=lambda each: (-each.total, each.name))
    state = 0
    n_groups = 0
    previous: int | None = None
    for rank, counter in enumerate(ranked):
        if not counter.total:
            break
        if counter.total != previous:
            previous = counter.total
            n_groups += 1
            state = _hash_word(rank, state)
        state = _hash_text(counter.name, state)
    return _hash_word(n_groups, state)


def lines() -> list[str]:
    """Return what `coverage/show` prints, a string a line."""
    run()
    shown = [counter.line(_index) for counter in _counters.values() if counter.total]
    n_never = len(_counters) - len(shown)
    header = (
        f"Event coverage, avg rate over last: {RUN_INTERVAL_MS // 1000} seconds, "
        f"last minute, last hour,  hash={fingerprint():08x}:"
    )
    return [header, *shown, f"{n_never} events never hit"]


def log() -> None:
    """Log the counters, unless much the same was logged in the last day."""
    global _next_clear
    if _log.should_drop(_limit, vlog.INFO):
        return
    if clock.now() >= _next_clear:
        _logged.clear()
        _next_clear = clock.now() + _DAY_MS
    value = fingerprint()
    if value & 1023 in _logged:
        _log.info("Skipping details of duplicate event coverage for hash=%08x", value)
        return
    _logged.add(value & 1023)
    for line in lines():
        _log.info("%s", line)


def _read_counter(args: list[str]) -> str:
    total = read(args[0])
    if total is None:
        raise CommandError("No such counter")
    return f"{total}\n"


def register_commands() -> None:
    """Add the coverage/* commands."""
    commands.register(
        "coverage/show", "", 0, 0, lambda _args: "\n".join(lines()) + "\n"
    )
    commands.register("coverage/read-counter", "COUNTER", 1, 1, _read_counter)
