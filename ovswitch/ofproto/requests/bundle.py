# SPDX-License-Identifier: Apache-2.0
"""Bundles of requests, carried out together.

A message is decoded and checked when it is added, as far as that doesn't depend on what
the tables hold. A commit has two steps. First each entry *starts*, in order: flow
tables change under a journal, packets are translated, ports looked up. If one fails all
is taken back, whatever the bundle's flags say; the failing message gets its error and
the commit OFPBFC_MSG_FAILED. Otherwise each entry *finishes*: those who want to know of
rules are told, ports are configured, packets leave.

Ports can't take back what they did, and so an atomic bundle can't change ports.

A long commit is a job that yields to the event loop after every `_PART` entries, so
that keepalives are answered. Packets and other connections' requests wait until it is
over (`Backer.n_commits`, `Connmgr.must_wait`): nobody meets half of a bundle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ovswitch.datapath.odp import actions as odp
from ovswitch.flow.layout import FLOW_MASK, SLOTS
from ovswitch.flow.match import Match
from ovswitch.ofproto.journal import Journals
from ovswitch.ofproto.requests import flow_mod as flow_mods
from ovswitch.ofproto.requests import port as ports
from ovswitch.ofproto.requests.request import Request
from ovswitch.ofproto.xlate import pipeline
from ovswitch.ofproto.xlate.cache import FlowStats
from ovswitch.ofproto.xlate.context import Context
from ovswitch.openflow import actions as ofpacts
from ovswitch.openflow import codec
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages import bundle as messages
from ovswitch.openflow.messages.base import NO_BUFFER
from ovswitch.openflow.messages.flow_mod import FlowMod
from ovswitch.openflow.messages.packet_out import PacketOut
from ovswitch.openflow.messages.port import PortMod
from ovswitch.openflow.wire import Cursor
from ovswitch.packet.extract import extract

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from ovswitch.ofproto.ofconn import Ofconn
    from ovswitch.ofproto.port import Port
    from ovswitch.openflow.messages.base import Message

_TCP_FLAGS = SLOTS["tcp_flags"]
_PART = 100


class Entry(Protocol):
    """A message of a bundle. Its constructor raises OpenFlowError if it is wrong.

    Attributes:
        request: the request that added it, which error messages are about.
    """

    request: Request

    def start(self, flags: int, journals: Journals) -> None:
        """Do what can be taken back. Raises: OpenFlowError: it fails."""

    def finish(self) -> None:
        """Do what can't be, after all entries have started."""

    def leave(self) -> None:
        """Do what needs nothing of the switch's any more; also after a failure."""


class _FlowMod:
    """A change of flow tables."""

    __slots__ = ("flow_mod", "request")

    def __init__(self, request: Request, message: Message) -> None:
        assert isinstance(message, FlowMod)
        self.request = request
        self.flow_mod = message
        request.ofconn.ofproto.tables.check(message)

    def start(self, flags: int, journals: Journals) -> None:
        """Change the tables."""
        ofproto = self.request.ofconn.ofproto
        flow_mods.check_meters(ofproto, self.flow_mod)
        ofproto.tables.apply(self.flow_mod, self.request)

    def finish(self) -> None:
        """Count it for the log."""
        ofconn = self.request.ofconn
        ofconn.flow_mod_log.count(self.flow_mod.command, ofconn.ofproto.clock())

    def leave(self) -> None:
        """Do nothing."""


class _PortMod:
    """A change of a port."""

    __slots__ = ("_port", "_port_mod", "request")

    def __init__(self, request: Request, message: Message) -> None:
        assert isinstance(message, PortMod)
        self.request = request
        self._port_mod = message
        self._port: Port | None = None

    def start(self, flags: int, journals: Journals) -> None:
        """Find the port."""
        if flags & messages.ATOMIC:
            raise OpenFlowError("OFPBFC_MSG_FAILED")
        self._port = ports.find(self.request.ofconn.ofproto, self._port_mod)

    def finish(self) -> None:
        """Change the port."""
        assert self._port is not None
        ports.modify(self.request.ofconn, self._port, self._port_mod)

    def leave(self) -> None:
        """Do nothing."""


class _PacketOut:
    """A packet, sent as the tables say at its place among the bundle's messages.

    What it teaches is kept back like its statistics, but for `learn`: those flows are
    for the messages that follow, and in the journal.
    """

    __slots__ = ("_actions", "_ctx", "_flow", "_packet", "_ready", "request")

    def __init__(self, request: Request, message: Message) -> None:
        assert isinstance(message, PacketOut)
        if message.buffer_id != NO_BUFFER:
            raise OpenFlowError("OFPBRC_BUFFER_UNKNOWN")
        self.request = request
        self._packet = message.packet
        self._flow = extract(message.packet, message.metadata.value)
        # The match is exact, so that prerequisites are judged by the packet itself.
        self._actions = ofpacts.check(
            message.actions,
            Match(self._flow, FLOW_MASK),
            request.ofconn.protocol,
            table_id=0,
        )
        self._ctx: Context | None = None
        self._ready = False

    def start(self, flags: int, journals: Journals) -> None:
        """Translate the packet, and learn the flows that it teaches."""
        ofproto = self.request.ofconn.ofproto
        ofproto.tables.check_actions(self._actions)
        self._ctx = ctx = Context(
            ofproto,
            self._flow,
            ofproto.clock(),
            packet=self._packet,
            tcp_flags=_TCP_FLAGS.get(self._flow),
        )
        ctx.in_packet_out = True
        ctx.side_effects = False
        pipeline.translate(ctx, self._actions)
        if ctx.error:
            raise OpenFlowError("OFPFMFC_UNKNOWN")
        for bridge, flow_mod, limit in ctx.cache.learns:
            journals.cover(bridge.tables)
            bridge.learn_flow(flow_mod, limit)
        ctx.cache.learns.clear()

    def finish(self) -> None:
        """Count the packet for all that it met."""
        assert self._ctx is not None
        cache = self._ctx.cache
        cache.push_learning()
        tcp_flags = _TCP_FLAGS.get(self._flow)
        cache.push_stats(FlowStats(1, len(self._packet), self._ctx.now, tcp_flags))
        self._ready = True

    def leave(self) -> None:
        """Send the packet, unless the bundle failed."""
        ctx, self._ctx = self._ctx, None
        if ctx is None:
            return
        ofproto = self.request.ofconn.ofproto
        backer = ofproto.backer
        try:
            if self._ready:
                actions = odp.encode(ctx.odp)
                backer.udpif.execute_on(ofproto, self._packet, self._flow, actions)
        finally:
            backer.recirc.release(ctx.recircs, ctx.now)


_ENTRIES: dict[str, Callable[[Request, Message], Entry]] = {
    "FLOW_MOD": _FlowMod,
    "PORT_MOD": _PortMod,
    "PACKET_OUT": _PacketOut,
}


def _add(ofconn: Ofconn, request: Request) -> None:
    cursor = Cursor(request.octets, request.header.body)
    add = messages.decode_add(request.header, cursor)
    assert add.header is not None
    make = _ENTRIES.get(add.header.raw.type)
    if make is None:
        raise OpenFlowError("OFPBFC_MSG_UNSUP")
    inner = Cursor(add.message, add.header.body)
    entry = make(request, codec.decode_body(add.header, inner, ofconn.context))
    now = ofconn.ofproto.clock()
    ofconn.bundles.add(add.bundle_id, add.flags, entry, request.octets, now)


def _control(ofconn: Ofconn, request: Request) -> None:
    message = request.decode()
    assert isinstance(message, messages.BundleControl)
    bundle_id, flags = message.bundle_id, message.flags
    now = ofconn.ofproto.clock()
    if message.kind == messages.OPEN_REQUEST:
        ofconn.bundles.open(bundle_id, flags, request.octets, now)
    elif message.kind == messages.CLOSE_REQUEST:
        ofconn.bundles.close(bundle_id, flags, now)
    elif message.kind == messages.COMMIT_REQUEST:
        entries = ofconn.bundles.take(bundle_id, flags)
        ofconn.begin(_commit(ofconn, request, message, entries))
        return
    elif message.kind == messages.DISCARD_REQUEST:
        ofconn.bundles.discard(bundle_id)
    else:
        raise OpenFlowError("OFPBFC_BAD_TYPE")
    _confirm(ofconn, request, message)


def _confirm(ofconn: Ofconn, request: Request, message: messages.BundleControl) -> None:
    reply = messages.BundleControl(message.bundle_id, message.kind + 1)
    ofconn.reply(reply, request.xid)


def _commit(
    ofconn: Ofconn,
    request: Request,
    message: messages.BundleControl,
    entries: Sequence[Entry],
) -> Iterator[None]:
    """Carry out all of a bundle, or nothing, and answer; yield now and then."""
    backer = ofconn.ofproto.backer
    backer.n_commits += 1
    try:
        yield from _carry_out(ofconn, entries, message.flags)
    except OpenFlowError as error:
        ofconn.refuse(request.octets, error)
    else:
        _confirm(ofconn, request, message)
    finally:
        backer.n_commits -= 1


def _carry_out(ofconn: Ofconn, entries: Sequence[Entry], flags: int) -> Iterator[None]:
    try:
        with Journals(ofconn.ofproto.tables) as journals:
            positions = yield from _start(ofconn, journals, entries, flags)
            journals.close()
        for count, (entry, position) in enumerate(
            zip(entries, positions, strict=True), 1
        ):
            journals.main.publish(position)
            entry.finish()
            if count % _PART == 0:
                yield
        journals.publish_others()
    finally:
        ofconn.connmgr.flush_monitors()
        for entry in entries:
            entry.leave()


def _start(
    ofconn: Ofconn, journals: Journals, entries: Sequence[Entry], flags: int
) -> Generator[None, None, list[int]]:
    """Start all entries; return where in the journal each one ends.

    Raises: OpenFlowError: nothing was changed, and the peer was told why.
    """
    positions = []
    for count, entry in enumerate(entries, 1):
        try:
            entry.start(flags, journals)
        except OpenFlowError as error:
            journals.roll_back()
            ofconn.refuse(entry.request.octets, error)
            raise OpenFlowError("OFPBFC_MSG_FAILED") from error
        positions.append(journals.main.position)
        if count % _PART == 0:
            yield
    return positions


HANDLERS = {"BUNDLE_CONTROL": _control, "BUNDLE_ADD_MESSAGE": _add}
