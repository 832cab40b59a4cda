# SPDX-License-Identifier: Apache-2.0
"""New connections: each packet needs a datapath flow of its own."""

import time

from ovsbench import traffic
from ovsbench.case import Failure, case, less, more

# To copy a field into a register, a datapath flow must match on all of it.
FLOWS = (
    "priority=100,udp,in_port=1,actions=move:NXM_OF_UDP_SRC[]->NXM_NX_REG0[0..15],"
    "move:NXM_OF_IP_SRC[]->NXM_NX_REG1[],output:2",
    "priority=0,actions=drop",
)
FIRST_RATE, LAST_RATE = 500, 2_000_000
HALVINGS = 4  # leaves a step of some 6 %
ATTEMPTS = 3  # a noisy machine spoils a rate now and then
IN_TIME = 0.99
SETTLE = 0.02  # seconds; too short to drain a queue, and who is queued is late
MOST_FLOWS = 50_000  # the reference's userspace datapath holds 65,536
FLOW_LIMIT = 200_000  # ovs-vswitchd begins with 10,000 and adapts


class Ramp:
    """Looks for the highest rate at which nearly all packets arrive in time."""

    def __init__(self, hosts, options):
        self._h1, self._h2, self._switch = hosts
        self._seconds = max(0.3, options.seconds / 5)
        self._first = 0  # number of the next 5-tuple
        self.rate = self.cpu = 0.0

    def search(self):
        rate = FIRST_RATE
        while rate <= LAST_RATE and self._sustains(rate):
            rate *= 2
        low, high = rate / 2, rate
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self._sustains(middle) else (low, middle)
        if not self.rate:
            raise Failure(f"fewer than 99 % arrive even at {FIRST_RATE} flows/s")

    def _sustains(self, rate):
        for _ in range(ATTEMPTS):
            share, cpu = self._send(rate)
            if share >= IN_TIME:
                if rate > self.rate:
                    self.rate, self.cpu = rate, cpu
                return True
        return False

    def _send(self, rate):
        """(share that arrived in time, CPU seconds a packet)"""
        self._switch.appctl("revalidator/purge")
        self._switch.appctl("upcall/set-flow-limit", FLOW_LIMIT)
        count = min(MOST_FLOWS, int(rate * self._seconds))
        arrived = -self._h2.received()
        cpu = -self._switch.accounts.cpu_seconds()
        _, seconds = traffic.send(self._h1, rate=rate, count=count, flows=count,
                                  first=self._first)  # fmt: skip
        time.sleep(SETTLE)
        arrived += self._h2.received()
        cpu += self._switch.accounts.cpu_seconds()
        self._first += count
        self._check_flows(arrived)
        return arrived / count * min(1, count / rate / seconds), cpu / max(1, arrived)

    def _check_flows(self, packets):
        for line in self._switch.appctl("dpctl/show").splitlines():
            key, _, number = line.strip().partition(": ")
            if key == "flows" and int(number) < 0.95 * packets:
                raise Failure(f"{number} datapath flows for {packets} packets")


@case("flow-setup", needs=("gcc", "ethtool"))
def flow_setup(place, options):
    """Highest rate of ever new 5-tuples with 99 % arriving in time"""
    ramp = Ramp(place.hosts(*FLOWS, beside_generator=True), options)
    ramp.search()
    yield more("new flows", "1/s", ramp.rate)
    yield less("switch CPU", "us/flow", ramp.cpu * 1e6)
