# SPDX-License-Identifier: Apache-2.0
"""The same requests to the reference's switch and to ours, and what both answer."""

from __future__ import annotations

import select
import socket
import struct
import time

from connmgr_switch import Peer, Switch
from helpers.programs import Reference

from ovswitch.openflow import codec, raws
from ovswitch.openflow.errors import OpenFlowError
from ovswitch.openflow.messages.core import EchoRequest
from ovswitch.openflow.messages.flow_removed import FlowRemoved
from ovswitch.openflow.messages.flow_stats import FlowStatsReply
from ovswitch.openflow.messages.port import PortDescRequest
from ovswitch.openflow.messages.port_stats import PortStatsReply
from ovswitch.openflow.wire import Cursor

_END = b"the end of this script"
_ERROR = 1
DATAPATH_ID = 0x0000123456789ABC
_DURATIONS = ("duration_sec", "duration_nsec", "idle_age", "hard_age")


class ReferenceSwitch:
    """A bridge of the reference's on dummy ports, in a run directory."""

    def __init__(self, run_dir):
        self.run_dir = run_dir
        vsctl = [Reference.path("ovs-vsctl"), f"--db=unix:{run_dir.path}/db.sock"]
        run_dir.start_ovsdb_server(Reference)
        run_dir.run([*vsctl, "--no-wait", "init"], check=True)
        run_dir.start(
            [
                Reference.path("ovs-vswitchd"), f"unix:{run_dir.path}/db.sock",
                "--enable-dummy=override", "--disable-system", "-vconsole:off",
                "--log-file", f"--unixctl={run_dir.path}/vswitchd.ctl",
            ]
        )  # fmt: skip
        versions = ",".join(f"OpenFlow1{i}" for i in range(6))
        words = (
            f"add-br br0 -- set bridge br0 datapath_type=dummy fail-mode=secure "
            f"other-config:datapath-id={DATAPATH_ID:016x} protocols={versions} "
            "-- add-port br0 p1 -- set interface p1 type=dummy ofport_request=1 "
            "-- add-port br0 p2 -- set interface p2 type=dummy ofport_request=2"
        )
        run_dir.run([*vsctl, *words.split()], check=True)

    def appctl(self, *words):
        """Run a command of ovs-vswitchd's."""
        path = f"{self.run_dir.path}/vswitchd.ctl"
        program = Reference.path("ovs-appctl")
        return self.run_dir.run([program, "-t", path, *words], check=True).out

    def connect(self, version):
        """Return a connection in a version."""
        return ReferencePeer(f"{self.run_dir.path}/br0.mgmt", version)


class ReferencePeer:
    """A controller's end of a connection to the reference."""

    def __init__(self, path, version):
        self.version = version
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(10)
        for _ in range(500):
            try:
                self._socket.connect(path)
                break
            except OSError:
                time.sleep(0.01)
        self._socket.sendall(struct.pack("!BBHI", version, 0, 8, 1))
        self._received = b""
        assert self._message()[1] == 0

    def close(self):
        """End the connection."""
        self._socket.close()

    def has_message(self):
        """Return whether something has come without being asked for."""
        return bool(self._received or select.select([self._socket], [], [], 0)[0])

    def _message(self):
        while True:
            if len(self._received) >= 8:
                (size,) = struct.unpack_from("!H", self._received, 2)
                if len(self._received) >= size:
                    message = self._received[:size]
                    self._received = self._received[size:]
                    return message
            octets = self._socket.recv(1 << 16)
            assert octets
            self._received += octets

    def ask(self, *requests):
        """Send requests; return all that comes back."""
        octets = b"".join(_octets(request, self.version) for request in requests)
        echo = codec.encode(EchoRequest(_END), self.version, 0xEEEE)
        self._socket.sendall(octets + echo)
        messages = []
        while True:
            message = self._message()
            if message[1] == 3 and message[8:] == _END:
                return messages
            messages.append(message)


def _octets(request, version):
    if isinstance(request, bytes):
        return request
    return codec.encode(request, version, 7)


class Pair:
    """Both switches, and one connection to each."""

    def __init__(self, reference, version, settings=None):
        self.version = version
        self.reference_switch = reference
        self.reference = reference.connect(version)
        addresses = {port.name: port.hw_addr for port in self._ports()}
        self.switch = Switch(DATAPATH_ID, addresses)
        self.ours = Peer(self.switch, version, settings=settings)

    def _ports(self):
        (reply,) = self.reference.ask(PortDescRequest())
        return codec.decode(reply).ports

    def compare(self, *requests):
        """Let both answer, and check that they say the same."""
        theirs = [describe(one) for one in self.reference.ask(*requests)]
        ours = [describe(one) for one in self.ours.ask(*requests)]
        assert ours == theirs, _difference(requests, ours, theirs)
        return ours

    def compare_monitors(self, request):
        """Do as `compare()`, but of refusals compare only that they are.

        The reference takes what lies behind the request's headers for the request
        when it refuses a monitor, and so its error messages are garbage.
        """
        theirs = self.reference.ask(request)
        ours = self.ours.ask(request)
        if theirs and theirs[0][1] == _ERROR:
            assert [one[1] for one in ours] == [_ERROR], request
            assert ours[0][:1] + ours[0][4:8] == request[:1] + request[4:8]
        else:
            ours = [describe(one) for one in ours]
            theirs = [describe(one) for one in theirs]
            assert ours == theirs, _difference([request], ours, theirs)


def _difference(requests, ours, theirs):
    lines = ["different answers to", *map(repr, requests)]
    lines += [f"ours:   {one[:600]}" for one in ours if one not in theirs]
    lines += [f"theirs: {one[:600]}" for one in theirs if one not in ours]
    return "\n".join(lines)


def describe(octets):
    """Return a message as text, without what depends on the time."""
    try:
        header = raws.parse(octets)
        message = codec.decode_body(header, Cursor(octets, header.body))
    except OpenFlowError as error:
        return f"undecodable ({error.name}): {octets.hex()}"
    if isinstance(message, FlowStatsReply):
        for flow in message.flows:
            _forget_times(flow)
        return _text(header, message)
    if isinstance(message, FlowRemoved):
        _forget_times(message)
        return _text(header, message)
    if isinstance(message, PortStatsReply):
        for port in message.ports:
            _forget_times(port)
            known = port.counters
            text = f"{port.port_no} {known} {port.custom}"
            port.counters, port.custom = {}, []
            port.port_no = text
        rows = "; ".join(port.port_no for port in message.ports)
        return f"{header.raw.name} {header.raw.form} {header.xid} {rows}"
    return f"{header.raw.name} {header.xid:#x} {octets.hex()}"


def _forget_times(entry):
    for name in _DURATIONS:
        if hasattr(entry, name):
            setattr(entry, name, 0)


def _text(header, message):
    entries = getattr(message, "flows", None)
    if entries is None:
        body = repr(message)
    else:
        form = header.raw.form
        # The order of flows with the same fields is that of a hash table.
        rows = sorted(flow.encode(form, header.version).hex() for flow in entries)
        body = "; ".join(rows)
        body += f" more={message.more}"
    return f"{header.raw.name} {header.raw.form} {header.xid} {body}"
