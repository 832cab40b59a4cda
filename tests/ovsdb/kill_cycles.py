#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kill ovsdb-server again and again; nothing that it acknowledged may be lost.

    tests/ovsdb/kill_cycles.py [--cycles 10000] [--seed N] [--server PROGRAM]

In each cycle a server starts on the file that the one before left, clients commit
numbered durable transactions as fast as they can, another compacts and converts the
database, and after a random time the server is killed with SIGKILL. Then the number
that each client finds must not be below the last one acknowledged nor above the last
one tried, and the rows that go with it must be whole. `run()` is what the test suite
calls.
"""

import argparse
import contextlib
import json
import pathlib
import random
import signal
import socket
import sys
import threading
import time

sys.path[:0] = [str(pathlib.Path(__file__).parents[1])]

from helpers.programs import Ours, RunDir, wait_until  # noqa: E402

N_CLIENTS = 3
KEPT = 5  # rows of each client's latest numbers
LONGEST = 0.15  # seconds until the kill
STARTING = 0.1  # how many are killed while the server is starting
ROW = {"client": {"type": "integer"}, "n": {"type": "integer"}}
SCHEMAS = [
    {
        "name": "Kill",
        "version": f"1.{number}.0",
        "tables": {
            "Last": {"isRoot": True, "indexes": [["client"]], "columns": {**ROW}},
            "Row": {"isRoot": True, "columns": {**ROW, **more}},
        },
    }
    for number, more in enumerate(({}, {"more": {"type": "string"}}))
]


class LostError(Exception):
    """The database isn't what was promised."""


class Connection:
    """A JSON-RPC client that waits for each answer."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._text = ""
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise

    def call(self, method, params):
        request = {"method": method, "params": params, "id": 0}
        self._socket.sendall(json.dumps(request).encode())
        while True:
            try:
                reply, end = json.JSONDecoder().raw_decode(self._text)
            except ValueError:
                octets = self._socket.recv(1 << 16)
                if not octets:
                    raise ConnectionResetError from None
                self._text += octets.decode()
            else:
                self._text = self._text[end:].lstrip()
                if reply["id"] == 0:
                    return reply

    def transact(self, *operations):
        reply = self.call("transact", ["Kill", *operations])
        for result in reply["result"] or [reply]:
            if result is None or result.get("error"):
                raise LostError(f"{operations}: {reply}")
        return reply["result"]

    def close(self):
        self._socket.close()


class Client:
    """Counts, in the database."""

    def __init__(self, number):
        self.number = number
        self.acknowledged = 0
        self.attempted = 0
        self.error = None

    def work(self, path):
        """Commit transactions until the server is dead."""
        with contextlib.suppress(OSError):
            connection = Connection(path)
            try:
                while True:
                    self.attempted += 1
                    connection.transact(*self._operations(self.attempted))
                    self.acknowledged = self.attempted
            except LostError as error:
                self.error = error
            finally:
                connection.close()

    def _operations(self, number):
        mine = ["client", "==", self.number]
        row = {"client": self.number, "n": number}
        update = {"op": "update", "table": "Last", "where": [mine], "row": row}
        if number == 1:
            update = {"op": "insert", "table": "Last", "row": row}
        old = ["n", "<=", number - KEPT]
        return [
            update,
            {"op": "insert", "table": "Row", "row": row},
            {"op": "delete", "table": "Row", "where": [mine, old]},
            {"op": "commit", "durable": True},
        ]

    def check(self, connection):
        """Compare the database with what was acknowledged; count on from there."""
        where = [["client", "==", self.number]]
        select = {"op": "select", "where": where, "columns": ["n"]}
        found = [
            sorted(row["n"] for row in result["rows"])
            for result in connection.transact(
                {**select, "table": "Last"}, {**select, "table": "Row"}
            )
        ]
        (number,) = found[0] or [0]
        if not self.acknowledged <= number <= self.attempted:
            raise LostError(
                f"client {self.number}: found {number}, acknowledged "
                f"{self.acknowledged}, tried {self.attempted}"
            )
        if found[1] != list(range(max(1, number - KEPT + 1), number + 1)):
            raise LostError(f"client {self.number} at {number}: rows {found[1]}")
        self.acknowledged = self.attempted = number


def disturb(run_dir, dice):
    """Compact and convert until the server is dead."""
    with contextlib.suppress(OSError):
        control, client = (Connection(run_dir / name) for name in ("ctl", "sock"))
        try:
            while True:
                time.sleep(dice.random() * 0.03)
                if dice.random() < 0.7:
                    control.call("ovsdb-server/compact", [])
                else:
                    client.call("convert", ["Kill", dice.choice(SCHEMAS)])
        finally:
            control.close()
            client.close()


def answers(run_dir):
    try:
        Connection(run_dir / "ctl").close()
    except OSError:
        return False
    return True


class Cycles:
    """The server's lives, one after the other, on one file."""

    def __init__(self, run_dir, server, seed):
        self.run_dir = run_dir
        self.server = server
        self.dice = random.Random(seed)
        self.clients = [Client(number) for number in range(N_CLIENTS)]
        self.n_transactions = 0
        (run_dir / "schema").write_text(json.dumps(SCHEMAS[0]))
        tool = Ours.path("ovsdb-tool")
        run_dir.run([tool, "create", run_dir / "db", run_dir / "schema"], check=True)

    def cycle(self):
        """Start a server, check what it read, let clients work, and kill it."""
        (self.run_dir / "ctl").unlink(missing_ok=True)
        process = self.run_dir.start(
            [
                self.server,
                f"--remote=punix:{self.run_dir / 'sock'}",
                f"--unixctl={self.run_dir / 'ctl'}",
                "-vconsole:off",
                "db",
            ]
        )
        try:
            if self.dice.random() < STARTING:
                time.sleep(self.dice.random() * 0.5)
                return
            wait_until(lambda: process.poll() is not None or answers(self.run_dir))
            connection = Connection(self.run_dir / "sock")
            for client in self.clients:
                client.check(connection)
            connection.close()
            self._work(process)
        finally:
            process.kill()
            process.wait()

    def _work(self, process):
        path = self.run_dir / "sock"
        threads = [
            threading.Thread(target=client.work, args=[path]) for client in self.clients
        ]
        threads.append(threading.Thread(target=disturb, args=[self.run_dir, self.dice]))
        before = sum(client.acknowledged for client in self.clients)
        for thread in threads:
            thread.start()
        time.sleep(self.dice.random() * LONGEST)
        process.kill()
        for thread in threads:
            thread.join()
        for client in self.clients:
            if client.error is not None:
                raise client.error
        after = sum(client.acknowledged for client in self.clients)
        self.n_transactions += after - before


def run(cycles, seed=0, server=None, report=lambda text: None):
    """Do so many cycles; return how many transactions were acknowledged.

    Raises: LostError.
    """
    with RunDir() as run_dir:
        lives = Cycles(run_dir, server or Ours.path("ovsdb-server"), seed)
        for number in range(cycles):
            lives.cycle()
            if number % 100 == 99:
                report(f"{number + 1} cycles, {lives.n_transactions} transactions")
        return lives.n_transactions


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    parser.add_argument("--server", help="default: this checkout's")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up then, too
    try:
        count = run(
            arguments.cycles,
            arguments.seed,
            arguments.server,
            lambda text: print(text, flush=True),
        )
    except LostError as error:
        return f"LOST: {error}"
    print(f"nothing lost in {arguments.cycles} cycles of {count} transactions")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; all that was started has been ended")
