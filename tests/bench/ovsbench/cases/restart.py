# SPDX-License-Identifier: Apache-2.0
"""What traffic notices when ovs-vswitchd dies and is started again."""

import time

from ovsbench import traffic
from ovsbench.case import Failure, case, less

RATE = 10_000  # packets a second, of 100 5-tuples
BEFORE, AFTER = 0.5, 1.0  # seconds of traffic around the restart


@case("restart", needs=("gcc", "ethtool"))
def restart(place, _options):
    """kill -9 of ovs-vswitchd and a new start, under steady traffic"""
    hosts = place.hosts(beside_generator=True, fail="standalone")
    h1, h2, switch = hosts
    before = h2.received()
    traffic.send(h1, count=100, rate=1000, flows=100)  # sets the flows up
    time.sleep(BEFORE)
    if h2.received() - before < 100:
        raise Failure("the switch doesn't forward")
    arrived = -h2.received()
    with traffic.Flood(h1, rate=RATE, flows=100) as flood:
        time.sleep(BEFORE)
        switch.kill_vswitchd()
        start = time.perf_counter()
        switch.start_vswitchd()
        # A change that ovs-vsctl waits for: all is in effect when it returns.
        switch.vsctl("set", "Open_vSwitch", ".", "external_ids:restarted=yes")
        seconds = time.perf_counter() - start
        time.sleep(AFTER)
    time.sleep(0.1)
    arrived += h2.received()
    if arrived > flood.sent:
        raise Failure(f"{arrived} packets arrived of {flood.sent}")
    yield less("packets lost at 10,000/s", "packets", flood.sent - arrived)
    yield less("restart", "s", seconds)
