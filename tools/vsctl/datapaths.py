# SPDX-License-Identifier: Apache-2.0
"""Commands on datapaths (conntrack zones, capabilities) and Auto Attach mappings."""

from __future__ import annotations

from ovswitch.ovsdb.ctl.commands import CtlError
from ovswitch.ovsdb.ctl.numbers import atoi, leading_integer, strtoull
from ovswitch.ovsdb.ctl.order import hash_order, string_hash
from ovswitch.tools.vsctl.model import follow_model

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.ovsdb.replica_row import Row
    from ovswitch.tools.vsctl.model import VsctlContext


def _find_datapath(ctx: VsctlContext) -> Row | None:
    found: Row | None = ctx.ovs.datapaths.get(ctx.words[1])
    return found


def _get_datapath(ctx: VsctlContext) -> Row:
    datapath = _find_datapath(ctx)
    if datapath is None:
        raise CtlError(f"datapath {ctx.words[1]} does not exist")
    return datapath


# Conntrack zones.


def prepare_zones(ctx: VsctlContext) -> None:
    """Follow zones and their timeout policies."""
    ctx.follow("Open_vSwitch", "datapaths")
    ctx.follow("Datapath", "ct_zones")
    ctx.follow("CT_Zone", "timeout_policy")
    ctx.follow("CT_Timeout_Policy", "timeouts")


def _parse_zone(word: str) -> int:
    """The number in "zone=N"; 0 if it can't be found."""
    if not word.startswith("zone="):
        return 0
    return leading_integer(word[len("zone=") :]) or 0


def _parse_timeouts(words: Sequence[str]) -> dict[str, int]:
    timeouts = {}
    for word in words:
        word = word.strip(", \t\r\n")
        for separator in word:
            if separator in ":=(":
                key, _, value = word.partition(separator)
                break
        else:
            key, value = word, ""
        if not key:
            break
        timeouts[key] = atoi(value)
    return timeouts


def add_zone_tp(ctx: VsctlContext) -> None:
    """Give a zone a timeout policy; equal policies are shared."""
    datapath = _get_datapath(ctx)
    number = _parse_zone(ctx.words[2])
    zone = datapath.ct_zones.get(number)
    if zone is not None and not ctx.has("--may-exist"):
        raise CtlError(f"zone id {number} already exists")
    timeouts = _parse_timeouts(ctx.words[3:])
    for policy in ctx.replica.table("CT_Timeout_Policy").rows.values():
        if policy.timeouts == timeouts:
            break
    else:
        policy = ctx.insert("CT_Timeout_Policy")
        policy.timeouts = timeouts
    if zone is None:
        zone = ctx.insert("CT_Zone")
        zone.timeout_policy = [policy]
        datapath.setkey("ct_zones", number, zone)
    else:
        zone.timeout_policy = [policy]


def del_zone_tp(ctx: VsctlContext) -> None:
    """Delete a zone's timeout policy."""
    datapath = _get_datapath(ctx)
    number = _parse_zone(ctx.words[2])
    if number in datapath.ct_zones:
        datapath.delkey("ct_zones", number)
    elif not ctx.has("--if-exists"):
        raise CtlError(f"zone id {number} does not exist")


def list_zone_tp(ctx: VsctlContext) -> None:
    """Print the zones and their timeout policies."""
    datapath = _find_datapath(ctx)
    if datapath is None:
        raise CtlError(f"datapath: {ctx.words[1]} record not found")
    for number, zone in datapath.ct_zones.items():
        text = "system default"
        for policy in zone.timeout_policy:
            text = " ".join(f"{key}={n}" for key, n in policy.timeouts.items())
        line = f"Zone:{number}, Timeout Policies: {text}"
        ctx.output.append(line.rstrip(" ") + "\n")


# Capabilities.


def prepare_capabilities(ctx: VsctlContext) -> None:
    """Follow the datapaths' capabilities."""
    ctx.follow("Open_vSwitch", "datapaths")
    ctx.follow("Datapath", "capabilities")


def list_dp_cap(ctx: VsctlContext) -> None:
    """Print what a datapath can do."""
    datapath = _find_datapath(ctx)
    if datapath is None:
        raise CtlError(f'datapath "{ctx.words[1]}" record not found')
    capabilities = datapath.capabilities
    keys = hash_order(capabilities, string_hash)
    ctx.output.append(" ".join(f"{key}={capabilities[key]}" for key in keys) + "\n")


# Auto Attach.


def prepare_mappings(ctx: VsctlContext) -> None:
    """Follow Auto Attach mappings."""
    follow_model(ctx)
    ctx.follow("Bridge", "auto_attach")
    ctx.follow("AutoAttach", "mappings")


def _parse_mapping(ctx: VsctlContext) -> tuple[int, int]:
    numbers = []
    for word in ctx.words[2:4]:
        number = strtoull(word)
        if number is None:
            raise CtlError(f"Invalid argument {word}")
        numbers.append(number)
    return numbers[0], numbers[1]


def add_aa_mapping(ctx: VsctlContext) -> None:
    """Add a mapping from service id to VLAN."""
    isid, vlan = _parse_mapping(ctx)
    bridge = ctx.get_bridge(ctx.words[1]).real_row
    if bridge.auto_attach:
        (row,) = bridge.auto_attach
    else:
        row = ctx.insert("AutoAttach")
        bridge.auto_attach = [row]
    # The first of two mappings of one service id stays.
    row.mappings = {isid: vlan} | row.mappings


def del_aa_mapping(ctx: VsctlContext) -> None:
    """Delete a mapping, and with it those that share its service id or its VLAN."""
    isid, vlan = _parse_mapping(ctx)
    for row in ctx.get_bridge(ctx.words[1]).real_row.auto_attach:
        mappings = row.mappings
        if mappings.get(isid) == vlan:
            row.mappings = {
                i: v for i, v in mappings.items() if i != isid and v != vlan
            }


def get_aa_mapping(ctx: VsctlContext) -> None:
    """Print the mappings."""
    bridge = ctx.get_bridge(ctx.words[1]).real_row
    bridge.verify("auto_attach")
    for row in bridge.auto_attach:
        row.verify("mappings")
        for isid, vlan in row.mappings.items():
            ctx.output.append(f"{isid} {vlan}\n")
