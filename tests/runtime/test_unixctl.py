# SPDX-License-Identifier: Apache-2.0
"""The unixctl server against unruly clients, and with the official bindings."""

import random
import socket
import sys
from pathlib import Path

import pytest
from helpers.programs import Reference, RunDir

from ovswitch.runtime import json

TINY = Path(__file__).parent.parent / "helpers" / "tiny_daemon.py"


@pytest.fixture(scope="module")
def servers():
    """Our tiny daemon and the reference's ovsdb-server: their control sockets."""
    with RunDir() as run_dir:
        run_dir.run([sys.executable, TINY, "--detach", "--pidfile"], check=True)
        paths = [str(run_dir / f"tiny.{run_dir.pid('tiny')}.ctl")]
        if not Reference.missing():
            run_dir.start_ovsdb_server(Reference)
            pid = run_dir.pid("ovsdb-server")
            paths.append(str(run_dir / f"ovsdb-server.{pid}.ctl"))
        yield run_dir, paths


def exchange(path, octets):
    """Send octets, end, and return what came until the server closed."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        try:
            client.sendall(octets)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it closed already
        answer = b""
        try:
            while more := client.recv(65536):
                answer += more
        except ConnectionResetError:
            pass
    return json.Feeder().feed(answer)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"garbage",
        b"[]",
        b"{",
        b'{"id":1,"result":"x","error":null}',
        b'{"method":"version","params":[],"id":null}',
        b'{"method":"version","params":[],"id":1}{"method":"version","params":[]}',
        b'{"method":"version","params":[1],"id":[2]}',
        b'{"method":"vlog/set","params":[1],"id":{"a":2}}',
        b'{"method":"nosuch","params":[],"id":"x"}',
        b'{"method":"nosuch","params":[],"id":1.5,"error":null}',
        b'{"method":"version","params":[],"id":1}' * 20,
    ],
)
def test_odd_requests_are_answered_as_the_reference_does(servers, octets):
    _, paths = servers
    answers = [exchange(path, octets) for path in paths]
    text = json.to_string(answers).replace("tiny", "ovsdb-server")
    answers = json.from_string(text)
    assert answers == [answers[-1]] * len(answers)


def test_random_octets_do_no_harm(servers):
    run_dir, paths = servers
    chance = random.Random(1)
    request = b'{"method":"echo","params":["a","\\u00e9"],"id":17}'
    for _ in range(150):
        octets = bytearray(request * chance.randint(1, 3))
        for _ in range(chance.randint(0, 5)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        exchange(paths[0], bytes(octets[: chance.randrange(len(octets) + 1)]))
    assert run_dir.appctl("-t", "tiny", "echo", "alive").out == "alive\n"


def test_a_slow_command_holds_up_its_own_connection_only(servers):
    run_dir, paths = servers
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(paths[0])
        client.sendall(b'{"method":"slow","params":["60000"],"id":1}')
        assert run_dir.appctl("-t", "tiny", "echo", "x").out == "x\n"


def test_the_official_bindings_call_our_commands(servers):
    unixctl = pytest.importorskip("ovs.unixctl.client")
    _, paths = servers
    error, client = unixctl.UnixctlClient.create(paths[0])
    assert error == 0
    assert client.transact("echo", ["a", "b"]) == (0, None, "a b\n")
    assert client.transact("fail", ["no"]) == (0, "no\n", None)
    client.close()
