# SPDX-License-Identifier: Apache-2.0
"""An os-ken learning switch controls our bridge over TCP."""

import pathlib
import subprocess
import sys

import pytest

from tests.interop.lab import Lab, can_make_namespaces, wait_for

pytest.importorskip("os_ken")

pytestmark = [
    pytest.mark.root,
    pytest.mark.slow,
    pytest.mark.skipif(not can_make_namespaces(), reason="needs root and iproute2"),
]

CONTROLLER = pathlib.Path(__file__).with_name("learning_switch.py")


@pytest.mark.parametrize("version", ["1.0", "1.3"])
def test_learning_switch_controls_the_bridge(version):
    with Lab() as lab:
        lab.start()
        namespace = ["ip", "netns", "exec", lab.switch_namespace]
        controller = subprocess.Popen(
            [*namespace, sys.executable, "-Wignore", str(CONTROLLER), "6653", version],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            assert controller.stdout.readline() == "listening\n"
            lab.vsctl("set-fail-mode", "br0", "secure")
            lab.vsctl("set-controller", "br0", "tcp:127.0.0.1:6653", "--", "set",
                      "controller", "br0", "connection_mode=out-of-band")  # fmt: skip
            assert controller.stdout.readline() == "connected\n"
            h1 = lab.host("p1", "10.0.0.1/24")
            h2 = lab.host("p2", "10.0.0.2/24")
            assert h1.ping("10.0.0.2", count=5) == 5
            assert h2.ping("10.0.0.1") == 3
            flows = lab.ofctl("dump-flows", "br0")
            assert flows.count("priority=10") == 2
            if version == "1.3":  # the status is written every five seconds
                wait_for(
                    lambda: (
                        lab.vsctl("get", "controller", "br0", "is_connected")
                        == "true\n"
                    )
                )
                assert "state=ACTIVE" in lab.vsctl("get", "controller", "br0", "status")
            # A switch that was killed gets its flows from the controller again.
            lab.expected_log_lines.append("another ovs-vswitchd process is running")
            lab.kill("ovs-vswitchd")
            lab.start_vswitchd()
            assert controller.stdout.readline() == "connected\n"
            assert h1.ping("10.0.0.2", count=5) == 5
            flows = lab.ofctl("dump-flows", "br0")
            assert flows.count("priority=10") == 2
            assert lab.bad_log_lines() == []
        finally:
            controller.kill()
            controller.communicate()
