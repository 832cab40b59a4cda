# SPDX-License-Identifier: Apache-2.0
"""What drives the datapaths on the event loop: upcalls, and timers that are due.

Upcalls are taken in bounded batches, so that connections and the database get their
turn between two of them. One task runs every backer whose deadline has come, or that
somebody has `kick`ed after changing what packets may do. While a bundle is being
committed its datapath's upcalls and timers wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from ovswitch.bridge.config import get_int
from ovswitch.bridge.datapaths import Datapath, Datapaths
from ovswitch.datapath.dpif import DpifError
from ovswitch.datapath.transport import TransportError
from ovswitch.ofproto.bundles import DEFAULT_IDLE_TIMEOUT_MS
from ovswitch.runtime import clock, loop, vlog

_log = vlog.Module("ofproto_dpif_upcall")

_BATCH = 64
_IDLE_MS = 60_000  # how long to sleep when nothing is due
_BURST_MS = 10  # how long to wait for more of what kicks

# The defaults of Open_vSwitch's `other_config`.
FLOW_LIMIT = 200_000
MAX_IDLE_MS = 10_000
MAX_REVALIDATOR_MS = 500
MIN_REVALIDATE_PPS = 5


class Engine:
    """Runs the open datapaths.

    Args:
        datapaths: which.
        on_lost: called with a datapath's type when its process is gone.
    """

    def __init__(self, datapaths: Datapaths, on_lost: Callable[[str], None]) -> None:
        self._datapaths = datapaths
        self._on_lost = on_lost
        self._watched: dict[str, int] = {}  # type -> descriptor
        self._held: list[Datapath] = []  # whose upcalls wait for a commit's end
        self._kicked = asyncio.Event()
        self._tasks = loop.Group("engine")

    def watch(self, datapath: Datapath) -> None:
        """Begin to run a datapath; once more does nothing."""
        if datapath.type in self._watched:
            return
        if not len(self._tasks):
            self._tasks.spawn("engine", self._run())
        descriptor = datapath.dpif.fileno()
        self._watched[datapath.type] = descriptor
        asyncio.get_running_loop().add_reader(descriptor, self._on_upcalls, datapath)

    def forget(self, datapath: Datapath) -> None:
        """Stop running a datapath."""
        descriptor = self._watched.pop(datapath.type, None)
        if descriptor is not None:
            asyncio.get_running_loop().remove_reader(descriptor)

    def stop(self) -> None:
        """Stop running all datapaths."""
        for datapath in self._datapaths.open.values():
            self.forget(datapath)
        self._tasks.cancel()

    def kick(self) -> None:
        """Run the backers as soon as everything else that is ready has had its turn."""
        self._kicked.set()

    def configure(self, other_config: Mapping[str, str]) -> None:
        """Give open datapaths the settings of Open_vSwitch's `other_config`."""
        values = dict(other_config)
        seconds = get_int(values, "bundle-idle-timeout", 0)
        bundle_idle_timeout = seconds * 1000 or DEFAULT_IDLE_TIMEOUT_MS
        for datapath in self._datapaths.open.values():
            for ofproto in datapath.backer.ofprotos.values():
                ofproto.connmgr.bundle_idle_timeout = bundle_idle_timeout
            udpif = datapath.backer.udpif
            udpif.max_flow_limit = get_int(values, "flow-limit", FLOW_LIMIT)
            udpif.max_idle = max(get_int(values, "max-idle", MAX_IDLE_MS), 500)
            udpif.max_revalidator = max(
                get_int(values, "max-revalidator", MAX_REVALIDATOR_MS), 100
            )
            udpif.min_revalidate_pps = get_int(
                values, "min-revalidate-pps", MIN_REVALIDATE_PPS
            )

    async def wait_for_commits(self) -> None:
        """Wait until no bundle is being committed."""
        while any(d.backer.n_commits for d in self._datapaths.open.values()):
            await loop.yield_now()

    def _hold(self, datapath: Datapath) -> None:
        """Take no upcalls until commits are over, of which a kick tells."""
        descriptor = self._watched[datapath.type]
        asyncio.get_running_loop().remove_reader(descriptor)
        self._held.append(datapath)

    def _release(self) -> None:
        """Take upcalls again from datapaths whose commits are over."""
        held, self._held = self._held, []
        for datapath in held:
            descriptor = self._watched.get(datapath.type)
            if descriptor is None:
                continue
            if datapath.backer.n_commits:
                self._held.append(datapath)
            else:
                event_loop = asyncio.get_running_loop()
                event_loop.add_reader(descriptor, self._on_upcalls, datapath)

    def _on_upcalls(self, datapath: Datapath) -> None:
        if datapath.backer.n_commits:
            self._hold(datapath)
            return
        try:
            upcalls = datapath.dpif.recv_upcalls(_BATCH)
            if upcalls:
                datapath.backer.udpif.receive(upcalls)
        except (DpifError, TransportError) as error:
            self._lose(datapath, error)
            return
        deadline = datapath.backer.deadline()
        if deadline is not None and deadline <= clock.now():
            self.kick()

    def _lose(self, datapath: Datapath, error: OSError) -> None:
        _log.err("%s: datapath is gone (%s)", datapath.dpif.full_name, error.strerror)
        self.forget(datapath)
        self._on_lost(datapath.type)

    async def _run(self) -> None:
        while True:
            self._release()
            for datapath in list(self._datapaths.open.values()):
                if datapath.backer.n_commits:
                    continue
                try:
                    datapath.backer.run(clock.now())
                except (DpifError, TransportError) as error:
                    self._lose(datapath, error)
            try:
                async with asyncio.timeout(self._pause() / 1000):
                    await self._kicked.wait()
            except TimeoutError:
                pass
            await self._rest()
            self._kicked.clear()

    async def _rest(self) -> None:
        """Let a burst of changes pass before running again."""
        if clock.is_stopped():
            await loop.yield_now()  # the clock's timers would never ring
        else:
            await loop.sleep(_BURST_MS)

    def _pause(self) -> int:
        """Return for how many ms nothing is due."""
        now = clock.now()
        deadlines = [
            d.backer.deadline()
            for d in self._datapaths.open.values()
            if not d.backer.n_commits
        ]
        due = min((d for d in deadlines if d is not None), default=now + _IDLE_MS)
        return max(due - now, 1)
