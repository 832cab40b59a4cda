# SPDX-License-Identifier: Apache-2.0
"""Both implementations' ovs-vsctl print the same octets for the same database."""

import random

import pytest
from helpers.programs import Ours, Reference, RunDir

pytestmark = pytest.mark.reference

COMMANDS = (
    "show",
    "list-br",
    "list-ports br1",
    "list-ifaces br2",
    "list interface",
    "list port",
    "list bridge",
    "-f table list port",
    "-f csv --columns=_uuid,name,interfaces list port",
    "-f json list bridge",
    "-d bare list port",
    "find port tag!=5",
    "--columns=name,options find interface name>p3",
    "list open_vswitch",
    "list qos",
    "list-dp-cap netdev",
    "--help",
    "--version",
    "--commands",
    "--options",
)


@pytest.fixture(scope="module")
def rundir():
    chooser = random.Random(1)
    with RunDir() as rundir:
        rundir.start_ovsdb_server(Reference)
        words = [Reference.path("ovs-vsctl"), "--no-wait"]
        for bridge in range(6):
            words += ["--", "add-br", f"br{bridge}"]
        for port in range(60):
            words += ["--", "add-port", f"br{chooser.randrange(6)}", f"p{port}"]
            words += [f"tag={chooser.randrange(9)}"]
        for number in range(9):
            words += ["--", "create", "qos", f"type=q{number}"]
        rundir.run(words, check=True)
        capabilities = ",".join(f"key{number}={number}" for number in range(12))
        rundir.run(
            [
                Reference.path("ovs-vsctl"),
                "--no-wait",
                "--",
                "--id=@d",
                "create",
                "Datapath",
                "datapath_version=0",
                f"capabilities={{{capabilities}}}",
                "--",
                "set",
                "open",
                ".",
                "datapaths:netdev=@d",
            ],
            check=True,
        )
        yield rundir


@pytest.mark.parametrize("command", COMMANDS)
def test_output_is_the_same(rundir, command):
    ours, reference = (
        rundir.run([i.path("ovs-vsctl"), "--no-wait", *command.split()])
        for i in (Ours, Reference)
    )
    assert ours == reference
