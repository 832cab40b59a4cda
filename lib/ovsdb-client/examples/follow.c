/* SPDX-License-Identifier: Apache-2.0 */
/* Prints changes of ports and interfaces as they happen: follow REMOTE [N],
 * where N is after how many to end.  Shows how the library goes into a
 * program's own poll() loop. */

#include <errno.h>
#include <ovsdb-client/ovsdb-client.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "vswitch-idl.h"

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int
print_changes(struct ovsdb_idl *idl)
{
    const struct ovsrec_port *port;
    int n = 0;

    OVSREC_PORT_FOR_EACH_TRACKED (port, idl) {
        if (ovsrec_port_is_deleted(port)) {
            printf("deleted %s\n", port->name);
        } else if (ovsrec_port_is_new(port)) {
            printf("new %s\n", port->name);
        } else if (ovsrec_port_is_updated(port, OVSREC_PORT_COL_TAG)) {
            printf("tag of %s\n", port->name);
        } else {
            continue;
        }
        n++;
    }
    fflush(stdout);
    ovsdb_idl_track_clear(idl);
    return n;
}

static void
wait_for(const struct ovsdb_idl *idl)
{
    struct pollfd pfd = {
        .fd = ovsdb_idl_get_fd(idl),
        .events = ovsdb_idl_get_events(idl),
    };
    int64_t deadline = ovsdb_idl_get_deadline(idl);
    int64_t now = now_ms();

    poll(&pfd, 1, deadline == INT64_MAX ? -1
         : deadline <= now ? 0 : (int) (deadline - now));
}

int
main(int argc, char *argv[])
{
    int left = argc > 2 ? atoi(argv[2]) : -1;
    struct ovsdb_idl *idl;

    if (argc < 2) {
        fprintf(stderr, "usage: %s REMOTE [N]\n", argv[0]);
        return 2;
    }
    idl = ovsdb_idl_create(argv[1], &ovsrec_idl_class, false, true);
    ovsdb_idl_track_add_column(idl, &ovsrec_port_col_name);
    ovsdb_idl_track_add_column(idl, &ovsrec_port_col_tag);
    while (left) {
        int n;

        ovsdb_idl_run_at(idl, now_ms());
        n = print_changes(idl);
        left = left < 0 ? left : n < left ? left - n : 0;
        if (left) {
            wait_for(idl);
        }
    }
    ovsdb_idl_destroy(idl);
    return 0;
}
