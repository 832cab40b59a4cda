# SPDX-License-Identifier: Apache-2.0
"""Random and broken octets against running daemons: none may crash, leak or stall.

HOSTILE_SECONDS is how long each kind of input goes on (2 by default; a minute finds
more).
"""

import contextlib
import json
import os
import pathlib
import random
import socket
import struct
import time

import pytest

from tests.interop.lab import Lab, can_make_namespaces, is_running

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(not can_make_namespaces(), reason="needs root and iproute2"),
]

SECONDS = float(os.environ.get("HOSTILE_SECONDS", "2"))
#: How much a daemon may grow: buffers and caches warm up, a leak goes on.
GROWTH_KB = 40_000


@pytest.fixture(scope="module")
def lab():
    with Lab() as lab:
        lab.start()
        lab.host("p1", "10.0.0.1/24")
        lab.host("p2", "10.0.0.2/24")
        yield lab
        for name in ("ovs-vswitchd", "ovsdb-server"):
            assert "|EMER|" not in lab.log(name), lab.log(name)[-3000:]


@pytest.fixture
def random_source():
    return random.Random(20240607)


def resident_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(pid)


class Watch:
    """The daemons' ids and sizes, before and after."""

    def __init__(self, lab):
        self.lab = lab
        self.pids = {
            name: lab.pid(name)
            for name in ("ovsdb-server", "ovs-vswitchd", "ovs-forwarder")
        }
        self.sizes = {name: resident_kb(pid) for name, pid in self.pids.items()}

    def check(self):
        for name, pid in self.pids.items():
            assert is_running(pid), self.lab.log("ovs-vswitchd")[-2000:]
            assert self.lab.pid(name) == pid
            growth = resident_kb(pid) - self.sizes[name]
            assert growth < GROWTH_KB, (name, growth)
        assert self.lab.hosts["p1"].ping("10.0.0.2", count=2) == 2
        assert self.lab.appctl("version").startswith("ovs-vswitchd")


def until_over():
    end = time.monotonic() + SECONDS  # noqa: TID251
    while time.monotonic() < end:  # noqa: TID251
        yield


@contextlib.contextmanager
def connection(path):
    """A client; what it can't send to a daemon that hangs up is no matter."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        client.connect(str(path))
        with contextlib.suppress(ConnectionError):
            yield client
        drain(client)


def drain(client):
    """What the daemon answers until it closes or falls silent."""
    client.settimeout(0.05)
    answer = b""
    try:
        while octets := client.recv(65536):
            answer += octets
    except (TimeoutError, ConnectionError):
        pass
    return answer


def mangled(octets, rng):
    """A copy with some octets changed, cut or repeated."""
    octets = bytearray(octets)
    for _ in range(rng.randint(0, 4)):
        if octets:
            octets[rng.randrange(len(octets))] = rng.randrange(256)
    if rng.random() < 0.3:
        del octets[rng.randrange(len(octets) + 1) :]
    return bytes(octets)


FRAMES = [
    bytes.fromhex(text.replace(" ", ""))
    for text in (
        "ffffffffffff 020000000001 0806 0001080006040001 020000000001 0a000001"
        "000000000000 0a000002",
        "020000000002 020000000001 0800 4500002800004000400600000a0000010a000002"
        "00140050000000010000000250022000000000000000",
        "020000000002 020000000001 8100 2005 0800 450000240000000040110000"
        "0a0000010a000002 0035003500100000 0102030405060708",
        "020000000002 020000000001 86dd 6000000000183aff"
        "fe800000000000000000000000000001 ff0200000000000000000001ff000002"
        "8700000000000000 fe800000000000000000000000000002 0101020000000001",
        "020000000002 020000000001 88a8 0064 8100 0065 8847 000640ff 4500001400000000"
        "400000000a0000010a000002",
        "020000000002 020000000001 894f 0fc60103 00000a0a 01020304 05060708 090a0b0c"
        "0d0e0f10",
    )
]

SENDER = """
import random, socket, sys, time
rng = random.Random(int(sys.argv[2]))
frames = [bytes.fromhex(line) for line in sys.stdin]
port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
port.bind(("eth0", 0))
end = time.monotonic() + float(sys.argv[1])
while time.monotonic() < end:
    if rng.random() < 0.3:
        frame = rng.randbytes(rng.randint(14, 1514))
    else:
        frame = bytearray(rng.choice(frames))
        for _ in range(rng.randint(0, 5)):
            frame[rng.randrange(len(frame))] = rng.randrange(256)
        frame = bytes(frame[:rng.randint(14, len(frame))])
    try:
        port.send(frame)
    except OSError:
        time.sleep(0.001)
    time.sleep(0.0005)
"""


def test_packets(lab, tmp_path):
    watch = Watch(lab)
    frames = tmp_path / "frames"
    frames.write_text("".join(frame.hex() + "\n" for frame in FRAMES))
    script = tmp_path / "sender.py"
    script.write_text(SENDER)
    lab.hosts["p1"].run(
        "sh", "-c", f"python3 {script} {SECONDS} 7 < {frames}"
    )  # fmt: skip
    lab.ofctl("add-flow", "br0", "priority=5,tcp,actions=mod_tp_dst:7,dec_ttl,NORMAL")
    lab.ofctl("add-flow", "br0", "priority=5,mpls,actions=pop_mpls:0x0800,NORMAL")
    lab.hosts["p1"].run("sh", "-c", f"python3 {script} {SECONDS} 8 < {frames}")
    lab.ofctl("del-flows", "br0")
    lab.ofctl("add-flow", "br0", "priority=0,actions=NORMAL")
    lab.appctl("fdb/flush", "br0")
    watch.check()


HELLO = struct.pack("!BBHI", 1, 0, 8, 1)


def openflow_message(rng):
    version = rng.choice((1, 1, 4, rng.randrange(8)))
    body = rng.randbytes(rng.choice((0, 4, 8, 24, 64, rng.randrange(300))))
    kind = rng.randrange(36)
    return (
        struct.pack("!BBHI", version, kind, 8 + len(body), rng.getrandbits(32)) + body
    )


def test_openflow(lab, random_source):
    rng = random_source
    watch = Watch(lab)
    path = lab.directory / "br0.mgmt"
    samples = [
        bytes.fromhex(text.replace(" ", ""))
        for text in (
            "010e0048 00000002 003820ff"
            + "00" * 36
            + "0000000000000000 0000 0000 0000 8000"
            "ffffffff ffff 0000",
            "01120008 00000003",
            "01100014 00000004 00010000" + "00000000",
            "01040010 00000005 00002320 0000000a 00000001",
        )
    ]
    for _ in until_over():
        with connection(path) as client:
            client.sendall(HELLO)
            for _ in range(20):
                if rng.random() < 0.5:
                    client.sendall(openflow_message(rng))
                else:
                    client.sendall(mangled(rng.choice(samples), rng))
    lab.ofctl("del-flows", "br0")
    lab.ofctl("add-flow", "br0", "priority=0,actions=NORMAL")
    watch.check()


def test_openflow_of_an_unknown_type_gets_bad_type(lab):
    with connection(lab.directory / "br0.mgmt") as client:
        client.sendall(HELLO + struct.pack("!BBHI", 1, 77, 8, 9))
        answer = drain(client)
    errors = answer[answer.index(struct.pack("!BBHI", 1, 1, 20, 9)) :]
    assert errors[8:12] == struct.pack("!HH", 1, 1)  # OFPBRC_BAD_TYPE


def test_json(lab, random_source):
    rng = random_source
    watch = Watch(lab)
    texts = [
        json.dumps(request).encode()
        for request in (
            {"method": "list_dbs", "params": [], "id": 1},
            {"method": "get_schema", "params": ["Open_vSwitch"], "id": 2},
            {
                "method": "transact",
                "params": [
                    "Open_vSwitch",
                    {"op": "select", "table": "Bridge", "where": []},
                    {"op": "comment", "comment": "x"},
                ],
                "id": 3,
            },
            {
                "method": "monitor_cond",
                "params": ["Open_vSwitch", 1, {"Bridge": [{"columns": ["name"]}]}],
                "id": 4,
            },
            {"method": "lock", "params": ["x"], "id": 5},
        )
    ]
    for _ in until_over():
        with connection(lab.directory / "db.sock") as client:
            for _ in range(10):
                choice = rng.random()
                if choice < 0.6:
                    client.sendall(mangled(rng.choice(texts), rng))
                elif choice < 0.8:
                    client.sendall(b"[" * rng.randrange(3000))
                else:
                    client.sendall(rng.randbytes(rng.randrange(200)))
    watch.check()


def test_unixctl(lab, random_source):
    rng = random_source
    watch = Watch(lab)
    names = [
        line.split()[0]
        for line in lab.appctl("list-commands").splitlines()[1:]
        if line.split()[0] not in ("exit", "vlog/close", "vlog/set")
        and not line.strip().startswith(("dpctl/del", "dpctl/add", "dpctl/set"))
    ]
    path = lab.directory / f"ovs-vswitchd.{lab.pid('ovs-vswitchd')}.ctl"
    words = [
        "br0",
        "p1",
        "1",
        "-1",
        "netdev@ovs-netdev",
        "in_port=1",
        "x" * 300,
        "",
        "é",
    ]
    for _ in until_over():
        request = {
            "method": rng.choice(names),
            "params": [rng.choice(words) for _ in range(rng.randrange(5))],
            "id": 0,
        }
        octets = json.dumps(request).encode()
        if rng.random() < 0.3:
            octets = mangled(octets, rng)
        with connection(path) as client:
            client.sendall(octets)
    lab.appctl("upcall/enable-megaflows")
    lab.appctl("upcall/set-flow-limit", "10000")
    watch.check()
