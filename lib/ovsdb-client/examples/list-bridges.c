/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the bridges of a switch, with their ports: list-bridges REMOTE. */

#include <ovsdb-client/ovsdb-client.h>
#include <stdio.h>
#include <string.h>

#include "vswitch-idl.h"

int
main(int argc, char *argv[])
{
    const struct ovsrec_bridge *bridge;
    struct ovsdb_idl *idl;
    int error;

    if (argc != 2) {
        fprintf(stderr, "usage: %s REMOTE\n", argv[0]);
        return 2;
    }

    /* Only what is needed is replicated. */
    idl = ovsdb_idl_create(argv[1], &ovsrec_idl_class, false, false);
    ovsdb_idl_add_column(idl, &ovsrec_bridge_col_name);
    ovsdb_idl_add_column(idl, &ovsrec_bridge_col_ports);
    ovsdb_idl_add_column(idl, &ovsrec_port_col_name);
    ovsdb_idl_add_column(idl, &ovsrec_port_col_tag);

    error = ovsdb_idl_get_initial_snapshot(idl, 10000);
    if (error) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(error));
        ovsdb_idl_destroy(idl);
        return 1;
    }
    OVSREC_BRIDGE_FOR_EACH (bridge, idl) {
        printf("%s\n", bridge->name);
        for (size_t i = 0; i < bridge->n_ports; i++) {
            const struct ovsrec_port *port = bridge->ports[i];

            printf("    %s", port->name);
            if (port->n_tag) {
                printf(" tag %lld", (long long int) port->tag[0]);
            }
            printf("\n");
        }
    }
    ovsdb_idl_destroy(idl);
    return 0;
}
