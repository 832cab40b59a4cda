# SPDX-License-Identifier: Apache-2.0
"""OpenFlow actions and instructions: classes, wire forms, text, checks.

`Actions` is ``tuple[Action, ...]``: immutable, hashable, shared between flows. All
classes can be imported from `types`; code that executes actions dispatches on their
class. Instructions are actions too (`GotoTable`, `WriteActions`, ...), in their order.

Submodules are loaded when first used: a tool that needs no actions pays nothing.
"""

from __future__ import annotations

from ovswitch.openflow.actions.action import Action, Actions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ovswitch.flow.match import Match
    from ovswitch.flow.names import Names

__all__ = [
    "Action",
    "Actions",
    "action_set",
    "check",
    "decode",
    "encode",
    "format_actions",
    "outputs_to_group",
    "outputs_to_port",
    "parse",
]


def decode(octets: bytes, version: int, *, instructions: bool = False) -> Actions:
    """Return the actions, or the instructions, that `octets` hold.

    In OpenFlow 1.0 instructions are actions, among them some of Nicira's.

    Raises:
        OpenFlowError: the first wrong action's error.
    """
    from ovswitch.openflow.actions import wire

    if instructions:
        return wire.decode_instructions(octets, version)
    return wire.decode_actions(octets, version)


def encode(
    actions: Sequence[Action], version: int, *, instructions: bool = False
) -> bytes:
    """Return actions on the wire, as instructions if so wanted and possible."""
    if not actions:
        return b""
    from ovswitch.openflow.actions import wire

    if instructions:
        return wire.encode_instructions(actions, version)
    return wire.encode_actions(actions, version)


def format_actions(actions: Sequence[Action], names: Names | None = None) -> str:
    """Return actions as text: "output:1,resubmit(,2)", "drop" for none."""
    from ovswitch.openflow.actions import context, text

    return text.format_list(actions, context.Printing(names))


def parse(
    text: str, names: Names | None = None, *, instructions: bool = True
) -> tuple[Actions, int]:
    """Return the actions that `text` means, and the protocols that can say them.

    Raises:
        ValueError: with the text for the user.
    """
    from ovswitch.openflow.actions import context
    from ovswitch.openflow.actions import text as lists

    parsing = context.Parsing(names)
    return lists.parse_list(text, parsing, instructions), parsing.protocols


def check(
    actions: Actions,
    match: Match,
    needed_protocols: int,
    *,
    max_ports: int = 0xFF00,
    table_id: int = 255,
    n_tables: int = 255,
) -> Actions:
    """Check that a switch can do `actions` to the flows of `match`.

    Args:
        actions: as decoded or parsed.
        match: which flows.
        needed_protocols: the protocols that must allow it: a connection's.
        max_ports: ports are below this number.
        table_id: where the flow stands, 255 where unknown.
        n_tables: how many tables the switch has, 255 where unknown.

    Returns:
        The actions, perhaps knowing more of the flow, for encoding them later.

    Raises:
        OpenFlowError: OFPBAC_MATCH_INCONSISTENT, OFPBAC_BAD_OUT_PORT, ...
    """
    from ovswitch.openflow.actions import checks

    return checks.check_consistency(
        actions,
        match,
        needed_protocols,
        max_ports=max_ports,
        table_id=table_id,
        n_tables=n_tables,
    )


def execution_order(actions: Iterable[Action]) -> Actions:
    """Return what is done for an action set to which `actions` were written."""
    from ovswitch.openflow.actions import action_set

    return action_set.execution_order(actions)


def _flattened(actions: Iterable[Action]) -> Iterable[Action]:
    for action in actions:
        yield action
        yield from _flattened(getattr(action, "actions", ()))


def outputs_to_port(actions: Sequence[Action], port: int) -> bool:
    """Return whether some action sends packets to `port`, nested ones included."""
    from ovswitch.flow.names import OFPP_CONTROLLER
    from ovswitch.openflow.actions.types import Controller, Enqueue, Output

    return any(
        action.port == port
        if isinstance(action, (Output, Enqueue))
        else isinstance(action, Controller) and port == OFPP_CONTROLLER
        for action in _flattened(actions)
    )


def outputs_to_group(actions: Sequence[Action], group_id: int) -> bool:
    """Return whether some action uses the group, nested ones included."""
    from ovswitch.openflow.actions.types import Group

    return any(
        isinstance(action, Group) and action.group_id == group_id
        for action in _flattened(actions)
    )
