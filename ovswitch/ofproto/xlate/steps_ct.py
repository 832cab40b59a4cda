# SPDX-License-Identifier: Apache-2.0
"""How connection tracking is compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.datapath.odp import actions as odp
from ovswitch.datapath.odp import numbers as n
from ovswitch.flow.layout import SLOTS
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import fieldops, pipeline, recirc
from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate.commit import commit
from ovswitch.ofproto.xlate.compiler import compile_actions, compiles
from ovswitch.openflow.actions import types as t
from ovswitch.openflow.actions.ct import NX_CT_RECIRC_NONE

if TYPE_CHECKING:
    from ovswitch.ofproto.xlate.compiler import Step
    from ovswitch.ofproto.xlate.context import Context

_COMMIT, _FORCE = 1, 2
_SRC, _DST, _PERSISTENT, _HASH, _RANDOM = 1, 2, 4, 8, 16
_HELPERS = {21: "ftp", 69: "tftp"}
_MARK, _LABEL = SLOTS["ct_mark"], SLOTS["ct_label"]
_WRITTEN = _MARK.mask | _LABEL.mask
_UNWRITTEN = h.without(_WRITTEN)
# Fields that a frozen state keeps: a resumed flow gets a new id when they change.
_FROZEN_KINDS = ("tun_", "metadata", "in_port", "reg", "xreg", "xxreg")


@compiles(t.Ct, reversible=False)
def _ct(action: t.Ct) -> Step:
    program = compile_actions(action.actions) if action.actions else None
    commits = bool(action.flags & _COMMIT)

    def step(ctx: Context) -> None:
        zone = _zone(ctx, action)
        wildcards = ctx.wildcards & _WRITTEN
        commit(ctx)
        # The nested actions show in the wildcards what they write.
        ctx.ct_nat_action = None
        ctx.wildcards &= _UNWRITTEN
        if program is None:
            ctx.report(c.ACTION, "drop")
        else:
            pipeline.run(ctx, program, ctx.last)
        written = ctx.wildcards
        nat = ctx.ct_nat_action
        if action.alg and action.alg not in _HELPERS:
            ctx.report_error(f"cannot serialize ct_helper {action.alg}")
        ctx.odp.append(
            odp.ct(
                commit=commits,
                force=commits and bool(action.flags & _FORCE),
                zone=zone,
                mark=(_MARK.get(ctx.flow & written), _MARK.get(written)),
                label=(_LABEL.get(ctx.flow & written), _LABEL.get(written)),
                helper=_HELPERS.get(action.alg, ""),
                nat=_nat(nat) if isinstance(nat, t.Nat) else None,
            )
        )
        ctx.wildcards = ctx.wildcards & _UNWRITTEN | wildcards
        if action.recirc_table != NX_CT_RECIRC_NONE:
            ctx.conntracked = True
            _fork(ctx, action.recirc_table, zone)
        ctx.ct_nat_action = None
        ctx.flow = recirc.forget_connection(ctx.flow)
        ctx.report(
            c.DETAIL,
            "Sets the packet to an untracked state, and clears all the conntrack"
            " fields.",
        )
        ctx.conntracked = False

    return step


def _zone(ctx: Context, action: t.Ct) -> int:
    source = action.zone_src
    if source is None:
        return action.zone_imm
    zone = fieldops.read(ctx, source)
    frozen = source.field.name.startswith(_FROZEN_KINDS)
    if ctx.frozen_state is None or not frozen:
        fieldops.look_at(ctx, source)
    return zone


def _nat(action: t.Nat) -> odp.Nat:
    flags = action.flags
    size = 16 if action.range_af == 6 else 4
    direction = 0
    if flags & (_SRC | _DST):
        direction = n.OVS_NAT_ATTR_SRC if flags & _SRC else n.OVS_NAT_ATTR_DST
    has_range = bool(action.range_af)
    return odp.Nat(
        direction,
        action.addr_min.to_bytes(size, "big") if has_range else b"",
        action.addr_max.to_bytes(size, "big") if has_range else b"",
        action.proto_min,
        action.proto_max,
        persistent=bool(flags & _PERSISTENT),
        proto_hash=bool(flags & _HASH),
        proto_random=bool(flags & _RANDOM) and not flags & _HASH,
    )


@compiles(t.Nat, reversible=False)
def _remember_nat(action: t.Nat) -> Step:
    def step(ctx: Context) -> None:
        ctx.ct_nat_action = action  # for the ct action around it

    return step


def _fork(ctx: Context, table_id: int, zone: int) -> None:
    """Let a copy of the packet go through the tracker and on in another table."""
    ctx.freezing = True
    nat = ctx.ct_nat_action
    recirc_id = recirc.finish(ctx, table_id)
    if ctx.trace is None:
        return
    if ctx.forks is None:
        ctx.report(
            c.DETAIL,
            "Failed to trace the conntrack forked pipeline with recirc_id ="
            f" {recirc_id}.",
        )
        return
    ctx.forks.append((ctx.flow, recirc_id, zone, nat))
    ctx.report(
        c.DETAIL,
        "A clone of the packet is forked to recirculate. The forked pipeline will be"
        f" resumed at table {table_id}.",
    )
