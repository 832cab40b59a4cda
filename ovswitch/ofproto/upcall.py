# SPDX-License-Identifier: Apache-2.0
"""Upcalls: packets that the datapath has no flow for, or was told to send up.

`UpcallHandler.handle()` takes a batch and does all datapath operations that follow in
one go: for a miss, the new flow and the packet's own actions. What a packet is for that
an action sent up says its cookie: the slow path (translate and execute here, every
time), or a controller.

Source: the reference's ofproto-dpif-upcall.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.datapath.dpif import DpifError, ufid
from ovswitch.datapath.families import OVS_PACKET_CMD_MISS
from ovswitch.datapath.odp import actions as odp
from ovswitch.datapath.odp import cookie as cookies
from ovswitch.datapath.odp.numbers import ODPP_NONE
from ovswitch.flow.layout import FLOW_MASK, SLOTS
from ovswitch.ofproto.backer_error import NoSwitchError
from ovswitch.ofproto.packet_in import PacketInEvent
from ovswitch.ofproto.ukey import Ukey
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate import pipeline, recirc
from ovswitch.ofproto.xlate.cache import FlowStats
from ovswitch.runtime import coverage, vlog

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ovswitch.datapath.dpif import Upcall
    from ovswitch.datapath.transport import Request
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.udpif import Udpif

_log = vlog.Module("ofproto_dpif_upcall")
_limit = vlog.RateLimit(1, 5)
_limit_reached = vlog.RateLimit(1, 5)
_flow_limit_hit = coverage.Counter("upcall_flow_limit_hit")

_TCP_FLAGS = SLOTS["tcp_flags"]
_NO_IN_PORT = h.without(h.IN_PORT.mask)


class UpcallHandler:
    """Turns upcalls into flows, executions and packet-ins."""

    __slots__ = ("_udpif",)

    def __init__(self, udpif: Udpif) -> None:
        self._udpif = udpif

    def handle(self, upcalls: Sequence[Upcall], now: int) -> None:
        """Handle a batch, in order."""
        ops: list[Request] = []
        puts: list[tuple[int, Ukey]] = []
        for upcall in upcalls:
            self._handle_one(upcall, now, ops, puts)
        if not ops:
            return
        udpif = self._udpif
        try:
            results = udpif.dpif.operate(ops)
        except DpifError as error:
            _log.warn_rl(_limit, "datapath operation failed (%s)", error.strerror)
            for _, ukey in puts:
                udpif.forget(ukey)
            return
        for index, ukey in puts:
            if results[index].errno:
                udpif.forget(ukey)

    def _handle_one(
        self,
        upcall: Upcall,
        now: int,
        ops: list[Request],
        puts: list[tuple[int, Ukey]],
    ) -> None:
        udpif = self._udpif
        try:
            flow = udpif.codec.to_flow(upcall.key)
        except ValueError:
            _log.warn_rl(_limit, "received packet with a flow key that makes no sense")
            return
        is_miss = upcall.type == OVS_PACKET_CMD_MISS
        cookie = None if is_miss else cookies.decode(upcall.userdata)
        if not is_miss and cookie is None:
            _log.warn_rl(
                _limit, "action upcall cookie has unexpected size %d",
                len(upcall.userdata),
            )  # fmt: skip
            return
        if cookie is not None and cookie.type == cookies.USER_ACTION_COOKIE_CONTROLLER:
            self._to_controller(upcall, flow, cookie)
            return
        if cookie is not None and cookie.type != cookies.USER_ACTION_COOKIE_SLOW_PATH:
            return  # samples: nothing is exported
        try:
            ofproto, in_port = udpif.backer.find_ofproto(flow)
        except NoSwitchError:
            self._drop_unknown(upcall, flow, now, ops, puts)
            return
        self._translate(upcall, flow, ofproto, in_port, now, ops, puts)

    def _drop_unknown(
        self,
        upcall: Upcall,
        flow: int,
        now: int,
        ops: list[Request],
        puts: list[tuple[int, Ukey]],
    ) -> None:
        """Let the datapath drop packets from a port that no switch has."""
        _log.info_rl(
            _limit,
            "received packet on unassociated datapath port %d",
            h.IN_PORT.get(flow),
        )
        if upcall.type == OVS_PACKET_CMD_MISS and h.IN_PORT.get(flow) != ODPP_NONE:
            wildcards = h.IN_PORT.mask | h.RECIRC_ID.mask | h.PACKET_TYPE.mask
            wildcards |= h.DL_TYPE.mask
            self._put(upcall.key, flow, wildcards, b"", [], now, ops, puts)

    def _translate(
        self,
        upcall: Upcall,
        flow: int,
        ofproto: Ofproto,
        in_port: int,
        now: int,
        ops: list[Request],
        puts: list[tuple[int, Ukey]],
    ) -> None:
        """Translate a packet, install its flow if it missed, and send it on."""
        udpif = self._udpif
        packet = upcall.packet
        of_flow = flow & _NO_IN_PORT | in_port << h.IN_PORT.shift
        tcp_flags = _TCP_FLAGS.get(flow)
        ctx = c.Context(ofproto, of_flow, now, packet=packet, tcp_flags=tcp_flags)
        pipeline.translate(ctx)
        if ctx.error in {c.RECURSION_TOO_DEEP, c.TOO_MANY_RESUBMITS}:
            _log_trace(ofproto, of_flow)
        is_miss = upcall.type == OVS_PACKET_CMD_MISS
        actions = odp.encode(ctx.odp)
        installed = False
        if is_miss:
            stats = FlowStats(1, upcall.size, now, tcp_flags)
            ctx.cache.push_stats(stats)
            if not ctx.avoid_caching and self._may_install(flow):
                put_actions = actions
                if ctx.slow:
                    put_actions = slow_path_action(ctx, flow, in_port)
                ukey = self._put(
                    upcall.key,
                    flow,
                    ctx.wildcards,
                    put_actions,
                    ctx.recircs,
                    now,
                    ops,
                    puts,
                )
                if ukey is not None:
                    ukey.cache = ctx.cache
                    ukey.version = udpif.backer.version
                    installed = True
        if actions:
            ops.append(udpif.dpif.execute(packet, upcall.key, actions))
        if not installed:
            udpif.backer.recirc.release(ctx.recircs, now)

    def _may_install(self, flow: int) -> bool:
        udpif = self._udpif
        if len(udpif.ukeys) < udpif.flow_limit:
            return True
        _flow_limit_hit.add()
        _log.warn_rl(
            _limit_reached,
            "upcall: datapath reached the dynamic limit of %u flows.",
            udpif.flow_limit,
        )
        return False

    def _put(
        self,
        key: bytes,
        flow: int,
        wildcards: int,
        actions: bytes,
        recircs: list[int],
        now: int,
        ops: list[Request],
        puts: list[tuple[int, Ukey]],
    ) -> Ukey | None:
        """Add the operation that installs a flow; None if it is there already."""
        udpif = self._udpif
        if udpif.megaflows_enabled:
            wildcards |= h.IN_PORT.mask
            mask = udpif.codec.from_mask(wildcards, flow)
        else:
            wildcards = FLOW_MASK
            mask = b""  # the datapath knows what an exact match is
        ukey = Ukey(ufid(key), key, mask, actions, flow, wildcards, now)
        if not udpif.install(ukey):
            return None
        ukey.recircs = list(recircs)
        recirc_id = h.RECIRC_ID.get(flow)
        if recirc_id and udpif.backer.recirc.ref(recirc_id):
            ukey.recircs.append(recirc_id)
        puts.append((len(ops), ukey))
        ops.append(udpif.dpif.flow_put(key, mask or None, actions, ukey.ufid))
        return ukey

    def _to_controller(self, upcall: Upcall, flow: int, cookie: cookies.Cookie) -> None:
        """Bring a packet to the controllers that a `userspace()` action named."""
        backer = self._udpif.backer
        reason, dont_send, continuation, recirc_id, rule_cookie, controller_id, _ = (
            cookie.values
        )
        ofproto = backer.find_by_uuid(cookie.ofproto_uuid)
        state = backer.recirc.find(recirc_id)
        if dont_send or ofproto is None or state is None:
            return
        odp_port = h.IN_PORT.get(flow)
        # The packet may have been changed since; what the pipeline knew is in the
        # state.
        if not state.conntracked:
            flow = recirc.forget_connection(flow)
        flow = flow & h.without(recirc.METADATA_MASK) | state.metadata
        ofproto.packet_in(
            PacketInEvent(
                upcall.packet,
                flow,
                reason=reason,
                table_id=state.table_id,
                cookie=rule_cookie,
                controller_id=controller_id,
                userdata=state.userdata,
                state=state if continuation else None,
                odp_port=odp_port,
            )
        )


def slow_path_action(ctx: c.Context, flow: int, in_port: int) -> bytes:
    """Return the action of flows whose packets are all executed here."""
    pid = ctx.ofproto.backer.upcall_pid()
    userdata = cookies.slow_path(ctx.slow, in_port, ctx.ofproto.uuid)
    return odp.userspace(pid, userdata)


def _log_trace(ofproto: Ofproto, flow: int) -> None:
    """Log how a packet got lost in the tables, rarely: it is long."""
    if _log.should_drop(_trace_limit, vlog.WARN):
        return
    from ovswitch.ofproto.trace import Request, trace

    request = Request()
    request.ofproto = ofproto
    request.flow = flow
    _log.warn("%s", trace(request))


_trace_limit = vlog.RateLimit(1, 1)
