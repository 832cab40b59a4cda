# SPDX-License-Identifier: Apache-2.0
"""ovsdb-tool on files that aren't what they should be, beside the reference.

A file is made of good records; some are changed at random places before they are
hashed, or the file is cut or overwritten afterwards. Seeds are fixed.
"""

import copy
import hashlib
import json
import random
import re

import pytest
from helpers.forked import Forked
from helpers.programs import Reference


def uuid(number):
    return f"{number:08x}-0000-4000-8000-000000000000"


SCHEMA = {
    "name": "Small",
    "version": "1.0.0",
    "tables": {
        "T": {
            "isRoot": True,
            "columns": {
                "name": {"type": "string"},
                "n": {"type": {"key": "integer", "min": 0, "max": 3}},
                "r": {"type": {"key": {"type": "uuid", "refTable": "T"}, "min": 0}},
            },
        }
    },
}
CHANGE = {
    "_is_diff": True,
    "_date": 5,
    "_comment": "hi",
    "T": {uuid(8): {"n": ["set", [1, 2]]}, uuid(7): {"n": 4}},
}
CLUSTERED = [
    {
        "server_id": uuid(1),
        "cluster_id": uuid(9),
        "local_address": "unix:a",
        "name": "Small",
        "prev_servers": {uuid(1): "unix:a"},
        "prev_index": 1,
        "prev_term": 1,
        "prev_eid": uuid(5),
        "prev_data": [SCHEMA, {"T": {uuid(7): {"name": "x"}}, "_date": 1700000000000}],
    },
    {"term": 1, "index": 2, "election_timer": 2000},
    {"term": 2, "vote": uuid(1)},
    {"term": 2, "leader": uuid(1)},
    {"term": 2, "index": 3},
    {"commit_index": 3},
    {"term": 2, "index": 4, "eid": uuid(6), "data": [None, CHANGE]},
    {"commit_index": 4},
    {"term": 3},
    {"note": "left", "comment": "c"},
    {
        "term": 3,
        "index": 5,
        "servers": {uuid(1): "unix:a", uuid(2): "tcp:1.2.3.4:5"},
    },
    {"term": 3, "index": 6, "eid": uuid(3), "data": [SCHEMA, {"T": {uuid(7): None}}]},
]
STANDALONE = [
    SCHEMA,
    {"T": {uuid(7): {"name": "x"}}, "_date": 1700000000000, "_comment": "c"},
    {
        "_is_diff": True,
        "T": {
            uuid(8): {"n": ["set", [1, 2]], "r": ["uuid", uuid(7)]},
            uuid(7): {"n": 4},
        },
    },
    {"_date": 6, "T": {uuid(8): None}},
]
VALUES = [
    *(None, True, False, 0, 1, -1, 1.5, 1e300, 2**63 - 1, -(2**63), "", "x", "left"),
    *(uuid(0), uuid(4), "unix:b", "tcp:1.2.3.4", "tcp:1.2.3.4:5", [], {}, [1], 9, 3),
    *(["set", []], ["map", []], ["uuid", uuid(7)], {uuid(4): "unix:z"}, {uuid(4): 5}),
    *([SCHEMA, {}], [None, None], [1, 2], [None, {}], ["unix:a"], ["unix:b", "unix:a"]),
]
NAMES = [
    *("server_id", "cluster_id", "name", "local_address", "remote_addresses"),
    *("prev_servers", "prev_index", "prev_data", "prev_eid", "prev_term", "term"),
    *("index", "vote", "leader", "note", "comment", "commit_index", "data", "eid"),
    *("servers", "election_timer", "T", "_date", "_comment", "_is_diff", "n", "zz"),
    *("tables", "columns", "version", "cksum", "isRoot", "maxRows", "indexes", "type"),
    *(uuid(8), "key", "min", "max"),
]
SELECT = '["Small",{"op":"select","table":"T","where":[],"columns":["name"]}]'
COMMANDS = [
    ["-mm", "show-log", "file"],
    ["db-name", "file"],
    ["db-sid", "file"],
    ["check-cluster", "file"],
    ["cluster-to-standalone", "new", "file"],
    ["query", "file", SELECT],
    ["db-cksum", "file"],
    ["compact", "file", "new2"],
]
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z\|\d+\|")


def changed(random_, record):
    """Return a record with one thing changed, left out or added."""
    record = copy.deepcopy(record)
    place = record
    while True:
        if not isinstance(place, dict | list) or not place:
            return record
        keys = list(place) if isinstance(place, dict) else range(len(place))
        key = random_.choice(keys)
        inner = place[key]
        if random_.random() < 0.35 or not isinstance(inner, dict | list) or not inner:
            break
        place = inner
    choice = random_.random()
    if choice < 0.3:
        del place[key]
    elif choice < 0.8 or isinstance(place, list):
        place[key] = random_.choice(VALUES)
    else:
        place[random_.choice(NAMES)] = random_.choice(VALUES)
    return record


def octets_of(magic, records):
    octets = b""
    for record in records:
        body = json.dumps(record).encode() + b"\n"
        digest = hashlib.sha1(body).hexdigest()
        octets += f"OVSDB {magic} {len(body)} {digest}\n".encode() + body
    return octets


def damaged_file(random_):
    magic, good = random_.choice([("CLUSTER", CLUSTERED), ("JSON", STANDALONE)])
    records = list(good)
    if random_.random() < 0.85:
        for _ in range(random_.choice([1, 1, 2])):
            index = random_.choice([0, *range(len(records))])
            records[index] = changed(random_, records[index])
        return octets_of(magic, records)
    octets = bytearray(octets_of(magic, records))
    if random_.random() < 0.5:
        return bytes(octets[: random_.randrange(1, len(octets))])
    octets[random_.randrange(len(octets))] = random_.randrange(256)
    return bytes(octets)


def play(run, folder, octets, words):
    """Run a command; return all that can be seen of it."""
    for path in folder.iterdir():
        path.unlink()
    (folder / "file").write_bytes(octets)
    status, out, err = run(["ovsdb-tool", *words])
    new = folder / "new"
    written = new.read_bytes() if new.exists() else b""
    if words[0] == "query" and out.startswith('[{"rows":'):
        out = sorted(map(str, json.loads(out)[0]["rows"]))
    return status, out, TIME.sub("", err), written


def run_reference(run_dir):
    def run(words):
        result = run_dir.run([Reference.path(words[0]), *words[1:]])
        path = Reference.path(words[0])
        return result.status, result.out, result.err.replace(path, words[0])

    return run


@pytest.mark.slow
@pytest.mark.reference
def test_damaged_files_give_what_the_reference_says(run_dir):
    folder = run_dir.path
    forked = Forked(run_dir.env)
    compared = 0
    try:
        for seed in range(50):
            random_ = random.Random(seed)
            octets = damaged_file(random_)
            for words in random_.sample(COMMANDS, 2):
                ours = play(lambda w: forked.run(w, folder), folder, octets, words)
                assert ours[0] in {0, 1, 2}, (seed, words, ours)
                its = play(run_reference(run_dir), folder, octets, words)
                if its[0] >= 0:  # it doesn't survive some files
                    assert ours == its, (seed, words)
                    compared += 1
    finally:
        forked.close()
    assert compared > 80
