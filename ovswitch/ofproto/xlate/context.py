# SPDX-License-Identifier: Apache-2.0
"""The state of one translation: a flow on its way through the pipeline.

`flow` is the packet as the pipeline sees it now; `base_flow` is the packet as the
datapath would have it after the actions in `odp`. Actions change only `flow`; when the
packet is output, `commit` writes the difference as datapath actions. `wildcards`
collects every bit of the original packet that mattered.

A translation may *freeze*: stop here, and go on when the packet comes back from the
datapath or a controller (see `recirc`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate.cache import XlateCache
from ovswitch.runtime import vlog

if TYPE_CHECKING:
    from ovswitch.flow.names import Names
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.port import Port
    from ovswitch.ofproto.rule import Rule
    from ovswitch.ofproto.xlate.recirc import FrozenState
    from ovswitch.openflow.actions.types import Action, Controller

_log = vlog.Module("ofproto_dpif_xlate")
_error_limit = vlog.RateLimit(1, 5)
_info_limit = vlog.RateLimit(1, 5)
_debug_limit = vlog.RateLimit(30, 300)

MAX_DEPTH = 64
MAX_RESUBMITS = 4096
MAX_ACTIONS_SIZE = 0xFFFF
MAX_STACK_SIZE = 65536

#: Why a translation failed; also the reason in the datapath's drop action.
(
    OK,
    BRIDGE_NOT_FOUND,
    RECURSION_TOO_DEEP,
    TOO_MANY_RESUBMITS,
    STACK_TOO_DEEP,
    NO_RECIRCULATION_CONTEXT,
    RECIRCULATION_CONFLICT,
    TOO_MANY_MPLS_LABELS,
    INVALID_TUNNEL_METADATA,
    UNSUPPORTED_PACKET_TYPE,
    CONGESTION_DROP,
    FORWARDING_DISABLED,
) = range(12)

ERROR_TEXTS = (
    "OK",
    "Bridge not found",
    "Recursion too deep",
    "Too many resubmits",
    "Stack too deep",
    "No recirculation context",
    "Recirculation conflict",
    "Too many MPLS labels",
    "Invalid tunnel metadata",
    "Unsupported packet type",
    "Congestion Drop",
    "Forwarding is disabled",
)

#: The kinds of lines in a trace.
BRIDGE, TABLE, BUCKET, THAW, ACTION, DETAIL, WARN, ERROR = range(8)

#: Where a packet went, for NetFlow: nowhere, everywhere, to several ports.
NF_OUT_DROP, NF_OUT_FLOOD, NF_OUT_MULTI = 0, -1, -2

NO_COOKIE = 0xFFFFFFFFFFFFFFFF
OFPP_UNSET = 0xFFF7


class TraceNode:
    """A line of a trace, and the lines below it."""

    __slots__ = ("kind", "subs", "text")

    def __init__(self, kind: int, text: str) -> None:
        self.kind = kind
        self.text = text
        self.subs: list[TraceNode] = []


class Context:
    """The state of one translation.

    Attributes:
        ofproto: whose flow table the packet came to; `bridge` is where it is now.
        upcall_flow: the flow as it came, with the OpenFlow in_port.
        packet: its octets; None when there is but a flow to translate.
        side_effects: whether this packet teaches: addresses, flows.
        now: in ms of monotonic time.
        trace: where the next lines of the trace go; None if nobody reads it.
        names: names of ports for the trace.
        rule, table_id, rule_cookie: whose actions are being executed.
        last: whether the action being executed is the last of all.
        odp: datapath actions so far, encoded one by one.
        stack: what `push` pushed, as (value, bits) pairs.
        action_set: OpenFlow 1.1's, in the order it was written.
        frozen_actions: what is left to do after a freeze.
        pause: the controller action that froze the translation.
        mirrors: those that have got the packet, as bits.
        conntracked: whether the datapath's connection tracking fields count.
        slow: SLOW_* reasons why packets of this flow must come to userspace.
        recircs: recirculation ids that the actions refer to.
        forks: packets that a trace has to follow after recirculation.
    """

    __slots__ = (
        "action_set", "action_set_has_group", "avoid_caching", "base_flow", "bridge",
        "cache", "conntracked", "ct_nat_action", "depth", "error", "exit", "flow",
        "forks", "freezing", "frozen_actions", "frozen_state", "frozen_unroll",
        "hash_before_recirc", "in_action_set", "in_packet_out", "last",
        "mirror_snaplen", "mirrors", "names", "nf_output_iface", "now", "odp",
        "ofproto", "orig_skb_priority", "packet", "pause", "pending_decap",
        "pending_encap", "recircs", "resubmits", "rule", "rule_cookie",
        "side_effects", "slow", "stack", "table_id", "tcp_flags", "trace",
        "upcall_flow", "was_mpls", "wildcards", "xport",
    )  # fmt: skip

    def __init__(
        self,
        ofproto: Ofproto,
        flow: int,
        now: int,
        *,
        packet: bytes | None = None,
        trace: list[TraceNode] | None = None,
        tcp_flags: int = 0,
    ) -> None:
        self.ofproto = ofproto
        self.bridge = ofproto
        self.upcall_flow = flow
        self.flow = flow | OFPP_UNSET << h.ACTSET_OUTPUT.shift
        self.base_flow = flow
        self.now = now
        self.packet = packet
        self.side_effects = packet is not None
        self.trace = trace
        self.tcp_flags = tcp_flags
        self.names: Names | None = None
        self.wildcards = 0
        self.cache = XlateCache()
        self.rule: Rule | None = None
        self.table_id = 0
        self.rule_cookie = NO_COOKIE
        self.xport: Port | None = None
        self.depth = 0
        self.resubmits = 0
        self.last = False
        self.odp: list[bytes] = []
        self.stack: list[tuple[int, int]] = []
        self.action_set: list[Action] = []
        self.action_set_has_group = False
        self.in_action_set = False
        self.in_packet_out = False
        self.orig_skb_priority = h.SKB_PRIORITY.get(flow)
        self.nf_output_iface = NF_OUT_DROP
        self.exit = False
        self.error = OK
        self.mirrors = 0
        self.mirror_snaplen = 0
        self.frozen_state: FrozenState | None = None
        self.freezing = False
        self.frozen_actions: list[Action] = []
        self.frozen_unroll: tuple[int, int] | None = None
        self.hash_before_recirc: tuple[int, int] | None = None
        self.pause: Controller | None = None
        self.was_mpls = False
        self.conntracked = False
        self.ct_nat_action: Action | None = None
        self.pending_encap = False
        self.pending_decap = False
        self.slow = 0
        self.recircs: list[int] = []
        self.avoid_caching = False
        self.forks: list[tuple[int, int, int, Action | None]] | None = None

    # Reports: lines of a trace or, for what an operator should know, of the log.

    def report(self, kind: int, text: str) -> list[TraceNode] | None:
        """Add a line to the trace, if there is one; return where its lines go."""
        if self.trace is None:
            return None
        node = TraceNode(kind, text)
        self.trace.append(node)
        return node.subs

    def report_error(self, text: str) -> None:
        """Tell the trace, or else warn of what a real packet met with."""
        if self.trace is not None:
            self.report(ERROR, text)
        elif self.packet is not None:
            _log.warn_rl(_error_limit, "%s%s", text, _Where(self))

    def report_info(self, text: str) -> None:
        """Tell the trace, or else the log at level "info"."""
        if self.trace is not None:
            self.report(WARN, text)
        elif self.packet is not None:
            _log.info_rl(_info_limit, "%s%s", text, _Where(self))

    def report_debug(self, kind: int, text: str) -> None:
        """Tell the trace, or else the log at level "debug"."""
        if self.trace is not None:
            self.report(kind, text)
        elif self.packet is not None:
            _log.dbg_rl(_debug_limit, "bridge %s: %s", self.bridge.name, text)

    # Freezing.

    def trigger_freeze(self) -> None:
        """Stop here; what is left of the actions goes on after a recirculation."""
        self.exit = True
        self.freezing = True

    def cancel_freeze(self) -> None:
        """Undo what freezing did, but for `exit`."""
        if self.freezing:
            self.freezing = False
            self.hash_before_recirc = None
            self.frozen_actions = []
            self.frozen_unroll = None
            self.pause = None


class _Where:
    """Where a translation is, written out only when a log line is."""

    __slots__ = ("_ctx",)

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    def __str__(self) -> str:
        from ovswitch.flow import text

        flow = text.format_flow(self._ctx.base_flow)
        return f" on bridge {self._ctx.bridge.name} while processing {flow}"
