# SPDX-License-Identifier: Apache-2.0
"""What a case is: a generator of readings, registered under a name.

A case gets a fresh `Place` and the `Options`, builds what it needs, and yields
`more(...)` or `less(...)` for each figure. It must check that the work it timed was
really done and raise `Failure` otherwise: a program that does less must not win.
A failed run has no readings at all.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

CASES: dict[str, "Case"] = {}


class Failure(Exception):  # noqa: N818 - the word the report uses
    """A case couldn't be measured; the text says why."""


class Reading(NamedTuple):
    """One figure of one run; `best` is max or min."""

    name: str
    unit: str
    best: Callable[..., float]
    value: float

    @property
    def direction(self):
        return "higher" if self.best is max else "lower"


def more(name, unit, value):
    """A figure of which more is better."""
    return Reading(name, unit, max, value)


def less(name, unit, value):
    """A figure of which less is better."""
    return Reading(name, unit, min, value)


class Case(NamedTuple):
    """A registered case; `needs` are programs that must be on PATH."""

    name: str
    needs: tuple[str, ...]
    measure: Callable[..., Iterator[Reading]]

    @property
    def summary(self):
        return self.measure.__doc__.splitlines()[0]


def case(name, needs=()) -> Callable[[Any], Any]:
    """Register the decorated generator; its docstring's first line is for --list."""

    def register(function):
        CASES[name] = Case(name, tuple(needs), function)
        return function

    return register


class Options(NamedTuple):
    """What the command line says about every measurement."""

    seconds: float  # length of each timed traffic measurement
    scale: float  # multiplies counts: flows, rows, calls
    timeout: float  # seconds that any one command may take
    schema: str
    keep: bool  # leave the directories with databases and logs

    def count(self, full):
        return max(10, int(full * self.scale))
