# SPDX-License-Identifier: Apache-2.0
"""What one translation used, so that later packets of the flow can be credited.

The datapath forwards on its own and only counts. When the revalidator has read the
counts, it pushes them to the rules, tables and ports that the translation went through,
keeps the learned addresses and flows alive, and needn't translate again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ovswitch.ofproto.flow_mod import FlowMod
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.port import Port
    from ovswitch.ofproto.rule import Rule
    from ovswitch.ofproto.table import FlowTable

_TCP_FIN_RST = 0x05


class FlowStats:
    """Counts of a datapath flow, or what was added to them.

    Attributes:
        used: when the last packet came, in ms of monotonic time; 0 for never.
        tcp_flags: of all packets.
    """

    __slots__ = ("n_bytes", "n_packets", "tcp_flags", "used")

    def __init__(
        self, n_packets: int = 0, n_bytes: int = 0, used: int = 0, tcp_flags: int = 0
    ) -> None:
        self.n_packets = n_packets
        self.n_bytes = n_bytes
        self.used = used
        self.tcp_flags = tcp_flags


class XlateCache:
    """What a translation went through.

    Attributes:
        rules: those whose actions were executed.
        tables: (table, whether a rule matched) of each lookup.
        patches: (sending, receiving) patch port of each crossing.
        macs: (switch, in_port, address, VLAN, is gratuitous ARP) that NORMAL learned.
        learns: (switch, flow mod, limit) of `learn` actions.
        fins: (switch, rule, idle timeout, hard timeout) of `fin_timeout` actions.
        mirrors: (switch, mirrors as bits) that got a copy.
    """

    __slots__ = ("fins", "learns", "macs", "mirrors", "patches", "rules", "tables")

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self.tables: list[tuple[FlowTable, bool]] = []
        self.patches: list[tuple[Port, Port]] = []
        self.macs: list[tuple[Ofproto, int, int, int, bool]] = []
        self.learns: list[tuple[Ofproto, FlowMod, int]] = []
        self.fins: list[tuple[Ofproto, Rule, int, int]] = []
        self.mirrors: list[tuple[Ofproto, int]] = []

    def push_stats(self, stats: FlowStats) -> None:
        """Credit `stats` to all that the translation went through."""
        n_packets, n_bytes, used = stats.n_packets, stats.n_bytes, stats.used
        for rule in self.rules:
            if rule.replaced_by is None:
                rule.n_packets += n_packets
                rule.n_bytes += n_bytes
                if used > rule.used:
                    rule.used = used
            else:
                rule.credit(n_packets, n_bytes, used)
        for table, matched in self.tables:
            if matched:
                table.n_matched += n_packets
            else:
                table.n_missed += n_packets
        for sender, receiver in self.patches:
            sender.stats.add_tx(n_packets, n_bytes)
            receiver.stats.add_rx(n_packets, n_bytes)
        for ofproto, mirrors in self.mirrors:
            ofproto.credit_mirrors(mirrors, n_packets, n_bytes)
        if stats.tcp_flags & _TCP_FIN_RST:
            self.push_fin_timeouts()

    def push_fin_timeouts(self) -> None:
        """Shorten the timeouts of rules whose connection has ended."""
        for ofproto, rule, idle_timeout, hard_timeout in self.fins:
            rule.reduce_timeouts(idle_timeout, hard_timeout)
            ofproto.tables.set_expirable(rule)

    def push_learning(self) -> None:
        """Keep alive what the flow's packets teach: the flow was seen again."""
        for ofproto, in_port, mac, vlan, is_grat_arp in self.macs:
            ofproto.learn_mac(in_port, mac, vlan, is_grat_arp=is_grat_arp)
        for ofproto, flow_mod, limit in self.learns:
            ofproto.learn_flow(flow_mod, limit)
