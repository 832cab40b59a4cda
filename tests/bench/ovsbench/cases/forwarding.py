# SPDX-License-Identifier: Apache-2.0
"""Packets between two hosts, over flows that the datapath already has."""

import statistics
import time

from ovsbench import traffic
from ovsbench.case import Failure, case, less, more

WIRE = ("in_port=1,actions=output:2", "in_port=2,actions=output:1")
WARM_UP = 0.5
ANSWERED = 0.98  # of the pings, at least


def flood(hosts, options, **words):
    """The readings of a flood from h1 to h2."""
    h1, h2, switch = hosts
    with traffic.Flood(h1, **words):
        time.sleep(WARM_UP)
        start, cpu, packets = time.perf_counter(), -switch.accounts.cpu_seconds(), 0
        packets -= h2.received()
        time.sleep(options.seconds)
        packets += h2.received()
        cpu += switch.accounts.cpu_seconds()
        seconds = time.perf_counter() - start
    if packets <= 0:
        raise Failure("no packet arrived")
    yield more("received", "Mpps", packets / seconds / 1e6)
    yield less("switch CPU", "s/Mpkt", cpu / packets * 1e6)


@case("forward-64B", needs=("gcc", "ethtool"))
def forward_64b(place, options):
    """Flood of 64-byte frames of one 5-tuple, output flows"""
    yield from flood(place.hosts(*WIRE, beside_generator=True), options)


@case("forward-imix-flows", needs=("gcc", "ethtool"))
def forward_imix(place, options):
    """Flood of IMIX frames (7:4:1) of 10,000 5-tuples, NORMAL action"""
    hosts = place.hosts("actions=NORMAL", beside_generator=True)
    traffic.send(hosts[1], count=10, rate=100, reverse=1)  # NORMAL learns h2
    flows = options.count(10_000)
    yield from flood(hosts, options, lengths=traffic.IMIX, flows=flows)


def stream(hosts, options):
    """The readings of one TCP stream."""
    h1, h2, switch = hosts
    cpu = -switch.accounts.cpu_seconds()
    rate, gigabytes = traffic.tcp_stream(h2, "10.0.0.2", h1, options.seconds)
    cpu += switch.accounts.cpu_seconds()
    if not gigabytes:
        raise Failure("nothing arrived")
    yield more("goodput", "Gbit/s", rate)
    yield less("switch CPU", "s/GB", cpu / gigabytes)


@case("tcp", needs=("iperf3", "ethtool", "ss"))
def tcp(place, options):
    """One iperf3 stream, hosts without transmit offloads"""
    yield from stream(place.hosts(*WIRE), options)


@case("tcp-offload", needs=("iperf3", "ss"))
def tcp_offload(place, options):
    """One iperf3 stream, hosts with their default offloads"""
    yield from stream(place.hosts(*WIRE, offload=True), options)


@case("latency", needs=("ping", "ethtool"))
def latency(place, options):
    """2,000 pings, one a millisecond"""
    h1, _, _ = place.hosts(*WIRE)
    count = options.count(2000)
    times = traffic.round_trips(h1, "10.0.0.2", count, 0.001)
    if len(times) < ANSWERED * count:
        raise Failure(f"only {len(times)} of {count} pings were answered")
    yield less("median RTT", "us", statistics.median(times))
    yield less("p99 RTT", "us", times[int(len(times) * 0.99)])
