/* SPDX-License-Identifier: Apache-2.0 */
/* Adds a port to a bridge: add-port REMOTE BRIDGE PORT [TYPE]. */

#include <ovsdb-client/ovsdb-client.h>
#include <stdio.h>
#include <string.h>

#include "vswitch-idl.h"

static const struct ovsrec_bridge *
find_bridge(const struct ovsdb_idl *idl, const char *name)
{
    const struct ovsrec_bridge *bridge;

    OVSREC_BRIDGE_FOR_EACH (bridge, idl) {
        if (!strcmp(bridge->name, name)) {
            return bridge;
        }
    }
    return NULL;
}

/* Makes the change, and returns how it went. */
static enum ovsdb_idl_txn_status
add_port(struct ovsdb_idl *idl, const struct ovsrec_bridge *bridge,
         const char *name, const char *type)
{
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(idl);
    struct ovsrec_interface *interface = ovsrec_interface_insert(txn);
    struct ovsrec_port *port = ovsrec_port_insert(txn);
    enum ovsdb_idl_txn_status status;

    ovsdb_idl_txn_add_comment(txn, "add-port %s %s", bridge->name, name);
    ovsrec_interface_set_name(interface, name);
    ovsrec_interface_set_type(interface, type);
    ovsrec_port_set_name(port, name);
    ovsrec_port_set_interfaces(port, &interface, 1);

    /* Whatever else happens to the bridge's ports meanwhile. */
    ovsrec_bridge_update_ports_addvalue(bridge, port);

    status = ovsdb_idl_txn_commit_block(txn);
    if (status != TXN_SUCCESS) {
        fprintf(stderr, "%s\n", ovsdb_idl_txn_get_error(txn));
    }
    ovsdb_idl_txn_destroy(txn);
    return status;
}

int
main(int argc, char *argv[])
{
    const char *type = argc > 4 ? argv[4] : "";
    enum ovsdb_idl_txn_status status = TXN_ERROR;
    struct ovsdb_idl *idl;

    if (argc < 4) {
        fprintf(stderr, "usage: %s REMOTE BRIDGE PORT [TYPE]\n", argv[0]);
        return 2;
    }
    idl = ovsdb_idl_create(argv[1], &ovsrec_idl_class, true, false);
    if (ovsdb_idl_get_initial_snapshot(idl, 10000)) {
        fprintf(stderr, "%s: cannot connect\n", argv[1]);
    } else {
        do {
            const struct ovsrec_bridge *bridge = find_bridge(idl, argv[2]);

            if (!bridge) {
                fprintf(stderr, "no bridge named %s\n", argv[2]);
                break;
            }
            status = add_port(idl, bridge, argv[3], type);
            if (status == TXN_TRY_AGAIN) {
                ovsdb_idl_block(idl, 1000);
                ovsdb_idl_run(idl);
            }
        } while (status == TXN_TRY_AGAIN && ovsdb_idl_is_alive(idl));
    }
    ovsdb_idl_destroy(idl);
    return status != TXN_SUCCESS;
}
