/* SPDX-License-Identifier: Apache-2.0 */
/* A loop that keeps at most one transaction going. */

#include "ovsdb-client/idl.h"

/* Returns 1, 0 or -1 as ovsdb_idl_loop_commit() does. */
static int
go_on(struct ovsdb_idl_loop *loop)
{
    enum ovsdb_idl_txn_status status;

    if (!loop->committing_txn) {
        return 1;
    }
    status = ovsdb_idl_txn_commit(loop->committing_txn);
    if (status == TXN_INCOMPLETE) {
        return -1;
    }
    ovsdb_idl_txn_destroy(loop->committing_txn);
    loop->committing_txn = NULL;
    if (status == TXN_TRY_AGAIN) {
        loop->skip_seqno = loop->precommit_seqno;
    } else if (status == TXN_SUCCESS || status == TXN_UNCHANGED) {
        loop->cur_cfg = loop->next_cfg;
        return 1;
    }
    return 0;
}

struct ovsdb_idl_txn *
ovsdb_idl_loop_run(struct ovsdb_idl_loop *loop)
{
    if (loop->open_txn) {
        ovsdb_idl_txn_destroy(loop->open_txn);
        loop->open_txn = NULL;
    }
    ovsdb_idl_run(loop->idl);
    go_on(loop);
    if (!loop->committing_txn
        && ovsdb_idl_get_seqno(loop->idl) != loop->skip_seqno) {
        loop->open_txn = ovsdb_idl_txn_create(loop->idl);
    }
    return loop->open_txn;
}

int
ovsdb_idl_loop_commit(struct ovsdb_idl_loop *loop)
{
    if (loop->open_txn) {
        loop->committing_txn = loop->open_txn;
        loop->open_txn = NULL;
        loop->precommit_seqno = ovsdb_idl_get_seqno(loop->idl);
    }
    return go_on(loop);
}

void
ovsdb_idl_loop_destroy(struct ovsdb_idl_loop *loop)
{
    ovsdb_idl_txn_destroy(loop->open_txn);
    ovsdb_idl_txn_destroy(loop->committing_txn);
    ovsdb_idl_destroy(loop->idl);
}
