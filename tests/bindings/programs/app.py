# SPDX-License-Identifier: Apache-2.0
"""A program on ovsdbapp: arguments REMOTE and SCHEMA.

What it prints may not depend on which bindings or which server it runs with.
"""

import logging
import sys
import threading
import time

from ovsdbapp import event as app_event
from ovsdbapp.backend.ovs_idl import connection, event, idlutils
from ovsdbapp.schema.open_vswitch import impl_idl

logging.disable(logging.CRITICAL)
# No ovs-vswitchd runs here to wait for.
impl_idl.OvsVsctlTransaction.vswitchd_has_completed = lambda *_: True
impl_idl.OvsVsctlTransaction.post_commit_failed_interfaces = lambda *_: []


class Idl(connection.OvsdbIdl):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.handler = app_event.RowEventHandler()
        self.notify = self.handler.notify


class PortEvent(event.RowEvent):
    seen = set()  # noqa: RUF012  there is one

    def __init__(self):
        kinds = (self.ROW_CREATE, self.ROW_UPDATE, self.ROW_DELETE)
        super().__init__(kinds, "Port", None)

    def run(self, kind, row, old):
        changed = [c for c in ("tag", "external_ids") if hasattr(old, c)]
        self.seen.add((kind, row.name, *changed))


class BridgeCreated(event.WaitEvent):
    event_name = "BridgeCreated"

    def __init__(self, name):
        super().__init__(
            (self.ROW_CREATE,), "Bridge", (("name", "=", name),), timeout=5
        )


def do(command):
    return command.execute(check_error=True)


def show(rows):
    return [{k: v for k, v in sorted(row.items()) if k != "_uuid"} for row in rows]


def refused(command):
    try:
        return do(command)
    except Exception as e:
        return type(e).__name__, str(e).partition(" row ")[0]


def until(condition):
    deadline = time.time() + 5  # noqa: TID251  a program of its own
    while not condition() and time.time() < deadline:  # noqa: TID251  as above
        time.sleep(0.02)


remote, _ = sys.argv[1:]
idl = Idl.from_server(remote, "Open_vSwitch")
conn = connection.Connection(idl, 5)
api = impl_idl.OvsdbIdl(conn)
idl.handler.watch_event(PortEvent())
Port = idl.tables["Port"]
print(sorted(idl.tables), sorted(Port.rows.indexes))

# Bridges, ports, controllers, managers.
do(api.add_br("br0", may_exist=True))
do(api.add_br("br0", may_exist=True))
print(do(api.list_br()), do(api.br_exists("br0")), do(api.br_exists("no")))
with api.transaction(check_error=True) as txn:
    for number in range(3):
        txn.add(api.add_port("br0", f"p{number}"))
    columns = (("external_ids", {"a": "b"}), ("fail_mode", "secure"))
    txn.add(api.db_set("Bridge", "br0", *columns))
    txn.add(api.set_controller("br0", ["tcp:127.0.0.1:6653", "ptcp:6654"]))
print(sorted(do(api.list_ports("br0"))), do(api.port_to_br("p1")))
print(do(api.iface_to_br("p1")), sorted(do(api.get_controller("br0"))))
do(api.set_fail_mode("br0", "standalone"))
do(api.add_manager("ptcp:6640"))
print(do(api.get_manager()))
do(api.del_controller("br0"))

# Columns.
get = api.db_get
print(do(get("Bridge", "br0", "external_ids")), do(get("Bridge", "br0", "fail_mode")))
print(do(api.br_get_external_id("br0", "a")))
do(api.db_set("Port", "p0", ("tag", 5)))
do(api.db_add("Port", "p0", "external_ids", {"x": "y", "z": "w"}))
do(api.db_remove("Port", "p0", "external_ids", "x"))
do(api.db_add("Port", "p1", "trunks", 10, 20))
names = ["name", "tag", "external_ids"]
print(show(do(api.db_find("Port", ("name", "=", "p0"), columns=names))))
print(sorted(row["name"] for row in do(api.db_find("Port", ("tag", "!=", [])))))
print(show(do(api.db_list("Port", ["p1"], columns=["name", "trunks", "tag"]))))
print(sorted(row["name"] for row in do(api.db_list("Bridge"))))
print([row.name for row in do(api.db_find_rows("Interface", ("name", "=", "p2")))])
do(api.db_clear("Port", "p1", "trunks"))
print(do(get("Port", "p1", "trunks")))

# References, and what the server or the library refuses.
qos = do(api.db_create("QoS", type="linux-htb", other_config={"max-rate": "1000"}))
print(type(qos).__name__, qos in idl.tables["QoS"].rows)
do(api.db_set("Port", "p2", ("qos", qos)))
print(do(get("Port", "p2", "qos")) == qos, idl.tables["QoS"].rows[qos].type)
print(refused(api.db_destroy("QoS", qos)))
print(refused(get("Bridge", "none", "name")))
print(refused(api.db_set("Bridge", "br0", ("fail_mode", "bogus"))))
print(refused(api.add_port("none", "p9")))
do(api.del_port("p2", "br0"))
print(api.lookup("Bridge", "br0").name)
print(idlutils.row_by_value(idl, "Port", "name", "p1").name)
print(idlutils.row2str(next(iter(Port.rows.values()))).partition("(")[0])

# Events, conditions, a connection made anew, threads.
waiting = BridgeCreated("br7")
idl.handler.watch_event(waiting)
do(api.add_br("br7"))
print(waiting.wait())
with conn.lock:
    idl.cond_change("Port", [["name", "==", "p1"]])
conn.force_reconnect()
until(lambda: [row.name for row in list(Port.rows.values())] == ["p1"])
print([row.name for row in Port.rows.values()])
do(api.del_br("br0"))
print(do(api.list_br()))


def write(key):
    for number in range(5):
        do(api.db_set("Bridge", "br7", ("external_ids", {key: str(number)})))


threads = [threading.Thread(target=write, args=(f"k{n}",)) for n in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(do(get("Bridge", "br7", "external_ids")).items()))
until(lambda: ("delete", "p1") in PortEvent.seen)
idl.handler.shutdown()
print(conn.stop(3))
for each in sorted(PortEvent.seen):
    print(each)
