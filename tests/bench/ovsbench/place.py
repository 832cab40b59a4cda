# SPDX-License-Identifier: Apache-2.0
"""The surroundings of one measurement: directories, namespaces, daemons.

Whatever a `Place` makes is gone after its `with` block. Daemons die with the harness
even when that is killed; what else such a death leaves behind (namespaces, and the
directories whose loss ends a detached forwarder) `remove_leftovers` finds by name.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

from .accounts import Accounts, switch_cpus
from .case import Failure

_NAME = "ovsbench-{pid}-"
_NAME_PATTERN = re.compile(r"ovsbench-(\d+)-")
_LOGGING = ("-vconsole:off", "-vsyslog:off", "-vfile:info")
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Place:
    """One measurement of one set of programs."""

    def __init__(self, programs, options):
        self.programs = programs
        self.options = options
        self._stack = contextlib.ExitStack()
        self._prefix = _NAME.format(pid=os.getpid())
        self._switches = []

    def __enter__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix=self._prefix))
        if not self.options.keep:
            self._stack.callback(shutil.rmtree, self.directory, ignore_errors=True)
        return self

    def __exit__(self, *_):
        self._stack.close()

    def at_end(self, function, *arguments):
        self._stack.callback(function, *arguments)

    def namespace(self, name):
        made = Namespace(self._prefix + name, self)
        run(["ip", "netns", "add", made.name])
        self.at_end(run, ["ip", "netns", "del", made.name])
        for which in ("all", "default"):  # neighbour discovery would be counted
            setting = f"/proc/sys/net/ipv6/conf/{which}/disable_ipv6"
            made.run("sh", "-c", f"echo 1 > {setting}")
        made.run("ip", "link", "set", "lo", "up")
        return made

    def switch(self, name="sw", cpus=None):
        """A namespace and a directory for a pair of daemons, not yet started."""
        made = Switch(self, self.namespace(name), self.directory / name, cpus)
        self._switches.append(made)
        return made

    def hosts(self, *flows, beside_generator=False, offload=False, fail="secure"):
        """Hosts h1 and h2 on ports 1 and 2 of a switch's br0: (h1, h2, switch).

        Beside a generator the switch keeps off the generator's CPU: soft interrupts
        of either would be charged to the other there.
        """
        switch = self.switch(cpus=switch_cpus() if beside_generator else None)
        ends = []
        for number in (1, 2):
            host = self.namespace(f"h{number}")
            words = f"ip link add eth0 netns {host.name} type veth peer name p{number}"
            run([*words.split(), "netns", switch.namespace.name])
            for end, device in ((host, "eth0"), (switch.namespace, f"p{number}")):
                if not offload:
                    end.run("ethtool", "-K", device, "tx", "off")
                end.run("ip", "link", "set", device, "up")
            host.run("ip", "address", "add", f"10.0.0.{number}/24", "dev", "eth0")
            ends.append(host)
        switch.start()
        switch.add_bridge(["p1", "p2"], fail)
        if flows:
            switch.add_flows(flows)
        return *ends, switch

    def check(self):
        """Fail unless every daemon still runs."""
        for switch in self._switches:
            switch.check()

    def spawn(self, command, cpus=None, **options):
        """Start a process that ends with the place, or with the harness."""

        def prepare():
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if cpus:
                os.sched_setaffinity(0, cpus)

        options.setdefault("stdin", subprocess.DEVNULL)
        child = subprocess.Popen(command, preexec_fn=prepare, **options)
        self.at_end(end, child)
        return child


class Namespace:
    """A network namespace of a place."""

    def __init__(self, name, place):
        self.name = name
        self._place = place

    def run(self, *command):
        return run(self.inside(command), self._place.options.timeout)

    def spawn(self, command, **options):
        return self._place.spawn(self.inside(command), **options)

    def received(self, device="eth0"):
        """How many packets the device has received so far."""
        text = run(["ip", "-n", self.name, "-s", "-j", "link", "show", device])
        return json.loads(text)[0]["stats64"]["rx"]["packets"]

    def inside(self, command):
        return ["ip", "netns", "exec", self.name, *map(str, command)]


class Switch:
    """ovsdb-server and ovs-vswitchd of the measured set, in one run directory."""

    def __init__(self, place, namespace, directory, cpus):
        directory.mkdir()
        self.namespace = namespace
        self.directory = directory
        self.database = directory / "conf.db"
        self.socket = directory / "db.sock"
        self._place = place
        self._cpus = cpus
        self._daemons = {}
        self._env = {k: v for k, v in os.environ.items() if not k.startswith("OVS_")}
        for name in ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR"):
            self._env[f"OVS_{name}"] = str(directory)
        self.accounts = Accounts(f"OVS_RUNDIR={directory}")
        place.at_end(self.accounts.end)

    def start(self):
        self.start_database()
        self.vsctl("--no-wait", "init")
        self.start_vswitchd()

    def start_database(self):
        self.create_database()
        self.serve_database()

    def create_database(self):
        self.run("ovsdb-tool", "create", self.database, self._place.options.schema)

    def serve_database(self):
        self._start("ovsdb-server", self.database, f"--remote=punix:{self.socket}")

    def start_vswitchd(self):
        self._start("ovs-vswitchd", f"unix:{self.socket}")

    def kill_vswitchd(self):
        """End it without a chance to put anything in order."""
        daemon = self._daemons.pop("ovs-vswitchd")
        daemon.kill()
        daemon.wait()

    def stop_vswitchd(self):
        end(self._daemons.pop("ovs-vswitchd"))

    def add_bridge(self, interfaces=(), fail="secure"):
        """Add br0 with the userspace datapath; interfaces become ports 1, 2, ..."""
        words = ["add-br", "br0", "--", "set", "bridge", "br0",
                 "datapath_type=netdev", f"fail-mode={fail}"]  # fmt: skip
        for number, device in enumerate(interfaces, 1):
            words += ["--", "add-port", "br0", device, "--", "set", "interface",
                      device, f"ofport_request={number}"]  # fmt: skip
        self.vsctl(*words)

    def add_flows(self, flows):
        path = self.directory / "setup.flows"
        path.write_text("".join(f"{flow}\n" for flow in flows))
        self.ofctl("add-flows", "br0", path)

    def run(self, program, *arguments):
        """Run a program of the set to its end; return what it printed."""
        command = [self._place.programs.find(program), *map(str, arguments)]
        try:
            return run(command, self._place.options.timeout, self._env)
        except Failure as failure:
            self.check()
            raise Failure(f"{failure}{self._last_lines()}") from None

    def vsctl(self, *arguments):
        timeout = f"--timeout={self._place.options.timeout:.0f}"
        return self.run("ovs-vsctl", f"--db=unix:{self.socket}", timeout, *arguments)

    def ofctl(self, *arguments):
        return self.run("ovs-ofctl", "-O", "OpenFlow13", *arguments)

    def appctl(self, *arguments):
        return self.run("ovs-appctl", "-t", self.control("ovs-vswitchd"), *arguments)

    def control(self, program):
        return self.directory / f"{program}.ctl"

    def check(self):
        for program, daemon in self._daemons.items():
            if daemon.poll() is not None:
                status = f"{program} ended with status {daemon.returncode}"
                raise Failure(status + self._last_lines())

    def _start(self, program, *arguments):
        """Start a daemon and wait until its control socket answers."""
        control = self.control(program)
        control.unlink(missing_ok=True)
        command = [self._place.programs.find(program), *map(str, arguments), *_LOGGING,
                   "--pidfile", "--overwrite-pidfile", f"--unixctl={control}",
                   f"--log-file={self.directory / program}.log"]  # fmt: skip
        with (self.directory / f"{program}.out").open("ab") as output:
            daemon = self.namespace.spawn(command, cpus=self._cpus, env=self._env,
                                          stdout=output, stderr=output)  # fmt: skip
        self._daemons[program] = daemon
        deadline = time.perf_counter() + self._place.options.timeout
        while not control.exists():
            self.check()
            if time.perf_counter() > deadline:
                raise Failure(f"{program} made no {control}")
            time.sleep(0.002)

    def _last_lines(self):
        text = ""
        for path in sorted(self.directory.glob("*.[ol][uo][tg]")):
            for line in path.read_text(errors="replace").splitlines()[-4:]:
                text += f"\n  {path.name}: {line}"
        return text


def run(command, timeout=30, env=None):
    """Run a command to its end and return what it printed."""
    text = " ".join(map(str, command))
    if len(text) > 160:
        text = text[:157] + "..."
    try:
        done = subprocess.run(
            command,
            env=env,
            timeout=timeout,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
        )
    except subprocess.TimeoutExpired:
        raise Failure(f"no end after {timeout} s: {text}") from None
    if done.returncode:
        complaint = done.stderr.strip()[-400:]
        raise Failure(f"status {done.returncode}: {text}: {complaint}")
    return done.stdout


def end(child, grace=10):
    """End a process that `spawn` started."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(grace)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    for stream in (child.stdin, child.stdout):
        if stream:
            stream.close()


def remove_leftovers():
    """Remove namespaces and directories of harnesses that were killed outright."""
    for line in run(["ip", "netns", "list"]).splitlines():
        if _is_stale(line):
            run(["ip", "netns", "del", line.split()[0]])
    for path in pathlib.Path(tempfile.gettempdir()).glob("ovsbench-*"):
        if _is_stale(path.name):
            shutil.rmtree(path, ignore_errors=True)


def _is_stale(name):
    match = _NAME_PATTERN.match(name)
    return match and not pathlib.Path("/proc", match[1]).exists()
