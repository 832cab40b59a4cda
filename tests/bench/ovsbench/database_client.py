# SPDX-License-Identifier: Apache-2.0
"""A small OVSDB client over a unix socket; run as a module, one of many in parallel.

    python -m ovsbench.database_client SOCKET TRANSACTIONS [durable]

The program connects, prints "ready", waits for a line, does its transactions and
prints when it began and ended on the machine's monotonic clock.
"""

import itertools
import json
import socket
import sys
import time

_DATABASE = "Open_vSwitch"


class Database:
    """A connection; every request is awaited."""

    def __init__(self, path, timeout):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._socket.connect(str(path))
        self._parse = json.JSONDecoder().raw_decode
        self._pending = ""
        self._ids = itertools.count()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def transact(self, *operations):
        """Commit one transaction. Raises: RuntimeError when it is refused."""
        this = next(self._ids)
        request = {"method": "transact", "params": [_DATABASE, *operations]}
        self._send(request | {"id": this})
        while True:
            message = self._receive()
            if message.get("method") == "echo":
                reply = {"result": message["params"], "error": None}
                self._send(reply | {"id": message["id"]})
            elif message.get("id") == this:
                break
        refused = [r for r in message["result"] or [message] if r and r.get("error")]
        if refused:
            raise RuntimeError(f"the transaction was refused: {refused[0]}")
        return message["result"]

    def _send(self, message):
        self._socket.sendall(json.dumps(message).encode())

    def _receive(self):
        while True:
            try:
                message, size = self._parse(self._pending)
            except json.JSONDecodeError:
                octets = self._socket.recv(1 << 18)  # all is ASCII here
                if not octets:
                    raise RuntimeError("the database closed the connection") from None
                self._pending += octets.decode()
            else:
                self._pending = self._pending[size:].lstrip()
                return message


def insert_and_update(database, transactions, durable=False):
    """So many transactions: inserts of a row, each followed by an update of it."""
    commit = [{"op": "commit", "durable": True}] if durable else []
    for number in range(transactions // 2):
        insert = {"op": "insert", "table": "Queue", "row": queue_row(number)}
        uuid = database.transact(insert, *commit)[0]["uuid"]
        update = {"op": "update", "table": "Queue", "row": queue_row(number + 1),
                  "where": [["_uuid", "==", uuid]]}  # fmt: skip
        if database.transact(update, *commit)[0] != {"count": 1}:
            raise RuntimeError("the update found no row")


def queue_row(number):
    """Columns of a row in the table Queue."""
    rates = [["max-rate", "1000000"], ["min-rate", str(number)]]
    return {"dscp": number % 64, "other_config": ["map", rates],
            "external_ids": ["map", [["number", str(number)]]]}  # fmt: skip


if __name__ == "__main__":
    with Database(sys.argv[1], timeout=300) as connection:
        print("ready", flush=True)
        sys.stdin.readline()
        begin = time.perf_counter()
        insert_and_update(connection, int(sys.argv[2]), len(sys.argv) > 3)
        print(begin, time.perf_counter())
