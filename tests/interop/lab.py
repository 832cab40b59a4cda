# SPDX-License-Identifier: Apache-2.0
"""A switch in namespaces of its own, with hosts on it: for tests with real traffic.

Everything a `Lab` makes is gone after its `with` block. The daemons and the tools may
come from different implementations: that is what interoperation tests are about.
"""

import contextlib
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
OURS = ROOT / ".venv" / "bin"
SCHEMA = ROOT / "ovswitch" / "ovsdb" / "vswitch.ovsschema"
REFERENCE_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
_REFERENCE_FOLDERS = ("/usr/sbin", "/usr/bin")

_counter = itertools.count()


def can_make_namespaces():
    """Whether this process may make namespaces and veth pairs."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


def has_reference():
    return find("ovs-vswitchd", "reference") is not None


def find(program, implementation="ours"):
    """The path of a program, or None."""
    if implementation == "ours":
        path = OURS / program
        return str(path) if path.exists() else None
    for folder in _REFERENCE_FOLDERS:
        path = pathlib.Path(folder, program)
        if path.exists():
            return str(path)
    return None


def wait_for(condition, seconds=10, interval=0.05):
    """Poll until `condition()` is true; return its value."""
    deadline = time.monotonic() + seconds  # noqa: TID251
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:  # noqa: TID251
            raise AssertionError(f"{condition} not true after {seconds} s")
        time.sleep(interval)


class Lab:
    """Run directories, namespaces and one pair of daemons.

    Args:
        daemons, tools: "ours" or "reference".
    """

    def __init__(self, daemons="ours", tools="ours"):
        self.daemons = daemons
        self.tools = tools
        self._stack = contextlib.ExitStack()
        self.schema = SCHEMA if tools == "ours" else REFERENCE_SCHEMA
        self.hosts = {}
        self._devices = []  # in the switch's namespace, each the end of a pair
        self._read = {}  # how much of a log belongs to earlier tests
        # Parts of warnings that a test provokes; dpctl/show looks for the kernel's
        # datapaths, which a machine without the module doesn't have.
        self.expected_log_lines = [
            "failed to enumerate system datapaths",
            "poll interval",  # the machine is busy
        ]

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="ovs-lab-"))
        self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        self._stack.callback(self._stop_daemons)
        self._tag = f"ovl{os.getpid()}-{next(_counter)}"
        self.switch_namespace = self._namespace("sw")
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("OVS_")}
        for name in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR"):
            self.env[f"OVS_{name}"] = str(self.directory)
        return self

    def __exit__(self, *_):
        self._stack.close()

    @contextlib.contextmanager
    def fresh(self):
        """A lab that has been used: forget its hosts, bridges and what its logs say.

        Starting daemons takes longer than all that many a test does; what a test makes
        of the lab is gone after the `with` block.
        """
        outer, self._stack = self._stack, contextlib.ExitStack()
        expected = list(self.expected_log_lines)
        self._read = {}
        for program in ("ovs-vswitchd", "ovsdb-server"):
            self._read[program] = len(self.log(program))
        try:
            with self._stack:
                try:
                    yield self
                finally:
                    self._empty()
        finally:
            self._stack = outer
            self.expected_log_lines = expected

    def _empty(self):
        """Take down bridges and devices; a namespace's go some time after it."""
        self.vsctl("emer-reset", "--", "--if-exists", "del-br", "br0",
                   "--", "--if-exists", "del-br", "br1")  # fmt: skip
        for device in self._devices:
            run(["ip", "-n", self.switch_namespace, "link", "del", device])
        self._devices.clear()
        self.hosts.clear()

    def add_bridge(self, name="br0"):
        """A bridge on the userspace datapath."""
        self.vsctl("add-br", name, "--", "set", "bridge", name,
                   "datapath_type=netdev")  # fmt: skip

    def _namespace(self, name):
        full = f"{self._tag}-{name}"
        run(["ip", "netns", "add", full])
        self._stack.callback(run, ["ip", "netns", "del", full], check=False)
        run(["ip", "-n", full, "link", "set", "lo", "up"])
        return full

    def veth(self, first, second):
        """A pair of interfaces, both in the switch's namespace, up."""
        where = self.switch_namespace
        run(["ip", "-n", where, "link", "add", first, "type", "veth", "peer", "name",
             second])  # fmt: skip
        self._devices.append(first)
        for device in (first, second):
            run(["ip", "-n", where, "link", "set", device, "up"])

    def host(self, name, address="", mtu=None, bridge="br0"):
        """A namespace with eth0, whose other end is `name`, a port of `bridge`."""
        namespace = self._namespace(name)
        run(["ip", "link", "add", name, "netns", self.switch_namespace, "type", "veth",
             "peer", "name", "eth0", "netns", namespace])  # fmt: skip
        for where, device in ((self.switch_namespace, name), (namespace, "eth0")):
            if mtu:
                run(["ip", "-n", where, "link", "set", device, "mtu", str(mtu)])
            run(["ip", "-n", where, "link", "set", device, "up"])
        self._devices.append(name)
        host = Host(namespace)
        if address:
            host.add_address(address)
        self.hosts[name] = host
        if bridge:
            self.vsctl("add-port", bridge, name)
        return host

    # Daemons.

    def start(self, bridge=True, options=()):
        if not (self.directory / "conf.db").exists():
            self.tool("ovsdb-tool", "create", self.directory / "conf.db", self.schema)
        self.start_database()
        self.tool("ovs-vsctl", "--no-wait", "init")
        self.start_vswitchd(*options)
        if bridge:
            self.add_bridge()

    def start_database(self):
        self._start(
            "ovsdb-server",
            self.directory / "conf.db",
            f"--remote=punix:{self.directory}/db.sock",
        )

    def start_vswitchd(self, *options):
        self._start("ovs-vswitchd", *options)

    def _start(self, program, *arguments):
        command = [find(program, self.daemons), *map(str, arguments)]
        command += ["-vconsole:off", "-vsyslog:off", "--log-file", "--pidfile"]
        run(
            ["ip", "netns", "exec", self.switch_namespace, *command, "--detach"],
            env=self.env,
            cwd=self.directory,
        )

    def pid(self, program):
        try:
            return int((self.directory / f"{program}.pid").read_text())
        except (OSError, ValueError):
            return None

    def kill(self, program, number=signal.SIGKILL):
        """End a daemon by its own id, and wait until it is gone."""
        pid = self.pid(program)
        os.kill(pid, number)
        wait_for(lambda: not is_running(pid))

    def stop_vswitchd(self, cleanup=True):
        pid = self.pid("ovs-vswitchd")
        self.appctl("exit", *(["--cleanup"] if cleanup else []))
        wait_for(lambda: not is_running(pid))

    def _stop_daemons(self):
        for program in ("ovs-vswitchd", "ovsdb-server"):
            pid = self.pid(program)
            if pid is None or not is_running(pid):
                continue
            words = ["exit", "--cleanup"] if program == "ovs-vswitchd" else ["exit"]
            run(
                [find("ovs-appctl", self.tools), "-T", "5", "-t", program, *words],
                env=self.env,
                check=False,
            )
            with contextlib.suppress(AssertionError):
                wait_for(lambda pid=pid: not is_running(pid), seconds=5)
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)

    def log(self, program="ovs-vswitchd"):
        text = (self.directory / f"{program}.log").read_text(errors="replace")
        return text[self._read.get(program, 0) :]

    def bad_log_lines(self, program="ovs-vswitchd"):
        """Lines that a healthy run has none of."""
        return [
            line
            for line in self.log(program).splitlines()
            if any(f"|{level}|" in line for level in ("WARN", "ERR", "EMER"))
            and not any(text in line for text in self.expected_log_lines)
        ]

    # Tools.

    def tool(self, program, *arguments, check=True, implementation=None):
        return run(
            [find(program, implementation or self.tools), *map(str, arguments)],
            env=self.env,
            cwd=self.directory,
            check=check,
        ).stdout

    def vsctl(self, *arguments, **options):
        return self.tool("ovs-vsctl", "--timeout=20", *arguments, **options)

    def ofctl(self, *arguments, **options):
        return self.tool("ovs-ofctl", "--timeout=20", *arguments, **options)

    def appctl(self, *arguments, **options):
        return self.tool("ovs-appctl", "--timeout=20", *arguments, **options)

    def n_packets(self, *match, bridge="br0"):
        """The packet counters of the flows that dump-flows lists, in its order."""
        text = self.ofctl("dump-flows", bridge, *match)
        return [
            int(part.partition("=")[2])
            for line in text.splitlines()
            for part in line.strip().split(", ")
            if part.startswith("n_packets=")
        ]


class Host:
    """A namespace on the switch."""

    def __init__(self, namespace):
        self.namespace = namespace

    def run(self, *command, check=True):
        return run(["ip", "netns", "exec", self.namespace, *command], check=check)

    def popen(self, *command, **options):
        return subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def add_address(self, address, device="eth0"):
        flags = ["nodad"] if ":" in address else []
        run(["ip", "-n", self.namespace, "address", "add", address, "dev", device,
             *flags])  # fmt: skip

    def ping(self, address, count=3, size=56, seconds=10):
        """How many of `count` pings were answered."""
        words = f"ping -q -c {count} -i 0.05 -W 3 -w {seconds} -s {size} {address}"
        done = self.run(*words.split(), check=False)
        for line in done.stdout.splitlines():
            if " received" in line:
                return int(line.split(", ")[1].split()[0])
        return 0

    def counters(self, device="eth0"):
        text = run(["ip", "-n", self.namespace, "-s", "-j", "link", "show", device])
        return json.loads(text.stdout)[0]["stats64"]


_SERVER = """
import socket, sys
listener = socket.create_server((sys.argv[1], 5001), family=int(sys.argv[2]))
print("ready", flush=True)
connection, _ = listener.accept()
total = 0
while octets := connection.recv(1 << 20):
    total += len(octets)
connection.sendall(b"%d" % total)
"""
_CLIENT = """
import socket, sys
size = int(sys.argv[2])
connection = socket.create_connection((sys.argv[1], 5001), timeout=30)
block = bytes(range(256)) * 256
sent = 0
while sent < size:
    connection.sendall(block[:size - sent])
    sent += min(len(block), size - sent)
connection.shutdown(socket.SHUT_WR)
print(connection.recv(100).decode())
"""


def tcp_transfer(sender, receiver, address, size):
    """Send `size` octets over TCP; return how many arrived."""
    family = "10" if ":" in address else "2"
    server = receiver.popen("python3", "-c", _SERVER, address, family)
    try:
        assert server.stdout.readline() == "ready\n"
        done = sender.run("timeout", "60", "python3", "-c", _CLIENT, address, str(size))
        return int(done.stdout)
    finally:
        server.kill()
        server.communicate()


_ECHO = """
import socket, sys
echo = socket.socket(int(sys.argv[2]), socket.SOCK_DGRAM)
echo.bind((sys.argv[1], 5002))
print("ready", flush=True)
while True:
    octets, peer = echo.recvfrom(1 << 16)
    echo.sendto(octets[::-1], peer)
"""
_DATAGRAMS = """
import socket, sys, zlib
address, family, count, *sizes = sys.argv[1:]
link = socket.socket(int(family), socket.SOCK_DGRAM)
link.connect((address, 5002))
link.settimeout(5)
def datagram(number):
    head = number.to_bytes(4, "big")
    body = (head * 16384)[: int(sizes[number % len(sizes)]) - 8]
    return head + body + zlib.crc32(head + body).to_bytes(4, "big")
window = max(1, 65507 // max(map(int, sizes)))
waiting, good, sent = set(), 0, 0
while waiting or sent < int(count):
    while sent < int(count) and len(waiting) < window:
        link.send(datagram(sent))
        waiting.add(sent)
        sent += 1
    try:
        octets = link.recv(1 << 16)[::-1]
    except TimeoutError:
        break
    number = int.from_bytes(octets[:4], "big")
    good += number in waiting and octets == datagram(number)
    waiting.discard(number)
print(good)
"""


def udp_echo(sender, receiver, address, count, sizes):
    """Send datagrams of `sizes` in turn; return how many came back, each whole.

    The receiver sends each one back with its octets reversed, so that both ways are
    seen; at most 64 kB are under way, so that no queue need drop any.
    """
    family = "10" if ":" in address else "2"
    server = receiver.popen("python3", "-c", _ECHO, address, family)
    try:
        assert server.stdout.readline() == "ready\n"
        done = sender.run("timeout", "60", "python3", "-c", _DATAGRAMS, address,
                          family, str(count), *map(str, sizes))  # fmt: skip
        return int(done.stdout)
    finally:
        server.kill()
        server.communicate()


def is_running(pid):
    """Whether the process lives (a zombie doesn't)."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def run(command, *, check=True, env=None, cwd=None, timeout=90):
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=env,
        cwd=cwd,
        timeout=timeout,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(
            f"{' '.join(map(str, command))} ended with {done.returncode}\n"
            f"{done.stdout}{done.stderr}"
        )
    return done
