# SPDX-License-Identifier: Apache-2.0
"""One datapath: its ports, flows, meters and packets.

`Dpif` turns calls into the messages of linux/openvswitch.h and sends them over a
transport: the forwarder's socket, the in-process dummy, or generic netlink. It keeps
no state but the datapath's index. Keys, masks and actions are attributes, as octets.
Flow operations are made by `flow_put()` and its like and done in batches by
`operate()`, or without waiting for success by `post()`.
Every call may raise DpifError, with the datapath's or the transport's errno.
"""

from __future__ import annotations

from struct import Struct

from ovswitch.datapath import families as f
from ovswitch.datapath import netlink
from ovswitch.datapath.records import (
    FLOW_STATS,
    DpStats,
    Flow,
    Meter,
    OpResult,
    Port,
    Upcall,
    decode_flow,
)
from ovswitch.datapath.transport import TransportError
from ovswitch.datapath.ufid import ufid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ovswitch.datapath.transport import Request, Transport

__all__ = [
    "DpStats",
    "Dpif",
    "DpifError",
    "Flow",
    "Meter",
    "OpResult",
    "Port",
    "Upcall",
    "decode_flow",
    "enumerate_datapaths",
    "ufid",
]

ENOENT = 2
EEXIST = 17
ENODEV = 19
EINVAL = 22

_MAX_OPS = 64  # of a datagram
_MAX_DATAGRAM = 60_000  # octets; a socket's default send buffer holds a few
_DP_STATS = Struct("=QQQQ")
_MEGAFLOW_STATS = Struct("=QIIQQ")
_MEGAFLOW_STATS_OLD = Struct("=QII")
_VPORT_STATS = Struct("=QQQQQQQQ")
_ACK = netlink.NLM_F_ACK
_ECHO = netlink.NLM_F_ACK | netlink.NLM_F_ECHO
_DUMP = netlink.NLM_F_DUMP


class DpifError(OSError):
    """The datapath refused; `errno` is its error number."""


def enumerate_datapaths(transport: Transport) -> list[str]:
    """Return the names of a transport's datapaths.

    Raises: DpifError.
    """
    return [name for name, _ in _dump_datapaths(transport)]


def _dump_datapaths(transport: Transport) -> list[tuple[str, int]]:
    request = (f.OVS_DATAPATH, f.CMD_GET, 0, _DUMP, b"")
    found = []
    for one in _transact(transport, request):
        name = netlink.parse(one.attributes).get(f.OVS_DP_ATTR_NAME, b"")
        found.append((netlink.get_string(name), one.dp_ifindex))
    return found


def _transact(transport: Transport, request: Request) -> list[netlink.Message]:
    """Return a request's answers but the acknowledgement.

    Raises: DpifError.
    """
    return _results(transport, [request])[0]


def _results(
    transport: Transport, requests: Sequence[Request]
) -> list[list[netlink.Message]]:
    try:
        answers = transport.transact(requests)
    except TransportError as error:
        raise _refused(error.errno or EINVAL) from error
    except netlink.NetlinkError as error:
        raise _refused(EINVAL) from error
    results = []
    for messages in answers:
        for one in messages:
            if one.error:
                raise _refused(one.error)
        results.append([one for one in messages if one.error is None and not one.done])
    return results


def _refused(errno: int) -> DpifError:
    import posix

    return DpifError(errno, posix.strerror(errno))


class Dpif:
    """An open datapath."""

    __slots__ = ("dp_ifindex", "name", "transport")

    def __init__(self, transport: Transport, name: str, dp_ifindex: int) -> None:
        self.transport = transport
        self.name = name
        self.dp_ifindex = dp_ifindex

    @property
    def full_name(self) -> str:
        """The datapath as type@name, as the tools show and take it."""
        return f"{self.transport.dp_type}@{self.name}"

    @property
    def is_userspace(self) -> bool:
        """Whether it is not the kernel's: the reference's differs in what it shows."""
        return self.transport.is_userspace

    # Datapaths.

    @staticmethod
    def open(transport: Transport, name: str) -> Dpif:
        """Return the datapath of that name; its ports send no upcalls here yet.

        Raises: DpifError: ENODEV when there is none.
        """
        for known, dp_ifindex in _dump_datapaths(transport):
            if known == name:
                return Dpif(transport, name, dp_ifindex)
        raise _refused(ENODEV)

    @staticmethod
    def create(transport: Transport, name: str, *, upcalls: bool = True) -> Dpif:
        """Make a datapath, with its local port, and return it.

        Args:
            transport: how to reach it.
            name: its name, and that of its local port.
            upcalls: let the local port's upcalls come to this transport.

        Raises: DpifError: EEXIST when there is one.
        """
        pid = transport.upcall_pid() if upcalls else 0
        features = f.OVS_DP_F_UNALIGNED | f.OVS_DP_F_VPORT_PIDS
        attributes = (
            netlink.put_string(f.OVS_DP_ATTR_NAME, name)
            + netlink.put_u32(f.OVS_DP_ATTR_UPCALL_PID, pid)
            + netlink.put_u32(f.OVS_DP_ATTR_USER_FEATURES, features)
        )
        _transact(transport, (f.OVS_DATAPATH, f.CMD_NEW, 0, _ECHO, attributes))
        return Dpif.open(transport, name)

    @staticmethod
    def create_and_open(transport: Transport, name: str) -> Dpif:
        """Return a datapath that sends its upcalls here, made anew or adopted.

        Raises: DpifError.
        """
        try:
            return Dpif.create(transport, name)
        except DpifError as error:
            if error.errno != EEXIST:
                raise
        dpif = Dpif.open(transport, name)
        dpif.adopt()
        return dpif

    def adopt(self) -> None:
        """Take the upcalls of all ports: what the former owner left is ours."""
        pid = self.transport.upcall_pid()
        for port in self.port_dump():
            attributes = netlink.put_u32(f.OVS_VPORT_ATTR_PORT_NO, port.port_no)
            attributes += netlink.put_u32(f.OVS_VPORT_ATTR_UPCALL_PID, pid)
            self._do(f.OVS_VPORT, f.CMD_SET, attributes)

    def delete(self) -> None:
        """Delete the datapath with its ports and flows."""
        self._do(f.OVS_DATAPATH, f.CMD_DEL, b"")

    def close(self) -> None:
        """Let go of the datapath, which stays; others may use the transport."""

    def set_vlan_limit(self, limit: int) -> None:
        """Let flow keys show at most `limit` VLAN headers, 0 to 2.

        Applies to every datapath of the forwarder; flows that are there stay as they
        are. Whoever turns this process's packets into keys must be told as well.
        """
        attributes = netlink.put_u32(f.OVS_DP_ATTR_VLAN_LIMIT, limit)
        self._do(f.OVS_DATAPATH, f.CMD_SET, attributes)

    def stats(self) -> DpStats:
        """Return the datapath's counters."""
        [one] = self._get(f.OVS_DATAPATH, b"")
        attributes = netlink.parse(one.attributes)
        counters = attributes.get(f.OVS_DP_ATTR_STATS, b"")
        if len(counters) < _DP_STATS.size:
            return DpStats(0, 0, 0, 0)
        stats = DpStats(*_DP_STATS.unpack_from(counters))
        megaflow = attributes.get(f.OVS_DP_ATTR_MEGAFLOW_STATS, b"")
        if len(megaflow) >= _MEGAFLOW_STATS.size:
            mask_hit, masks, _, cache_hit, _ = _MEGAFLOW_STATS.unpack_from(megaflow)
            stats.n_mask_hit, stats.n_masks = mask_hit, masks
            stats.n_cache_hit = cache_hit
        elif len(megaflow) >= _MEGAFLOW_STATS_OLD.size:
            mask_hit, masks, _ = _MEGAFLOW_STATS_OLD.unpack_from(megaflow)
            stats.n_mask_hit, stats.n_masks = mask_hit, masks
        return stats

    def _request(
        self, family: int, cmd: int, attributes: bytes, flags: int = _ACK
    ) -> Request:
        return family, cmd, self.dp_ifindex, flags, attributes

    def _do(
        self, family: int, cmd: int, attributes: bytes, flags: int = _ACK
    ) -> list[netlink.Message]:
        return _transact(self.transport, self._request(family, cmd, attributes, flags))

    def _get(self, family: int, attributes: bytes) -> list[netlink.Message]:
        found = self._do(family, f.CMD_GET, attributes, _ECHO)
        if not found:
            raise _refused(ENOENT)
        return found[:1]

    # Ports.

    def port_add(
        self,
        name: str,
        port_type: str,
        port_no: int | None = None,
        *,
        upcalls: bool = True,
    ) -> int:
        """Add a port and return its number.

        Args:
            name: the network device, which an internal port makes.
            port_type: the netdev's type.
            port_no: the number wanted; None for any that is free.
            upcalls: let the port's upcalls come to this transport.
        """
        if port_no is None:
            port_no = self._preferred_port(name)
        wanted = self._vport_type(port_type)
        pid = self.transport.upcall_pid() if upcalls else 0
        attributes = (
            netlink.put_u32(f.OVS_VPORT_ATTR_TYPE, wanted)
            + netlink.put_string(f.OVS_VPORT_ATTR_NAME, name)
            + netlink.put_u32(f.OVS_VPORT_ATTR_UPCALL_PID, pid)
        )
        if port_no is not None:
            attributes += netlink.put_u32(f.OVS_VPORT_ATTR_PORT_NO, port_no)
        for one in self._do(f.OVS_VPORT, f.CMD_NEW, attributes, _ECHO):
            return self._port(one).port_no
        return self.port_query_by_name(name).port_no

    def _preferred_port(self, name: str) -> int | None:
        """Return the number that the transport prefers for a name, if it is free."""
        number = self.transport.preferred_port(name)
        if number is not None:
            try:
                self.port_query_by_number(number)
            except DpifError:
                return number
        return None

    def _vport_type(self, port_type: str) -> int:
        for number, name in self.transport.port_types.items():
            if name == port_type:
                return number
        if port_type in ("internal", "tap", "dummy-internal"):
            return f.OVS_VPORT_TYPE_INTERNAL
        return f.OVS_VPORT_TYPE_NETDEV

    def port_del(self, port_no: int) -> None:
        """Remove a port."""
        self._do(
            f.OVS_VPORT, f.CMD_DEL, netlink.put_u32(f.OVS_VPORT_ATTR_PORT_NO, port_no)
        )

    def port_dump(self) -> list[Port]:
        """Return all ports, by number."""
        found = self._do(f.OVS_VPORT, f.CMD_GET, b"", _DUMP)
        return sorted(map(self._port, found), key=lambda port: port.port_no)

    def port_query_by_number(self, port_no: int) -> Port:
        """Return a port.

        Raises: DpifError: ENODEV or ENOENT when there is none.
        """
        attributes = netlink.put_u32(f.OVS_VPORT_ATTR_PORT_NO, port_no)
        return self._port(self._get(f.OVS_VPORT, attributes)[0])

    def port_query_by_name(self, name: str) -> Port:
        """Return a port.

        Raises: DpifError: ENODEV or ENOENT when there is none.
        """
        attributes = netlink.put_string(f.OVS_VPORT_ATTR_NAME, name)
        return self._port(self._get(f.OVS_VPORT, attributes)[0])

    def _port(self, one: netlink.Message) -> Port:
        attributes = netlink.parse(one.attributes)
        number = netlink.get_uint(attributes.get(f.OVS_VPORT_ATTR_PORT_NO, b""))
        kind = netlink.get_uint(attributes.get(f.OVS_VPORT_ATTR_TYPE, b""))
        name = netlink.get_string(attributes.get(f.OVS_VPORT_ATTR_NAME, b""))
        port = Port(number, name, self.transport.port_types.get(kind, "unknown"))
        pids = attributes.get(f.OVS_VPORT_ATTR_UPCALL_PID, b"")
        port.upcall_pid = netlink.get_uint(pids[:4])
        stats = attributes.get(f.OVS_VPORT_ATTR_STATS, b"")
        if len(stats) >= _VPORT_STATS.size:
            port.stats = _VPORT_STATS.unpack_from(stats)
        return port

    def port_pid(self, port_no: int) -> int:
        """Return where `userspace()` actions for packets of a port send them.

        All ports' upcalls come to the transport's one connection.
        """
        return self.transport.upcall_pid()

    # Flows.

    def flow_put(
        self,
        key: bytes,
        mask: bytes | None,
        actions: bytes,
        ufid: bytes | None = None,
        *,
        create: bool = True,
        modify: bool = False,
        clear: bool = False,
        probe: bool = False,
        echo: bool = False,
    ) -> Request:
        """Return the operation that adds a flow or changes its actions.

        Args:
            key: OVS_KEY_ATTR_*.
            mask: the same; None for an exact match.
            actions: OVS_ACTION_ATTR_*.
            ufid: 1 to 16 octets that identify the flow from then on.
            create: add a flow that isn't there.
            modify: change one that is.
            clear: set its statistics to zero.
            probe: only find out whether the datapath understands.
            echo: let the answer have the flow's statistics.
        """
        attributes = b"" if ufid is None else netlink.attr(f.OVS_FLOW_ATTR_UFID, ufid)
        attributes += netlink.attr(f.OVS_FLOW_ATTR_KEY, key)
        if mask is not None:
            attributes += netlink.attr(f.OVS_FLOW_ATTR_MASK, mask)
        attributes += netlink.attr(f.OVS_FLOW_ATTR_ACTIONS, actions)
        if clear:
            attributes += netlink.attr(f.OVS_FLOW_ATTR_CLEAR)
        if probe:
            attributes += netlink.attr(f.OVS_FLOW_ATTR_PROBE)
        flags = _ECHO if echo else _ACK
        if create:
            flags |= netlink.NLM_F_CREATE | (0 if modify else netlink.NLM_F_EXCL)
        cmd = f.CMD_NEW if create else f.CMD_SET
        return self._request(f.OVS_FLOW, cmd, attributes, flags)

    def flow_del(
        self, key: bytes, ufid: bytes | None = None, *, echo: bool = False
    ) -> Request:
        """Return the operation that deletes a flow; `echo` asks for its statistics."""
        attributes = _flow_id(key, ufid)
        return self._request(f.OVS_FLOW, f.CMD_DEL, attributes, _ECHO if echo else _ACK)

    def flow_get(self, key: bytes, ufid: bytes | None = None) -> Flow:
        """Return a flow.

        Raises: DpifError: ENOENT when there is none.
        """
        return decode_flow(self._get(f.OVS_FLOW, _flow_id(key, ufid))[0])

    def flow_dump(self, *, terse: bool = False) -> Iterator[Flow]:
        """Yield all flows; `terse` leaves out what the UFID stands for."""
        attributes = b""
        if terse:
            omit = (
                f.OVS_UFID_F_OMIT_KEY
                | f.OVS_UFID_F_OMIT_MASK
                | f.OVS_UFID_F_OMIT_ACTIONS
            )
            attributes = netlink.put_u32(f.OVS_FLOW_ATTR_UFID_FLAGS, omit)
        for one in self._do(f.OVS_FLOW, f.CMD_GET, attributes, _DUMP):
            yield decode_flow(one)

    def flow_flush(self) -> None:
        """Delete all flows."""
        self._do(f.OVS_FLOW, f.CMD_DEL, b"")

    def execute(
        self, packet: bytes, key: bytes, actions: bytes, *, probe: bool = False
    ) -> Request:
        """Return the operation that does actions on a packet.

        Args:
            packet: its octets.
            key: attributes, of which the datapath uses the metadata.
            actions: OVS_ACTION_ATTR_*.
            probe: only find out whether the datapath understands.
        """
        attributes = (
            netlink.attr(f.OVS_PACKET_ATTR_PACKET, packet)
            + netlink.attr(f.OVS_PACKET_ATTR_KEY, key)
            + netlink.attr(f.OVS_PACKET_ATTR_ACTIONS, actions)
        )
        if probe:
            attributes += netlink.attr(f.OVS_PACKET_ATTR_PROBE)
        return self._request(f.OVS_PACKET, f.OVS_PACKET_CMD_EXECUTE, attributes)

    def operate(self, ops: Sequence[Request]) -> list[OpResult]:
        """Do operations in order and return how each went.

        Raises: DpifError: the datapath can't be reached; some may have been done.
        """
        results: list[OpResult] = []
        for batch in _batches(ops):
            try:
                answers = self.transport.transact(batch)
            except TransportError as error:
                raise _refused(error.errno or EINVAL) from error
            results += map(_op_result, answers)
        return results

    def post(self, ops: Sequence[Request]) -> None:
        """Do operations without waiting; failures show in nothing but the outcome.

        Raises: DpifError: the datapath can't be reached.
        """
        for batch in _batches(ops):
            try:
                self.transport.post(batch)
            except TransportError as error:
                raise _refused(error.errno or EINVAL) from error

    def do(self, op: Request) -> Flow | None:
        """Do one operation; return the flow that an echo brought.

        Raises: DpifError: it failed.
        """
        [result] = self.operate([op])
        if result.errno:
            raise _refused(result.errno)
        return result.flow

    # Upcalls.

    def fileno(self) -> int:
        """Return a descriptor that is readable when upcalls wait."""
        return self.transport.fileno()

    def recv_upcalls(self, limit: int = 64) -> list[Upcall]:
        """Return upcalls of this datapath that have come in, about `limit` at most."""
        upcalls = []
        for one in self.transport.receive(limit):
            if one.family != f.OVS_PACKET or one.dp_ifindex != self.dp_ifindex:
                continue
            upcalls.append(Upcall(one.cmd, dict(netlink.walk(one.attributes)[0])))
        return upcalls

    # Meters.

    def meter_features(self) -> tuple[int, int]:
        """Return how many meters there may be, and bands of each."""
        found = self._do(f.OVS_METER, f.OVS_METER_CMD_FEATURES, b"", _ECHO)
        attributes = netlink.parse(found[0].attributes) if found else {}
        return (
            netlink.get_uint(attributes.get(f.OVS_METER_ATTR_MAX_METERS, b"")),
            netlink.get_uint(attributes.get(f.OVS_METER_ATTR_MAX_BANDS, b"")),
        )

    def meter_set(self, meter: Meter) -> None:
        """Add or change a meter."""
        bands = b"".join(
            netlink.attr(
                0,
                netlink.put_u32(f.OVS_BAND_ATTR_TYPE, f.OVS_METER_BAND_TYPE_DROP)
                + netlink.put_u32(f.OVS_BAND_ATTR_RATE, rate)
                + netlink.put_u32(f.OVS_BAND_ATTR_BURST, burst),
            )
            for rate, burst in meter.bands
        )
        attributes = netlink.put_u32(f.OVS_METER_ATTR_ID, meter.meter_id)
        if meter.is_kbps:
            attributes += netlink.attr(f.OVS_METER_ATTR_KBPS)
        attributes += netlink.attr(f.OVS_METER_ATTR_BANDS, bands)
        self._do(f.OVS_METER, f.OVS_METER_CMD_SET, attributes)

    def meter_del(self, meter_id: int) -> None:
        """Remove a meter."""
        attributes = netlink.put_u32(f.OVS_METER_ATTR_ID, meter_id)
        self._do(f.OVS_METER, f.OVS_METER_CMD_DEL, attributes)

    def meter_stats(self, meter_id: int) -> Meter:
        """Return a meter's counters (its bands aren't told)."""
        attributes = netlink.put_u32(f.OVS_METER_ATTR_ID, meter_id)
        found = self._do(f.OVS_METER, f.OVS_METER_CMD_GET, attributes, _ECHO)
        meter = Meter(meter_id, (), is_kbps=False)
        for one in found[:1]:
            inner = netlink.parse(one.attributes)
            stats = inner.get(f.OVS_METER_ATTR_STATS, b"")
            if len(stats) >= FLOW_STATS.size:
                meter.n_packets, meter.n_bytes = FLOW_STATS.unpack_from(stats)
            meter.used = netlink.get_uint(inner.get(f.OVS_METER_ATTR_USED, b""))
        return meter


def _op_result(messages: list[netlink.Message]) -> OpResult:
    errno = 0
    flow = None
    for one in messages:
        if one.error is not None:
            errno = one.error
        elif one.family == f.OVS_FLOW:
            flow = decode_flow(one)
    return OpResult(errno, flow)


def _batches(ops: Sequence[Request]) -> Iterator[list[Request]]:
    """Cut operations into lists that each fit a datagram."""
    batch: list[Request] = []
    size = 0
    for op in ops:
        own = len(op[4]) + netlink.HEADER_SIZE + 8
        if batch and (len(batch) == _MAX_OPS or size + own > _MAX_DATAGRAM):
            yield batch
            batch, size = [], 0
        batch.append(op)
        size += own
    if batch:
        yield batch


def _flow_id(key: bytes, ufid: bytes | None) -> bytes:
    attributes = b"" if ufid is None else netlink.attr(f.OVS_FLOW_ATTR_UFID, ufid)
    if key:
        attributes += netlink.attr(f.OVS_FLOW_ATTR_KEY, key)
    return attributes
