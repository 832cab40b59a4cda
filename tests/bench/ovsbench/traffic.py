# SPDX-License-Identifier: Apache-2.0
"""Traffic between hosts: the packet generator, iperf3, ping."""

import contextlib
import functools
import json
import os
import pathlib
import subprocess
import tempfile
import time

from .accounts import generator_cpu
from .case import Failure
from .place import end, run

SMALL = "60"  # 64 octets on a wire, with the checksum
IMIX = "60,590,60,60,590,60,1514,60,590,60,60,590"  # 7:4:1
_IPERF_PORT = 5201


@functools.cache
def _generator():
    """Compile it; the folder goes when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix=f"ovsbench-{os.getpid()}-")
    program = pathlib.Path(folder.name, "generator")
    source = pathlib.Path(__file__).with_name("generator.c")
    run(["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source], 60)
    return program, folder


def _command(words):
    program, _ = _generator()
    return [program, "dev=eth0", f"cpu={generator_cpu()}",
            *(f"{key}={value}" for key, value in words.items())]  # fmt: skip


def send(host, **words):
    """Generate `count` packets; return (packets sent, seconds)."""
    sent, seconds = host.run(*_command(words)).split()
    return int(sent), float(seconds)


class Flood:
    """Packets during a `with` block; `sent` is known after it."""

    def __init__(self, host, **words):
        self._start = functools.partial(host.spawn, _command(words))
        self.sent = 0

    def __enter__(self):
        self._child = self._start(stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, kind, *_):
        ended_early = self._child.poll() is not None
        self._child.terminate()
        output, _ = self._child.communicate(timeout=10)
        if kind is None:
            if ended_early or not output:
                raise Failure("the packet generator ended early")
            self.sent = int(output.split()[0])


def tcp_stream(server, address, client, seconds):
    """One iperf3 stream; return (Gbit/s, gigabytes), both as received."""
    whole = max(1, round(seconds))  # iperf3 takes a fraction for "without end"
    listener = server.spawn(["iperf3", "--server", "--one-off"],
                            stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        _await_listener(server)
        report = client.run("iperf3", "--json", "--connect-timeout", 5000,
                            "--time", whole, "--client", address)  # fmt: skip
    finally:
        end(listener)
    received = json.loads(report)["end"].get("sum_received")
    if not received:
        raise Failure("iperf3 has no connection")
    return received["bits_per_second"] / 1e9, received["bytes"] / 1e9


def _await_listener(host):
    deadline = time.perf_counter() + 5
    while not host.run("ss", "-Htln", f"sport = :{_IPERF_PORT}").strip():
        if time.perf_counter() > deadline:
            raise Failure("iperf3 doesn't listen")
        time.sleep(0.02)


def round_trips(host, address, count, interval):
    """Microseconds of each answered ping, sorted."""
    text = host.run("ping", "-n", "-i", interval, "-c", count, address)
    times = []
    for word in text.split():
        if word.startswith("time="):
            with contextlib.suppress(ValueError):
                times.append(float(word[5:]) * 1000)
    return sorted(times)
