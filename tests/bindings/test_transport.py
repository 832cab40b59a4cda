# SPDX-License-Identifier: Apache-2.0
"""Streams, connections, sessions and what waits for them."""

import errno
import os
import select
import socket

import pytest
from helpers.pki import HAS_OPENSSL, Authority
from helpers.programs import SCHEMA, Ours, RunDir, wait_until

import ovswitch.bindings.vlog as bindings_vlog
from ovswitch.bindings import poller as pollers
from ovswitch.bindings import timeval
from ovswitch.bindings.db import idl
from ovswitch.bindings.jsonrpc import EOF, Connection, Message, Session
from ovswitch.bindings.poller import POLLIN, POLLOUT, Poller, SelectPoll
from ovswitch.bindings.stream import PassiveStream, Stream
from ovswitch.runtime import ssl_config


@pytest.fixture
def listener(tmp_path):
    error, listener = PassiveStream.open(f"punix:{tmp_path}/sock")
    assert not error
    yield listener
    listener.close()


@pytest.fixture
def pair(listener):
    """Two connections, of who connected and of who listened."""
    error, stream = Stream.open_block(Stream.open(listener.name[1:]))
    assert not error
    error, accepted = listener.accept()
    assert not error
    ours, theirs = Connection(stream), Connection(accepted)
    yield ours, theirs
    ours.close()
    theirs.close()


def test_poller_wakes_for_files_and_time():
    reader, writer = os.pipe()
    try:
        started = timeval.msec()
        waiter = Poller()
        waiter.fd_wait(reader, POLLIN)
        waiter.timer_wait(20)
        waiter.block()
        assert timeval.msec() - started >= 20
        os.write(writer, b"x")
        for _ in range(2):  # nothing is left over from before
            waiter.fd_wait(reader, POLLIN)
            waiter.block()
        waiter.timer_wait_until(timeval.msec() - 5)
        waiter.block()
        waiter.timer_wait(60_000)
        waiter.immediate_wake()
        waiter.block()
    finally:
        os.close(reader)
        os.close(writer)


def test_poller_does_without_poll(monkeypatch):
    monkeypatch.delattr(select, "poll")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        waiter = Poller()
        waiter.fd_wait(ours, POLLIN | POLLOUT)
        waiter.block()
        poll = SelectPoll()
        poll.register(ours, POLLIN)
        poll.register(ours, POLLOUT)
        assert poll.poll(0) == [(ours.fileno(), POLLOUT)]
        assert pollers.get_system_poll() is SelectPoll


def test_stream_says_why_it_cannot_connect(tmp_path):
    assert Stream.open("nonsense:1") == (errno.EAFNOSUPPORT, None)
    assert Stream.open(f"unix:{tmp_path}/none")[0] == errno.ENOENT
    refused = Stream.open_block(Stream.open("tcp:127.0.0.1:1"))
    assert refused == (errno.ECONNREFUSED, None)
    assert Stream.is_valid_name("tcp:1.2.3.4")
    assert not Stream.is_valid_name("ptcp:1")
    assert PassiveStream.open("tcp:1")[0] == errno.EAFNOSUPPORT


def test_stream_never_blocks(listener):
    assert listener.accept() == (errno.EAGAIN, None)
    error, stream = Stream.open_block(Stream.open(listener.name[1:]))
    assert not error
    _, accepted = listener.accept()
    assert stream.recv(10) == (errno.EAGAIN, "")
    while (sent := stream.send(b"x" * 100_000)) > 0:
        pass
    assert sent == -errno.EAGAIN
    assert accepted.recv(3) == (0, b"xxx")
    stream.close()
    while (got := accepted.recv(1 << 20)) != (0, b""):
        assert not got[0]
    accepted.close()
    assert accepted.recv(1)[0] == errno.ENOTCONN


def test_request_is_answered(pair):
    ours, theirs = pair
    request = Message.create_request("twice", ["ä" * 100_000])
    assert not ours.send(request)
    error, got = theirs.recv_block()
    while got is None:
        ours.run()
        error, got = theirs.recv()
    assert (error, got.method, got.id) == (0, "twice", request.id)
    theirs.send_block(Message.create_notify("by the way", []))
    theirs.send_block(Message.create_reply(got.params, got.id))
    error, reply = ours.recv_block()
    assert (error, reply.type) == (0, Message.T_NOTIFY)
    error, reply = ours.recv_block()
    assert (error, reply.result) == (0, request.params)
    assert ours.recv() == (errno.EAGAIN, None)


@pytest.mark.parametrize(
    ("octets", "status"),
    [(b"{]", errno.EPROTO), (b'{"id": 5}', errno.EPROTO), (b"", EOF)],
)
def test_connection_ends_with_a_status(pair, octets, status):
    ours, theirs = pair
    ours.stream.send(octets)
    ours.close()
    wait_until(lambda: theirs.recv()[0] != errno.EAGAIN)
    assert theirs.get_status() == status
    assert theirs.send(Message.create_notify("x", [])) == status


def test_session_connects_again(listener):
    session = Session.open(listener.name[1:])
    accepted = []

    def run():
        session.run()
        error, stream = listener.accept()
        if not error:
            accepted.append(Connection(stream))
        return session.is_connected()

    wait_until(run)
    seqno = session.get_seqno()
    assert session.get_name() == listener.name[1:]
    accepted[0].send(Message.create_request("echo", [7]))
    assert session.recv() is None
    assert accepted[0].recv_block()[1].result == [7]
    accepted[0].close()
    session.recv()
    session.run()
    assert not session.is_connected()
    assert session.is_alive()
    assert session.send(Message.create_notify("x", [])) == errno.ENOTCONN
    session.reconnect.set_backoff_free_tries(2)
    session.force_reconnect()
    session.close()
    assert session.get_seqno() != seqno


def test_session_can_listen(tmp_path):
    session = Session.open(f"punix:{tmp_path}/passive")
    session.run()
    error, stream = Stream.open_block(Stream.open(f"unix:{tmp_path}/passive"))
    assert not error
    session.run()
    assert session.is_connected()
    stream.close()
    session.close()


def test_nothing_is_logged_before_init(capfd, tmp_path):
    Stream.open(f"unix:{tmp_path}/none")
    log = bindings_vlog.Vlog("test")
    log.err("quiet")
    assert capfd.readouterr().err == ""
    bindings_vlog.Vlog.set_level("any", "syslog", "off")
    bindings_vlog.Vlog.init()
    log.err("loud %(n)d", n=5)
    assert "|test|ERR|loud 5" in capfd.readouterr().err
    assert log.warn_is_enabled()
    assert not log.dbg_is_enabled()
    assert "test" in bindings_vlog.Vlog.get_levels()


@pytest.mark.slow
@pytest.mark.skipif(not HAS_OPENSSL, reason="needs openssl")
def test_idl_over_ssl(tmp_path, monkeypatch):
    monkeypatch.setattr(ssl_config, "settings", ssl_config.Settings())
    for name in ("private_key", "certificate", "ca_cert"):
        monkeypatch.setattr(Stream, f"_SSL_{name}_file", None)
    assert Stream.open("ssl:127.0.0.1:1")[0] == errno.ENOPROTOOPT
    authority = Authority(tmp_path)
    key, certificate = authority.issue("both")
    options = [f"--private-key={key}", f"--certificate={certificate}"]
    options += [f"--ca-cert={authority.ca}", "--remote=pssl:0:127.0.0.1"]
    with RunDir() as rundir:
        rundir.start_ovsdb_server(Ours, *options)
        log = (rundir / "ovsdb-server.log").read_text()
        (line,) = [line for line in log.splitlines() if "listening on port" in line]
        port = line.rpartition("port ")[2].split()[0]
        Stream.ssl_set_private_key_file(str(key))
        Stream.ssl_set_certificate_file(str(certificate))
        Stream.ssl_set_ca_cert_file(str(authority.ca))
        helper = idl.SchemaHelper(str(SCHEMA))
        helper.register_columns("Open_vSwitch", ["external_ids"])
        db = idl.Idl(f"ssl:127.0.0.1:{port}", helper)

        def connected():
            waiter = Poller()
            db.wait(waiter)
            waiter.timer_wait(1000)
            waiter.block()
            db.run()
            return db.has_ever_connected()

        wait_until(connected)
        txn = idl.Transaction(db)
        row = txn.insert(db.tables["Open_vSwitch"])
        row.external_ids = {str(n): "x" * 1000 for n in range(300)}
        assert txn.commit_block() == txn.SUCCESS
        db.close()
