# SPDX-License-Identifier: Apache-2.0
"""The revalidator: keeps the datapath's flows right, and the rules' counters.

It dumps all flows now and then, more often when something changed. Each flow's new
packets are credited to what its translation used. A flow is deleted when it has been
idle too long, or when a new translation says that it is wrong; if only its actions
differ they are changed in place. A flow that is found in the datapath but not here was
left by a former process, and is adopted if its translation agrees.

The work is done in slices of SLICE flows, so that upcalls don't wait. The time of a
whole dump sets the flow limit: as many flows as can be looked at in about a second.

Source: the reference's ofproto-dpif-upcall.c, revalidate().
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.datapath.dpif import DpifError
from ovswitch.datapath.odp import actions as odp
from ovswitch.flow.layout import SLOTS
from ovswitch.ofproto.backer_error import NoSwitchError
from ovswitch.ofproto.ukey import Ukey
from ovswitch.ofproto.upcall import slow_path_action
from ovswitch.ofproto.xlate import context as c
from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate import pipeline
from ovswitch.ofproto.xlate.cache import FlowStats
from ovswitch.runtime import vlog

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ovswitch.datapath.dpif import Flow
    from ovswitch.datapath.transport import Request
    from ovswitch.ofproto.udpif import Udpif

_log = vlog.Module("ofproto_dpif_upcall")
_limit = vlog.RateLimit(1, 1)

SLICE = 200
_SOON_MS = 5  # between the starts of two dumps
_CROWDED_IDLE_MS = 100
_MISSED_DUMPS = 2

_NO_IN_PORT = h.without(h.IN_PORT.mask)
_TCP_FLAGS = SLOTS["tcp_flags"]

KEEP, MODIFY, DELETE = range(3)


class Revalidator:
    """Dumps flows and checks them, a slice at a time."""

    __slots__ = (
        "_clock_ahead", "_dump", "_dump_seq", "_n_dumped", "_purge", "_started",
        "_udpif", "_version",
    )  # fmt: skip

    def __init__(self, udpif: Udpif) -> None:
        self._udpif = udpif
        self._dump: Iterator[Flow] | None = None
        self._dump_seq = 0
        self._n_dumped = 0
        self._started = -(1 << 40)
        self._version = -1
        self._clock_ahead = 0
        self._purge = False

    def deadline(self) -> int:
        """Return when `run()` has something to do, in ms."""
        if self._dump is not None:
            return 0
        udpif = self._udpif
        if udpif.backer.version != self._version:
            return self._started + _SOON_MS
        return self._started + min(udpif.max_idle, udpif.max_revalidator)

    def run(self, now: int) -> None:
        """Look at a slice of the flows, if it is time."""
        if self._dump is None:
            if now < self.deadline():
                return
            if not self._start(now):
                return
        self._slice(now, SLICE)

    def complete(self, now: int, *, purge: bool = False) -> None:
        """Look at all flows; with `purge` delete them."""
        self._drain(now)
        self._purge = purge
        if self._start(now):
            self._drain(now)
        self._purge = False

    def _drain(self, now: int) -> None:
        while self._dump is not None:
            self._slice(now, SLICE)

    def _start(self, now: int) -> bool:
        """Begin a dump."""
        udpif = self._udpif
        self._started = now
        self._version = udpif.backer.version
        udpif.backer.revalidate_reasons.clear()
        self._dump_seq += 1
        self._n_dumped = 0
        n_flows = len(udpif.ukeys)
        udpif.max_n_flows = max(n_flows, udpif.max_n_flows)
        udpif.avg_n_flows = (udpif.avg_n_flows + n_flows) // 2
        terse = udpif.terse_dumps and udpif.backer.support.ufid
        self._clock_ahead = now - udpif.dpif.transport.now()
        try:
            self._dump = iter(udpif.dpif.flow_dump(terse=terse))
        except DpifError:
            return False
        return True

    def _slice(self, now: int, size: int) -> None:
        dump = self._dump
        assert dump is not None
        ops: list[Request] = []
        modified: list[Ukey] = []
        deleted: list[Ukey] = []
        try:
            for _ in range(size):
                flow = next(dump, None)
                if flow is None:
                    self._dump = None
                    break
                self._n_dumped += 1
                self._look(flow, now, ops, modified, deleted)
            if deleted or ops:
                self._carry_out(ops, deleted)
        except DpifError as error:
            _log.warn_rl(_limit, "flow dump failed (%s)", error.strerror)
            self._dump = None
        if self._dump is None:
            self._finish(now)

    def _look(
        self,
        dumped: Flow,
        now: int,
        ops: list[Request],
        modified: list[Ukey],
        deleted: list[Ukey],
    ) -> None:
        """Decide what becomes of one flow."""
        udpif = self._udpif
        ukey = udpif.ukeys.get(dumped.ufid or b"")
        if ukey is None:
            ukey = self._adopt(dumped, now)
            if ukey is None:
                ops.append(udpif.dpif.flow_del(dumped.key, dumped.ufid))
                return
        if ukey.dump_seq == self._dump_seq:
            return  # the datapath's dump may show a flow twice
        ukey.dump_seq = self._dump_seq
        used = dumped.used + self._clock_ahead if dumped.used else ukey.created
        n_flows = len(udpif.ukeys)
        max_idle = _CROWDED_IDLE_MS if n_flows > udpif.flow_limit else udpif.max_idle
        kill = self._purge or n_flows > 2 * udpif.flow_limit
        if kill or used < now - max_idle:
            deleted.append(ukey)
            return
        verdict, actions = self._revalidate(ukey, dumped, used, now)
        if verdict == DELETE:
            deleted.append(ukey)
        elif verdict == MODIFY:
            ukey.actions = actions
            ops.append(
                udpif.dpif.flow_put(
                    ukey.key,
                    ukey.mask or None,
                    actions,
                    ukey.ufid,
                    create=False,
                    modify=True,
                )
            )

    def _adopt(self, dumped: Flow, now: int) -> Ukey | None:
        """Return a ukey for a flow that a former process left, if that can be read."""
        udpif = self._udpif
        full = dumped
        try:
            if not full.key or not full.mask:
                full = udpif.dpif.flow_get(b"", dumped.ufid)
            flow = udpif.codec.to_flow(full.key)
            wildcards = udpif.codec.to_mask(full.mask, flow)
        except (DpifError, ValueError):
            return None
        if full.ufid is None:
            return None
        ukey = Ukey(full.ufid, full.key, full.mask, full.actions, flow, wildcards, now)
        recirc_id = h.RECIRC_ID.get(flow)
        if recirc_id:
            if not udpif.backer.recirc.ref(recirc_id):
                return None  # the state behind the id died with that process
            ukey.recircs.append(recirc_id)
        # Its counts so far were credited by whoever installed it.
        ukey.n_packets, ukey.n_bytes = full.n_packets, full.n_bytes
        udpif.install(ukey)
        return ukey

    def _revalidate(
        self, ukey: Ukey, dumped: Flow, used: int, now: int
    ) -> tuple[int, bytes]:
        """Return (verdict, actions) for a flow, and credit its new packets."""
        udpif = self._udpif
        push = FlowStats(
            max(dumped.n_packets - ukey.n_packets, 0),
            max(dumped.n_bytes - ukey.n_bytes, 0),
            used,
            dumped.tcp_flags,
        )
        verdict, actions = KEEP, ukey.actions
        if ukey.version != udpif.backer.version or ukey.cache is None:
            if not self._is_worth_it(push, ukey, now):
                return DELETE, b""
            version = udpif.backer.version
            verdict, actions = self._translate(ukey, dumped, now)
            if verdict != DELETE:
                ukey.version = version
        if verdict != DELETE:
            self._credit(ukey, dumped, push)
        return verdict, actions

    def _is_worth_it(self, push: FlowStats, ukey: Ukey, now: int) -> bool:
        """Return whether a flow has packets enough to be translated again."""
        udpif = self._udpif
        if not ukey.used or udpif.dump_duration < udpif.max_revalidator // 2:
            return True
        gap = max(now - ukey.used, 0) // max(push.n_packets, 1)
        return gap < 1000 // udpif.min_revalidate_pps

    def _credit(self, ukey: Ukey, dumped: Flow, push: FlowStats) -> None:
        ukey.n_packets, ukey.n_bytes = dumped.n_packets, dumped.n_bytes
        ukey.tcp_flags |= dumped.tcp_flags
        ukey.used = push.used
        if push.n_packets and ukey.cache is not None:
            ukey.cache.push_stats(push)
            ukey.cache.push_learning()

    def _translate(self, ukey: Ukey, dumped: Flow, now: int) -> tuple[int, bytes]:
        """Translate a flow anew; return what is to be done and its actions."""
        udpif = self._udpif
        backer = udpif.backer
        flow = ukey.flow
        try:
            ofproto, in_port = backer.find_ofproto(flow)
        except NoSwitchError:
            return DELETE, b""
        of_flow = flow & _NO_IN_PORT | in_port << h.IN_PORT.shift
        ctx = c.Context(ofproto, of_flow, now, tcp_flags=dumped.tcp_flags)
        pipeline.translate(ctx)
        actions = odp.encode(ctx.odp)
        if ctx.slow:
            actions = slow_path_action(ctx, flow, in_port)
        wanted = ctx.wildcards | h.IN_PORT.mask
        if ctx.avoid_caching or wanted & ~ukey.wildcards:
            backer.recirc.release(ctx.recircs, now)
            return DELETE, b""
        # New references first: the old may be to the same ids.
        old, ukey.recircs = ukey.recircs, list(ctx.recircs)
        recirc_id = h.RECIRC_ID.get(flow)
        if recirc_id and backer.recirc.ref(recirc_id):
            ukey.recircs.append(recirc_id)
        backer.recirc.release(old, now)
        ukey.cache = ctx.cache
        return (KEEP if actions == ukey.actions else MODIFY), actions

    def _carry_out(self, ops: list[Request], deleted: list[Ukey]) -> None:
        """Do what was decided, and credit the last packets of deleted flows."""
        udpif = self._udpif
        deletions = [
            udpif.dpif.flow_del(ukey.key, ukey.ufid, echo=True) for ukey in deleted
        ]
        results = udpif.dpif.operate(deletions + ops)
        for ukey, result in zip(deleted, results, strict=False):
            last = result.flow
            if last is not None:
                used = last.used + self._clock_ahead if last.used else ukey.used
                push = FlowStats(
                    max(last.n_packets - ukey.n_packets, 0),
                    max(last.n_bytes - ukey.n_bytes, 0),
                    used,
                    last.tcp_flags,
                )
                self._credit(ukey, last, push)
            udpif.forget(ukey)

    def _finish(self, now: int) -> None:
        """After a whole dump: drop what it no longer had, and set the limit."""
        udpif = self._udpif
        for ukey in list(udpif.ukeys.values()):
            if self._dump_seq - ukey.dump_seq >= _MISSED_DUMPS and ukey.dump_seq:
                udpif.forget(ukey)
            elif not ukey.dump_seq:
                ukey.dump_seq = self._dump_seq  # installed during the dump
        duration = max(udpif.backer.clock() - self._started, 1)
        udpif.dump_duration = duration
        udpif.flow_limit = _next_limit(udpif.flow_limit, self._n_dumped, duration)
        udpif.flow_limit = min(udpif.max_flow_limit, max(udpif.flow_limit, 1000))
        if duration > 2000:
            _log.info("Spent an unreasonably long %dms dumping flows", duration)


def _next_limit(limit: int, n_flows: int, duration: int) -> int:
    """Return the flow limit after a dump of `n_flows` took `duration` ms."""
    if duration > 2000:
        return limit // (duration // 1000)
    if duration > 1300:
        return limit * 3 // 4
    if duration < 1000 and limit < n_flows * 1000 // duration:
        return limit + 1000
    return limit
