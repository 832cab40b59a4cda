# SPDX-License-Identifier: Apache-2.0
"""Whether actions make sense for the flows of a match, as a switch must check.

What the outcome depends on is little: a few header fields of the match. So results are
remembered, and 100,000 flows with the same few lists of actions cost hardly anything.
"""

from __future__ import annotations

from ovswitch.flow.layout import SLOTS
from ovswitch.flow.names import OFPP_MAX
from ovswitch.openflow.actions.context import Checking
from ovswitch.openflow.errors import OpenFlowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.match import Match
    from ovswitch.openflow.actions.action import Action

#: The fields that prerequisites look at.
_RELEVANT = 0
for _name in (
    "packet_type", "dl_type", "nw_proto", "nw_frag", "vlan_tci0", "vlan_tci1",
    "vlan_tpid0", "vlan_tpid1", "ct_state", "tp_src", "tp_dst",
):  # fmt: skip
    _RELEVANT |= SLOTS[_name].mask

_MAX_REMEMBERED = 4096
_Key = tuple[tuple["Action", ...], int, int, int, int, int]
_remembered: dict[_Key, tuple[tuple[Action, ...], int]] = {}


def check_list(actions: tuple[Action, ...], checking: Checking) -> tuple[Action, ...]:
    """Check each action in turn; the flow is as before afterwards.

    Returns:
        The same tuple, or one with actions that know more of the flow.
    """
    flow = checking.flow
    checked = None
    for index, action in enumerate(actions):
        result = action.check(checking)
        if result is not action:
            if checked is None:
                checked = list(actions)
            checked[index] = result
    checking.flow = flow
    return actions if checked is None else tuple(checked)


def check_nested(actions: tuple[Action, ...], checking: Checking) -> tuple[Action, ...]:
    """Check the actions inside another one."""
    inner = checking.copy()
    checked = check_list(actions, inner)
    checking.protocols &= inner.protocols
    return checked


def usable_protocols(
    actions: tuple[Action, ...],
    match: Match,
    *,
    max_ports: int = OFPP_MAX,
    table_id: int = 255,
    n_tables: int = 255,
) -> tuple[tuple[Action, ...], int]:
    """Check actions against a match.

    Args:
        actions: what is done to the flows.
        match: which flows; as text and messages have it, before any translation.
        max_ports: ports are below this number.
        table_id: where the flow stands, 255 where unknown.
        n_tables: how many tables the switch has, 255 where unknown.

    Returns:
        The actions, perhaps knowing more of the flow (which matters when they are
        encoded), and the protocols in which they make sense.

    Raises:
        OpenFlowError: no protocol can have these actions with this match.
    """
    value, mask = match.value & _RELEVANT, match.mask & _RELEVANT
    key = (actions, value, mask, max_ports, table_id, n_tables)
    known = _remembered.get(key)
    if known is not None:
        return known
    checking = Checking(value, mask, max_ports, table_id, n_tables)
    result = check_list(actions, checking), checking.protocols
    if len(_remembered) >= _MAX_REMEMBERED:
        _remembered.clear()
    _remembered[key] = result
    return result


def check_consistency(
    actions: tuple[Action, ...],
    match: Match,
    needed_protocols: int,
    *,
    max_ports: int = OFPP_MAX,
    table_id: int = 255,
    n_tables: int = 255,
) -> tuple[Action, ...]:
    """Do as `usable_protocols()`, and insist on some protocols.

    Raises:
        OpenFlowError: also OFPBAC_MATCH_INCONSISTENT when the actions need a match
            that OpenFlow 1.1+ insists on.
    """
    checked, protocols = usable_protocols(
        actions, match, max_ports=max_ports, table_id=table_id, n_tables=n_tables
    )
    if needed_protocols & ~protocols:
        raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
    return checked
