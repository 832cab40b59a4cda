# SPDX-License-Identifier: Apache-2.0
"""Damaged database files, opened by both implementations.

A server opens hundreds of databases at once, one for each way in which a file can be
damaged: cut at every length of its last records, a bit flipped at every octet, odd
records appended. Both must report the same, have the same contents and leave the same
file behind after a further transaction.
"""

import hashlib
import json
import random
import re
import socket

import pytest
from helpers.programs import Ours, Reference, RunDir, wait_until

UUID = "{:08}-1111-4111-8111-111111111111".format
NEW = UUID(99)
T = "T"


def octets(value, magic="JSON"):
    """A record; `value` may be its text."""
    if not isinstance(value, bytes):
        value = json.dumps(value, separators=(",", ":")).encode()
    digest = hashlib.sha1(value + b"\n").hexdigest()
    head = f"OVSDB {magic} {len(value) + 1} {digest}\n"
    return head.encode() + value + b"\n"


def schema(name):
    columns = {
        "k": {"type": "string"},
        "n": {"type": "integer"},
        "s": {"type": {"key": "integer", "min": 0, "max": "unlimited"}},
    }
    table = {"isRoot": True, "indexes": [["k"]], "columns": columns}
    return octets({"name": name, "version": "1.0.0", "tables": {T: table}})


RECORDS = [
    octets({T: {UUID(1): {"k": "a", "n": 1}}, "_date": 1}),
    octets({T: {UUID(2): {"k": "b", "s": ["set", [1, 2]]}}, "_comment": "x"}),
    octets(
        {T: {UUID(2): {"s": ["set", [2, 3]]}, UUID(1): None}, "_is_diff": True}
    ),
]  # fmt: skip
EMPTY = hashlib.sha1(b"{}\n").hexdigest()
ODD = [
    b"junk",
    b"junk\n",
    b"\n",
    b"\0\0\0\n" * 4,
    b"x" * 300,
    b"OVSDB JSON 5 \n",
    *(
        octets(value)
        for value in (
            [1],
            "x",
            5,
            {},
            {"X": {}},
            {"_x": 1},
            {"_date": "x"},
            {"_is_diff": 1},
            {T: 5},
            {T: {UUID(9): 5}},
            {T: {UUID(9): None}},
            {T: {"zz": None}},
            {T: {"zz": {"k": "q"}}},
            {T: {UUID(9): {"zz": 1}}},
            {T: {UUID(9): {"k": 1}}},
            {T: {UUID(2): {"_version": ["uuid", UUID(3)]}}},
            {T: {UUID(2).upper(): {"k": "q"}}},
            {T: {UUID(2): {"k": "qq"}}, "_comment": 5},
            {T: {UUID(2): {"s": ["set", [2, 3, 4]]}}, "_is_diff": True},
            {T: {UUID(2): {"s": ["set", [1, 1]]}}},
            {T: {UUID(2): {}}},
            {T: {UUID(20): {"k": "a\0b"}}},
            {T: {UUID(20): {"k": "é" * 9}}},
            {T: {UUID(21): {"n": 1.0, "k": "x"}}},
            {T: {UUID(21): {"n": 1.5, "k": "x"}}},
            {T: {UUID(21): {"n": 1 << 63, "k": "x"}}},
            b"{x",
            b'{"a":"\xff',
            b"{} {}",
            b'{"_date":1,"_date":2,"T":{}}    ',
        )
    ),
    # A transaction that breaks a rule is left out, and the next one counts.
    octets({T: {UUID(6): {"k": "b"}}}) + octets({T: {UUID(8): {"k": "after"}}}),
    *(
        f"OVSDB {magic} {size} {digest}\n{{}}\n".encode()
        for magic, size, digest in (
            ("JSON", 4294967296000, "a" * 40),
            ("JSON", -3, EMPTY),
            ("JSON", "+3", EMPTY),
            ("JSON", " 3", EMPTY),
            ("JSON", "03", EMPTY.upper()),
            ("JSON", 9**24, EMPTY),
            ("JSON", 2, EMPTY),
            ("JSON", 3, EMPTY + " "),
            ("CLUSTER", 3, EMPTY),
        )
    ),
    b"OVSDB JSON 20000 " + b"a" * 40 + b"\n" + b"y" * 10000,
]


def damaged():
    """Yield what follows the schema in each file."""
    whole = b"".join(RECORDS)
    last = len(whole) - len(RECORDS[-1])
    yield from (whole[:size] for size in range(last, len(whole) + 1, 2))
    dice = random.Random(1)
    for index in range(last, len(whole), 4):
        flipped = whole[index] ^ 1 << dice.randrange(8)
        yield whole[:index] + bytes([flipped]) + whole[index + 1 :]
    yield from (whole + odd for odd in ODD)


class Client:
    """A connection to a server."""

    def __init__(self, path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(30)
        self._socket.connect(str(path))
        self._text = ""

    def transact(self, name, *operations):
        request = {"method": "transact", "params": [name, *operations], "id": 0}
        self._socket.sendall(json.dumps(request).encode())
        while True:
            try:
                reply, end = json.JSONDecoder().raw_decode(self._text)
            except ValueError:
                octets = self._socket.recv(1 << 16)
                assert octets, "the server closed the connection"
                self._text += octets.decode()
            else:
                self._text = self._text[end:].lstrip()
                if reply["id"] == 0:
                    return reply

    def close(self):
        self._socket.close()


def observe(implementation, files):
    """Return each database's contents, reports and final octets."""
    with RunDir() as run_dir:
        for name, tail in files.items():
            (run_dir / name).write_bytes(schema(name) + tail)
        with (run_dir / "log").open("wb") as log:
            process = run_dir.start(
                [
                    implementation.path("ovsdb-server"),
                    f"--remote=punix:{run_dir / 'sock'}",
                    f"--unixctl={run_dir / 'ctl'}",
                    "-vPATTERN:console:%c|%p|%m",
                    *files,
                ],
                stdout=log,
                stderr=log,
            )
            wait_until(lambda: (run_dir / "ctl").exists())
            client = Client(run_dir / "sock")
            replies = {name: ask(client, name) for name in files}
            client.close()
            process.terminate()
            process.wait()
        reports = {}
        for line in (run_dir / "log").read_text(errors="replace").splitlines():
            found = re.search(r"ovsdb_server\|ERR\|.*?: (D\d+): (.*)", line)
            if found:  # the reference says it again and again until it writes
                reports.setdefault(found[1], found[2])
        left = {name: tidy((run_dir / name).read_bytes()) for name in files}
        return replies, reports, left


def ask(client, name):
    select = {"op": "select", "table": T, "where": [], "sort": ["k"]}
    columns = ["_uuid", "k", "n", "s"]
    insert = {"op": "insert", "table": T, "uuid": NEW, "row": {"k": "new"}}
    return (
        client.transact(name, {**select, "columns": columns}),
        client.transact(name, insert),
    )


def tidy(contents):
    """Leave the new record's octets out: dates and the order of members differ."""
    start = contents.rindex(b"OVSDB", 0, contents.index(NEW.encode()))
    end = contents.index(b"\n", contents.index(NEW.encode())) + 1
    return contents[:start] + contents[end:]


@pytest.mark.slow
@pytest.mark.reference
def test_both_report_and_repair_damaged_files_in_the_same_way():
    files = {f"D{number:04}": tail for number, tail in enumerate(damaged())}
    reference, ours = (observe(which, files) for which in (Reference, Ours))
    for name, tail in files.items():
        for what, expected, actual in zip(
            ("contents", "report", "file"), reference, ours, strict=True
        ):
            assert actual.get(name) == expected.get(name), (what, tail[-150:])
    assert len(ours[1]) > len(files) // 2
