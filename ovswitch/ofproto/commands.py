# SPDX-License-Identifier: Apache-2.0
"""ovs-appctl's commands about switches and their datapaths.

`table()` gives rows (name, usage, fewest and most arguments, function) for the daemon
to register; a function takes the list of arguments and returns the reply, or raises
CommandError with the text for the caller. `backers` is asked at each call, since
datapaths come and go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.datapath.dpctl.flows import format_stats
from ovswitch.datapath.dpif import DpifError
from ovswitch.datapath.odp.action_text import format_actions as format_odp
from ovswitch.datapath.odp.key_text import format_key, format_ufid
from ovswitch.flow.names import format_port
from ovswitch.flow.text import format_match
from ovswitch.flow.values import format_eth, parse_eth
from ovswitch.ofproto.backer_error import NoSwitchError
from ovswitch.ofproto.port_order import name_order
from ovswitch.ofproto.trace import TraceError, Tracer
from ovswitch.openflow import actions as ofactions
from ovswitch.runtime.unixctl import NO_LIMIT, CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ovswitch.datapath.dpif import Flow
    from ovswitch.ofproto.backer import Backer
    from ovswitch.ofproto.bundle import Bundle
    from ovswitch.ofproto.mac_learning import MacEntry
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.rule import Rule

    Backers = Callable[[], Mapping[str, Backer]]
    Function = Callable[[list[str]], str]
    Row = tuple[str, str | None, int, int, Function]

_VLAN_BITS = 0xFFFF
_TRACE_USAGE = "{[dp_name] odp_flow | bridge br_flow} [OPTIONS...] [-generate|packet]"


def table(backers: Backers) -> list[Row]:
    """Return all commands, for the backers (by type) that `backers()` gives."""
    c = _Commands(backers)
    return [
        ("ofproto/list", "", 0, 0, c.list_switches),
        ("ofproto/trace", _TRACE_USAGE, 1, NO_LIMIT, c.trace),
        (
            "ofproto/trace-packet-out",
            f"[-consistent] {_TRACE_USAGE} actions",
            2,
            NO_LIMIT,
            c.trace_packet_out,
        ),
        ("bridge/dump-flows", "[--offload-stats] bridge", 1, 2, c.dump_rules),
        ("fdb/add", "bridge port vlan mac", 4, 4, c.fdb_add),
        ("fdb/del", "bridge vlan mac", 3, 3, c.fdb_del),
        ("fdb/flush", "[bridge]", 0, 1, c.fdb_flush),
        ("fdb/show", "bridge", 1, 1, c.fdb_show),
        ("fdb/stats-clear", "[bridge]", 0, 1, c.fdb_stats_clear),
        ("fdb/stats-show", "bridge", 1, 1, c.fdb_stats_show),
        ("dpif/dump-dps", "", 0, 0, c.dump_datapaths),
        ("dpif/show", "", 0, 0, c.show_datapaths),
        ("dpif/show-dp-features", "bridge", 1, 1, c.show_features),
        ("dpif/dump-flows", "[-m] [--names | --no-names] bridge", 1, 3, c.dump_flows),
        ("dpif/set-dp-features", "bridge", 1, 3, c.set_features),
        ("upcall/show", "", 0, 0, c.upcall_show),
        ("upcall/disable-megaflows", "", 0, 0, c.disable_megaflows),
        ("upcall/enable-megaflows", "", 0, 0, c.enable_megaflows),
        ("upcall/disable-ufid", "", 0, 0, c.disable_ufid),
        ("upcall/enable-ufid", "", 0, 0, c.enable_ufid),
        ("upcall/set-flow-limit", "flow-limit-number", 1, 1, c.set_flow_limit),
        ("revalidator/wait", "", 0, 0, c.revalidator_wait),
        ("revalidator/purge", "", 0, 0, c.revalidator_purge),
        ("revalidator/pause", None, 0, 0, c.revalidator_pause),
        ("revalidator/resume", None, 0, 0, c.revalidator_resume),
    ]


class _Commands:
    """The functions, and where they find their switches."""

    def __init__(self, backers: Backers) -> None:
        self._backers = backers

    def _all(self) -> list[Backer]:
        return list(self._backers().values())

    def _switches(self) -> dict[str, Ofproto]:
        return {
            name: ofproto
            for backer in self._all()
            for name, ofproto in backer.ofprotos.items()
        }

    def _find(self, name: str, error: str = "no such bridge") -> Ofproto:
        ofproto = self._switches().get(name)
        if ofproto is None:
            raise CommandError(error)
        return ofproto

    # Switches and their pipelines.

    def list_switches(self, arguments: list[str]) -> str:
        """List the switches, in the reference's order."""
        return "".join(f"{name}\n" for name in name_order(self._switches()))

    def trace(self, arguments: list[str]) -> str:
        """Follow a packet."""
        try:
            return Tracer(self._backers()).command(arguments)
        except TraceError as error:
            raise CommandError(str(error)) from None

    def trace_packet_out(self, arguments: list[str]) -> str:
        """Follow a packet that a controller would send."""
        try:
            return Tracer(self._backers()).packet_out_command(arguments)
        except TraceError as error:
            raise CommandError(str(error)) from None

    def dump_rules(self, arguments: list[str]) -> str:
        """Show all flows of a switch, its own too."""
        ofproto = self._find(arguments[-1], "Unknown bridge")
        offloads = "--offload-stats" in arguments[:-1]
        now = ofproto.clock()
        return "".join(
            _format_rule(rule, now, offloads) for rule in ofproto.tables.rules()
        )

    # Addresses.

    def fdb_show(self, arguments: list[str]) -> str:
        """Show the addresses that a switch knows, the one used longest ago first."""
        ofproto = self._find(arguments[0])
        now = ofproto.clock() // 1000
        lines = [" port  VLAN  MAC                Age\n"]
        for entry in ofproto.mac_learning.entries():
            age = "static"
            if not entry.is_static:
                age = f"{ofproto.mac_learning.age(entry, now):3d}"
            mac = format_eth(entry.mac)
            lines.append(f"{_port_of(entry):>5}  {entry.vlan:4d}  {mac}  {age}\n")
        return "".join(lines)

    def fdb_add(self, arguments: list[str]) -> str:
        """Say where an address is."""
        name, port_name, vlan_text, mac_text = arguments
        ofproto = self._find(name)
        mac = _parse_mac(mac_text)
        vlan = _atoi(vlan_text) & _VLAN_BITS
        port = ofproto.port_by_name(port_name)
        if port is None:
            raise CommandError("software error, odp port is present but no ofp port")
        entry = ofproto.mac_learning.lookup(mac, vlan)
        reply = ""
        if entry is not None and (entry.port.name != port_name or not entry.is_static):
            kind = "static" if entry.is_static else "dynamic"
            reply = f"Overriding already existing {kind} entry on {_port_of(entry)}\n"
        if port.bundle is None:
            raise CommandError("could not add static mac entry\n")
        ofproto.mac_learning.add_static(mac, vlan, port.bundle)
        return reply

    def fdb_del(self, arguments: list[str]) -> str:
        """Take back what fdb/add said."""
        name, vlan_text, mac_text = arguments
        ofproto = self._find(name)
        mac = _parse_mac(mac_text)
        vlan = _atoi(vlan_text) & _VLAN_BITS
        if not ofproto.mac_learning.remove_static(mac, vlan):
            raise CommandError("could not find static mac entry\n")
        return ""

    def fdb_flush(self, arguments: list[str]) -> str:
        """Forget what one switch, or all, have learned."""
        for ofproto in self._one_or_all(arguments):
            ofproto.mac_learning.flush()
        return "table successfully flushed"

    def fdb_stats_clear(self, arguments: list[str]) -> str:
        """Count from 0 again."""
        for ofproto in self._one_or_all(arguments):
            ofproto.mac_learning.clear_statistics()
        return "statistics successfully cleared"

    def fdb_stats_show(self, arguments: list[str]) -> str:
        """Show what became of addresses."""
        learning = self._find(arguments[0]).mac_learning
        rows = (
            ("Total number of learned MAC entries", learning.total_learned),
            ("Total number of expired MAC entries", learning.total_expired),
            ("Total number of evicted MAC entries", learning.total_evicted),
            ("Total number of port moved MAC entries", learning.total_moved),
        )
        return (
            f'Statistics for bridge "{arguments[0]}":\n'
            f"  Current/maximum MAC entries in the table: {len(learning)}"
            f"/{learning.max_entries}\n"
            f"  Current static MAC entries in the table : {learning.static_entries}\n"
            + "".join(f"  {title:<40}: {number}\n" for title, number in rows)
        )

    def _one_or_all(self, arguments: list[str]) -> list[Ofproto]:
        if arguments:
            return [self._find(arguments[0])]
        return list(self._switches().values())

    # Datapaths.

    def dump_datapaths(self, arguments: list[str]) -> str:
        """List the switches with their datapaths' types."""
        switches = self._switches()
        return "".join(
            f"{switches[name].backer.type}@{name}\n" for name in sorted(switches)
        )

    def show_datapaths(self, arguments: list[str]) -> str:
        """Show datapaths, their switches and their ports."""
        return "".join(_show_backer(backer) for backer in self._all())

    def show_features(self, arguments: list[str]) -> str:
        """Show what a switch's datapath can do."""
        return self._find(arguments[0]).backer.boot_support.show()

    def set_features(self, arguments: list[str]) -> str:
        """Let the pipeline use fewer of the datapath's features."""
        backer = self._find(arguments[0]).backer
        reply, changed = backer.support.command(arguments[1:], backer.boot_support)
        if changed:
            backer.need_revalidate("reconfigure")
            backer.udpif.flush()
        return reply

    def dump_flows(self, arguments: list[str]) -> str:
        """Show a switch's flows in the datapath."""
        ofproto = self._find(arguments[-1])
        options = arguments[:-1]
        verbose = "-m" in options
        names = verbose
        for option in options:
            if option in {"--names", "--no-names"}:
                names = option == "--names"
        backer = ofproto.backer
        if backer.dpif is None:
            return ""
        ports = backer.port_names() if names else None
        try:
            flows = list(backer.dpif.flow_dump())
        except DpifError as error:
            raise CommandError(f"dpif/dump_flows failed: {error.strerror}") from None
        return "".join(
            _format_flow(backer, flow, ports, verbose)
            for flow in flows
            if _belongs_to(backer, flow, ofproto)
        )

    # Upcalls and revalidation.

    def upcall_show(self, arguments: list[str]) -> str:
        """Show how many flows there are, and how dumps go."""
        return "".join(backer.udpif.show() for backer in self._all())

    def disable_megaflows(self, arguments: list[str]) -> str:
        """Let each datapath flow match exactly one flow."""
        return self._set_megaflows(False, "megaflows disabled")

    def enable_megaflows(self, arguments: list[str]) -> str:
        """Let datapath flows be as wide as they can."""
        return self._set_megaflows(True, "megaflows enabled")

    def _set_megaflows(self, enabled: bool, reply: str) -> str:
        for backer in self._all():
            backer.udpif.megaflows_enabled = enabled
            backer.udpif.flush()
        return reply

    def disable_ufid(self, arguments: list[str]) -> str:
        """Dump flows with their keys."""
        for backer in self._all():
            backer.udpif.terse_dumps = False
        return "Datapath dumping tersely using UFID disabled"

    def enable_ufid(self, arguments: list[str]) -> str:
        """Dump flows by their identifiers."""
        for backer in self._all():
            backer.udpif.terse_dumps = True
        return "Datapath dumping tersely using UFID enabled for supported datapaths"

    def set_flow_limit(self, arguments: list[str]) -> str:
        """Set how many flows there may be for now."""
        limit = _atoi(arguments[0]) & 0xFFFFFFFF
        for backer in self._all():
            backer.udpif.set_flow_limit(limit)
        return f"set flow_limit to {limit}\n"

    def revalidator_wait(self, arguments: list[str]) -> str:
        """Look at all flows before the reply."""
        for backer in self._all():
            backer.udpif.revalidate_now()
        return ""

    def revalidator_purge(self, arguments: list[str]) -> str:
        """Delete all flows, counting their packets."""
        for backer in self._all():
            backer.udpif.purge()
        return ""

    def revalidator_pause(self, arguments: list[str]) -> str:
        """Let the revalidator rest."""
        return self._set_paused(True)

    def revalidator_resume(self, arguments: list[str]) -> str:
        """Let the revalidator work again."""
        return self._set_paused(False)

    def _set_paused(self, paused: bool) -> str:
        for backer in self._all():
            backer.udpif.paused = paused
        return ""


def _port_of(entry: MacEntry[Bundle]) -> str:
    ports = entry.port.ports
    return format_port(ports[0].ofp_port) if ports else "NONE"


def _parse_mac(text: str) -> int:
    try:
        mac, mask = parse_eth(text)
    except ValueError:
        raise CommandError("bad MAC address") from None
    if mask != 0xFFFFFFFFFFFF:
        raise CommandError("bad MAC address")
    return mac


def _atoi(text: str) -> int:
    text = text.strip()
    end = 1 if text[:1] in {"-", "+"} else 0
    while end < len(text) and text[end] in "0123456789":
        end += 1
    digits = text[:end]
    return int(digits) if digits.strip("+-") else 0


def _format_rule(rule: Rule, now: int, offloads: bool) -> str:
    table_id = f"table_id={rule.table_id}, " if rule.table_id else ""
    counts = f"n_packets={rule.n_packets}, n_bytes={rule.n_bytes}, "
    if offloads:
        counts += "n_offload_packets=0, n_offload_bytes=0, "
    match = format_match(rule.match, priority=rule.priority)
    return (
        f"{table_id}duration={(now - rule.created) // 1000}s, {counts}{match},"
        f"actions={ofactions.format_actions(rule.actions)}\n"
    )


def _show_backer(backer: Backer) -> str:
    hit = missed = 0
    if backer.dpif is not None:
        stats = backer.dpif.stats()
        hit, missed = stats.n_hit, stats.n_missed
    lines = [f"{backer.type}@{backer.dp_name}: hit:{hit} missed:{missed}\n"]
    for name in sorted(backer.ofprotos):
        lines.append(f"  {name}:\n")
        ports = backer.ofprotos[name].ports.values()
        for port in sorted(ports, key=lambda port: port.name):
            odp = "none" if port.odp_port is None else str(port.odp_port)
            options = dict(port.options)
            if port.peer_name:
                options["peer"] = port.peer_name
            text = ", ".join(f"{key}={options[key]}" for key in sorted(options))
            kind = f"{port.netdev_type}: {text}" if text else port.netdev_type
            lines.append(f"    {port.name} {port.ofp_port}/{odp}: ({kind})\n")
    return "".join(lines)


def _belongs_to(backer: Backer, flow: Flow, ofproto: Ofproto) -> bool:
    try:
        owner, _ = backer.find_ofproto(backer.udpif.codec.to_flow(flow.key))
    except (ValueError, NoSwitchError):
        return False
    return owner is ofproto


def _format_flow(
    backer: Backer, flow: Flow, ports: dict[int, str] | None, verbose: bool
) -> str:
    text = ""
    if verbose and flow.ufid is not None:
        text = f"{format_ufid(flow.ufid)} "
    text += format_key(flow.key, flow.mask, ports, verbose=verbose)
    assert backer.dpif is not None
    text += f", {format_stats(flow, backer.dpif.transport.now())}"
    return f"{text}, actions:{format_odp(flow.actions, ports)}\n"
