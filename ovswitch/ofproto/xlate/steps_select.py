# SPDX-License-Identifier: Apache-2.0
"""How actions that choose by hash are compiled: multipath and bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow import flow_hash, hashes
from ovswitch.flow.names import (
    OFPP_ALL,
    OFPP_FLOOD,
    OFPP_IN_PORT,
    OFPP_NONE,
    OFPP_NORMAL,
    OFPP_TABLE,
)
from ovswitch.ofproto.xlate import fieldops, output
from ovswitch.ofproto.xlate.compiler import compiles
from ovswitch.openflow.actions.select import BUNDLE_ALGORITHMS, Bundle, Multipath

if TYPE_CHECKING:
    from ovswitch.ofproto.xlate.compiler import Step
    from ovswitch.ofproto.xlate.context import Context

_ACTIVE_BACKUP = BUNDLE_ALGORITHMS.index("active_backup")
_ALWAYS_UP = frozenset(
    (OFPP_IN_PORT, OFPP_TABLE, OFPP_NORMAL, OFPP_FLOOD, OFPP_ALL, OFPP_NONE)
)


def _hash(ctx: Context, fields: int, basis: int) -> int:
    """Return the packet's hash; what it depends on has been looked at."""
    ctx.wildcards |= flow_hash.mask(ctx.flow, fields)
    return flow_hash.by_fields(ctx.flow, fields, basis)


@compiles(Multipath)
def _multipath(action: Multipath) -> Step:
    def step(ctx: Context) -> None:
        value = _hash(ctx, action.fields, action.basis)
        n_links = action.max_link + 1
        link = flow_hash.multipath_link(value, action.algorithm, n_links, action.arg)
        fieldops.load(ctx, action.dst, link)
        fieldops.report_subfield(ctx, action.dst)

    return step


@compiles(Bundle)
def _bundle(action: Bundle) -> Step:
    dst = action.dst

    def step(ctx: Context) -> None:
        port = _choose(ctx, action)
        if dst is None:
            output.output(ctx, port, last=ctx.last)
        else:
            fieldops.load(ctx, dst, port)
            fieldops.report_subfield(ctx, dst)

    return step


def _choose(ctx: Context, action: Bundle) -> int:
    """Return the member that a packet goes to; OFPP_NONE if none works."""
    enabled = (
        (place, port)
        for place, port in enumerate(action.members)
        if _is_enabled(ctx, port)
    )
    if action.algorithm == _ACTIVE_BACKUP:
        return next((port for _, port in enabled), OFPP_NONE)
    value = _hash(ctx, action.fields, action.basis)
    # max() takes the first of equals, as it must be.
    best = max(
        enabled,
        key=lambda member: hashes.hash_2words(member[0], value),
        default=(0, OFPP_NONE),
    )
    return best[1]


def _is_enabled(ctx: Context, number: int) -> bool:
    if number in _ALWAYS_UP:
        return True
    port = ctx.bridge.ports.get(number)
    return port is not None and port.may_enable
