# SPDX-License-Identifier: Apache-2.0
"""Statistics of flows: each one's, and all together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ofproto.flow_mod import FlowMod
from ovswitch.ofproto.ticks import age, duration
from ovswitch.openflow import protocol as protocols
from ovswitch.openflow.messages.flow_stats import (
    AggregateStatsReply,
    FlowStats,
    FlowStatsReply,
    FlowStatsRequest,
)
from ovswitch.openflow.version import OF10

if TYPE_CHECKING:
    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.requests.request import Request
    from ovswitch.ofproto.rule import Rule


def _select(ofconn: Ofconn, request: Request) -> list[Rule]:
    """Return the rules that a request is about."""
    message = request.decode()
    assert isinstance(message, FlowStatsRequest)
    criteria = FlowMod(
        match=message.match,
        table_id=message.table_id,
        cookie=message.cookie,
        cookie_mask=message.cookie_mask,
        out_port=message.out_port,
        out_group=message.out_group,
    )
    return ofconn.ofproto.tables.select(criteria)


def _flow_stats(ofconn: Ofconn, request: Request) -> None:
    rules = _select(ofconn, request)
    form = request.stats_form
    version = ofconn.version
    clock = ofconn.ofproto.clock
    wire_form = form or request.header.raw.form
    entries = (stats_of(rule, clock()).encode(wire_form, version) for rule in rules)
    ofconn.reply_entries(FlowStatsReply.type, form, request.xid, entries)


def stats_of(rule: Rule, now: int) -> FlowStats:
    """Return a rule's statistics."""
    stats = FlowStats(
        rule.match, rule.priority, rule.table_id, rule.actions, rule.cookie
    )
    stats.idle_timeout = rule.idle_timeout
    stats.hard_timeout = rule.hard_timeout
    stats.importance = rule.importance
    stats.flags = rule.flags
    stats.duration_sec, stats.duration_nsec = duration(rule.created, now)
    stats.idle_age = age(rule.used, now)
    stats.hard_age = age(rule.modified, now)
    stats.packet_count = rule.n_packets
    stats.byte_count = rule.n_bytes
    return stats


def _aggregate_stats(ofconn: Ofconn, request: Request) -> None:
    rules = _select(ofconn, request)
    reply = AggregateStatsReply(
        sum(rule.n_packets for rule in rules),
        sum(rule.n_bytes for rule in rules),
        len(rules),
    )
    protocol = ofconn.protocol
    if ofconn.version == OF10:
        # The answer has the question's form, whatever flows have.
        is_nxm = bool(request.stats_form)
        protocol = protocols.OF10_NXM if is_nxm else protocols.OF10_STD
    ofconn.send(reply.encode(protocol, request.xid))


HANDLERS = {
    "FLOW_STATS_REQUEST": _flow_stats,
    "AGGREGATE_STATS_REQUEST": _aggregate_stats,
}
