# SPDX-License-Identifier: Apache-2.0
"""Lists of actions as people write them."""

from __future__ import annotations

from ovswitch.openflow import protocol
from ovswitch.openflow.actions import verify
from ovswitch.openflow.actions.colors import colors
from ovswitch.openflow.actions.context import MAX_DEPTH, Parsing, Printing
from ovswitch.openflow.actions.families import PARSERS
from ovswitch.openflow.actions.output import Output
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.parse.tokens import ParseError, key_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.openflow.actions.action import Action

_OF11 = 2


def format_list(actions: Sequence[Action], printing: Printing) -> str:
    """Return actions as text, "drop" for none."""
    if not actions:
        return f"{colors.drop}drop{colors.end}"
    return ",".join([action.format(printing) for action in actions])


def parse_list(
    text: str, parsing: Parsing, instructions: bool, outer: str = ""
) -> tuple[Action, ...]:
    """Return the actions that `text` means; narrow `parsing.protocols`.

    Args:
        text: "output:1,resubmit(,2)".
        parsing: names, protocols, depth.
        instructions: whether goto_table and its like may be there.
        outer: keyword of the action around the list, or "".

    Raises:
        ParseError: with the reference's text.
    """
    if parsing.depth >= MAX_DEPTH:
        raise ParseError("Action nested too deeply")
    parsing.depth += 1
    try:
        actions = _parse_each(text, parsing, instructions)
    finally:
        parsing.depth -= 1
    allowed = verify.ALL if instructions else verify.ACTIONS_AND_METER
    try:
        verify.verify(actions, _OF11, allowed, outer)
    except OpenFlowError as error:
        raise ParseError(error.detail) from None
    return tuple(actions)


def _parse_each(text: str, parsing: Parsing, instructions: bool) -> list[Action]:
    actions: list[Action] = []
    drop = False
    for key, value in key_values(text):
        name = key.lower()
        parser = PARSERS.get(name)
        if parser is not None:
            actions.append(parser(value, parsing))
            if name == "meter" and not instructions:
                parsing.protocols &= protocol.OF15_OXM
        elif name == "drop":
            drop = True
        elif name == "apply_actions":
            raise ParseError("apply_actions is the default instruction")
        else:
            port = parsing.port(key)
            if port is None:
                raise ParseError(f"unknown action {key}")
            actions.append(Output(port))
    if drop and actions:
        raise ParseError(
            '"drop" must not be accompanied by any other action or instruction'
        )
    return actions


def parse_nested(text: str, parsing: Parsing, outer: str) -> tuple[Action, ...]:
    """Return the actions inside another action."""
    return parse_list(text, parsing, False, outer)
