# SPDX-License-Identifier: Apache-2.0
"""Streams, JSON-RPC connections and sessions on the event loop."""

import asyncio
import os
import socket
import subprocess

import pytest
from helpers.programs import Reference

from ovswitch.runtime import (
    aio,
    aio_jsonrpc,
    clock,
    fatal,
    jsonrpc,
    loop,
    ssl_config,
    target,
)
from ovswitch.runtime.jsonrpc import Message


@pytest.fixture
def in_loop(monkeypatch, run_dir):
    """Run a coroutine function in a loop of its own; its timeout is in virtual time."""
    monkeypatch.setitem(os.environ, "OVS_RUNDIR", str(run_dir.path))
    monkeypatch.setattr("ovswitch.runtime.dirs.rundir", lambda: str(run_dir.path))

    def run(main):
        event_loop = loop.Loop()
        try:
            return event_loop.run_until_complete(asyncio.wait_for(main(), 1000))
        finally:
            event_loop.run_until_complete(loop.real_sleep(20))  # SSL's farewells
            loop._cancel_all(event_loop)
            event_loop.close()

    yield run
    clock.reset()


async def answer(stream):
    """Serve `add` and end at anything else."""
    connection = aio_jsonrpc.Connection(stream)
    try:
        while True:
            request = await connection.receive()
            if request.method != "add":
                break
            connection.send(Message.reply(sum(request.params), request.id))
    except OSError:
        pass
    connection.close()


def serving(group):
    return lambda stream: group.spawn("serve", answer(stream))


@pytest.mark.parametrize(
    ("passive", "active", "peer"),
    [
        ("punix:x.sock", "unix:x.sock", "unix#"),
        ("ptcp:0:127.0.0.1", "tcp:127.0.0.1:{}", "tcp:127.0.0.1:"),
        ("ptcp:0:[::1]", "tcp:[::1]:{}", "tcp:[::1]:"),
        ("ptcp:0", "tcp:localhost:{}", "tcp:127.0.0.1:"),
    ],
)
def test_peers_talk_over_each_kind_of_stream(in_loop, passive, active, peer):
    async def main():
        group, names = loop.Group("test"), []
        serve = serving(group)
        listener = await aio.listen(passive, lambda s: (names.append(s.name), serve(s)))
        name = active.format(listener.bound_port)
        connection = aio_jsonrpc.Connection(await aio.open_stream(name))
        assert connection.send(Message.request("add", [1, 2]))
        assert (await connection.receive()).result == 3
        assert names[0].startswith(peer)
        connection.send(Message.notify("bye", []))
        with pytest.raises(OSError, match="End of file") as caught:
            await connection.receive()
        assert caught.value.errno == fatal.EOF
        connection.close()
        listener.close()
        await group.close()

    in_loop(main)


@pytest.mark.parametrize(
    "name", ["tcp:127.0.0.1:x", "tcp:", "nosuch:1", "unix", "tcp:127.0.0.1:99999"]
)
def test_a_wrong_method_is_an_unsupported_address(name, in_loop):
    async def main():
        with pytest.raises(OSError, match="Address family") as caught:
            await aio.open_stream(name)
        assert caught.value.errno == target.EAFNOSUPPORT

    in_loop(main)


def test_a_reader_that_sleeps_stops_the_sender(in_loop):
    async def main():
        streams = []
        listener = await aio.listen("punix:x", streams.append)
        sender = await aio.open_stream("unix:x")
        await loop.real_sleep(20)
        block = b"x" * 100_000
        for _ in range(200):
            sender.write(block)
        await loop.real_sleep(50)
        assert sender.backlog > 10_000_000
        total = 0
        while total < 200 * len(block):
            octets = await streams[0].read()
            assert len(octets) <= aio.READ_LIMIT + 300_000
            total += len(octets)
        await sender.drain()
        sender.close()
        assert await streams[0].read() == b""
        streams[0].close()
        listener.close()

    in_loop(main)


def test_a_slow_peer_is_dropped_at_the_backlog_bound(in_loop):
    async def main():
        streams = []
        listener = await aio.listen("punix:x", streams.append)
        connection = aio_jsonrpc.Connection(await aio.open_stream("unix:x"))
        connection.max_backlog_messages = 60
        message = Message.notify("x", ["y" * 100_000])
        results = [connection.send(message) for _ in range(100)]
        assert results[0]
        assert not results[-1]
        assert connection.stream.is_closed
        for stream in streams:
            stream.close()
        listener.close()

    in_loop(main)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"hello\n", "error parsing stream: line 0, column 5, byte 5: invalid keyword"),
        (b"[]", "received bad JSON-RPC message: message is not a JSON object"),
        (b'{"id":1}', 'request must have "method"'),
        (b'{"method":"m","params":{},"id":1}', '"params" must be JSON array'),
        (b'{"x":1}', 'message has unexpected member "x"'),
        (b'{"method":1}', "method is not a JSON string"),
    ],
)
def test_what_is_not_json_rpc_ends_the_connection(octets, text):
    framer = jsonrpc.Framer()
    good = jsonrpc.encode(Message("m", [], 1))
    assert len(framer.feed(good + octets)) == 1
    assert text in framer.error
    assert framer.feed(good) == []


def test_a_session_reconnects_and_tells_so(in_loop):
    async def main():
        group = loop.Group("test")
        session = aio_jsonrpc.Session(["unix:x"])
        session.start()
        await asyncio.sleep(0.05)
        assert not session.is_connected
        listener = await aio.listen("punix:x", serving(group))
        clock.warp(1000)
        assert await session.receive() is None
        assert session.is_connected
        seqno = session.seqno
        assert session.send(Message("add", [3, 4], "i"))
        assert (await session.receive()).result == 7
        session.send(Message("bye", [], "j"))
        assert await session.receive() is None
        assert session.seqno > seqno
        clock.warp(8000)
        assert await session.receive() is None
        session.send(Message("add", [5], "k"))
        assert (await session.receive()).result == 5
        session.force_reconnect()
        assert await session.receive() is None
        await session.close()
        assert await session.receive() is None
        listener.close()
        await group.close()

    in_loop(main)


def test_a_session_probes_and_gives_up_a_silent_peer(in_loop):
    async def main():
        streams = []
        listener = await aio.listen("ptcp:0:127.0.0.1", streams.append)
        session = aio_jsonrpc.Session([f"tcp:127.0.0.1:{listener.bound_port}"])
        session.start()
        assert await session.receive() is None
        connection = aio_jsonrpc.Connection(streams[0])
        clock.warp(5001)
        probe = await connection.receive()
        assert (probe.method, probe.id) == ("echo", "echo")
        connection.send(Message.reply([], "echo"))
        connection.send(Message("echo", ["x"], 9))
        assert (await connection.receive()).result == ["x"]
        clock.warp(5001)
        assert (await connection.receive()).method == "echo"
        clock.warp(5001)
        await loop.real_sleep(20)
        clock.warp(5001)
        assert await session.receive() is None
        assert not session.is_connected
        await session.close()
        connection.close()
        listener.close()

    in_loop(main)


def test_without_retry_a_session_dies_with_its_only_try(in_loop):
    async def main():
        session = aio_jsonrpc.Session(["unix:nosuch"], retry=False)
        session.start()
        assert await session.receive() is None
        assert not session.is_alive
        assert session.last_error == 2
        await session.close()

    in_loop(main)


def test_a_passive_session_serves_one_peer_at_a_time(in_loop):
    async def main():
        session = aio_jsonrpc.Session(["punix:x"])
        session.start()
        await loop.real_sleep(20)
        first = aio_jsonrpc.Connection(await aio.open_stream("unix:x"))
        assert await session.receive() is None
        first.send(Message.notify("one", []))
        assert (await session.receive()).method == "one"
        second = aio_jsonrpc.Connection(await aio.open_stream("unix:x"))
        assert await session.receive() is None
        second.send(Message.notify("two", []))
        assert (await session.receive()).method == "two"
        with pytest.raises(OSError, match="End of file"):
            await first.receive()
        first.close()
        second.close()
        await session.close()

    in_loop(main)


@pytest.mark.reference
def test_the_references_database_server_answers_both_clients(run_dir, in_loop):
    run_dir.start_ovsdb_server(Reference)

    async def main():
        session = aio_jsonrpc.Session(["unix:db.sock"])
        session.start()
        assert await session.receive() is None
        session.send(Message("get_schema", ["Open_vSwitch"], 1))
        assert (await session.receive()).result["name"] == "Open_vSwitch"
        await session.close()

    in_loop(main)
    with jsonrpc.Client(f"unix:{run_dir.path}/db.sock") as client:
        assert "Open_vSwitch" in client.call("list_dbs", []).result
        assert client.receive(timeout_ms=10) is None


# SSL.


def make_pki(folder):
    """Make a CA "ca" and two certificates signed by it, "a" and "b"."""

    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-subj",
        "/CN=the CA",
        "-days",
        "2",
    )
    for name in "ab":
        openssl(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            f"{name}.key",
            "-out",
            f"{name}.csr",
            "-subj",
            f"/CN=peer {name}",
        )
        openssl(
            "x509",
            "-req",
            "-in",
            f"{name}.csr",
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-out",
            f"{name}.pem",
            "-days",
            "2",
        )
    with open(folder / "b-chain.pem", "w") as chain:
        chain.write((folder / "b.pem").read_text() + (folder / "ca.pem").read_text())


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pki")
    make_pki(folder)
    return folder


@pytest.fixture
def ssl_settings(monkeypatch, pki):
    made = ssl_config.Settings()
    made.set_key_and_cert(str(pki / "a.key"), str(pki / "a.pem"))
    made.set_ca_cert(str(pki / "ca.pem"))
    monkeypatch.setattr(ssl_config, "settings", made)
    return made


def test_ssl_peers_talk_and_know_each_others_names(in_loop, ssl_settings):
    async def main():
        group, peers = loop.Group("test"), []
        serve = serving(group)
        listener = await aio.listen(
            "pssl:0:127.0.0.1", lambda s: (peers.append(s), serve(s))
        )
        stream = await aio.open_stream(f"ssl:127.0.0.1:{listener.bound_port}")
        connection = aio_jsonrpc.Connection(stream)
        connection.send(Message.request("add", [20, 3]))
        assert (await connection.receive()).result == 23
        assert stream.peer_id == peers[0].peer_id == "peer a"
        connection.close()
        listener.close()
        await group.close()

    in_loop(main)


def test_ssl_needs_its_files(in_loop, ssl_settings):
    ssl_settings.private_key = ""

    async def main():
        with pytest.raises(OSError, match="Protocol not available") as caught:
            await aio.open_stream("ssl:127.0.0.1:1")
        assert caught.value.errno == ssl_config.ENOPROTOOPT

    in_loop(main)


@pytest.mark.reference
def test_ssl_with_the_reference_and_bootstrapping(run_dir, in_loop, ssl_settings, pki):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run_dir.start_ovsdb_server(
        Reference,
        f"--remote=pssl:{port}:127.0.0.1",
        f"--private-key={pki}/b.key",
        f"--certificate={pki}/b-chain.pem",
        f"--ca-cert={pki}/ca.pem",
    )
    name = f"ssl:127.0.0.1:{port}"
    saved = run_dir / "learned.pem"
    ssl_settings.set_ca_cert(str(saved), bootstrap=True)
    with pytest.raises(OSError, match="Protocol error"):
        jsonrpc.Client(name)  # it learns the CA and gives up
    assert saved.read_text() in (pki / "ca.pem").read_text()
    with jsonrpc.Client(name) as client:
        assert client.call("echo", ["x"]).result == ["x"]
    saved.unlink()
    ssl_settings.set_ca_cert(str(saved), bootstrap=True)

    async def main():
        with pytest.raises(OSError, match="Protocol error"):
            await aio.open_stream(name)
        stream = await aio.open_stream(name)
        assert stream.peer_id == "peer b"
        stream.close()

    in_loop(main)
