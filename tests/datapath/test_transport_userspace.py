# SPDX-License-Identifier: Apache-2.0
"""The way to the forwarder: a false one in a thread, and the real one."""

import os
import select
import signal
import socket
import subprocess
import threading
import time

import pytest

from ovswitch.datapath import families as f
from ovswitch.datapath import netlink
from ovswitch.datapath.dpif import Dpif, DpifError, enumerate_datapaths, ufid
from ovswitch.datapath.odp import actions as act
from ovswitch.datapath.odp.key_parse import parse_key
from ovswitch.datapath.transport import TransportError
from ovswitch.datapath.transport_userspace import (
    SOCKET_NAME,
    UserspaceTransport,
    forwarder_path,
)


class FalseForwarder:
    """Answers each datagram as `answer` says: a list of datagrams, None to hang up."""

    def __init__(self, folder, answer):
        self.answer = answer
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(str(folder / SOCKET_NAME))
        self.listener.listen()
        self.n_connections = 0
        self.connections = []
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.n_connections += 1
            self.connections.append(connection)
            threading.Thread(
                target=self.converse, args=(connection, 7 + self.n_connections)
            ).start()

    def converse(self, connection, pid):
        with connection:
            while datagram := connection.recv(1 << 20):
                answers = self.answer(datagram, pid)
                if answers is None:
                    return
                for octets in answers:
                    connection.send(octets)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self.thread.join(5)


def error_message(seq, pid, errno=0):
    body = (-errno).to_bytes(4, "little", signed=True)
    header = netlink._HEADER.pack(16 + 4, netlink.NLMSG_ERROR, 0, seq, pid)
    return header + body


def done_message(seq, pid):
    return netlink._HEADER.pack(16 + 4, netlink.NLMSG_DONE, 2, seq, pid) + bytes(4)


def acknowledge(datagram, pid):
    """Acknowledge everything; dumps are empty."""
    answers = []
    for one in netlink.split(datagram):
        if one.flags & netlink.NLM_F_DUMP == netlink.NLM_F_DUMP:
            answers.append(done_message(one.seq, pid))
        elif one.flags & netlink.NLM_F_ACK:
            answers.append(error_message(one.seq, pid))
    return answers


@pytest.fixture
def serve(tmp_path):
    servers = []

    def serve(answer):
        servers.append(FalseForwarder(tmp_path, answer))
        return servers[-1]

    yield serve
    for server in servers:
        server.close()


@pytest.fixture
def transport(tmp_path):
    transport = UserspaceTransport(str(tmp_path))
    yield transport
    transport.close()


REQUEST = (f.OVS_FLOW, f.CMD_GET, 1, netlink.NLM_F_ACK, b"")


def test_no_forwarder_means_no_datapaths(transport):
    assert enumerate_datapaths(transport) == []
    with pytest.raises(DpifError) as info:
        Dpif.open(transport, "x")
    assert info.value.errno == 19
    assert not transport.is_running()


def test_answers_belong_to_their_requests(transport, serve):
    def answer(datagram, pid):
        stale = error_message(12345, pid, 5)
        first, second = netlink.split(datagram)
        two = error_message(second.seq, pid, 17) + error_message(first.seq, pid)
        return [stale, two]

    serve(answer)
    replies = transport.transact([REQUEST, REQUEST])
    assert [one.error for own in replies for one in own] == [0, 17]


@pytest.mark.parametrize(
    "garbage", [b"x", b"\xff" * 16, bytes(16), bytes([12, 0, 0, 0]) + bytes(20)]
)
def test_garbage_is_an_error_of_the_datapath(transport, serve, garbage):
    serve(lambda _datagram, _pid: [garbage])
    dpif = Dpif(transport, "x", 1)
    with pytest.raises(DpifError):
        dpif.stats()
    with pytest.raises(DpifError):
        dpif.operate([REQUEST])
    with pytest.raises(TransportError):
        transport.upcall_pid()


def test_broken_connection_is_made_anew(transport, serve):
    broken = [True]

    def answer(datagram, pid):
        return None if broken.pop() is True else acknowledge(datagram, pid)

    broken[:] = [False, False, True]
    server = serve(answer)
    with pytest.raises(TransportError):
        transport.transact([REQUEST])
    generation = transport.generation
    assert transport.transact([REQUEST])[0][0].error == 0
    assert transport.generation == generation + 1
    assert server.n_connections == 2


def test_upcall_connection_learns_its_number(transport, serve):
    serve(acknowledge)
    transport.start()
    assert transport.upcall_pid() == 7 + 2  # the second connection's
    assert transport.upcall_pid() == 7 + 2
    assert select.select([transport.fileno()], [], [], 0)[0] == []
    assert transport.receive(10) == []


def test_posted_requests_ask_for_no_acknowledgement(transport, serve):
    seen = []

    def answer(datagram, pid):
        seen.append([one.flags for one in netlink.split(datagram)])
        return acknowledge(datagram, pid)

    serve(answer)
    transport.transact([REQUEST])
    transport.post([REQUEST, REQUEST])
    transport.transact([REQUEST])
    assert seen[1] == [netlink.NLM_F_REQUEST] * 2


def test_gone_forwarder_shows_at_the_next_receive(transport, serve):
    server = serve(acknowledge)
    transport.start()
    transport.upcall_pid()
    server.close()
    server.listener = socket.socket()  # closed once more by the fixture
    server.listener.listen()
    with pytest.raises(TransportError):
        transport.receive(10)


def test_long_run_directory_is_reached(tmp_path):
    folder = tmp_path / ("d" * 60) / ("e" * 60)
    folder.mkdir(parents=True)
    short = tmp_path / "s"
    short.mkdir()
    server = FalseForwarder(short, acknowledge)
    os.rename(short / SOCKET_NAME, folder / SOCKET_NAME)
    transport = UserspaceTransport(str(folder))
    try:
        assert transport.is_running()
    finally:
        transport.close()
        server.close()


# The real forwarder.

DEADLINE = 10


def real(tmp_path):
    if os.geteuid() or not os.path.exists(forwarder_path()):
        pytest.skip("needs root and the forwarder")
    return UserspaceTransport(str(tmp_path))


def wait(condition):
    deadline = time.perf_counter() + DEADLINE
    while not condition():
        assert time.perf_counter() < deadline
        time.sleep(0.01)


def forwarder_pid(tmp_path):
    return int((tmp_path / "ovs-forwarder.pid").read_text())


@pytest.mark.root
def test_upcalls_and_flows_of_a_real_forwarder(tmp_path):
    transport = real(tmp_path)
    name = f"dq{os.getpid()}"
    dpif = Dpif.create_and_open(transport, name)
    try:
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as device:
            device.bind((name, 0))
            packet = bytes(6) + b"\x0a\0\0\0\0\x01\x12\x34" + bytes(46)
            device.send(packet)
            found = []

            def arrived():
                select.select([dpif.fileno()], [], [], 1)
                found.extend(u for u in dpif.recv_upcalls() if u.packet == packet)
                return found

            wait(arrived)
            key, mask = parse_key("in_port(0),eth(),eth_type(0x1234)")
            dpif.post([dpif.flow_put(key, mask, act.drop(), ufid(key))])
            assert dpif.stats().n_flows == 1  # comes behind what was posted
            device.send(packet)
            wait(lambda: [flow.n_packets for flow in dpif.flow_dump()] == [1])
            [flow] = dpif.flow_dump()
            assert 0 <= transport.now() - flow.used < 60_000

        # Another process adopts it, with its flows.
        other = UserspaceTransport(str(tmp_path))
        adopted = Dpif.create_and_open(other, name)
        assert [flow.n_packets for flow in adopted.flow_dump()] == [1]
        [port] = adopted.port_dump()
        assert port.upcall_pid == other.upcall_pid() != transport.upcall_pid()
        other.close()
    finally:
        dpif.delete()
        transport.close()
    wait(lambda: not (tmp_path / SOCKET_NAME).exists())


@pytest.mark.root
def test_killed_forwarder_is_noticed_and_started_again(tmp_path):
    transport = real(tmp_path)
    name = f"dr{os.getpid()}"
    dpif = Dpif.create_and_open(transport, name)
    generation = transport.generation
    os.kill(forwarder_pid(tmp_path), signal.SIGKILL)

    def fails():
        try:
            dpif.stats()
        except DpifError:
            return True
        return False

    wait(fails)
    dpif = Dpif.create_and_open(transport, name)
    assert transport.generation > generation
    assert dpif.stats().n_flows == 0
    dpif.delete()
    transport.close()
    wait(lambda: not (tmp_path / SOCKET_NAME).exists())


@pytest.mark.root
def test_a_datapath_is_made_anew_after_the_last_one_was_deleted(tmp_path):
    """The forwarder has ended, of which the transport doesn't know yet."""
    transport = real(tmp_path)
    name = f"ds{os.getpid()}"
    for _ in range(3):
        dpif = Dpif.create_and_open(transport, name)
        assert [port.name for port in dpif.port_dump()] == [name]
        dpif.delete()
    transport.close()
    wait(lambda: not (tmp_path / SOCKET_NAME).exists())
