# SPDX-License-Identifier: Apache-2.0
"""dump-flows, dump-aggregate: which flows there are and how busy they were."""

from __future__ import annotations

import sys

from ovswitch.flow import access, prereqs
from ovswitch.openflow.messages import flow_stats
from ovswitch.openflow.parse.flow import parse_flow_request
from ovswitch.runtime import fatal
from ovswitch.tools.ofctl import names
from ovswitch.tools.ofctl.connection import (
    Connection,
    dump,
    encode_message,
    open_switch,
)
from ovswitch.tools.ofctl.protocol import set_for_dump
from ovswitch.tools.ofctl.settings import settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.fields import Field
    from ovswitch.flow.match import Match
    from ovswitch.openflow.messages.flow_stats import FlowStats

EPROTO = 71


def _prepare(words: list[str], aggregate: bool) -> tuple[Connection, bytes]:
    """Connect and agree on a protocol; return the request too."""
    text = words[2] if len(words) > 2 else ""
    accepted = names.names_to_accept(words[1]) if text else None
    try:
        flow, usable = parse_flow_request(text, accepted)
    except ValueError as error:
        names.insist(words[1])
        fatal.die(str(error))
    kind = (
        flow_stats.AggregateStatsRequest if aggregate else flow_stats.FlowStatsRequest
    )
    request = kind(
        flow.match,
        flow.table_id,
        flow.out_port,
        flow.out_group,
        flow.cookie,
        flow.cookie_mask,
    )
    connection = open_switch(words[1])
    protocol = set_for_dump(connection, usable)
    return connection, encode_message(request, protocol)


def dump_aggregate(words: list[str]) -> None:
    """dump-aggregate SWITCH [FLOW]."""
    connection, request = _prepare(words, aggregate=True)
    dump(connection, request)
    connection.close()


def dump_flows(words: list[str]) -> None:
    """dump-flows SWITCH [FLOW]."""
    connection, request = _prepare(words, aggregate=False)
    if not settings.criteria and not settings.show_names and settings.stats:
        dump(connection, request)
        connection.close()
        return
    flows = read_flows(connection, request)
    _sort(flows)
    shown = names.names_to_show(words[1])
    from ovswitch.openflow.text import Out
    from ovswitch.openflow.text.flow import format_flow_stats

    out = Out(settings.verbosity + 1, shown)
    for flow in flows:
        text = format_flow_stats(out, flow, settings.stats)
        sys.stdout.write(f" {text}\n")
    connection.close()


def read_flows(connection: Connection, request: bytes) -> list[FlowStats]:
    """Return the flows that a request asks for; die if they can't be understood."""
    from ovswitch.openflow import codec
    from ovswitch.openflow.errors import OpenFlowError
    from ovswitch.openflow.messages.base import Context
    from ovswitch.openflow.text import format_message
    from ovswitch.runtime import vlog

    flows: list[FlowStats] = []
    log = vlog.Module("vconn")
    context = Context(flow_age=False)  # ages aren't for what comes of this
    for reply in connection.replies(request):
        try:
            message = codec.decode(reply, context)
        except OpenFlowError as error:
            log.warn("parse error in reply (%s)", error.name)
            fatal.die("dump flows", error=EPROTO)
        if not isinstance(message, flow_stats.FlowStatsReply):
            log.warn("received bad reply: %s", format_message(reply, 1))
            fatal.die("dump flows", error=EPROTO)
        flows += message.flows
    return flows


def request_all(protocol: int) -> bytes:
    """Return a request for all flows."""
    return encode_message(flow_stats.FlowStatsRequest(), protocol)


def _is_matched(field: Field, match: Match) -> bool:
    if not prereqs.holds(field, match.value):
        return False
    _, mask = access.get_match(field, match)
    return bool(mask)


def _sort(flows: list[FlowStats]) -> None:
    """Sort as asked for; flows without a field come after those with it."""
    for field, falling in reversed(settings.criteria):
        if field is None:
            flows.sort(key=lambda flow: flow.priority, reverse=falling)
            continue
        having, lacking = [], []
        for flow in flows:
            if _is_matched(field, flow.match):
                having.append((access.get_match(field, flow.match)[0], flow))
            else:
                lacking.append(flow)
        having.sort(key=lambda pair: pair[0], reverse=falling)
        flows[:] = [flow for _, flow in having] + lacking
