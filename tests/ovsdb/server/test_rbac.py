# SPDX-License-Identifier: Apache-2.0
"""Access control: what roles and read-only remotes let clients do, on both servers."""

import json
import socket

import pytest
from helpers.pki import HAS_OPENSSL
from server_pair import IMPLEMENTATIONS, Client, Names, Server, wait_until
from test_ssl import Pki, handshake

from ovswitch.ovsdb import rbac
from ovswitch.ovsdb.database import Database
from ovswitch.ovsdb.schema import Schema

STRINGS = {"key": "string", "min": 0, "max": "unlimited"}
MAP = {**STRINGS, "value": "string"}
MANY = {"min": 0, "max": "unlimited"}
STRONG = {"type": "uuid", "refTable": "Manager"}
PERMISSIONS = {"type": "uuid", "refTable": "RBAC_Permission", "refType": "weak"}
PERMISSION_MAP = {"key": "string", "value": PERMISSIONS, **MANY}

SCHEMA = {
    "name": "Rbac",
    "version": "1.0.0",
    "tables": {
        "Root": {
            "isRoot": True,
            "columns": {"managers": {"type": {"key": STRONG, **MANY}}},
        },
        "Manager": {
            "columns": {
                "target": {"type": "string"},
                "read_only": {"type": {"key": "boolean", "min": 0}},
                "role": {"type": {"key": "string", "min": 0}},
                "is_connected": {"type": "boolean", "ephemeral": True},
                "status": {"type": MAP, "ephemeral": True},
            }
        },
        "RBAC_Role": {
            "isRoot": True,
            "columns": {
                "name": {"type": "string"},
                "permissions": {"type": PERMISSION_MAP},
            },
        },
        "RBAC_Permission": {
            "isRoot": True,
            "columns": {
                "name": {"type": "string"},
                "authorization": {"type": STRINGS},
                "insert_delete": {"type": "boolean"},
                "update": {"type": STRINGS},
            },
        },
        **{
            name: {
                "isRoot": True,
                "columns": {
                    "name": {"type": "string"},
                    "ids": {"type": MAP},
                    "data": {"type": STRINGS},
                    "number": {"type": "integer"},
                },
            }
            for name in ("Own", "Mapped", "Open", "Frozen", "Closed")
        },
    },
}  # fmt: skip


def insert(table, name=None, /, **row):
    more = {"uuid-name": name} if name else {}
    return {"op": "insert", "table": table, "row": row, **more}


def permission(name, authorization, insert_delete, *columns):
    return insert(
        "RBAC_Permission",
        name,
        name=name,
        authorization=["set", authorization],
        insert_delete=insert_delete,
        update=["set", list(columns)],
    )


SETUP = [
    permission("Own", ["name"], True, "data", "ids"),
    permission("Mapped", ["ids:owner", "nonsense", "number"], True, "number"),
    permission("Open", [""], True, "data", "number"),
    permission("Frozen", [""], False, "number"),
    insert(
        "RBAC_Role",
        name="user",
        permissions=[
            "map",
            [[n, ["named-uuid", n]] for n in ("Own", "Mapped", "Open", "Frozen")],
        ],
    ),
    *(insert(t, name="client", number=1) for t in ("Own", "Open", "Frozen", "Closed")),
    *(insert(t, name="server", number=2) for t in ("Own", "Open", "Frozen", "Closed")),
    insert("Mapped", name="a", ids=["map", [["owner", "client"]]]),
    insert("Mapped", name="b", ids=["map", [["owner", "server"]]]),
]
TARGETS = {
    "user": ("pssl:0:127.0.0.1", {"role": "user"}),
    "anonymous": ("ptcp:0:127.0.0.1", {"role": "user"}),
    "stranger": ("ptcp:0:127.0.0.2", {"role": "nobody"}),
    "reader": ("ptcp:0:127.0.0.3", {"read_only": True}),
}


def operations():
    """Yield one operation of each kind on each table, on the own row and another's."""
    for table in ("Own", "Mapped", "Open", "Frozen", "Closed"):
        mine = ["ids", "includes", ["map", [["owner", "client"]]]]
        clause = mine if table == "Mapped" else ["name", "==", "client"]
        for where in ([clause], [], [["number", "==", 99]]):
            common = {"table": table, "where": where}
            yield {**common, "op": "update", "row": {"number": 5}}
            yield {**common, "op": "update", "row": {"data": "x"}}
            yield {**common, "op": "update", "row": {"data": "x", "name": "client"}}
            yield {**common, "op": "update", "row": {}}
            yield {**common, "op": "mutate", "mutations": [["number", "+=", 1]]}
            yield {**common, "op": "mutate", "mutations": [["data", "insert", "x"]]}
            yield {**common, "op": "mutate", "mutations": []}
            yield {**common, "op": "delete"}
        for row in (
            {"name": "client"},
            {"name": "server"},
            {"ids": ["map", [["owner", "client"]]]},
        ):
            yield {"op": "insert", "table": table, "row": row}
    yield {"op": "wait", "table": "Closed", "where": [], "until": "!=", "rows": []}
    yield {"op": "comment", "comment": "x"}
    yield {"op": "commit", "durable": False}
    yield {"op": "assert", "lock": "x"}


REQUESTS = [
    *(("transact", ["Rbac", op, {"op": "abort"}]) for op in operations()),
    ("convert", ["Rbac", {"name": "Other", "tables": {}}]),
    ("lock", ["mine"]),
    ("steal", ["mine"]),
    ("unlock", ["mine"]),
    ("unlock", []),
]


def play(implementation, pki):
    """Make all requests as every kind of client; return the answers."""
    options = pki.options("server")
    remote = "--remote=db:Rbac,Root,managers"
    server = Server(implementation, SCHEMA, remote, *options)
    answers = []
    try:
        root = server.client("root")
        root.call("transact", "Rbac", *SETUP)
        managers = [
            insert("Manager", f"m{number}", target=target, **more)
            for number, (target, more) in enumerate(TARGETS.values())
        ]
        references = [["named-uuid", f"m{n}"] for n in range(len(managers))]
        row = {"managers": ["set", references]}
        root.call("transact", "Rbac", *managers, insert("Root", **row))
        names = Names()
        for name, (target, _more) in TARGETS.items():
            port = port_of(root, target)
            if name == "user":
                connected = handshake(pki, port)
            else:
                host = target.rpartition(":")[2]
                connected = socket.create_connection((host, port), timeout=5)
            with Client(connected) as client:
                answers += [
                    (
                        name,
                        request,
                        names.normalise(client.call(request[0], *request[1])),
                    )
                    for request in REQUESTS
                ]
    finally:
        server.close()
    return answers


def port_of(client, target):
    where = [["target", "==", target]]
    select = {"op": "select", "table": "Manager", "where": where}
    found = {}

    def is_known():
        (result,) = client.call("transact", "Rbac", select)["result"]
        found.update(result["rows"][0]["status"][1])
        return "bound_port" in found

    wait_until(is_known)
    return int(found["bound_port"])


@pytest.mark.reference
@pytest.mark.slow
@pytest.mark.skipif(not HAS_OPENSSL, reason="needs openssl")
def test_both_servers_permit_and_refuse_the_same(tmp_path):
    pki = Pki(tmp_path)
    theirs, ours = (play(implementation, pki) for implementation in IMPLEMENTATIONS)
    assert len(theirs) > 400
    differing = [pair for pair in zip(theirs, ours, strict=True) if pair[0] != pair[1]]
    assert not differing
    refused = sum("permission error" in answer for _, _, answer in theirs)
    assert 200 < refused < len(theirs)


@pytest.fixture
def database():
    made = Database(Schema.from_json(SCHEMA))
    results = made.transact(["Rbac", *SETUP], 0)
    assert not any("error" in result for result in results), results
    return made


def test_who_owns_a_row_may_change_it_and_others_may_not(database):
    user = rbac.Client("user", "client")
    mine, all_rows = [["name", "==", "client"]], []
    update = {"op": "update", "table": "Own", "row": {"data": "x"}}
    request = ["Rbac", {**update, "where": mine}]
    assert database.transact(request, 0, client=user) == [{"count": 1}]
    request = ["Rbac", {**update, "where": all_rows}]
    (error,) = database.transact(request, 0, client=user)
    assert error == {
        "error": "permission error",
        "details": 'RBAC rules for client "client" role "user" prohibit modification '
        'of table "Own".',
    }
    assert database.transact(request, 0) == [{"count": 2}]


@pytest.mark.parametrize("missing", ["RBAC_Role", "name", "permissions", "update"])
def test_a_schema_that_lacks_parts_permits_nothing_or_everything(missing):
    """Without the table there is no access control; without a column nothing goes."""
    schema = json.loads(json.dumps(SCHEMA))
    tables = schema["tables"]
    tables.pop(missing, None)
    for table in ("RBAC_Role", "RBAC_Permission"):
        tables.get(table, {"columns": {}})["columns"].pop(missing, None)
    made = Database(Schema.from_json(schema))
    delete = {"op": "update", "table": "Open", "where": [], "row": {"data": "x"}}
    setup = [{**op, "row": {}} if "row" in op else op for op in SETUP]
    made.transact(["Rbac", *[op for op in setup if op["table"] in tables]], 0)
    (result,) = made.transact(["Rbac", delete], 0, client=rbac.Client("user", "x"))
    assert ("count" in result) == (missing == "RBAC_Role"), result
