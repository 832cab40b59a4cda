# SPDX-License-Identifier: Apache-2.0
"""How long single commands take, which is mostly their start."""

import statistics
import time

from ovsbench.case import Failure, case, less

CALLS = 50
PORT_CHANGES = 20
PORTS = 500


def milliseconds(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return (time.perf_counter() - start) * 1000


def median(calls, function, *arguments):
    return statistics.median(milliseconds(function, *arguments) for _ in range(calls))


def add_ports(names):
    """The arguments of one ovs-vsctl that adds internal ports."""
    words = []
    for name in names:
        words += ["--", "add-port", "br0", name, "--", "set", "interface", name,
                  "type=internal"]  # fmt: skip
    return words[1:]


@case("vsctl-latency")
def vsctl_latency(place, options):
    """Single ovs-vsctl commands: get, add-port, del-port, show"""
    switch = place.switch()
    switch.start()
    switch.add_bridge()
    get = ("--no-wait", "get", "Open_vSwitch", ".", "_uuid")
    calls = options.count(CALLS)
    yield less("get, no wait", "ms", median(calls, switch.vsctl, *get))
    added, deleted = [], []
    for _ in range(options.count(PORT_CHANGES)):
        added.append(milliseconds(switch.vsctl, *add_ports(["port0"])))
        deleted.append(milliseconds(switch.vsctl, "del-port", "port0"))
    yield less("add-port, wait", "ms", statistics.median(added))
    yield less("del-port, wait", "ms", statistics.median(deleted))
    switch.stop_vswitchd()
    names = [f"port{number}" for number in range(options.count(PORTS))]
    switch.vsctl("--no-wait", *add_ports(names))
    if switch.vsctl("show").count("type: internal") <= len(names):
        raise Failure("show doesn't have every port")
    calls = options.count(PORT_CHANGES)
    yield less("show, 500 ports", "ms", median(calls, switch.vsctl, "show"))


@case("command-latency")
def command_latency(place, options):
    """One short command of each other client"""
    switch = place.switch()
    switch.start()
    switch.add_bridge()
    control = switch.control("ovs-vswitchd")
    for command in (
        ("ovs-ofctl", "show", "br0"),
        ("ovs-ofctl", "add-flow", "br0", "actions=drop"),
        ("ovs-appctl", "-t", control, "version"),
        ("ovsdb-client", "list-dbs", f"unix:{switch.socket}"),
        ("ovsdb-tool", "db-version", switch.database),
    ):
        words = [word for word in command[:4] if word not in ("-t", control)]
        name = " ".join(words[:2])
        yield less(name, "ms", median(options.count(CALLS), switch.run, *command))
