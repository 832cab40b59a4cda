# SPDX-License-Identifier: Apache-2.0
"""A backer: one datapath, shared by all switches of its type.

It knows which OpenFlow port a datapath port is, which switch a packet belongs to, which
patch ports are joined, and holds what goes beyond one switch: recirculation ids and the
datapath's features. The datapath itself is `dpif`; `udpif` handles what it sends.

For `bridge/`:

    backer = Backer("netdev", dpif, clock=clock.now)
    ofproto = Ofproto("br0", backer, datapath_id=...)
    ofproto.port_add(...)
    backer.need_revalidate(reason)       after changes made around Ofproto's methods
    backer.udpif.receive(upcalls)        when the datapath has misses
    backer.run(now)                      now and then: see deadline()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ovswitch.ofproto.backer_error import NoSwitchError
from ovswitch.ofproto.features import Support
from ovswitch.ofproto.udpif import Udpif
from ovswitch.ofproto.xlate import headers as h
from ovswitch.ofproto.xlate.recirc import RecircPool
from ovswitch.runtime import clock as runtime_clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from ovswitch.datapath.dpif import Dpif
    from ovswitch.ofproto.ofproto import Ofproto
    from ovswitch.ofproto.port import Port

_OFPP_NONE, _OFPP_CONTROLLER = 0xFFFF, 0xFFFD


class Backer:
    """One datapath and the switches on it.

    Attributes:
        type: "system", "netdev" or "dummy".
        dpif: the datapath; None for tests that only translate.
        boot_support, support: its features as probed, and as limited at run time.
        ofprotos: the switches by name, in the order they were made.
        n_commits: how many bundles are being carried out just now: until they are all
            there, packets had better wait.
        revalidate_reasons: why cached flows must be checked, since the last time.
    """

    __slots__ = (
        "_patches", "_ports", "boot_support", "clock", "dpif", "n_commits",
        "ofprotos", "recirc",
        "revalidate_reasons", "support", "type", "udpif", "version",
    )  # fmt: skip

    def __init__(
        self,
        type_: str,
        dpif: Dpif | None = None,
        *,
        support: Support | None = None,
        clock: Callable[[], int] = runtime_clock.now,
    ) -> None:
        self.type = type_
        self.dpif = dpif
        self.boot_support = support or Support()
        self.support = self.boot_support.copy()
        self.clock = clock
        self.ofprotos: dict[str, Ofproto] = {}
        self.recirc = RecircPool()
        self.revalidate_reasons: set[str] = set()
        self.version = 0
        self.n_commits = 0
        self._ports: dict[int, Port] = {}
        self._patches: dict[str, Port] = {}
        self.udpif = Udpif(self)

    @property
    def dp_name(self) -> str:
        """The datapath's name: "ovs-netdev"."""
        return f"ovs-{self.type}"

    def need_revalidate(self, reason: str) -> None:
        """Note that cached flows may be wrong; the revalidator checks them."""
        self.revalidate_reasons.add(reason)
        self.version += 1

    # Ports: kept by Ofproto.

    def attach(self, port: Port) -> None:
        """Note a port of one of the switches."""
        if port.odp_port is not None:
            self._ports[port.odp_port] = port
        if port.peer_name:
            self._patches[port.name] = port

    def detach(self, port: Port) -> None:
        """Forget a port."""
        if port.odp_port is not None and self._ports.get(port.odp_port) is port:
            del self._ports[port.odp_port]
        if self._patches.get(port.name) is port:
            del self._patches[port.name]

    def find_port(self, odp_port: int) -> Port | None:
        """Return the OpenFlow port that a datapath port is."""
        return self._ports.get(odp_port)

    def port_numbers(self) -> dict[str, int]:
        """Return the datapath's ports by name."""
        return {port.name: number for number, port in self._ports.items()}

    def port_names(self) -> dict[int, str]:
        """Return the datapath's ports' names by number."""
        return {number: port.name for number, port in self._ports.items()}

    def patch_peer(self, port: Port) -> Port | None:
        """Return the other end of a patch; None unless it names this one too."""
        peer = self._patches.get(port.peer_name)
        if peer is None or peer.peer_name != port.name:
            return None
        return peer

    def upcall_pid(self) -> int:
        """Return where `userspace()` actions send packets of any port."""
        if self.dpif is None:
            return 0
        return self.dpif.transport.upcall_pid()

    # Switches.

    def find_by_uuid(self, uuid: bytes) -> Ofproto | None:
        """Return the switch with this id."""
        for ofproto in self.ofprotos.values():
            if ofproto.uuid == uuid:
                return ofproto
        return None

    def find_ofproto(self, flow: int) -> tuple[Ofproto, int]:
        """Return (switch, OpenFlow in_port) of a packet from the datapath.

        `flow` has the datapath's in_port. Recirculated packets belong where they came
        in first.

        Raises: NoSwitchError: there is none.
        """
        recirc_id = h.RECIRC_ID.get(flow)
        if recirc_id:
            state = self.recirc.find(recirc_id)
            if state is None:
                raise NoSwitchError(
                    f"no recirculation data for recirc_id {recirc_id:#x}"
                )
            if state.in_port in {_OFPP_NONE, _OFPP_CONTROLLER}:
                ofproto = self.find_by_uuid(state.bridge)
                if ofproto is not None:
                    return ofproto, state.in_port
            elif state.xport is not None:
                uuid, ofp_port = state.xport
                ofproto = self.find_by_uuid(uuid)
                if ofproto is not None and ofp_port in ofproto.ports:
                    return ofproto, ofp_port
        odp_port = h.IN_PORT.get(flow)
        port = self._ports.get(odp_port)
        if port is None:
            raise NoSwitchError(f"no OpenFlow port for datapath port {odp_port}")
        return port.ofproto, port.ofp_port

    # Running.

    def run(self, now: int) -> None:
        """Do what is due: expire rules, addresses, recirculation ids; revalidate."""
        for ofproto in list(self.ofprotos.values()):
            ofproto.run(now)
        self.udpif.run(now)
        self.recirc.run(now)

    def deadline(self) -> int | None:
        """Return when `run()` has something to do, in ms; None: not before events."""
        deadlines = [self.udpif.deadline()]
        deadlines += [ofproto.deadline() for ofproto in self.ofprotos.values()]
        known = [deadline for deadline in deadlines if deadline is not None]
        return min(known, default=None)
