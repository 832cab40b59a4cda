# SPDX-License-Identifier: Apache-2.0
"""ovs-dpctl: beside the reference's without any datapath, and on a real forwarder."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

OURS = Path(sys.executable).parent / "ovs-dpctl"
REFERENCE = Path("/usr/bin/ovs-dpctl")
FORWARDER = Path(__file__).parents[2] / "ovswitch" / "native" / "ovs-forwarder"
COMMANDS = """\
show
dump-dps
dump-flows
show foo
show netdev@x
add-dp foo
del-dp foo
dump-flows netdev@x
dump-flows system@x
dump-flows bogus@x
dump-flows type=ovs
list-commands
bogus

add-flow
add-flow 1 2 3 4
parse-actions 1,2
parse-actions zz
normalize-actions in_port(1) 1
cache-get-size
--read-only add-dp x
-V
--help
--bogus show
--timeout=x show
-t0 show
get-flow x
flush-conntrack
dump-conntrack
ct-get-limits
ipf-get-status
offload-stats-show
del-flows
"""


@pytest.fixture
def run(tmp_path):
    names = ("RUNDIR", "DBDIR", "LOGDIR", "SYSCONFDIR")
    env = dict(os.environ, **{f"OVS_{name}": str(tmp_path) for name in names})

    def run(program, *words):
        result = subprocess.run(
            [program, *words], env=env, capture_output=True, text=True, check=False
        )
        err = re.sub(r"(?m)^\d{4}-\S+Z\|", "TIME|", result.stderr)
        err = err.replace(f"{program}:", "ovs-dpctl:")
        return result.returncode, result.stdout, err

    return run


needs_program = pytest.mark.skipif(not OURS.exists(), reason="not installed here")


@needs_program
@pytest.mark.reference
@pytest.mark.parametrize("line", COMMANDS.splitlines())
def test_without_datapaths_it_says_what_the_references_says(run, line):
    if not REFERENCE.exists():
        pytest.skip("the reference isn't installed")
    if Path("/sys/module/openvswitch").exists():
        pytest.skip("the kernel has a datapath")
    words = line.split()
    assert run(OURS, *words) == run(REFERENCE, *words)


def gone(path):
    deadline = time.perf_counter() + 10
    while path.exists():
        if time.perf_counter() > deadline:
            return False
        time.sleep(0.02)
    return True


@needs_program
@pytest.mark.root
def test_forwarder_is_started_shown_and_ends_with_its_last_datapath(run, tmp_path):
    if os.geteuid() or not FORWARDER.exists() or not shutil.which("ip"):
        pytest.skip("needs root and the forwarder")
    name = f"dp{os.getpid()}"
    quiet = "-vconsole:off"
    assert run(OURS, quiet, "add-dp", f"netdev@{name}") == (0, "", "")
    try:
        assert run(OURS, quiet, "dump-dps") == (0, f"netdev@{name}\n", "")
        status, out, _ = run(OURS, quiet, "show")
        assert status == 0
        assert out == (
            f"netdev@{name}:\n  lookups: hit:0 missed:0 lost:0\n  flows: 0\n"
            f"  port 0: {name} (tap)\n"
        )
        flow = "in_port(0),eth(),eth_type(0x1234)"
        assert run(OURS, quiet, "add-flow", flow, "drop") == (0, "", "")
        assert run(OURS, quiet, "add-flow", flow, "drop") == (
            1,
            "",
            "ovs-dpctl: updating flow table (File exists)\n",
        )
        status, out, _ = run(OURS, quiet, "dump-flows")
        assert out == (
            "flow-dump from the main thread:\n"
            "recirc_id(0),in_port(0),eth(),eth_type(0x1234), "
            "packets:0, bytes:0, used:never, actions:drop\n"
        )
        status, out, _ = run(OURS, quiet, "-s", "show")
        assert "RX packets:" in out
        port = f"dv{os.getpid()}"
        added = run(OURS, quiet, "add-if", f"netdev@{name}", f"{port},type=internal")
        assert added == (0, "", "")
        flags = Path(f"/sys/class/net/{port}/flags").read_text()
        assert int(flags, 16) & 1  # is up
        assert run(OURS, quiet, "del-if", f"netdev@{name}", port) == (0, "", "")
        status, _, err = run(OURS, quiet, "add-if", f"netdev@{name}", "nosuchdev")
        text = "ovs-dpctl: nosuchdev: failed to open network device (No such device)\n"
        assert (status, err) == (1, text)
    finally:
        run(OURS, quiet, "del-dp", f"netdev@{name}")
    assert gone(tmp_path / "ovs-forwarder.sock")
