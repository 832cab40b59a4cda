# SPDX-License-Identifier: Apache-2.0
"""ovsdb-server alone: transactions of one client and of many."""

import pathlib
import statistics
import subprocess
import sys
import time

from ovsbench.accounts import on_one_cpu
from ovsbench.case import Failure, case, less, more
from ovsbench.database_client import Database, insert_and_update
from ovsbench.place import end

CLIENTS = 8
ROUNDS = 5  # short measurements: the median of these
_PACKAGE_FOLDER = pathlib.Path(__file__).resolve().parents[2]


def timed(socket, count, options, durable=False):
    """Transactions a second of one client."""
    with Database(socket, options.timeout) as database:
        start = time.perf_counter()
        insert_and_update(database, count, durable)
        return count / (time.perf_counter() - start)


def timed_together(place, socket, count, *words):
    """Transactions a second of 8 client processes, begun at the same moment."""
    command = [sys.executable, "-m", "ovsbench.database_client", socket, count, *words]
    clients = [
        place.spawn(
            list(map(str, command)),
            cwd=_PACKAGE_FOLDER,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(CLIENTS)
    ]
    if any(client.stdout.readline() != "ready\n" for client in clients):
        raise Failure("a client couldn't connect")
    for client in clients:
        client.stdin.write("\n")
        client.stdin.flush()
    spans = [client.stdout.readline().split() for client in clients]
    for client in clients:
        end(client)
    if not all(spans):
        raise Failure("a client failed")
    begin = min(float(span[0]) for span in spans)
    finish = max(float(span[1]) for span in spans)
    return CLIENTS * count / (finish - begin)


@case("ovsdb-txn")
def ovsdb_txn(place, options):
    """Inserts and updates, each awaited; durable ones; 8 clients at once"""
    count = options.count(2000)
    with on_one_cpu():
        switch = place.switch()
        switch.start_database()
        cpu = -switch.accounts.cpu_seconds()
        rates = [timed(switch.socket, count, options) for _ in range(ROUNDS)]
        cpu += switch.accounts.cpu_seconds()
        yield more("1 client", "txn/s", statistics.median(rates))
        yield less("server CPU", "us/txn", cpu / count / ROUNDS * 1e6)
        rate = timed(switch.socket, count, options, durable=True)
        yield more("1 client, durable", "txn/s", rate)
    switch = place.switch("many")
    switch.start_database()
    rate = timed_together(place, switch.socket, count // 2)
    yield more("8 clients", "txn/s", rate)
    rate = timed_together(place, switch.socket, count // 8, "durable")
    yield more("8 clients, durable", "txn/s", rate)
