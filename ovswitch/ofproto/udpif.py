# SPDX-License-Identifier: Apache-2.0
"""The traffic between switches and their datapath: misses up, flows down.

A packet that the datapath has no flow for comes up; the pipeline translates it
(`upcall`), the flow is installed and the packet sent on its way. The `revalidator`
reads the flows' counters, credits them to the rules, and takes out what is idle or no
longer right.

`Udpif` holds what both share and is what shells drive:

    udpif.receive(dpif.recv_upcalls())    when the datapath's descriptor is readable
    udpif.run(now)                        at deadline(); does a slice of work at a time

Bounds: at most `flow_limit` flows in the datapath; that limit moves with how long a
dump takes. One `run()` looks at SLICE flows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ovswitch.datapath.odp import key_decode, key_encode
from ovswitch.datapath.odp.numbers import ODPP_NONE
from ovswitch.ofproto.revalidator import Revalidator
from ovswitch.ofproto.upcall import UpcallHandler
from ovswitch.ofproto.xlate import headers as h

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ovswitch.datapath.dpif import Dpif, Upcall
    from ovswitch.datapath.transport import Request
    from ovswitch.ofproto.backer import Backer
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.ukey import Ukey

DEFAULT_FLOW_LIMIT = 200_000
DEFAULT_MAX_IDLE_MS = 10_000
DEFAULT_MAX_REVALIDATOR_MS = 500
DEFAULT_MIN_REVALIDATE_PPS = 5
_INITIAL_LIMIT = 10_000


class Codec(Protocol):
    """Keys and masks between attributes and integers."""

    def to_flow(self, key: bytes) -> int:
        """Return the flow of a key. Raises: ValueError: it is malformed."""

    def to_mask(self, mask: bytes, flow: int) -> int:
        """Return the mask that goes with a flow. Raises: ValueError."""

    def from_flow(self, flow: int) -> bytes:
        """Return a flow's key."""

    def from_mask(self, mask: int, flow: int) -> bytes:
        """Return a mask's attributes, which go with `flow`."""


class PlainCodec:
    """The codec in Python."""

    def to_flow(self, key: bytes) -> int:
        """Return the flow of a key. Raises: ValueError: it is malformed."""
        return key_decode.to_flow(key)[0]

    def to_mask(self, mask: bytes, flow: int) -> int:
        """Return the mask that goes with a flow. Raises: ValueError."""
        return key_decode.to_mask(mask, flow)[0]

    def from_flow(self, flow: int) -> bytes:
        """Return a flow's key."""
        return key_encode.from_flow(flow)

    def from_mask(self, mask: int, flow: int) -> bytes:
        """Return a mask's attributes, which go with `flow`."""
        return key_encode.from_mask(mask, flow)


class Udpif:
    """What handlers and revalidator of one datapath share.

    Attributes:
        codec: set to a faster one where there is one.
        ukeys: the flows in the datapath, by UFID.
        flow_limit: how many there may be now; `max_flow_limit` is the configured bound.
        max_idle, max_revalidator: in ms, see Open_vSwitch's other_config.
        megaflows_enabled: else flows match exactly (upcall/disable-megaflows).
        terse_dumps: whether dumps show UFIDs only (upcall/disable-ufid).
        paused: whether the revalidator rests (revalidator/pause).
    """

    __slots__ = (
        "_handler", "_revalidator", "avg_n_flows", "backer", "codec", "dump_duration",
        "flow_limit", "max_flow_limit", "max_idle", "max_n_flows", "max_revalidator",
        "megaflows_enabled", "min_revalidate_pps", "paused", "terse_dumps", "ukeys",
    )  # fmt: skip

    def __init__(self, backer: Backer) -> None:
        self.backer = backer
        self.codec: Codec = PlainCodec()
        self.ukeys: dict[bytes, Ukey] = {}
        self.flow_limit = _INITIAL_LIMIT
        self.max_flow_limit = DEFAULT_FLOW_LIMIT
        self.max_idle = DEFAULT_MAX_IDLE_MS
        self.max_revalidator = DEFAULT_MAX_REVALIDATOR_MS
        self.min_revalidate_pps = DEFAULT_MIN_REVALIDATE_PPS
        self.megaflows_enabled = True
        self.terse_dumps = True
        self.paused = False
        self.dump_duration = 0
        self.avg_n_flows = 0
        self.max_n_flows = 0
        self._handler = UpcallHandler(self)
        self._revalidator = Revalidator(self)

    @property
    def dpif(self) -> Dpif:
        """The datapath; only backers that have one get here."""
        dpif = self.backer.dpif
        assert dpif is not None
        return dpif

    def receive(self, upcalls: Sequence[Upcall]) -> None:
        """Handle packets that the datapath sent up."""
        self._handler.handle(upcalls, self.backer.clock())

    def run(self, now: int) -> None:
        """Do a slice of the revalidator's work, if it is time."""
        if self.backer.dpif is not None and not self.paused:
            self._revalidator.run(now)

    def deadline(self) -> int | None:
        """Return when `run()` has something to do, in ms."""
        if self.backer.dpif is None or self.paused:
            return None
        return self._revalidator.deadline()

    def execute_on(
        self, ofproto: Ofproto, packet: bytes, flow: int, actions: bytes
    ) -> str:
        """Let the datapath do `actions` to a packet; return what failed, or "".

        `flow` has the switch's in_port, which need not be a port of the datapath.
        """
        port = ofproto.ports.get(h.IN_PORT.get(flow))
        odp_port = ODPP_NONE
        if port is not None and port.odp_port is not None:
            odp_port = port.odp_port
        return self.execute_from(odp_port, packet, flow, actions)

    def execute_from(
        self, odp_port: int, packet: bytes, flow: int, actions: bytes
    ) -> str:
        """Let the datapath do `actions` to a packet as if it came from a port of it.

        Returns what failed, or "".
        """
        if self.backer.dpif is None or not actions:
            return ""
        key = self.codec.from_flow(h.IN_PORT.put(flow, odp_port))
        return self.operate([self.dpif.execute(packet, key, actions)])

    def operate(self, ops: Iterable[Request]) -> str:
        """Do datapath operations; return the first failure's text, or ""."""
        for result in self.dpif.operate(list(ops)):
            if result.errno:
                return _strerror(result.errno)
        return ""

    # Flows.

    def install(self, ukey: Ukey) -> bool:
        """Remember a flow that is about to be installed; False if it is there."""
        if ukey.ufid in self.ukeys:
            return False
        self.ukeys[ukey.ufid] = ukey
        return True

    def forget(self, ukey: Ukey) -> None:
        """Drop a flow that is no longer in the datapath, and what it referred to."""
        if self.ukeys.get(ukey.ufid) is ukey:
            del self.ukeys[ukey.ufid]
        self.backer.recirc.release(ukey.recircs, self.backer.clock())
        ukey.recircs = []

    def revalidate_now(self) -> None:
        """Dump and check all flows at once (revalidator/wait)."""
        if self.backer.dpif is not None:
            self._revalidator.complete(self.backer.clock())

    def purge(self) -> None:
        """Delete all flows, crediting their last counts (revalidator/purge)."""
        if self.backer.dpif is not None:
            self._revalidator.complete(self.backer.clock(), purge=True)

    def flush(self) -> None:
        """Delete all flows without a look at them."""
        if self.backer.dpif is not None:
            self.dpif.flow_flush()
        for ukey in list(self.ukeys.values()):
            self.forget(ukey)

    def set_flow_limit(self, limit: int) -> None:
        """Set how many flows there may be, for now (upcall/set-flow-limit)."""
        self.flow_limit = limit

    def show(self) -> str:
        """Return this datapath's part of upcall/show."""
        full_name = f"{self.backer.type}@{self.backer.dp_name}"
        enabled = str(self.terse_dumps and self.backer.support.ufid).lower()
        return (
            f"{full_name}:\n"
            f"  flows         : (current {len(self.ukeys)}) (avg {self.avg_n_flows})"
            f" (max {self.max_n_flows}) (limit {self.flow_limit})\n"
            f"  dump duration : {self.dump_duration}ms\n"
            f"  ufid enabled : {enabled}\n\n"
            f"  1: (keys {len(self.ukeys)})\n"
        )


def _strerror(errno: int) -> str:
    import os

    return os.strerror(errno)
