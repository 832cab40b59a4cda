# SPDX-License-Identifier: Apache-2.0
"""OpenFlow tables: loading, dumping, deleting."""

import itertools
import random
import time

from ovsbench.accounts import on_one_cpu
from ovsbench.case import Failure, case, less, more

# One line a kind of flow. {n} makes each distinct, {r} is random below 2**16.
MATCHES = (
    "in_port={port},dl_dst=02:00:00:{h2:02x}:{h1:02x}:{h0:02x}",
    "dl_vlan={vlan},dl_src=02:00:00:{h2:02x}:{h1:02x}:{h0:02x}",
    "ip,nw_src=10.{h2}.{h1}.{h0},nw_dst=10.{port}.0.0/16",
    "tcp,nw_dst=10.{h2}.{h1}.{h0},tp_dst={r}",
    "udp6,ipv6_dst=fd00::{h2:x}:{low:x},tp_src={mask:#x}/0xff00",
)
ACTIONS = (
    "output:1",
    "drop",
    "NORMAL",
    "goto_table:10",
    "set_field:{n:#x}->reg0,goto_table:10",
    "set_field:02:00:00:00:00:02->eth_dst,output:2",
    "push_vlan:0x8100,set_field:4100->vlan_vid,output:2",
)


def mixed_flows(count):
    """Flows over Ethernet, VLAN, IPv4, TCP and UDPv6; always the same ones."""
    dice = random.Random(1)
    kinds = itertools.cycle(MATCHES)
    for n in range(count):
        words = {"n": n, "h2": n >> 16, "h1": n >> 8 & 255, "h0": n & 255,
                 "low": n & 0xFFFF, "port": dice.randrange(1, 9),
                 "vlan": dice.randrange(1, 4095), "r": dice.randrange(1 << 16),
                 "mask": dice.randrange(256) << 8}  # fmt: skip
        match, actions = next(kinds), dice.choice(ACTIONS)
        text = f"table={dice.randrange(10)},priority={dice.randrange(1, 1000)},"
        yield (text + match + ",actions=" + actions).format_map(words)


class Table:
    """The flows of br0."""

    def __init__(self, switch):
        self.switch = switch

    def timed(self, *arguments):
        """Run ovs-ofctl; return (seconds, daemons' CPU seconds, its output)."""
        cpu = -self.switch.accounts.cpu_seconds()
        start = time.perf_counter()
        text = self.switch.ofctl(*arguments)
        seconds = time.perf_counter() - start
        return seconds, cpu + self.switch.accounts.cpu_seconds(), text

    def expect(self, count):
        text = self.switch.ofctl("dump-aggregate", "br0")
        present = int(text.partition("flow_count=")[2].split()[0])
        if present != count:
            raise Failure(f"{present} flows instead of {count}")

    def load(self, title, count, path, *flags):
        """Load a file into the empty table; the readings of that."""
        self.switch.ofctl("del-flows", "br0")
        self.expect(0)
        seconds, cpu, _ = self.timed(*flags, "add-flows", "br0", path)
        self.expect(count)
        yield more(f"add {title}", "flows/s", count / seconds)
        yield less(f"daemon CPU, {title}", "us/flow", cpu / count * 1e6)


@case("ofctl-load")
def ofctl_load(place, options):
    """add-flows with and without --bundle, 10k and 100k; dump; delete"""
    with on_one_cpu():
        switch = place.switch()
        switch.start()
        switch.add_bridge()
        table = Table(switch)
        for name, full in (("10k", 10_000), ("100k", 100_000)):
            count = options.count(full)
            path = switch.directory / f"{name}.flows"
            path.write_text("".join(f"{flow}\n" for flow in mixed_flows(count)))
            yield from table.load(f"bundle {name}", count, path, "--bundle")
            yield from table.load(f"plain {name}", count, path)
        yield less("RSS with 100k", "MB", switch.accounts.megabytes())
        seconds, _, text = table.timed("dump-flows", "br0")
        if text.count("actions=") != count:
            raise Failure(f"dump-flows doesn't show {count} flows")
        yield more("dump 100k", "flows/s", count / seconds)
        seconds, _, _ = table.timed("del-flows", "br0")
        table.expect(0)
        yield more("delete 100k", "flows/s", count / seconds)
