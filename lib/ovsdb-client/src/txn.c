/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions: their lives. */

#include "txn-private.h"

const char *
ovsdb_idl_txn_status_to_string(enum ovsdb_idl_txn_status status)
{
    switch (status) {
    case TXN_UNCOMMITTED:
        return "uncommitted";
    case TXN_UNCHANGED:
        return "unchanged";
    case TXN_INCOMPLETE:
        return "incomplete";
    case TXN_ABORTED:
        return "aborted";
    case TXN_SUCCESS:
        return "success";
    case TXN_TRY_AGAIN:
        return "try again";
    case TXN_NOT_LOCKED:
        return "not locked";
    case TXN_ERROR:
        return "error";
    }
    return "<unknown>";
}

struct ovsdb_idl_txn *
ovsdb_idl_txn_create(struct ovsdb_idl *idl)
{
    struct ovsdb_idl_txn *txn;

    if (idl->txn) {
        idl_log(idl, OVSDB_IDL_LOG_ERR, "a transaction is in progress");
        return NULL;
    }
    txn = idl->txn = xzalloc(sizeof *txn);
    txn->idl = idl;
    list_init(&txn->node);
    list_init(&txn->rows);
    hash_table_init(&txn->inserted);
    return txn;
}

/* Takes the transaction's changes off the rows.  Those that the server accepts
 * come back with its update. */
static void
disassemble(struct ovsdb_idl_txn *txn)
{
    struct ovsdb_idl *idl = txn->idl;
    struct ovsdb_idl_row_state *row;
    struct hash_node *node;

    LIST_FOR_EACH_SAFE (row, struct ovsdb_idl_row_state, txn_node,
                        &txn->rows) {
        indexes_remove(row);
        list_remove(&row->txn_node);
        if (row->inserted) {
            row_remove(row);
            list_push_back(&idl->doomed, &row->node);
        } else {
            row->deleted = false;
            row_drop_changes(row);
            indexes_add(row);
        }
    }
    HASH_FOR_EACH_SAFE (node, &txn->inserted) {
        CONTAINER_OF(node, struct txn_insert, node)->row = NULL;
    }
    idl->txn = NULL;
    idl_settle(idl);
}

void
ovsdb_idl_txn_abort(struct ovsdb_idl_txn *txn)
{
    if (txn->idl->txn == txn) {
        disassemble(txn);
    }
    list_remove(&txn->node);
    if (txn->status == TXN_UNCOMMITTED || txn->status == TXN_INCOMPLETE) {
        txn->status = TXN_ABORTED;
    }
}

void
ovsdb_idl_txn_destroy(struct ovsdb_idl_txn *txn)
{
    struct hash_node *node;

    if (!txn) {
        return;
    }
    ovsdb_idl_txn_abort(txn);
    HASH_FOR_EACH_SAFE (node, &txn->inserted) {
        free(CONTAINER_OF(node, struct txn_insert, node));
    }
    hash_table_destroy(&txn->inserted);
    strbuf_destroy(&txn->comment);
    free(txn->error);
    free(txn);
}

struct ovsdb_idl *
ovsdb_idl_txn_get_idl(const struct ovsdb_idl_txn *txn)
{
    return txn->idl;
}

struct ovsdb_idl_txn *
ovsdb_idl_txn_get(const struct ovsdb_idl_row *row)
{
    return row->state->table->idl->txn;
}

void
ovsdb_idl_txn_add_comment(struct ovsdb_idl_txn *txn, const char *format, ...)
{
    va_list args;

    if (txn->comment.size) {
        strbuf_putc(&txn->comment, '\n');
    }
    va_start(args, format);
    strbuf_vprintf(&txn->comment, format, args);
    va_end(args);
}

void
ovsdb_idl_txn_set_dry_run(struct ovsdb_idl_txn *txn)
{
    txn->dry_run = true;
}

void
ovsdb_idl_txn_set_durable(struct ovsdb_idl_txn *txn)
{
    txn->durable = true;
}

void
ovsdb_idl_txn_increment(struct ovsdb_idl_txn *txn,
                        const struct ovsdb_idl_row *row,
                        const struct ovsdb_idl_column *column, bool force)
{
    txn->increment_table = row->state->table->class;
    txn->increment_column = column;
    txn->increment_row = row->uuid;
    txn->increment_force = force;
}

enum ovsdb_idl_txn_status
ovsdb_idl_txn_commit(struct ovsdb_idl_txn *txn)
{
    struct ovsdb_idl *idl = txn->idl;
    struct strbuf operations = STRBUF_INITIALIZER;

    if (txn != idl->txn) {
        return txn->status;
    }
    if (idl->cs.state != CS_MONITORING) {
        txn->status = TXN_TRY_AGAIN;
    } else if (idl->cs.lock_name && !idl->cs.has_lock) {
        txn->status = TXN_NOT_LOCKED;
    } else if (!txn_print_operations(txn, &operations)) {
        txn->status = TXN_UNCHANGED;
    } else if (!json_is_utf8(operations.text, operations.size)) {
        /* The server would only close the connection. */
        txn->status = TXN_ERROR;
        txn->error = xstrdup("\"a string is not UTF-8\"");
    } else {
        txn->request_id = cs_transact_begin(&idl->cs);
        strbuf_put(&idl->cs.output, operations.text, operations.size);
        cs_transact_end(&idl->cs, txn->request_id);
        list_push_back(&idl->outstanding, &txn->node);
        txn->status = TXN_INCOMPLETE;
    }
    strbuf_destroy(&operations);
    disassemble(txn);
    if (txn->status == TXN_INCOMPLETE) {
        session_flush(&idl->session, idl->now);
    }
    return txn->status;
}

enum ovsdb_idl_txn_status
ovsdb_idl_txn_commit_block(struct ovsdb_idl_txn *txn)
{
    while (ovsdb_idl_txn_commit(txn) == TXN_INCOMPLETE) {
        ovsdb_idl_run(txn->idl);
        if (ovsdb_idl_txn_commit(txn) == TXN_INCOMPLETE) {
            ovsdb_idl_block(txn->idl, -1);
        }
    }
    return txn->status;
}

const char *
ovsdb_idl_txn_get_error(const struct ovsdb_idl_txn *txn)
{
    if (txn->status != TXN_ERROR) {
        return ovsdb_idl_txn_status_to_string(txn->status);
    }
    return txn->error ? txn->error : "no error details available";
}

int64_t
ovsdb_idl_txn_get_increment_new_value(const struct ovsdb_idl_txn *txn)
{
    return txn->increment_value;
}

struct txn_insert *
txn_find_insert(const struct ovsdb_idl_txn *txn, const struct uuid *uuid)
{
    uint32_t hash = hash_uuid(uuid, txn->idl->seed);
    struct hash_node *node;

    HASH_FOR_EACH_WITH_HASH (node, hash, &txn->inserted) {
        struct txn_insert *insert = CONTAINER_OF(node, struct txn_insert,
                                                 node);

        if (uuid_equals(&insert->provisional, uuid)) {
            return insert;
        }
    }
    return NULL;
}

const struct uuid *
ovsdb_idl_txn_get_insert_uuid(const struct ovsdb_idl_txn *txn,
                              const struct uuid *uuid)
{
    const struct txn_insert *insert = txn_find_insert(txn, uuid);

    return insert && txn->status == TXN_SUCCESS ? &insert->real : NULL;
}

/* The connection is gone, and nobody knows what became of them. */
void
idl_fail_outstanding(struct ovsdb_idl *idl)
{
    struct ovsdb_idl_txn *txn;

    LIST_FOR_EACH_SAFE (txn, struct ovsdb_idl_txn, node, &idl->outstanding) {
        list_remove(&txn->node);
        txn->status = TXN_TRY_AGAIN;
    }
}

void
idl_take_reply(struct ovsdb_idl *idl, int64_t id, const struct json *result,
               const struct json *error)
{
    struct ovsdb_idl_txn *txn;

    LIST_FOR_EACH_SAFE (txn, struct ovsdb_idl_txn, node, &idl->outstanding) {
        if (txn->request_id == id) {
            list_remove(&txn->node);
            txn_take_reply(txn, result, error);
            return;
        }
    }
}
