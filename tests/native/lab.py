# SPDX-License-Identifier: Apache-2.0
"""A switch namespace with a forwarder in it, and two hosts on veth pairs.

h1 eth0 10.9.0.1 ---- p1 (port 1)  forwarder  p2 (port 2) ---- eth0 10.9.0.2 h2
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import odp
from .odp import be16, u32

PROGRAM = Path(__file__).parents[2] / "ovswitch" / "native" / "ovs-forwarder"
_numbers = itertools.count()

SEND = """
import socket, sys
s = socket.create_connection((sys.argv[1], 5001), 10)
chunk = bytes(range(256)) * 256
for _ in range(int(sys.argv[2]) // len(chunk)):
    s.sendall(chunk)
s.shutdown(socket.SHUT_WR)
print(s.recv(99).decode())
"""
RECEIVE = """
import socket, sys
l = socket.socket(socket.AF_INET6)
l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
l.bind(('::', 5001))
l.listen()
print('ready', flush=True)
s, _ = l.accept()
s.settimeout(10)
want, ok, n = bytes(range(256)) * 258, True, 0
while data := s.recv(65536):
    ok = ok and want.startswith(data, n % 256)
    n += len(data)
s.sendall(f'{n} {ok}'.encode())
"""


def run(*command: str, check: bool = True) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if check and done.returncode:
        raise AssertionError(f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def wait_until(condition, seconds: float = 5) -> None:
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("waited in vain")


class Namespace:
    """A network namespace that is deleted on exit."""

    def __init__(self, name: str) -> None:
        self.name = f"ovs{os.getpid()}-{next(_numbers)}-{name}"
        run("ip", "netns", "add", self.name)
        self.ip("link", "set", "lo", "up")

    def ip(self, *arguments: str) -> str:
        return run("ip", "-n", self.name, *arguments)

    def run(self, *command: str, check: bool = True) -> str:
        return run("ip", "netns", "exec", self.name, *command, check=check)

    def spawn(self, *command: str) -> subprocess.Popen:
        return subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def delete(self) -> None:
        run("ip", "netns", "del", self.name, check=False)


class Lab:
    """The three namespaces, the forwarder and a client of it."""

    def __init__(
        self, *, mtu: int = 1500, upcalls: bool = False, n_threads: int = 1
    ) -> None:
        self.n_threads = n_threads
        self.cleanup = contextlib.ExitStack()
        self.folder = tempfile.mkdtemp(prefix="ovs-forwarder-")
        self.cleanup.callback(shutil.rmtree, self.folder, ignore_errors=True)
        try:
            self._build(mtu, upcalls)
        except BaseException:
            self.cleanup.close()
            raise

    def _namespace(self, name: str) -> Namespace:
        made = Namespace(name)
        self.cleanup.callback(made.delete)
        return made

    def _build(self, mtu: int, upcalls: bool) -> None:
        self.switch = self._namespace("sw")
        self.hosts = [self._namespace("h1"), self._namespace("h2")]
        for i, host in enumerate(self.hosts, 1):
            link = ["link", "add", f"p{i}", "mtu", str(mtu), "type", "veth"]
            peer = ["peer", "name", "eth0", "mtu", str(mtu), "netns", host.name]
            self.switch.ip(*link, *peer)
            self.switch.ip("link", "set", f"p{i}", "up")
            host.ip("addr", "add", f"10.9.0.{i}/24", "dev", "eth0")
            host.ip("addr", "add", f"fd09::{i}/64", "dev", "eth0", "nodad")
            host.ip("link", "set", "eth0", "up")
        self.start()
        pid = u32(2, 0)
        (made,) = self.client.request(
            odp.DATAPATH, odp.NEW, 0, odp.string(1, "dp") + pid
        )
        self.dp = made.dp
        self.pid = made.pid if upcalls else 0
        for i in (1, 2):
            self.add_port(i, f"p{i}")

    def start(self) -> None:
        options = ["--rundir", self.folder, "--threads", str(self.n_threads)]
        self.forwarder = self.switch.spawn(str(PROGRAM), *options)
        self.cleanup.callback(self.stop)
        path = f"{self.folder}/ovs-forwarder.sock"
        wait_until(lambda: os.path.exists(path))
        self.client = odp.Client(path)
        self.cleanup.callback(self.client.close)

    def stop(self) -> None:
        if self.forwarder.poll() is None:
            self.forwarder.terminate()
        try:
            self.forwarder.wait(5)
        except subprocess.TimeoutExpired:
            self.forwarder.kill()
            raise
        self.forwarder.stdout.close()
        self.forwarder.stderr.close()

    def close(self) -> None:
        self.cleanup.close()

    def request(self, family, cmd, attrs=b"", flags=odp.ECHO):
        return self.client.request(family, cmd, self.dp, attrs, flags)

    def add_port(self, number: int, name: str, kind: int = odp.NETDEV) -> None:
        attrs = u32(1, number) + u32(2, kind) + odp.string(3, name)
        self.request(odp.VPORT, odp.NEW, attrs + u32(5, self.pid))

    def wire(self, one: int = 1, other: int = 2) -> None:
        """Have two ports forward everything to one another."""
        self.flow(one, odp.output(other))
        self.flow(other, odp.output(one))

    def flow(self, port: int, actions: bytes) -> None:
        key, mask = odp.port_flow(port)
        self.request(odp.FLOW, odp.NEW, odp.flow_attrs(key, mask, actions))

    def vlan_flow(self, port: int, vid: int, actions: bytes) -> None:
        """Install a flow for what comes tagged with `vid`."""
        tag = be16(odp.K_ETHERTYPE, 0x8100) + be16(odp.K_VLAN, 0x1000 | vid)
        inner = odp.attr(odp.K_ENCAP, be16(odp.K_ETHERTYPE, 0x9999))
        key = u32(odp.K_IN_PORT, port) + odp.eth() + tag + inner
        tag = be16(odp.K_ETHERTYPE, 0xFFFF) + be16(odp.K_VLAN, 0x1FFF)
        inner = odp.attr(odp.K_ENCAP, be16(odp.K_ETHERTYPE, 0))
        mask = u32(odp.K_IN_PORT, 0xFFFFFFFF) + odp.eth() + tag + inner
        self.request(odp.FLOW, odp.NEW, odp.flow_attrs(key, mask, actions))

    def ip_flow(self, port: int, actions: bytes) -> None:
        """Install a flow for all of a port's IPv4."""
        key = u32(odp.K_IN_PORT, port) + odp.eth() + be16(odp.K_ETHERTYPE, 0x800)
        mask = u32(odp.K_IN_PORT, 0xFFFFFFFF) + odp.eth()
        mask += be16(odp.K_ETHERTYPE, 0xFFFF)
        ip = odp.attr(odp.K_IPV4, bytes(8) + bytes([47, 0, 0, 0]))
        none = odp.attr(odp.K_IPV4, bytes(12))
        attrs = odp.flow_attrs(key + ip, mask + none, actions)
        self.request(odp.FLOW, odp.NEW, attrs)

    def port_stats(self, number: int) -> tuple[int, ...]:
        """Return (rx_packets, tx_packets, rx_bytes, tx_bytes, errors, drops ...)."""
        (got,) = self.request(odp.VPORT, odp.GET, u32(1, number))
        return odp.struct.unpack("=8Q", got.attrs[6])


def ping(host: Namespace, address: str, *options: str, count: int = 3) -> bool:
    command = ["ping", "-n", "-c", str(count), "-i", "0.05", "-W", "2", *options]
    return f" {count} received" in host.run(*command, address, check=False)


def transfer(server: Namespace, client: Namespace, address: str, size: int) -> str:
    """Send `size` octets over TCP; return what the server says of them."""
    listener = server.spawn(sys.executable, "-c", RECEIVE)
    try:
        assert listener.stdout.readline() == "ready\n"
        return client.run(sys.executable, "-c", SEND, address, str(size)).strip()
    finally:
        listener.kill()
        listener.wait()
        listener.stdout.close()
        listener.stderr.close()
