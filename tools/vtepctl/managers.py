# SPDX-License-Identifier: Apache-2.0
"""Commands on managers."""

from __future__ import annotations

from ovswitch.ovsdb.ctl.numbers import atoll
from ovswitch.runtime import target
from ovswitch.tools.vtepctl.model import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.tools.vtepctl.model import VtepContext


def prepare_managers(ctx: VtepContext) -> None:
    """Follow managers."""
    ctx.follow("Global", "managers")
    ctx.follow("Manager", "target", "inactivity_probe")


def _verify(ctx: VtepContext) -> None:
    ctx.root.verify("managers")
    for manager in ctx.root.managers:
        manager.verify("target")


def get_manager(ctx: VtepContext) -> None:
    """Print the managers' targets."""
    _verify(ctx)
    ctx.print_sorted({manager.target for manager in ctx.root.managers})


def del_manager(ctx: VtepContext) -> None:
    """Delete the managers."""
    _verify(ctx)
    for manager in ctx.root.managers:
        manager.delete()
    ctx.root.managers = []


def set_manager(ctx: VtepContext) -> None:
    """Replace the managers; an odd target is worth a warning."""
    del_manager(ctx)
    probe = ctx.option("--inactivity-probe")
    rows = []
    for name in ctx.words[1:]:
        if not target.is_active(name) and not target.is_passive(name):
            log.warn('target type "%s" is possibly erroneous', name)
        row = ctx.insert("Manager")
        row.target = name
        if probe is not None:
            row.inactivity_probe = [atoll(probe)]
        rows.append(row)
    ctx.root.managers = rows
