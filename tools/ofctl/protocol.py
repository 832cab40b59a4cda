# SPDX-License-Identifier: Apache-2.0
"""Agreeing with a switch on how flows are said.

OpenFlow 1.0 starts with the plain form; Nicira's extensions switch to the extended one
and to flow mods that name tables. Later versions have one form each.
"""

from __future__ import annotations

from ovswitch.openflow import protocol as protocols
from ovswitch.openflow import raws
from ovswitch.runtime import fatal, vlog
from ovswitch.tools.ofctl.connection import Connection, next_xid, open_switch
from ovswitch.tools.ofctl.settings import settings

NXFF_OPENFLOW10, NXFF_NXM = 0, 2

_log = vlog.Module("ofctl")


def _step(current: int, want: int) -> tuple[bytes, int] | None:
    """Return a request that goes from `current` towards `want`, and what it leads to.

    None: there is nothing to ask for, be it that `want` is reached or out of reach.
    """
    version = protocols.version_of(current)
    if version != 1 or protocols.version_of(want) != 1:
        return None
    if protocols.base_of(current) != protocols.base_of(want):
        form = NXFF_NXM if protocols.is_nxm(want) else NXFF_OPENFLOW10
        raw = raws.find("SET_FLOW_FORMAT", version)
        request = raws.put(raw, version, next_xid(), form.to_bytes(4, "big"))
        return request, protocols.set_base(current, want)
    wants_tid = bool(want & protocols.TID)
    if bool(current & protocols.TID) != wants_tid:
        raw = raws.find("FLOW_MOD_TABLE_ID", version)
        body = bytes((wants_tid,)) + bytes(7)
        request = raws.put(raw, version, next_xid(), body)
        return request, protocols.set_tid(current, wants_tid)
    return None


def try_set(connection: Connection, want: int, current: int) -> tuple[bool, int]:
    """Ask the switch for a protocol; return whether it agreed, and what is in use."""
    while True:
        step = _step(current, want)
        if step is None:
            return current == want, current
        request, following = step
        reply = connection.transact_noreply(request)
        if reply is not None:
            _log.dbg("%s: failed to set protocol", connection.target)
            return False, current
        current = following


def die_of_formats(usable: int) -> None:
    """Say that none of the protocols `usable` may be used, and die."""
    allowed = protocols.to_string(settings.protocols)
    fatal.die(
        f"none of the usable flow formats ({protocols.to_string(usable)}) is among "
        f"the allowed flow formats ({allowed})"
    )


def _die_of_switch(usable: int) -> int:
    return fatal.die(
        "switch does not support any of the usable flow formats "
        f"({protocols.to_string(usable)})"
    )


def set_for_dump(connection: Connection, usable: int) -> int:
    """Agree on the best protocol for reading flows; die if there is none."""
    current = connection.protocol
    for want in protocols.FLOW_DUMP:
        if want & usable & settings.protocols:
            agreed, current = try_set(connection, want, current)
            if agreed:
                return want
    if not usable & settings.protocols:
        die_of_formats(usable)
    return _die_of_switch(usable)


def open_for_flows(switch: str, usable: int) -> tuple[Connection, int]:
    """Connect and agree on a protocol of the set `usable`; die if there is none."""
    wanted = usable & settings.protocols
    if not wanted:
        die_of_formats(usable)
    connection = open_switch(switch)
    current = connection.protocol
    if wanted & current:
        return connection, current
    rest = wanted
    while rest:
        want = rest & -rest
        rest ^= want
        agreed, current = try_set(connection, want, current)
        if agreed:
            return connection, want
    return connection, _die_of_switch(usable)
