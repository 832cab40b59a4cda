# SPDX-License-Identifier: Apache-2.0
"""Which actions may stand in which order, and in which others.

OpenFlow 1.1+ has instructions, at most one of each kind and in one order; a list of
actions must keep to it in every version. Only a few actions may stand inside `ct`, and
`conjunction` stands with nothing but notes.
"""

from __future__ import annotations

from ovswitch.openflow.actions.control import Conjunction, Note
from ovswitch.openflow.actions.ct import Nat
from ovswitch.openflow.actions.instructions import (
    ClearActions,
    GotoTable,
    Meter,
    WriteActions,
    WriteMetadata,
)
from ovswitch.openflow.actions.move import RegMove
from ovswitch.openflow.actions.set_field import SetField
from ovswitch.openflow.errors import OpenFlowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.flow.fields import Field
    from ovswitch.openflow.actions.action import Action

# The instructions in their order; sets of them are bitmaps.
METER, APPLY_ACTIONS, CLEAR_ACTIONS, WRITE_ACTIONS, WRITE_METADATA, GOTO_TABLE = range(
    6
)
INSTRUCTIONS = (
    "meter",
    "apply_actions",
    "clear_actions",
    "write_actions",
    "write_metadata",
    "goto_table",
)
ALL = (1 << len(INSTRUCTIONS)) - 1
ACTIONS = 1 << APPLY_ACTIONS
ACTIONS_AND_METER = ACTIONS | 1 << METER

_KINDS = {
    ClearActions: CLEAR_ACTIONS,
    WriteActions: WRITE_ACTIONS,
    WriteMetadata: WRITE_METADATA,
    GotoTable: GOTO_TABLE,
}
_CT_FIELDS = ("ct_mark", "ct_label")


def instruction_of(action: Action, version: int) -> int:
    """Return the instruction that `action` is or is part of."""
    kind = type(action)
    if kind is Meter:
        return APPLY_ACTIONS if version >= 6 else METER
    return _KINDS.get(kind, APPLY_ACTIONS)


def written_field(action: Action) -> Field | None:
    """Return the field that a set_field, load or move writes; None for others."""
    if isinstance(action, SetField):
        return action.field
    if isinstance(action, RegMove):
        return action.dst.field
    return None


def _verify_nested(action: Action, outer: str) -> None:
    field = written_field(action)
    is_ct_field = field is not None and field.name in _CT_FIELDS
    if is_ct_field and outer != "ct":
        raise OpenFlowError(
            "OFPBAC_BAD_SET_ARGUMENT", "cannot set CT fields outside of ct action"
        )
    if isinstance(action, Nat):
        if outer != "ct":
            raise OpenFlowError(
                "OFPBAC_BAD_SET_ARGUMENT",
                'Cannot have NAT action outside of "ct" action',
            )
        return
    if outer == "ct" and field is not None and not is_ct_field:
        raise OpenFlowError(
            "OFPBAC_BAD_ARGUMENT",
            f"ct action doesn't support nested modification of {field.name}",
        )
    if (outer == "ct" and field is None) or (outer and isinstance(action, Meter)):
        raise OpenFlowError(
            "OFPBAC_BAD_ARGUMENT",
            f"{outer} action doesn't support nested action {action.keyword}",
        )


def _verify_conjunction(actions: Sequence[Action]) -> None:
    for action in actions:
        if not isinstance(action, (Conjunction, Note)):
            raise OpenFlowError(
                "NXBAC_BAD_CONJUNCTION",
                '"conjunction" actions may be used along with "note" but not any '
                f'other kind of action (such as the "{action.keyword}" action used '
                "here)",
            )


def verify(actions: Sequence[Action], version: int, allowed: int, outer: str) -> None:
    """Check order and nesting.

    Args:
        actions: the list.
        version: by whose instructions to judge.
        allowed: the set of instructions that may be there.
        outer: keyword of the action around the list, or "".

    Raises:
        OpenFlowError: whose `detail` is the text for a user or the log.
    """
    last = METER
    for index, action in enumerate(actions):
        if isinstance(action, Conjunction):
            _verify_conjunction(actions)
            return
        _verify_nested(action, outer)
        kind = instruction_of(action, version)
        if index and (kind < last or (kind == last and last != APPLY_ACTIONS)):
            _raise_order(kind, last)
        if not allowed >> kind & 1:
            name = INSTRUCTIONS[kind]
            raise OpenFlowError(
                "OFPBIC_UNSUP_INST", f"{name} instruction not allowed here"
            )
        last = kind


def _raise_order(kind: int, last: int) -> None:
    name, last_name = INSTRUCTIONS[kind], INSTRUCTIONS[last]
    if kind == last:
        text = f"duplicate {name} instruction not allowed"
    else:
        text = f"invalid instruction ordering: {name} must appear before {last_name}"
    raise OpenFlowError(
        "OFPBAC_UNSUPPORTED_ORDER", f"{text}, for OpenFlow 1.1+ compatibility"
    )
