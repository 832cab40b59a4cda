# SPDX-License-Identifier: Apache-2.0
"""ovs-ofctl's bundles on running switches: both tools on ours as on the reference's."""

import pytest
from helpers.programs import Ours, Reference, RunDir

pytestmark = pytest.mark.reference

FILES = {
    "good.flows": "in_port=1,actions=output:2\nin_port=2,priority=7,actions=drop\n",
    "group.flows": "in_port=1,actions=output:1\nin_port=2,actions=group:99\n",
    "overlap.flows": "priority=5,tcp,actions=1\n"
    "check_overlap,priority=5,tcp,tp_dst=80,actions=2\n",
    "loop.bundle": "flow add table=5,actions=resubmit(,5)\n"
    "packet-out in_port=1,packet=ffffffffffff00112233445588b5,actions=resubmit(,5)\n",
    "mixed.bundle": "flow add in_port=1,actions=2\nflow modify in_port=1,actions=1\n"
    "packet-out in_port=1,packet=ffffffffffff00112233445588b5,actions=table\n"
    "flow delete_strict in_port=2,priority=7\n",
    "many.flows": "".join(f"ip,nw_dst=10.0.0.{n},actions=2\n" for n in range(200)),
}
SCRIPT = (
    "--bundle add-flow br0 table=3,actions=drop",
    "--bundle add-flows br0 good.flows",
    "--bundle add-flows br0 group.flows",
    "-O OpenFlow13 --bundle add-flows br0 group.flows",
    "-O OpenFlow15 --bundle add-flows br0 overlap.flows",
    "bundle br0 loop.bundle",
    "-O OpenFlow14 bundle br0 mixed.bundle",
    "-O OpenFlow13 --bundle add-flows br0 many.flows",
    "--bundle mod-flows br0 ip,actions=1",
    "--bundle replace-flows br0 good.flows",
    "--bundle --strict del-flows br0 in_port=1",
    "--bundle del-flows br0",
)


def _start(run_dir, switch):
    vsctl = [Reference.path("ovs-vsctl"), f"--db=unix:{run_dir.path}/db.sock"]
    run_dir.start_ovsdb_server(switch)
    run_dir.run([*vsctl, "--no-wait", "init"], check=True)
    run_dir.start(
        [
            switch.path("ovs-vswitchd"), f"unix:{run_dir.path}/db.sock",
            "--enable-dummy=override", "--disable-system", "-vconsole:off",
            "--log-file", f"--unixctl={run_dir.path}/vswitchd.ctl",
        ]
    )  # fmt: skip
    versions = ",".join(f"OpenFlow1{i}" for i in range(6))
    words = (
        f"add-br br0 -- set bridge br0 datapath_type=dummy fail-mode=secure "
        f"protocols={versions} "
        "-- add-port br0 p1 -- set interface p1 type=dummy ofport_request=1 "
        "-- add-port br0 p2 -- set interface p2 type=dummy ofport_request=2"
    )
    run_dir.run([*vsctl, *words.split()], check=True)
    for name, text in FILES.items():
        (run_dir / name).write_text(text)


def _play(run_dir, tool):
    """Return what each command prints, and the flows after it."""
    ofctl = tool.path("ovs-ofctl")
    results = []
    for line in SCRIPT:
        result = run_dir.run([ofctl, *line.split()])
        dump = [ofctl, "-O", "OpenFlow15", "--no-stats", "--sort", "dump-flows", "br0"]
        flows = run_dir.run(dump, check=True).out
        error = result.err.replace(str(run_dir.path), "RUNDIR")
        results.append((line, result.status, result.out, error, flows))
    return results


def test_both_tools_do_the_same_on_both_switches():
    results = []
    for switch, tools in ((Reference, (Reference,)), (Ours, (Reference, Ours))):
        with RunDir() as run_dir:
            _start(run_dir, switch)
            results += [_play(run_dir, tool) for tool in tools]
    expected = results[0]
    assert {status for _, status, *_ in expected} == {0, 1}
    for played in results[1:]:
        assert played == expected
