# SPDX-License-Identifier: Apache-2.0
"""The action set: which actions it may hold and in which order they are done.

Each slot holds the last action written to it; writes to fields are all done, in their
order; at the end one action ends it all, and without that one nothing is done
(OpenFlow 1.5.1 §5.6).
"""

from __future__ import annotations

from ovswitch.openflow.actions import types as t

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ovswitch.openflow.actions.action import Action

#: Done first, one of each.
_SLOTS: tuple[type[Action], ...] = (
    t.StripVlan,
    t.PopMpls,
    t.Decap,
    t.Encap,
    t.PushMpls,
    t.PushVlan,
    t.DecTtl,
    t.DecMplsTtl,
    t.DecNshTtl,
)
#: Done next, in the order written.
_SETTERS: frozenset[type[Action]] = frozenset(
    (
        t.SetField,
        t.RegMove,
        t.SetEthDst,
        t.SetEthSrc,
        t.SetIpDscp,
        t.SetIpEcn,
        t.SetIpTtl,
        t.SetIpv4Dst,
        t.SetIpv4Src,
        t.SetL4DstPort,
        t.SetL4SrcPort,
        t.SetMplsLabel,
        t.SetMplsTc,
        t.SetMplsTtl,
        t.SetQueue,
        t.SetTunnel,
        t.SetVlanPcp,
        t.SetVlanVid,
    )
)
#: The one that ends it, the least important first.
_FINAL: tuple[type[Action], ...] = (
    t.Ct,
    t.CtClear,
    t.Resubmit,
    t.Output,
    t.Group,
)
_ALLOWED = _SETTERS.union(_SLOTS, _FINAL)


def is_allowed_in_action_set(action: Action) -> bool:
    """Return whether `action` may stand in write_actions."""
    return type(action) in _ALLOWED


def execution_order(actions: Iterable[Action]) -> tuple[Action, ...]:
    """Return what is done for an action set to which `actions` were written."""
    slots: dict[type[Action], Action] = {}
    setters = []
    final: Action | None = None
    rank = 0
    for action in actions:
        kind = type(action)
        if kind in _SETTERS:
            setters.append(action)
        elif kind in _SLOTS:
            slots[kind] = action
        elif kind in _FINAL and _FINAL.index(kind) >= rank:
            final, rank = action, _FINAL.index(kind)
    if final is None:
        return ()
    ordered = [slots[kind] for kind in _SLOTS if kind in slots]
    return (*ordered, *setters, final)
