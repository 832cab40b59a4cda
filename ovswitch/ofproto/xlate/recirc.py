# SPDX-License-Identifier: Apache-2.0
"""Freezing and thawing: translations that go on later.

Some actions need what only executing the actions so far can tell: which protocol
follows the last MPLS label, what the connection tracker thinks. Then the translation
freezes: what is left of the actions, the pipeline's metadata, stack and action set
become a `FrozenState`, which gets a *recirculation id*, and the datapath actions end in
`recirc(id)`. The datapath looks the packet up again, misses, and the upcall thaws the
state by its id. Packet-ins carry a state in the same way.

Equal states share an id, so that the same flows recirculate to the same ids. An id
lives as long as someone refers to it, and 250 ms more for packets on the way; by then
new translations get another one.

Sources: the reference's ofproto-dpif-xlate.c, "Freezing Translation", and
ofproto-dpif-rid.h.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.datapath.odp import actions as odp
from ovswitch.flow.fields import FIELDS
from ovswitch.flow.layout import REGS_MASK, SLOTS, TUNNEL_MASK
from ovswitch.flow.names import OFPP_IN_PORT
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import headers as h
from ovswitch.openflow.actions import types as t

if TYPE_CHECKING:
    from ovswitch.ofproto.xlate.context import Context

#: What of a flow a frozen state keeps.
METADATA_MASK = TUNNEL_MASK | h.METADATA.mask | REGS_MASK | h.IN_PORT.mask

LINGER_MS = 250

_METADATA_FIELD = FIELDS["metadata"]


class UnrollXlate(t.Action):
    """Go back to the table and rule that the following actions belong to."""

    __slots__ = ("rule_cookie", "table_id")
    keyword = "unroll_xlate"

    def __init__(self, table_id: int, rule_cookie: int) -> None:
        self.table_id = table_id
        self.rule_cookie = rule_cookie


class FrozenState:
    """All that a translation needs to go on.

    Attributes:
        bridge: which switch goes on, by its UUID.
        in_bridge: by which port's switch the packet came in, for the upcall.
        metadata: bits of the flow, see `METADATA_MASK`.
    """

    __slots__ = (
        "_key", "action_set", "actions", "bridge", "conntracked", "metadata", "mirrors",
        "stack", "table_id", "userdata", "was_mpls", "xport",
    )  # fmt: skip

    def __init__(
        self,
        bridge: bytes,
        table_id: int,
        metadata: int,
        *,
        stack: tuple[tuple[int, int], ...] = (),
        mirrors: int = 0,
        conntracked: bool = False,
        was_mpls: bool = False,
        xport: tuple[bytes, int] | None = None,
        actions: tuple[t.Action, ...] = (),
        action_set: tuple[t.Action, ...] = (),
        userdata: bytes = b"",
    ) -> None:
        self.bridge = bridge
        self.table_id = table_id
        self.metadata = metadata
        self.stack = stack
        self.mirrors = mirrors
        self.conntracked = conntracked
        self.was_mpls = was_mpls
        self.xport = xport
        self.actions = actions
        self.action_set = action_set
        self.userdata = userdata
        self._key = (
            bridge, table_id, metadata, stack, mirrors, conntracked, was_mpls, xport,
            actions, action_set, userdata,
        )  # fmt: skip

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrozenState) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def in_port(self) -> int:
        """The OpenFlow port the packet came in through."""
        return h.IN_PORT.get(self.metadata)


class RecircPool:
    """Recirculation ids and their states, with reference counts."""

    __slots__ = ("_by_state", "_expiring", "_next_id", "_refs", "_states")

    def __init__(self) -> None:
        self._states: dict[int, FrozenState] = {}
        self._by_state: dict[FrozenState, int] = {}
        self._refs: dict[int, int] = {}
        self._expiring: dict[int, int] = {}  # id: when it lost its last reference
        self._next_id = 1

    def __len__(self) -> int:
        return len(self._states)

    def alloc(self, state: FrozenState) -> int:
        """Return the id of `state`, with one more reference."""
        recirc_id = self._by_state.get(state)
        if recirc_id is None:
            recirc_id = self._next_id
            while not recirc_id or recirc_id in self._states:
                recirc_id = (recirc_id + 1) & 0xFFFFFFFF
            self._next_id = recirc_id + 1 & 0xFFFFFFFF
            self._states[recirc_id] = state
            self._by_state[state] = recirc_id
            self._refs[recirc_id] = 0
        self._refs[recirc_id] += 1
        return recirc_id

    def find(self, recirc_id: int) -> FrozenState | None:
        """Return the state with this id."""
        return self._states.get(recirc_id)

    def ref(self, recirc_id: int) -> bool:
        """Add a reference; return whether there is such an id in use."""
        if not self._refs.get(recirc_id):
            return False
        self._refs[recirc_id] += 1
        return True

    def unref(self, recirc_id: int, now: int) -> None:
        """Drop a reference at `now`, in ms."""
        left = self._refs[recirc_id] - 1
        assert left >= 0
        self._refs[recirc_id] = left
        if not left:
            del self._by_state[self._states[recirc_id]]
            self._expiring[recirc_id] = now

    def release(self, recirc_ids: list[int], now: int) -> None:
        """Drop one reference to each of some ids."""
        for recirc_id in recirc_ids:
            self.unref(recirc_id, now)

    def run(self, now: int) -> None:
        """Forget the ids that nobody has referred to for a while."""
        for recirc_id, since in list(self._expiring.items()):
            if now < since + LINGER_MS:
                break  # they are in the order of time
            del self._expiring[recirc_id]
            del self._refs[recirc_id]
            del self._states[recirc_id]


# What a freeze keeps of a list of actions.

_ASYNCHRONOUS = (
    t.OutputReg, t.OutputTrunc, t.Group, t.Output, t.Controller, t.DecMplsTtl,
    t.DecNshTtl, t.DecTtl,
)  # fmt: skip


def unroll(ctx: Context, actions: tuple[t.Action, ...], start: int) -> None:
    """Keep ``actions[start:]`` for later, with what they need to know of their rule.

    Instructions become the actions that do the same, and an `UnrollXlate` goes before
    whatever can tell a controller of its table and cookie.
    """
    frozen = ctx.frozen_actions
    for action in actions[start:]:
        if isinstance(action, _ASYNCHRONOUS):
            _put_unroll(ctx)
        elif isinstance(action, t.Resubmit):
            if action.table_id == 0xFF:
                _put_unroll(ctx)
        elif isinstance(action, t.GotoTable):
            frozen.append(t.Resubmit(OFPP_IN_PORT, action.table_id))
            continue
        elif isinstance(action, t.WriteMetadata):
            field = t.SetField(_METADATA_FIELD, action.metadata, action.mask)
            frozen.append(field)
            continue
        elif isinstance(action, (t.Note, t.Conjunction)):
            continue
        frozen.append(action)


def _put_unroll(ctx: Context) -> None:
    place = ctx.table_id, ctx.rule_cookie
    if ctx.frozen_unroll != place:
        ctx.frozen_actions.append(UnrollXlate(*place))
        ctx.frozen_unroll = place


_L3_FIRST = FIELDS["ip_src"].index

#: Actions that work on a packet that was MPLS without knowing what is in it now.
_MPLS_SAFE = (
    t.Output, t.OutputTrunc, t.Enqueue, t.OutputReg, t.SetVlanVid, t.SetVlanPcp,
    t.SetEthSrc, t.SetEthDst, t.SetTunnel, t.SetQueue, t.Group,
)  # fmt: skip


def needs_parsing(action: t.Action) -> bool:
    """Return whether `action` must know what followed the last MPLS label."""
    if isinstance(action, t.SetField):
        return action.field.index >= _L3_FIRST
    return not isinstance(action, _MPLS_SAFE)


def freeze_for_controller(ctx: Context, userdata: bytes) -> int:
    """Return an id for the state in which a packet goes to a controller."""
    state = FrozenState(
        ctx.bridge.uuid,
        ctx.table_id,
        ctx.flow & METADATA_MASK,
        stack=tuple(ctx.stack),
        mirrors=ctx.mirrors,
        conntracked=ctx.conntracked,
        was_mpls=ctx.was_mpls,
        userdata=userdata,
    )
    return _alloc(ctx, state)


def _alloc(ctx: Context, state: FrozenState) -> int:
    recirc_id = ctx.ofproto.backer.recirc.alloc(state)
    ctx.recircs.append(recirc_id)
    return recirc_id


def finish(ctx: Context, table_id: int = 0) -> int:
    """End a freeze: emit the datapath action that leads to thawing. Return its id.

    The caller has committed the packet's changes.
    """
    assert ctx.freezing
    pause = ctx.pause
    xport = ctx.xport
    state = FrozenState(
        ctx.bridge.uuid,
        table_id,
        ctx.flow & METADATA_MASK,
        stack=tuple(ctx.stack),
        mirrors=ctx.mirrors,
        conntracked=ctx.conntracked,
        was_mpls=ctx.was_mpls,
        xport=(xport.ofproto.uuid, xport.ofp_port) if xport is not None else None,
        actions=tuple(ctx.frozen_actions),
        action_set=tuple(ctx.action_set),
        userdata=pause.userdata if pause is not None else b"",
    )
    recirc_id = _alloc(ctx, state)
    if pause is not None:
        if ctx.trace is not None and not ctx.side_effects:
            return 0  # nobody would resume it
        ctx.odp.append(
            ctx.bridge.controller_action(
                ctx,
                recirc_id,
                reason=pause.reason,
                controller_id=pause.controller_id,
                max_len=pause.max_len,
                continuation=True,
            )
        )
    else:
        if ctx.hash_before_recirc is not None:
            ctx.odp.append(odp.hash_(*ctx.hash_before_recirc))
        ctx.odp.append(odp.recirc(recirc_id))
    ctx.cancel_freeze()
    return recirc_id


def thaw(ctx: Context, state: FrozenState) -> tuple[t.Action, ...]:
    """Restore what `state` kept; return the actions to go on with.

    The caller has found the bridge. No actions means to look the packet up in the
    context's table.
    """
    ctx.table_id = state.table_id
    ctx.report(c.THAW, f"Resuming from table {ctx.table_id}")
    ctx.conntracked = state.conntracked
    if not state.conntracked:
        clear_conntrack(ctx)
    ctx.flow = ctx.flow & _NO_METADATA | state.metadata
    ctx.stack = list(state.stack)
    ctx.mirrors = state.mirrors
    return state.actions


_NO_METADATA = h.without(METADATA_MASK)


def clear_conntrack(ctx: Context) -> None:
    """Forget what the connection tracker said of the packet."""
    ctx.conntracked = False
    ctx.flow = forget_connection(ctx.flow)


_CT_COMMON = 0
for _name in (
    "ct_state",
    "ct_zone",
    "ct_mark",
    "ct_label",
    "ct_nw_proto",
    "ct_tp_src",
    "ct_tp_dst",
):
    _CT_COMMON |= SLOTS[_name].mask
_NO_CT = h.without(_CT_COMMON)
_NO_CT4 = h.without(_CT_COMMON | SLOTS["ct_nw_src"].mask | SLOTS["ct_nw_dst"].mask)
_NO_CT6 = h.without(_CT_COMMON | SLOTS["ct_ipv6_src"].mask | SLOTS["ct_ipv6_dst"].mask)


def forget_connection(flow: int) -> int:
    """Return `flow` without connection tracking fields."""
    dl_type = h.DL_TYPE.get(flow)
    if dl_type == h.ETH_TYPE_IP:
        return flow & _NO_CT4
    if dl_type == h.ETH_TYPE_IPV6:
        return flow & _NO_CT6
    return flow & _NO_CT
