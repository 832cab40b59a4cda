/* SPDX-License-Identifier: Apache-2.0 */
/* What the server answers to a transaction. */

#include "txn-private.h"

struct verdict {
    bool hard;                  /* It can never succeed. */
    bool soft;                  /* It may succeed another time. */
    bool lock;
};

/* Keeps the first error. */
static void
set_error(struct ovsdb_idl_txn *txn, const struct json *error)
{
    struct strbuf text = STRBUF_INITIALIZER;

    if (!txn->error) {
        json_print(&text, error);
        txn->error = strbuf_steal(&text);
        idl_log(txn->idl, OVSDB_IDL_LOG_WARN, "transaction error: %s",
                txn->error);
    }
}

static void
judge_operation(struct ovsdb_idl_txn *txn, const struct json *result,
                struct verdict *verdict)
{
    const struct json *error = json_get(result, "error");

    if (result->type == JSON_NULL) {
        verdict->soft = true;   /* An earlier operation failed. */
    } else if (result->type != JSON_OBJECT) {
        verdict->hard = true;
        set_error(txn, result);
    } else if (!error || error->type == JSON_NULL
               || json_is_string(error, "aborted")) {
        /* All is well; "aborted" is the end of a dry run. */
    } else if (json_is_string(error, "timed out")) {
        verdict->soft = true;
    } else if (json_is_string(error, "unknown database")) {
        verdict->soft = true;
        cs_flag_inconsistency(&txn->idl->cs);
    } else if (json_is_string(error, "not owner")) {
        verdict->lock = true;
    } else {
        verdict->hard = true;
        set_error(txn, result);
    }
}

static bool
take_inserts(struct ovsdb_idl_txn *txn, const struct json *results)
{
    struct hash_node *node;

    HASH_FOR_EACH_SAFE (node, &txn->inserted) {
        struct txn_insert *insert = CONTAINER_OF(node, struct txn_insert,
                                                 node);
        const struct json *uuid;

        uuid = (insert->operation < results->n
                ? json_get(&results->elements[insert->operation], "uuid")
                : NULL);
        if (!json_is(uuid, JSON_ARRAY) || uuid->n != 2
            || uuid->elements[1].type != JSON_STRING
            || !uuid_from_string(&insert->real, uuid->elements[1].string)) {
            return false;
        }
    }
    return true;
}

static bool
take_increment(struct ovsdb_idl_txn *txn, const struct json *results)
{
    unsigned int i = txn->increment_operation;
    const struct json *count, *rows, *value;

    if (!txn->increment_done) {
        return true;
    } else if (i + 1 >= results->n) {
        return false;
    }
    count = json_get(&results->elements[i], "count");
    rows = json_get(&results->elements[i + 1], "rows");
    if (!json_is(count, JSON_INTEGER) || count->integer != 1
        || !json_is(rows, JSON_ARRAY) || rows->n != 1) {
        return false;
    }
    value = json_get(&rows->elements[0], txn->increment_column->name);
    if (!json_is(value, JSON_INTEGER)) {
        return false;
    }
    txn->increment_value = value->integer;
    return true;
}

static enum ovsdb_idl_txn_status
judge(struct ovsdb_idl_txn *txn, const struct json *results)
{
    struct verdict verdict = { false, false, false };

    for (unsigned int i = 0; i < results->n; i++) {
        judge_operation(txn, &results->elements[i], &verdict);
    }
    if (!verdict.hard && !verdict.soft && !verdict.lock && !txn->dry_run
        && (!take_inserts(txn, results) || !take_increment(txn, results))) {
        verdict.hard = true;
        set_error(txn, results);
    }
    return (verdict.hard ? TXN_ERROR : verdict.lock ? TXN_NOT_LOCKED
            : verdict.soft ? TXN_TRY_AGAIN : TXN_SUCCESS);
}

void
txn_take_reply(struct ovsdb_idl_txn *txn, const struct json *result,
               const struct json *error)
{
    if (error) {
        /* That is what the server says when the database goes away or is
         * converted. */
        if (json_is_string(error, "canceled")) {
            txn->status = TXN_TRY_AGAIN;
        } else {
            txn->status = TXN_ERROR;
            set_error(txn, error);
        }
    } else if (result->type != JSON_ARRAY) {
        txn->status = TXN_ERROR;
        set_error(txn, result);
    } else {
        txn->status = judge(txn, result);
    }
}
