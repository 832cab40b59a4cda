# SPDX-License-Identifier: Apache-2.0
"""Servers in memory, and links by which one follows another, without sockets."""

from tree_schema import TREE, Memory

from ovswitch.ovsdb.database import Database
from ovswitch.ovsdb.schema import Schema
from ovswitch.ovsdb.server.server import Server
from ovswitch.ovsdb.server.server_database import ServerDatabase
from ovswitch.ovsdb.server.session import Session
from ovswitch.runtime import jsonrpc

WALL = 1_700_000_000_000
ZERO = "00000000-0000-0000-0000-000000000000"


class Client:
    """A session that speaks JSON."""

    def __init__(self, node, name="client"):
        self.node = node
        self.session = Session(node.server, name)
        self.framer = jsonrpc.Framer()

    def send(self, method, *params, request_id=1):
        message = jsonrpc.Message(method, list(params), request_id)
        self.session.handle(message, self.node.now, WALL)

    def receive(self):
        self.node.settle()
        return [m.to_json() for m in self.framer.feed(self.session.take_output())]

    def call(self, method, *params, request_id=1):
        self.send(method, *params, request_id=request_id)
        *_, reply = self.receive()
        return reply["error"] if reply.get("error") else reply["result"]

    def transact(self, *operations):
        return self.call("transact", "Tree", *operations)


class Node:
    """A server with a database Tree, unless `schema` is None."""

    def __init__(self, schema=TREE):
        self.now = 0
        self.server = Server()
        self.server_database = ServerDatabase(self.server)
        self.server.add_database(self.server_database.database)
        if schema is not None:
            self.serve(schema)

    def serve(self, schema):
        database = Database(Schema.from_json(schema), Memory())
        self.server.add_database(database)
        self.tell()

    def tell(self):
        self.server_database.update(WALL)

    @property
    def tree(self):
        return self.server.databases["Tree"].database

    def settle(self):
        self.server.settle(self.now, WALL)

    def contents(self):
        """Return the rows' columns but for versions, by table and UUID."""
        return {
            name: {
                uuid: {
                    column.name: row.fields[column.index]
                    for column in table.schema.ordered
                    if column.name != "_version"
                }
                for uuid, row in table.rows.items()
            }
            for name, table in self.tree.tables.items()
        }

    def described(self, name="Tree"):
        table = self.server_database.database.tables["Database"]
        for row in table.rows.values():
            columns = {c.name: row.fields[c.index] for c in table.schema.ordered}
            if columns["name"] == (name,):
                return columns
        return None


class Link:
    """A core's connection to a node."""

    def __init__(self, core, source):
        self.core = core
        self.source = source
        self.client = None
        self.seen = []

    def connect(self):
        self.client = Client(self.source, "link")
        self.core.connected("link", self.source.now)
        return self.pump()

    def cut(self):
        self.client.session.close()
        self.client = None
        self.core.disconnected(self.source.now)

    def pump(self):
        """Carry messages until none is left; connect again when that is wanted."""
        for _ in range(50):
            if self.client.session.is_dropped or self.core.wants_reconnect:
                self.cut()
                return self.connect()
            requests = self.core.take_output()
            for request in requests:
                self.seen.append(request.method)
                self.client.session.handle(request, self.source.now, WALL)
            answers = self.client.receive()
            for answer in answers:
                self.core.receive(jsonrpc.from_json(answer), self.source.now, WALL)
            if not requests and not answers:
                return self
        raise AssertionError("they never stop talking")
