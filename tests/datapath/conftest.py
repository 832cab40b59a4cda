# SPDX-License-Identifier: Apache-2.0
"""A reference switch with a dummy datapath, in a run directory of its own."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

SBIN = Path("/usr/sbin")
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
DEADLINE = 20.0


class Reference:
    """The reference's ovsdb-server and ovs-vswitchd --enable-dummy."""

    def __init__(self, folder):
        self.folder = folder
        names = ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR")
        self.env = dict(os.environ, **{f"OVS_{name}": str(folder) for name in names})
        self.processes = []

    def start(self):
        database = str(self.folder / "conf.db")
        self.run(["ovsdb-tool", "create", database, SCHEMA])
        socket = self.folder / "db.sock"
        self._spawn(
            [SBIN / "ovsdb-server", database, f"--remote=punix:{socket}"], socket
        )
        self.run(["ovs-vsctl", "--no-wait", f"--db=unix:{socket}", "init"])
        log = self.folder / "ovs-vswitchd.log"
        control = self.folder / "vswitchd.ctl"
        command = [SBIN / "ovs-vswitchd", "--enable-dummy", "--disable-system"]
        command += [f"--unixctl={control}", f"--log-file={log}", f"unix:{socket}"]
        self._spawn([*command, "-vconsole:off"], control)
        setup = "add-br br0 -- set bridge br0 datapath_type=dummy fail-mode=secure"
        for number in (1, 2):
            setup += f" -- add-port br0 p{number}"
            setup += f" -- set interface p{number} type=dummy ofport_request={number}"
        self.run(["ovs-vsctl", f"--db=unix:{socket}", *setup.split()])
        self.appctl("time/stop")
        self.appctl("revalidator/pause")  # it would delete the flows of others
        return self

    def _spawn(self, command, sign):
        output = (self.folder / "output").open("ab")
        process = subprocess.Popen(
            [str(word) for word in command], env=self.env, stdout=output, stderr=output
        )
        output.close()
        self.processes.append(process)
        deadline = time.perf_counter() + DEADLINE
        while not sign.exists():
            assert process.poll() is None, (self.folder / "output").read_text()
            assert time.perf_counter() < deadline
            time.sleep(0.02)

    def run(self, command):
        return subprocess.run(
            [str(word) for word in command],
            env=self.env,
            capture_output=True,
            text=True,
            check=True,
            timeout=DEADLINE,
        ).stdout

    def appctl(self, *words):
        """Return (status, stdout, stderr) of a command to the switch."""
        target = f"--target={self.folder / 'vswitchd.ctl'}"
        result = subprocess.run(
            ["ovs-appctl", target, *words],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
            check=False,
        )
        return result.returncode, result.stdout, result.stderr

    def stop(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            process.wait(DEADLINE)


@pytest.fixture(scope="session")
def reference(tmp_path_factory):
    if not shutil.which("ovs-vsctl") or not (SBIN / "ovs-vswitchd").exists():
        pytest.skip("the reference isn't installed")
    switch = Reference(tmp_path_factory.mktemp("reference"))
    try:
        yield switch.start()
    finally:
        switch.stop()
