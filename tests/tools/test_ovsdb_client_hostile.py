# SPDX-License-Identifier: Apache-2.0
"""ovsdb-client with a server that says anything: it ends, with a message or without."""

import json
import random
import socket
import threading

import pytest
from helpers.forked import Forked

UUID = "00011234-0000-4000-8000-000000000001"
SCHEMA = {
    "name": "Small",
    "version": "1.0.0",
    "tables": {
        "T": {
            "columns": {
                "name": {"type": "string"},
                "m": {"type": {"key": "string", "value": "integer", "min": 0}},
            }
        }
    },
}
VALUES = [
    *(None, True, 0, -1, 1.5, 1e300, "", "x", UUID, [], {}, [1], ["set", []]),
    *(["uuid", UUID], ["uuid", 1], ["map", [["a", 1]]], ["map", 1], ["Small", 1]),
    *({"rows": []}, {"rows": [{}]}, {"rows": 1}, {"T": {}}, {"T": 1}, {"T": {UUID: 1}}),
    *({"T": {UUID: {"new": {"name": "a"}}}}, {"T": {UUID: {"old": {}, "new": 1}}}),
    *({"T": {UUID: {"insert": {"name": 1}}}}, {"T": {UUID: {"delete": 1}}}),
    *([True, UUID, {"T": {}}], [1, 2, {}], [True, UUID], SCHEMA, [{"error": "x"}]),
    *([{"rows": [1]}], [{"rows": [{"name": "a", "m": ["map", []]}]}], [{}]),
]
COMMANDS = [
    *("list-dbs", "get-schema Small", "list-tables", "list-columns Small T", "lock x"),
    *('transact ["Small"]', 'query ["Small"]', "dump Small", "dump Small T name"),
    *("monitor Small T", "monitor Small ALL", "monitor-cond Small [] T", "backup"),
    *("monitor-cond-since Small [] T", "wait Small added", "convert schema"),
    *("needs-conversion schema", "dump unix:db.sock,unix:db.sock Small"),
]
METHODS = ("update", "update2", "update3", "monitor_canceled", "locked")


def value(random_, depth=0):
    choice = random_.random()
    if depth < 2 and choice < 0.2:
        return [value(random_, depth + 1) for _ in range(random_.randrange(4))]
    if depth < 2 and choice < 0.3:
        names = random_.sample(["rows", "T", UUID, "new", "old", "insert", "error"], 2)
        return {name: value(random_, depth + 1) for name in names}
    return random_.choice(VALUES)


def answer(random_, request):
    method = request.get("method", "")
    good = {"list_dbs": ["Small"], "get_schema": SCHEMA, "set_db_change_aware": {}}
    result = good.get(method)
    if result is None or random_.random() > 0.9:
        result = value(random_)
    messages = [{"id": request.get("id"), "result": result, "error": None}]
    if method.startswith(("monitor", "lock")):
        params = [[None, value(random_)], [None, UUID, value(random_)], value(random_)]
        for one in random_.sample(params, 2):
            name = random_.choice(METHODS)
            messages.append({"id": None, "method": name, "params": one})
    return "".join(map(json.dumps, messages)).encode(), len(messages) > 1


def serve(listener, seed):
    """Answer connections' requests until the listener is closed."""
    random_ = random.Random(seed)
    decoder = json.JSONDecoder()
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        text = ""
        with connection:
            while octets := connection.recv(65536):
                text += octets.decode()
                try:
                    request, end = decoder.raw_decode(text)
                except ValueError:
                    continue
                text = text[end:]
                octets, is_last = answer(random_, request)
                connection.sendall(octets)
                if is_last:
                    break


@pytest.mark.slow
def test_any_answer_leads_to_an_end(run_dir):
    (run_dir / "schema").write_text(json.dumps(SCHEMA))
    forked = Forked(run_dir.env)
    try:
        for seed in range(60):
            path = run_dir / "db.sock"
            path.unlink(missing_ok=True)
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(path))
                listener.listen()
                server = threading.Thread(
                    target=serve, args=(listener, seed), daemon=True
                )
                server.start()
                words = COMMANDS[seed % len(COMMANDS)].split()
                options = ["-t", "1", "-voff"]
                result = forked.run(["ovsdb-client", *options, *words], run_dir.path)
                assert result[0] in {0, 1, -14}, (seed, words, result)
                listener.shutdown(socket.SHUT_RDWR)
            server.join(5)
    finally:
        forked.close()
