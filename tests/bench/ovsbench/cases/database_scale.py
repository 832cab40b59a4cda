# SPDX-License-Identifier: Apache-2.0
"""ovsdb-server with a long log, and with many monitors."""

import hashlib
import json
import random
import selectors
import socket
import time
import uuid

from ovsbench.accounts import on_one_cpu
from ovsbench.case import Failure, case, less
from ovsbench.database_client import Database, queue_row

LOG_ROWS = 50_000
MONITORS = 50
UPDATES = 500
_WATCH = {"Queue": [{"columns": ["external_ids"]}]}


def append_records(path, count):
    """Append transactions of one row each; return the UUID of the last row.

    UUIDs look random, since servers hash them by a few of their bits.
    """
    dice = random.Random(count)
    with path.open("ab") as log:
        for number in range(count):
            row = str(uuid.UUID(int=dice.getrandbits(128), version=4))
            record = {"_date": 1_700_000_000_000, "Queue": {row: queue_row(number)}}
            octets = json.dumps(record).encode() + b"\n"
            digest = hashlib.sha1(octets).hexdigest().encode()
            log.write(b"OVSDB JSON %d %s\n%s" % (len(octets), digest, octets))
    return row


@case("ovsdb-start")
def ovsdb_start(place, options):
    """Start with a log of 50,000 one-row transactions; compaction of it"""
    count = options.count(LOG_ROWS)
    switch = place.switch()
    switch.create_database()
    last = append_records(switch.database, count)
    start = time.perf_counter()
    switch.serve_database()
    with Database(switch.socket, options.timeout) as database:
        where = [["_uuid", "==", ["uuid", last]]]
        select = {"op": "select", "table": "Queue", "where": where}
        (result,) = database.transact(select)
        seconds = time.perf_counter() - start
    if len(result["rows"]) != 1:
        raise Failure("the last row of the log is missing")
    yield less("start to first reply", "s", seconds)
    yield less("server CPU", "s", switch.accounts.cpu_seconds())
    yield less("memory", "MB", switch.accounts.megabytes())
    size = switch.database.stat().st_size
    start = time.perf_counter()
    control = switch.control("ovsdb-server")
    switch.run("ovs-appctl", "-t", control, "ovsdb-server/compact")
    yield less("compaction", "s", time.perf_counter() - start)
    if switch.database.stat().st_size >= size:
        raise Failure("compaction didn't make the file smaller")


class Monitor:
    """A client that looks for one text only, to cost little itself."""

    def __init__(self, path, timeout):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(timeout)
        self.socket.connect(str(path))
        params = ["Open_vSwitch", "watch", _WATCH]
        request = {"method": "monitor_cond", "id": 0, "params": params}
        self.socket.sendall(json.dumps(request).encode())
        if b'"result"' not in self.socket.recv(1 << 16):
            raise Failure("monitor_cond was refused")
        self._tail = b""

    def sees(self, step):
        octets = self.socket.recv(1 << 18)
        if not octets:
            raise Failure("a monitor's connection was closed")
        window = self._tail + octets
        self._tail = window[-len(step) :]
        return step in window


def wait_for(step, monitors, timeout):
    deadline = time.perf_counter() + timeout
    with selectors.DefaultSelector() as selector:
        for monitor in monitors:
            selector.register(monitor.socket, selectors.EVENT_READ, monitor)
        while selector.get_map():
            for key, _ in selector.select(1):
                if key.data.sees(step):
                    selector.unregister(key.fileobj)
            if time.perf_counter() > deadline:
                raise Failure("a monitor didn't see the last update")


@case("ovsdb-monitor")
def ovsdb_monitor(place, options):
    """50 monitors, 500 updates, each awaited; until all have seen all"""
    with on_one_cpu():
        switch = place.switch()
        switch.start_database()
        with Database(switch.socket, options.timeout) as database:
            insert = {"op": "insert", "table": "Queue", "row": queue_row(0)}
            (result,) = database.transact(insert)
            monitors = [
                Monitor(switch.socket, options.timeout) for _ in range(MONITORS)
            ]
            start = time.perf_counter()
            cpu = -switch.accounts.cpu_seconds()
            count = options.count(UPDATES)
            for number in range(count):
                step = f"step-{number:08}"
                row = {"external_ids": ["map", [["step", step]]]}
                where = [["_uuid", "==", result["uuid"]]]
                update = {"op": "update", "table": "Queue", "where": where, "row": row}
                database.transact(update)
            wait_for(step.encode(), monitors, options.timeout)
            seconds = time.perf_counter() - start
            cpu += switch.accounts.cpu_seconds()
            for monitor in monitors:
                monitor.socket.close()
    yield less("until all have seen all", "s", seconds)
    yield less("server CPU", "us/update", cpu / count * 1e6)
