# SPDX-License-Identifier: Apache-2.0
"""From OpenFlow actions to direct calls.

A list of actions becomes a `Program` once, when a packet first needs it: a tuple of
*steps*, closures with all constants of their action computed in advance. Running a
program is then a loop of calls (`pipeline.run`). The modules `steps_*` say how each
class of action is compiled, with the decorator `compiles`.

A step takes the context, changes it, and returns None, or one of the signals below when
the loop has to do something else than go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.ofproto.xlate.context import Context
    from ovswitch.openflow.actions.types import Action

    Step = Callable[[Context], int | None]
    Compile = Callable[[Action], Step]

#: End this list of actions, but not the pipeline.
STOP = 1
#: The step looked after freezing itself: what is left begins behind it.
AFTER = 2
#: The step froze the translation, and is not to be repeated after thawing.
FROZEN_AFTER = 3
#: The datapath decides, packet by packet, how the rest of the list goes on.
BRANCH = 4

A = TypeVar("A", bound="Action")

_COMPILERS: dict[type[Action], Compile] = {}
_CACHE_SIZE = 4096


def _compiler_of(kind: type[Action]) -> Compile:
    if not _COMPILERS:
        # They need this module first.
        from ovswitch.ofproto.xlate import (  # noqa: F401  # loading is the purpose
            steps_control,
            steps_ct,
            steps_fields,
            steps_output,
            steps_select,
        )
    return _COMPILERS[kind]


class Program:
    """A list of actions, ready to run.

    Attributes:
        actions: the list.
        steps: what to call for each.
        reversible: whether the datapath can go on from the packet as it was before, so
            that a clone of these actions needs no clone action.
    """

    __slots__ = ("actions", "reversible", "steps")

    def __init__(self, actions: tuple[Action, ...]) -> None:
        self.actions = actions
        self.steps: tuple[Step, ...] = tuple(
            _compiler_of(type(action))(action) for action in actions
        )
        self.reversible = _IRREVERSIBLE.isdisjoint(type(a) for a in actions)


_IRREVERSIBLE: set[type[Action]] = set()


def compiles(
    kind: type[A], *, reversible: bool = True
) -> Callable[[Callable[[A], Step]], Callable[[A], Step]]:
    """Declare how actions of class `kind` become steps."""

    def register(function: Callable[[A], Step]) -> Callable[[A], Step]:
        _COMPILERS[kind] = function  # type: ignore[assignment]  # the key says which
        if not reversible:
            _IRREVERSIBLE.add(kind)
        return function

    return register


_programs: dict[tuple[Action, ...], Program] = {}


def compile_actions(actions: tuple[Action, ...]) -> Program:
    """Return the program for `actions`; equal lists share one."""
    program = _programs.get(actions)
    if program is None:
        program = Program(actions)
        if len(_programs) >= _CACHE_SIZE:
            _programs.clear()
        _programs[actions] = program
    return program
