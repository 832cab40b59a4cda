# SPDX-License-Identifier: Apache-2.0
"""A program written for the official bindings: arguments REMOTE and SCHEMA.

What it prints may not depend on which bindings or which server it runs with; order
that means nothing is sorted away.
"""

import sys
import uuid

import ovs.poller
from ovs.db import data, error, idl, types

TABLES = ["AutoAttach", "Controller", "Flow_Table", "IPFIX", "Interface", "Mirror"]
TABLES += ["NetFlow", "Port", "QoS", "Queue", "sFlow"]


class Idl(idl.Idl):
    def __init__(self, *arguments):
        self.heard = []
        super().__init__(*arguments)

    def notify(self, event, row, updates=None):
        if row._table.name == "Database":
            return  # the official bindings tell of _Server's rows too
        names = ("name", "external_ids", "tag")
        known = {n: getattr(row, n) for n in names if hasattr(row, n)}
        old = {n: getattr(updates, n) for n in names if hasattr(updates, n)}
        self.heard.append((event, row._table.name, str(known), str(old)))


def until(condition):
    while not condition():
        poller = ovs.poller.Poller()
        db.wait(poller)
        poller.block()
        db.run()


def until_connected(idl_):
    while not idl_.has_ever_connected():
        poller = ovs.poller.Poller()
        idl_.wait(poller)
        poller.block()
        idl_.run()


def begin():
    until(lambda: True)
    return idl.Transaction(db)


def commit(txn):
    status = txn.commit_block()
    print(status, txn.get_error() if status != txn.ERROR else "")
    return status


def names(rows):
    return sorted(row.name for row in rows)


def failing(function, *arguments):
    try:
        return function(*arguments)
    except (AttributeError, AssertionError, KeyError) as e:
        return type(e).__name__


remote, schema = sys.argv[1:]
helper = idl.SchemaHelper(schema)
helper.register_columns(
    "Open_vSwitch",
    ["bridges", "next_cfg", "external_ids", "db_version"],
    ["db_version"],
)
helper.register_table("Bridge")
for each in TABLES:
    helper.register_table(each)
second_helper = idl.SchemaHelper(schema)
second_helper.register_columns("Open_vSwitch", ["external_ids"])
second_helper.register_columns("Queue", ["dscp"])
db = Idl(remote, helper)
print(db.has_ever_connected(), db.change_seqno, db.state, db.lock_name, db.txn)
index = db.index_create("Port", "tag_and_name")
index.add_column("tag")
index.add_column("name", "DESC")
until(db.has_ever_connected)
Port, Bridge, Queue = (db.tables[name] for name in ("Port", "Bridge", "Queue"))
root = next(iter(db.tables["Open_vSwitch"].rows.values()))

# A bridge with ports, all in one transaction.
txn = begin()
bridge = txn.insert(Bridge)
print(failing(getattr, bridge, "ports"), failing(getattr, bridge, "nosuch"))
bridge.name = "br0"
bridge.external_ids = {"x": "y"}
ports = []
for number in range(4):
    port = txn.insert(Port)
    port.name, port.tag = f"p{number}", [number % 2]
    interface = txn.insert(db.tables["Interface"])
    interface.name = port.name
    port.interfaces = [interface]
    ports.append(port)
bridge.ports = ports
root.verify("bridges")
root.bridges = [*root.bridges, bridge]
root.increment("next_cfg")
txn.add_comment("from a test")
print([port.name for port in db.index_equal("Port", "tag_and_name", ports[1])])
print(txn is db.txn, failing(db.run), failing(idl.Transaction, db))
commit(txn)
print(txn.get_increment_new_value(), db.txn)
number = txn.get_insert_uuid(bridge.uuid)
print(type(number).__name__, txn.get_insert_uuid(uuid.uuid4()))
until(lambda: number in Bridge.rows)
bridge = Bridge.rows[number]
print(bridge.uuid == number, bridge in Bridge.rows.values(), len(Port.rows))
print(bridge.name, bridge.external_ids, names(bridge.ports), bridge.fail_mode)
print(bridge.stp_enable, repr(bridge.datapath_version), bridge.datapath_id)
print([(port.tag, port.name) for port in index])
Entry = Port.rows.IndexEntry
low, high = Entry(tag=[1], name="zz"), Entry(tag=[1], name="")
print([port.name for port in db.index_irange("Port", "tag_and_name", low, high)])
print(sorted([*bridge.ports])[0] == min(bridge.ports), hash(bridge) == number.int)

# Partial updates, a value that isn't followed, values that don't fit.
txn = begin()
bridge.setkey("external_ids", "k", "v")
bridge.delkey("external_ids", "x", "other")
print(sorted(bridge.external_ids.items()))
bridge.delkey("external_ids", "x")
p0 = next(port for port in bridge.ports if port.name == "p0")
bridge.delvalue("ports", p0)
print(bridge.external_ids, names(bridge.ports))
p0.tag = "bad"
print(p0.tag)
root.fetch("db_version")
commit(txn)
until(lambda: len(Port.rows) == 3)
print(bridge.external_ids, root.db_version, [port.name for port in index])

txn = begin()
bridge.name = bridge.name
commit(txn)
txn = begin()
bridge.fail_mode = "bogus"
print(bridge.fail_mode)
commit(txn)
txn = begin()
bridge.mcast_snooping_enable = True
txn.dry_run = True
commit(txn)
until(lambda: True)
print(bridge.mcast_snooping_enable)

# Deleting, giving up, UUIDs of our own.
txn = begin()
bridge.delete()
print(number in Bridge.rows, failing(getattr, bridge, "name"))
txn.abort()
print(number in Bridge.rows, txn.commit(), bridge.name)
txn = begin()
mine = uuid.UUID(int=77)
queue = txn.insert(Queue, mine, True)
queue.dscp = 3
commit(txn)
print(txn.get_insert_uuid(mine))
until(lambda: mine in Queue.rows)
print(Queue.rows[mine].dscp, str(Queue.rows[mine])[:5])
txn = begin()
second = txn.insert(Queue)
second.dscp = [64]
print(failing(getattr, second, "dscp"))
second.delete()
commit(txn)

# A row that has changed meanwhile.
other = Idl(remote, second_helper)
until_connected(other)
change = idl.Transaction(other)
theirs = next(iter(other.tables["Open_vSwitch"].rows.values()))
theirs.external_ids = {"faster": "yes"}
print(change.commit_block())
txn = idl.Transaction(db)  # knows nothing of that yet
root.verify("external_ids")
root.external_ids = {**root.external_ids, "slower": "yes"}
commit(txn)
until(lambda: "faster" in root.external_ids)
other.set_lock("lock")
while not other.has_lock:
    other.run()
db.set_lock("lock")
until(lambda: db.is_lock_contended)
txn = begin()
root.external_ids = {}
commit(txn)
other.close()
db.set_lock(None)
txn = begin()
root.verify("external_ids")
root.external_ids = {"verified": "yes"}
commit(txn)

# Locks and conditions.
db.set_lock("lock")
until(lambda: db.has_lock)
print(db.lock_name, db.is_lock_contended)
db.cond_change("Port", [["name", "==", "p2"]])
until(lambda: len(Port.rows) == 1)
print(names(Port.rows.values()), names(bridge.ports), Port.condition)
Port.condition = [True]
until(lambda: len(Port.rows) == 3)
db.cond_change("Queue", [])
until(lambda: not Queue.rows)
print(db.tables["Queue"].condition)
db.cond_change("Queue", [True])
until(lambda: Queue.rows)

txn = begin()
root.bridges = []
Queue.rows[mine].delete()
commit(txn)
until(lambda: not (Bridge.rows or Port.rows or Queue.rows))
db.set_lock(None)

# Schemas and values.
for name, column in sorted(Bridge.columns.items()):
    kind = column.type
    shape = (kind.is_map(), kind.is_set(), kind.is_scalar(), kind.is_optional())
    print(name, kind.to_json(), kind.key.type.to_string(), shape, column.mutable)
print(Bridge.is_root, Bridge.max_rows == sys.maxsize, db.tables["AutoAttach"].name)
tag = Port.columns["tag"].type
for value in ([], 5, [7], (1,), [4096], ["x"], [1, 2], None):
    try:
        datum = data.Datum.from_python(tag, value, lambda row: row)
        print(value, datum.to_json(), datum.to_string(), datum.is_default())
    except error.Error as e:
        print(value, type(e).__name__)
print(tag.key.type == types.IntegerType, data.Datum.default(tag).to_json())
db.close()
for heard in sorted(map(str, db.heard)):
    print(heard)
