# SPDX-License-Identifier: Apache-2.0
"""In-band control: hidden flows that let a switch reach its controllers through itself.

Whatever the controllers' flows say, ARP and TCP to and from each controller ("remote")
is forwarded as NORMAL, and so is what the local port needs to get an address: DHCP and
ARP. The priorities are above any that a flow mod can name; their order has no meaning,
it only says what a flow is for:

    180000          DHCP requests from the local port
    180001, 180002  ARP replies to the local port, and its requests
    180003, 180004  ARP replies to a remote's next hop, and its requests
    180005, 180006  ARP replies about a remote's IP address, and its requests
    180007, 180008  TCP to a remote's address and port, and from there

The local port's address is looked at once a second. A next hop's is looked up every ten
seconds, and every second until it is known.

Source: the reference's in-band.c for the flows and intervals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.flow.fields import FIELDS
from ovswitch.flow.match import MATCH_ALL, Match
from ovswitch.flow.names import OFPP_LOCAL, OFPP_NORMAL
from ovswitch.flow.values import format_eth
from ovswitch.netdev.provider import NetdevError
from ovswitch.openflow.actions.types import Output, SetQueue
from ovswitch.runtime import vlog

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ovswitch.netdev.provider import Netdev
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.openflow.actions.types import Action

_log = vlog.Module("in_band")
_limit = vlog.RateLimit(60, 60)

_FIRST_PRIORITY = 180000
(
    _FROM_LOCAL_DHCP,
    _TO_LOCAL_ARP,
    _FROM_LOCAL_ARP,
    _TO_NEXT_HOP_ARP,
    _FROM_NEXT_HOP_ARP,
    _TO_REMOTE_ARP,
    _FROM_REMOTE_ARP,
    _TO_REMOTE_TCP,
    _FROM_REMOTE_TCP,
) = range(_FIRST_PRIORITY, _FIRST_PRIORITY + 9)

_IP, _ARP = 0x0800, 0x0806
_TCP, _UDP = 6, 17
_ARP_REQUEST, _ARP_REPLY = 1, 2
_DHCP_CLIENT, _DHCP_SERVER = 68, 67

_LOCAL_REFRESH_MS = 1000
_KNOWN_REFRESH_MS = 10_000
_UNKNOWN_REFRESH_MS = 1000

#: A remote's IPv4 address and TCP port.
Remote = tuple[int, int]


def match_of(**values: int) -> Match:
    """Return a match on whole fields."""
    match = MATCH_ALL
    for name, value in values.items():
        match = match.with_field(FIELDS[name], value)
    return match


class InBand:
    """Keeps one switch's in-band flows.

    Attributes:
        local: the local port's device.
        queue_id: the queue that they send to; negative for the default.
    """

    __slots__ = (
        "_last_macs", "_local_mac", "_macs", "_next_local", "_next_remote",
        "_ofproto", "_remotes", "_rules", "local", "queue_id",
    )  # fmt: skip

    def __init__(self, ofproto: Ofproto, local: Netdev) -> None:
        self.queue_id = -1
        self._ofproto = ofproto
        self.local = local
        self._local_mac = 0
        self._remotes: list[Remote] = []
        self._macs: dict[int, int] = {}  # a remote's IP address -> its next hop's
        self._last_macs: dict[int, int] = {}
        self._next_local = self._next_remote = 0
        self._rules: dict[Match, int] = {}  # that are in the table -> priority

    @property
    def n_rules(self) -> int:
        """How many flows are in the table."""
        return len(self._rules)

    def set_remotes(self, remotes: Iterable[Remote]) -> None:
        """Set whom the switch must be able to reach."""
        remotes = list(remotes)
        if remotes != self._remotes:
            self._remotes = remotes
            self._macs.clear()
            self._last_macs.clear()
            self._next_remote = 0

    def run(self, now: int) -> bool:
        """Bring the flows up to date; return whether any are needed or left."""
        self._refresh(now)
        wanted = dict(self._wanted())
        actions = self._actions()
        for match, priority in wanted.items():
            if not self._has(match, priority, actions):
                self._ofproto.add_flow(match, priority, actions)
        for match, priority in self._rules.items():
            if match not in wanted:
                self._ofproto.delete_flow(match, priority)
        self._rules = wanted
        return bool(self._remotes or self._rules)

    def deadline(self) -> int:
        """Return when `run()` has something to do."""
        return min(self._next_local, self._next_remote)

    def _has(self, match: Match, priority: int, actions: tuple[Action, ...]) -> bool:
        classifier = self._ofproto.tables.tables[0].classifier
        rule = classifier.find_exactly(match, priority)
        return rule is not None and rule.actions == actions

    def _actions(self) -> tuple[Action, ...]:
        output = Output(OFPP_NORMAL)
        return (output,) if self.queue_id < 0 else (SetQueue(self.queue_id), output)

    # What is known of the neighbourhood.

    def _refresh(self, now: int) -> None:
        if now >= self._next_local:
            self._next_local = now + _LOCAL_REFRESH_MS
            address = self.local.get_etheraddr()
            if address is not None:
                self._local_mac = int.from_bytes(address, "big")
        if now >= self._next_remote:
            pause = _KNOWN_REFRESH_MS
            for ip, _ in self._remotes:
                mac = self._macs[ip] = self._next_hop_mac(ip)
                if not mac:
                    pause = _UNKNOWN_REFRESH_MS
                elif mac != self._last_macs.get(ip, 0):
                    self._log_change(ip, mac)
            # With no remotes there is only the local port, until all is over.
            self._next_remote = now + pause

    def _log_change(self, ip: int, mac: int) -> None:
        _log.dbg(
            "%s: remote MAC address changed from %s to %s",
            self._ofproto.name,
            format_eth(self._last_macs.get(ip, 0)),
            format_eth(mac),
        )
        self._last_macs[ip] = mac

    def _next_hop_mac(self, ip: int) -> int:
        """Return the Ethernet address that packets to a remote go to; 0 if unknown."""
        name = self._ofproto.name
        try:
            gateway, device = self.local.get_next_hop(ip)
        except NetdevError as error:
            _log.warn_rl(
                _limit, "%s: cannot find route for controller (%s): %s",
                *(name, _dotted(ip), error),
            )  # fmt: skip
            return 0
        gateway = gateway or ip
        try:
            return self.local.arp_lookup(device, gateway)
        except NetdevError as error:
            _log.dbg_rl(
                _limit, "%s: cannot look up remote MAC address (%s): %s",
                *(name, _dotted(gateway), error),
            )  # fmt: skip
            return 0

    # The flows.

    def _wanted(self) -> Iterator[tuple[Match, int]]:
        mac = self._local_mac
        if self._remotes and mac:
            yield (
                match_of(
                    in_port=OFPP_LOCAL,
                    eth_src=mac,
                    eth_type=_IP,
                    ip_proto=_UDP,
                    udp_src=_DHCP_CLIENT,
                    udp_dst=_DHCP_SERVER,
                ),
                _FROM_LOCAL_DHCP,
            )
            yield _arp_replies(_TO_LOCAL_ARP, eth_dst=mac)
            yield _arp_requests(_FROM_LOCAL_ARP, eth_src=mac)
        for mac in self._macs.values():
            if mac:
                yield _arp_replies(_TO_NEXT_HOP_ARP, eth_dst=mac)
                yield _arp_requests(_FROM_NEXT_HOP_ARP, eth_src=mac)
        for ip, port in self._remotes:
            yield _arp_replies(_TO_REMOTE_ARP, arp_tpa=ip)
            yield _arp_requests(_FROM_REMOTE_ARP, arp_spa=ip)
            tcp = match_of(eth_type=_IP, ip_proto=_TCP)
            for address, number, priority in (
                ("ip_dst", "tcp_dst", _TO_REMOTE_TCP),
                ("ip_src", "tcp_src", _FROM_REMOTE_TCP),
            ):
                match = tcp.with_field(FIELDS[address], ip)
                yield match.with_field(FIELDS[number], port), priority


def _arp_replies(priority: int, **values: int) -> tuple[Match, int]:
    return match_of(eth_type=_ARP, arp_op=_ARP_REPLY, **values), priority


def _arp_requests(priority: int, **values: int) -> tuple[Match, int]:
    return match_of(eth_type=_ARP, arp_op=_ARP_REQUEST, **values), priority


def _dotted(ip: int) -> str:
    return ".".join(map(str, ip.to_bytes(4, "big")))
