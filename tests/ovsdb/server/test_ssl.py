# SPDX-License-Identifier: Apache-2.0
"""SSL between every pair of client and server: what is printed, and what is logged."""

import asyncio
import random
import re
import socket
import ssl
import struct
import time
from pathlib import Path

import pytest
import requests_table
from helpers.pki import HAS_OPENSSL, Authority
from server_pair import IMPLEMENTATIONS, Ours, Reference, Server, wait_until

from ovswitch.ovsdb.server import server as core
from ovswitch.ovsdb.server.aio_server import Shell
from ovswitch.ovsdb.server.remote_config import RemoteOptions
from ovswitch.runtime import clock, loop, ssl_config

pytestmark = pytest.mark.skipif(not HAS_OPENSSL, reason="needs openssl")

LOG_FORMAT = "%c|%p|%m"
LOGGED = ("stream_ssl|", "jsonrpc|", "reconnect|")


class Pki:
    """Keys and certificates: `options("client")` are those for a program."""

    def __init__(self, folder):
        self.folder = folder
        self.ca = Authority(folder)
        self.other = Authority(folder, "other")
        self._issued = {
            "server": self.ca.issue("server"),
            "client": self.ca.issue("client"),
            "stranger": self.other.issue("stranger"),
        }

    def options(self, name, ca=None):
        key, certificate = self._issued[name]
        return [f"-p{key}", f"-c{certificate}", f"-C{ca or self.ca.ca}"]


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    return Pki(tmp_path_factory.mktemp("pki"))


def port_of(server, number=0):
    """Return the port that the server chose for its nth remote."""
    pattern = r"listening on port (\d+)"
    wait_until(lambda: len(re.findall(pattern, server.log)) > number)
    return int(re.findall(pattern, server.log)[number])


def start(implementation, pki, *options):
    return Server(
        implementation,
        requests_table.SCHEMA,
        *options,
        *pki.options("server"),
        f"--peer-ca-cert={pki.ca.ca}",
        f"-vPATTERN:file:{LOG_FORMAT}",
    )


@pytest.fixture
def start_server(pki):
    servers = []

    def begin(implementation, *options):
        servers.append(start(implementation, pki, *options))
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


def client_of(implementation, server, *words):
    program = implementation.path("ovsdb-client")
    words = [program, f"-vPATTERN:console:{LOG_FORMAT}", "-t5", *words]
    return server.run_dir.run(words)


def commands(pki, name, secure, plain):
    """Return the commands to try, for client `name`."""
    client = pki.options("client")
    key, certificate, _ca = client
    stranger = pki.options("stranger")[1]
    bootstrap = f"--bootstrap-ca-cert=learned-{name}.pem"
    return [
        [*client, secure],
        [*pki.options("client", pki.other.ca), secure],
        [secure],
        [key, stranger, "-Cnone", secure],
        ["-p/nonexistent", certificate, "-Cnone", secure],
        [*pki.options("client", "/nonexistent"), secure],
        [*pki.options("client", "none"), secure],
        [*client, plain.replace("tcp:", "ssl:")],
        [secure.replace("ssl:", "tcp:")],
        [*client, "--ssl-protocols=TLSv1.2", secure],
        [*client, "--ssl-protocols=TLSv9", secure],
        [*client, "--ssl-protocols=TLSv1", secure],
        [*client, "--ssl-ciphers=NONSENSE", secure],
        [key, certificate, bootstrap, secure],
        [key, certificate, bootstrap, secure],
        # Who fails first, when the server refuses us, is left to chance.
        [*pki.options("stranger", pki.ca.ca), secure],
    ]


UNUSED = re.compile(
    r"^stream_ssl\|WARN\|SSL_accept: .*unexpected eof while reading\n"
    r"jsonrpc.*\nreconnect.*\n",
    re.MULTILINE,
)


def normalise(text, server, pki):
    # A client without keys may find out before it connects, or after.
    text = UNUSED.sub("", text)
    # A connection that ends before all was read may be reset, or not.
    text = re.sub(r"^.*Connection reset by peer\)?\n", "", text, flags=re.MULTILINE)
    text = re.sub(r"127\.0\.0\.1:\d+", "ADDRESS", text)
    text = text.replace(str(server.run_dir.path), "DIR").replace(str(pki.folder), "PKI")
    return re.sub(r"learned-\w+", "learned", text)


def play(client, server, secure, plain, pki):
    """Run all commands; return what each printed, and what the server logged."""
    before = len(server.log)
    results = [
        normalise(repr(client_of(client, server, "list-dbs", *words)), server, pki)
        for words in commands(pki, client.name, secure, plain)
    ]
    results[-1] = results[-1].partition("\n")[0]
    time.sleep(0.1)  # for the last connection's end
    lines = server.log[before:].splitlines(keepends=True)
    log = "".join(line for line in lines if line.startswith(LOGGED))
    return [*results, normalise(log, server, pki)]


@pytest.mark.reference
@pytest.mark.slow
def test_any_client_and_server_print_and_log_the_same(pki, start_server):
    played = {}
    for implementation in IMPLEMENTATIONS:
        server = start_server(implementation, "--remote=pssl:0:127.0.0.1")
        secure = f"ssl:127.0.0.1:{port_of(server)}"
        server.appctl("vlog/disable-rate-limit")
        server.appctl("ovsdb-server/add-remote", "ptcp:0:127.0.0.1")
        plain = f"tcp:127.0.0.1:{port_of(server, 1)}"
        for client in IMPLEMENTATIONS:
            played[implementation.name, client.name] = play(
                client, server, secure, plain, pki
            )
    expected = played.pop(("reference", "reference"))
    for pair, results in played.items():
        for number, (found, wanted) in enumerate(zip(results, expected, strict=True)):
            assert found == wanted, (pair, number)


def handshake(pki, port):
    """Shake hands as "client"; return the encrypted socket."""
    key, certificate, ca = (word[2:] for word in pki.options("client"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(ca)
    plain = socket.create_connection(("127.0.0.1", port), timeout=5)
    return context.wrap_socket(plain)


def test_a_large_answer_comes_through_whole(pki, start_server):
    server = start_server(Ours, "--remote=pssl:0:127.0.0.1")
    with handshake(pki, port_of(server)) as client:
        text = "x" * 3_000_000
        client.sendall(b'{"id":1,"method":"echo","params":["%b"]}' % text.encode())
        received = b""
        while not received.endswith(b"}"):
            received += client.recv(1 << 16)
        assert len(received) > len(text)


def test_a_stuck_handshake_ends_with_the_probe_and_hinders_nobody(pki, monkeypatch):
    settings = ssl_config.Settings()
    for option, word in zip(
        ("private-key", "certificate", "ca-cert"), pki.options("server"), strict=True
    ):
        settings.set_option(option, word[2:])
    monkeypatch.setattr(ssl_config, "settings", settings)
    method = "pssl:0:127.0.0.1"

    async def main():
        event_loop = asyncio.get_running_loop()
        shell = Shell(core.Server())
        await shell.set_remotes({method: RemoteOptions(method)})
        port = int(shell.remotes[method].status()[1]["bound_port"])
        with socket.create_connection(("127.0.0.1", port), timeout=5) as stuck:
            stuck.sendall(b"\x16\x03\x01")
            other = await event_loop.run_in_executor(None, handshake, pki, port)
            assert shell.remotes[method].status()[1]["n_connections"] == "2"
            other.close()
            await loop.real_sleep(50)
            for _ in range(2):
                assert shell.connections
                clock.warp(5000)
                await loop.real_sleep(20)
            assert not shell.connections
            assert await event_loop.run_in_executor(None, stuck.recv, 100) == b""
        await shell.close()

    event_loop = loop.Loop()
    try:
        event_loop.run_until_complete(main())
    finally:
        loop._cancel_all(event_loop)
        event_loop.run_until_complete(event_loop.shutdown_default_executor())
        event_loop.close()
        clock.reset()


def test_garbage_in_place_of_a_handshake_or_of_records_hurts_nobody(pki, start_server):
    server = start_server(Ours, "--remote=pssl:0:127.0.0.1")
    port = port_of(server)
    dice = random.Random(7)
    hello = b"\x16\x03\x01\x00\x50\x01\x00\x00\x4c\x03\x03"
    for _ in range(30):
        octets = dice.choice([b"", hello, b"\x17\x03\x03\xff\xff"])
        octets += dice.randbytes(dice.randrange(200))
        with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
            client.sendall(octets)
            if dice.random() < 0.5:
                linger = struct.pack("ii", 1, 0)  # end it with a reset
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    encrypted = handshake(pki, port)
    broken = socket.socket(fileno=encrypted.detach())  # past the encryption
    broken.settimeout(5)
    broken.sendall(b"\x17\x03\x03\x00\x20" + bytes(32))
    while broken.recv(1000):
        pass
    broken.close()
    with handshake(pki, port) as client:
        client.sendall(b'{"id":1,"method":"echo","params":[]}')
        assert client.recv(100)
    assert "Traceback" not in server.log
    assert "|EMER|" not in server.log


@pytest.mark.parametrize(
    "implementation",
    [pytest.param(Reference, marks=pytest.mark.reference), Ours],
)
def test_without_certificates_it_listens_and_refuses(implementation):
    options = ("--remote=pssl:0:127.0.0.1", f"-vPATTERN:file:{LOG_FORMAT}")
    server = Server(implementation, requests_table.SCHEMA, *options)
    try:
        port = port_of(server)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.settimeout(5)
            assert client.recv(1) == b""
        wait_until(lambda: "accept failed" in server.log)
        tail = server.log[server.log.index("stream_ssl|") :]
        assert tail.replace(str(port), "PORT") == (
            "stream_ssl|ERR|Private key must be configured to use SSL\n"
            "stream_ssl|ERR|Certificate must be configured to use SSL\n"
            "stream_ssl|ERR|CA certificate must be configured to use SSL\n"
            "ovsdb_jsonrpc_server|WARN|pssl:PORT:127.0.0.1: accept failed: "
            "Protocol not available\n"
        )
    finally:
        server.close()


def test_files_named_by_columns_are_read_anew_when_they_change(pki, run_dir):
    """Key, certificate and CA come from the SSL table; then the certificate changes."""
    table = "db:Open_vSwitch,SSL,"
    run_dir.start_ovsdb_server(
        Ours,
        "--remote=pssl:0:127.0.0.1",
        f"--private-key={table}private_key",
        f"--certificate={table}certificate",
        f"--ca-cert={table}ca_cert",
    )
    files = [run_dir / name for name in ("key", "certificate", "ca")]

    def install(name):
        for file, word in zip(files, pki.options(name), strict=True):
            new = Path(f"{file}.new")
            new.write_bytes(Path(word[2:]).read_bytes())
            new.rename(file)

    def subject(port):
        with handshake(pki, port) as client:
            return client.getpeercert()["subject"][0][0][1]

    install("server")
    database = f"--db=unix:{run_dir.path}/db.sock"
    vsctl = [Ours.path("ovs-vsctl"), database, "--no-wait"]
    run_dir.run([*vsctl, "init"], check=True)
    run_dir.run([*vsctl, "set-ssl", *files], check=True)
    pattern = r"listening on port (\d+)"
    log = run_dir / "ovsdb-server.log"
    port = int(re.search(pattern, log.read_text())[1])
    assert subject(port) == "server"
    install("client")
    assert subject(port) == "client"
