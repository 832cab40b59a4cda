/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TXN_PRIVATE_H
#define TXN_PRIVATE_H 1

/* A transaction: first a list of rows with changes, then a request. */

#include "idl-private.h"

/* A row that the transaction inserts. */
struct txn_insert {
    struct hash_node node;      /* In 'inserted', by 'provisional'. */
    struct uuid provisional;    /* What the program knows it by. */
    struct uuid real;           /* What the server gave it. */
    struct ovsdb_idl_row_state *row; /* NULL once taken apart. */
    unsigned int operation;     /* Its number. */
};

struct ovsdb_idl_txn {
    struct ovsdb_idl *idl;
    struct list node;           /* In the IDL's 'outstanding'. */
    enum ovsdb_idl_txn_status status;
    struct list rows;           /* struct ovsdb_idl_row_state. */
    struct hash_table inserted;
    struct strbuf comment;
    bool dry_run;
    bool durable;
    int64_t request_id;
    char *error;

    /* An increment, if 'increment_column'. */
    const struct ovsdb_idl_column *increment_column;
    const struct ovsdb_idl_table_class *increment_table;
    struct uuid increment_row;
    bool increment_force;
    unsigned int increment_operation; /* The select is the next. */
    bool increment_done;        /* It was part of the request. */
    int64_t increment_value;
};

struct txn_insert *txn_find_insert(const struct ovsdb_idl_txn *,
                                   const struct uuid *);

/* Prints the operations, each with a comma before it.  Returns false if they
 * would change nothing. */
bool txn_print_operations(struct ovsdb_idl_txn *, struct strbuf *);

/* Sets the status, and what follows from it, by the server's answer. */
void txn_take_reply(struct ovsdb_idl_txn *, const struct json *result,
                    const struct json *error);

#endif /* txn-private.h */
