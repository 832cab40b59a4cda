/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVSDB_CLIENT_IDL_H
#define OVSDB_CLIENT_IDL_H 1

/* A replica of a database in memory, kept up to date by its server, and
 * transactions that change the database.
 *
 * Programs use this together with a header that ovsdb-idlc makes from the
 * database's schema: it has a structure for each table.  The replica always
 * is what the database was at some time: no transaction is ever seen in part.
 * Rows and what they point to change only in ovsdb_idl_run() and in a
 * transaction of one's own; a pointer to a row is good until the next call of
 * ovsdb_idl_run(). */

#include <ovsdb-client/datum.h>
#include <ovsdb-client/smap.h>

#ifdef __cplusplus
extern "C" {
#endif

struct ovsdb_idl;
struct ovsdb_idl_txn;
struct ovsdb_idl_index;
struct ovsdb_idl_table;

/* The beginning of each table's structure. */
struct ovsdb_idl_row {
    struct uuid uuid;           /* The column "_uuid". */
    struct ovsdb_idl_row_state *state; /* The library's own. */
};

/* A column, as the generated code describes it. */
struct ovsdb_idl_column {
    const char *name;
    struct ovsdb_type type;
    bool is_mutable;
    size_t key_offset;          /* Where the structure holds its keys, */
    size_t value_offset;        /* its values if it is a map, */
    size_t n_offset;            /* and their number if that may vary. */
};

struct ovsdb_idl_table_class {
    const char *name;
    bool is_root;
    bool is_singleton;          /* At most one row. */
    const struct ovsdb_idl_column *columns;
    size_t n_columns;
    size_t allocation_size;     /* Of the table's structure. */
};

struct ovsdb_idl_class {
    const char *database;
    const struct ovsdb_idl_table_class *tables;
    size_t n_tables;
};

/* Creation.
 *
 * 'remote' is one or more of "unix:FILE", "tcp:IP:PORT" and "ssl:IP:PORT",
 * separated by commas; IPv6 addresses stand in brackets.  They are tried in
 * turn, in random order, until one can serve.  NULL means none yet.
 *
 * If 'retry' is false, only one connection (to each remote) is tried, and
 * ovsdb_idl_is_alive() says when there is no more hope.  Waits between tries
 * are 1 to 8 seconds.
 *
 * The program chooses what to replicate between creation and the first
 * ovsdb_idl_run(). */
OVSDB_CLIENT_API struct ovsdb_idl *ovsdb_idl_create(
    const char *remote, const struct ovsdb_idl_class *,
    bool monitor_everything_by_default, bool retry);
OVSDB_CLIENT_API struct ovsdb_idl *ovsdb_idl_create_unconnected(
    const struct ovsdb_idl_class *, bool monitor_everything_by_default);

/* Destroys the IDL.  Its transactions must have been destroyed before. */
OVSDB_CLIENT_API void ovsdb_idl_destroy(struct ovsdb_idl *);
OVSDB_CLIENT_API void ovsdb_idl_set_remote(struct ovsdb_idl *,
                                           const char *remote, bool retry);
OVSDB_CLIENT_API void ovsdb_idl_set_shuffle_remotes(struct ovsdb_idl *,
                                                    bool shuffle);

/* Probes a silent server after that many milliseconds; 0 never, -1 is the
 * default: 5000, but never for a unix socket. */
OVSDB_CLIENT_API void ovsdb_idl_set_probe_interval(struct ovsdb_idl *,
                                                   int ms);

/* Accepts only the leader of a clustered database (the default), or any
 * member. */
OVSDB_CLIENT_API void ovsdb_idl_set_leader_only(struct ovsdb_idl *, bool);

/* Forgets how recent a state of a cluster was seen.  After a cluster was made
 * anew, its members would otherwise be thought to be behind. */
OVSDB_CLIENT_API void ovsdb_idl_reset_min_index(struct ovsdb_idl *);

/* Tells the server that this client notices when a database is added,
 * removed or converted (the default), and need not be disconnected then. */
OVSDB_CLIENT_API void ovsdb_idl_set_db_change_aware(struct ovsdb_idl *, bool);

/* The largest message that is accepted from a server, in octets; by default
 * 512 MiB.  A server that sends more is disconnected.  While a message is
 * taken in, it needs up to 20 times its size. */
OVSDB_CLIENT_API void ovsdb_idl_set_max_message_size(struct ovsdb_idl *,
                                                     size_t size);

/* Files in PEM format for "ssl:" remotes: the client's private key and
 * certificate, and the certificate of the authority that signed the
 * server's.  Returns 0 or an errno value: ENOTSUP if the library was built
 * without OpenSSL, EINVAL if a file cannot be used. */
OVSDB_CLIENT_API int ovsdb_idl_set_ssl(struct ovsdb_idl *,
                                       const char *private_key,
                                       const char *certificate,
                                       const char *ca_certificate);

/* Tells 'log' what happens, a line at a time; NULL for nobody. */
enum ovsdb_idl_log_level {
    OVSDB_IDL_LOG_DBG,
    OVSDB_IDL_LOG_INFO,
    OVSDB_IDL_LOG_WARN,
    OVSDB_IDL_LOG_ERR
};
typedef void ovsdb_idl_log_func(void *aux, enum ovsdb_idl_log_level,
                                const char *line);
OVSDB_CLIENT_API void ovsdb_idl_set_log(struct ovsdb_idl *,
                                        ovsdb_idl_log_func *log, void *aux);

/* The event loop.
 *
 * ovsdb_idl_run() never blocks.  Call it when the file descriptor has one of
 * the poll() events, when the deadline has passed, and before looking at the
 * database.  All three may change with each call into the library. */
OVSDB_CLIENT_API void ovsdb_idl_run(struct ovsdb_idl *);

/* The same, given the time: milliseconds of a clock that never goes back.
 * Functions that block use CLOCK_MONOTONIC. */
OVSDB_CLIENT_API void ovsdb_idl_run_at(struct ovsdb_idl *, int64_t now);

/* The descriptor to wait for, or -1. */
OVSDB_CLIENT_API int ovsdb_idl_get_fd(const struct ovsdb_idl *);

/* POLLIN and POLLOUT: what to wait for. */
OVSDB_CLIENT_API short int ovsdb_idl_get_events(const struct ovsdb_idl *);

/* When to call ovsdb_idl_run() at the latest, on the clock of
 * ovsdb_idl_run_at(), CLOCK_MONOTONIC unless that was used; INT64_MAX if
 * never. */
OVSDB_CLIENT_API int64_t ovsdb_idl_get_deadline(const struct ovsdb_idl *);

/* For programs without an event loop: waits until there is something to do,
 * but no longer than that (-1: for ever).  Returns 0, or an errno value such
 * as EINTR. */
OVSDB_CLIENT_API int ovsdb_idl_block(const struct ovsdb_idl *,
                                     int timeout_ms);

/* Blocks until the whole database is there, for at most 'timeout_ms' (-1: for
 * ever).  Returns 0, ETIMEDOUT, or another errno value if there is no hope. */
OVSDB_CLIENT_API int ovsdb_idl_get_initial_snapshot(struct ovsdb_idl *,
                                                    int timeout_ms);

/* State.
 *
 * The sequence number changes when any row has changed, or when the lock was
 * obtained: look at the database again then. */
OVSDB_CLIENT_API unsigned int ovsdb_idl_get_seqno(const struct ovsdb_idl *);
OVSDB_CLIENT_API bool ovsdb_idl_has_ever_connected(const struct ovsdb_idl *);
OVSDB_CLIENT_API bool ovsdb_idl_is_connected(const struct ovsdb_idl *);
OVSDB_CLIENT_API bool ovsdb_idl_is_alive(const struct ovsdb_idl *);

/* Why the last connection failed or ended: an errno value, EOF, or 0. */
OVSDB_CLIENT_API int ovsdb_idl_get_last_error(const struct ovsdb_idl *);
OVSDB_CLIENT_API void ovsdb_idl_enable_reconnect(struct ovsdb_idl *);
OVSDB_CLIENT_API void ovsdb_idl_force_reconnect(struct ovsdb_idl *);
OVSDB_CLIENT_API const struct ovsdb_idl_class *ovsdb_idl_get_class(
    const struct ovsdb_idl *);
OVSDB_CLIENT_API bool ovsdb_idl_server_has_table(
    const struct ovsdb_idl *, const struct ovsdb_idl_table_class *);
OVSDB_CLIENT_API bool ovsdb_idl_server_has_column(
    const struct ovsdb_idl *, const struct ovsdb_idl_column *);

/* Locks: with a lock set, transactions fail with TXN_NOT_LOCKED unless the
 * server has given us the lock. */
OVSDB_CLIENT_API void ovsdb_idl_set_lock(struct ovsdb_idl *,
                                         const char *lock_name);
OVSDB_CLIENT_API bool ovsdb_idl_has_lock(const struct ovsdb_idl *);
OVSDB_CLIENT_API bool ovsdb_idl_is_lock_contended(const struct ovsdb_idl *);

/* What to replicate: how a column is followed. */
#define OVSDB_IDL_MONITOR (1 << 0) /* Replicate the column. */
#define OVSDB_IDL_ALERT   (1 << 1) /* Change the sequence number with it. */
#define OVSDB_IDL_TRACK   (1 << 2) /* Remember changes of it. */
#define OVSDB_IDL_WRITE_CHANGED_ONLY \
                          (1 << 3) /* Write it only if its value differs. */

OVSDB_CLIENT_API void ovsdb_idl_add_column(struct ovsdb_idl *,
                                           const struct ovsdb_idl_column *);
OVSDB_CLIENT_API void ovsdb_idl_add_table(
    struct ovsdb_idl *, const struct ovsdb_idl_table_class *);
OVSDB_CLIENT_API void ovsdb_idl_omit(struct ovsdb_idl *,
                                     const struct ovsdb_idl_column *);
OVSDB_CLIENT_API void ovsdb_idl_omit_alert(struct ovsdb_idl *,
                                           const struct ovsdb_idl_column *);
OVSDB_CLIENT_API void ovsdb_idl_set_write_changed_only(
    struct ovsdb_idl *, const struct ovsdb_idl_column *, bool enable);
OVSDB_CLIENT_API void ovsdb_idl_set_write_changed_only_all(
    struct ovsdb_idl *, bool enable);

/* Following changes.
 *
 * Rows of tracked tables that were inserted, modified or deleted since the
 * last ovsdb_idl_track_clear() are on a list, each once.  A deleted row is
 * kept, with its last contents, until then.  A row also counts as modified
 * when one that it refers to, directly or not, has changed. */
enum ovsdb_idl_change {
    OVSDB_IDL_CHANGE_INSERT,
    OVSDB_IDL_CHANGE_MODIFY,
    OVSDB_IDL_CHANGE_DELETE,
    OVSDB_IDL_CHANGE_MAX
};

OVSDB_CLIENT_API void ovsdb_idl_track_add_column(
    struct ovsdb_idl *, const struct ovsdb_idl_column *);
OVSDB_CLIENT_API void ovsdb_idl_track_add_all(struct ovsdb_idl *);
OVSDB_CLIENT_API void ovsdb_idl_track_clear(struct ovsdb_idl *);
OVSDB_CLIENT_API const struct ovsdb_idl_row *ovsdb_idl_track_get_first(
    const struct ovsdb_idl *, const struct ovsdb_idl_table_class *);
OVSDB_CLIENT_API const struct ovsdb_idl_row *ovsdb_idl_track_get_next(
    const struct ovsdb_idl_row *);
OVSDB_CLIENT_API bool ovsdb_idl_track_is_updated(
    const struct ovsdb_idl_row *, const struct ovsdb_idl_column *);
OVSDB_CLIENT_API unsigned int ovsdb_idl_table_get_seqno(
    const struct ovsdb_idl *, const struct ovsdb_idl_table_class *);
OVSDB_CLIENT_API unsigned int ovsdb_idl_row_get_seqno(
    const struct ovsdb_idl_row *, enum ovsdb_idl_change);

/* Reading rows.  Those of a table come in the order in which they arrived. */
OVSDB_CLIENT_API const struct ovsdb_idl_row *ovsdb_idl_get_row_for_uuid(
    const struct ovsdb_idl *, const struct ovsdb_idl_table_class *,
    const struct uuid *);
OVSDB_CLIENT_API const struct ovsdb_idl_row *ovsdb_idl_first_row(
    const struct ovsdb_idl *, const struct ovsdb_idl_table_class *);
OVSDB_CLIENT_API const struct ovsdb_idl_row *ovsdb_idl_next_row(
    const struct ovsdb_idl_row *);

/* A column's value, with the changes of the transaction in progress. */
OVSDB_CLIENT_API const struct ovsdb_datum *ovsdb_idl_read(
    const struct ovsdb_idl_row *, const struct ovsdb_idl_column *);
OVSDB_CLIENT_API bool ovsdb_idl_is_mutable(const struct ovsdb_idl_row *,
                                           const struct ovsdb_idl_column *);

/* Transactions.
 *
 * One transaction at a time can be built up: create it, change rows with the
 * generated functions, then commit or abort it before the next call of
 * ovsdb_idl_run().  Changes show in the rows at once.  A commit goes on for
 * some time: call ovsdb_idl_txn_commit() again, after ovsdb_idl_run(), until
 * it no longer returns TXN_INCOMPLETE; other transactions may be begun
 * meanwhile.  With TXN_TRY_AGAIN, wait until the sequence number differs from
 * what it was before the transaction, and begin anew. */
enum ovsdb_idl_txn_status {
    TXN_UNCOMMITTED,            /* Neither committed nor aborted yet. */
    TXN_UNCHANGED,              /* It would not have changed anything. */
    TXN_INCOMPLETE,             /* The commit is in progress. */
    TXN_ABORTED,                /* ovsdb_idl_txn_abort() was called. */
    TXN_SUCCESS,                /* Done. */
    TXN_TRY_AGAIN,              /* A verified column had changed, or there is
                                 * no connection: wait and begin anew. */
    TXN_NOT_LOCKED,             /* The server has not given us the lock. */
    TXN_ERROR                   /* The server refused it. */
};

OVSDB_CLIENT_API const char *ovsdb_idl_txn_status_to_string(
    enum ovsdb_idl_txn_status);

/* Returns NULL if another transaction is being built up. */
OVSDB_CLIENT_API struct ovsdb_idl_txn *ovsdb_idl_txn_create(
    struct ovsdb_idl *);
OVSDB_CLIENT_API void ovsdb_idl_txn_destroy(struct ovsdb_idl_txn *);
OVSDB_CLIENT_API void ovsdb_idl_txn_add_comment(struct ovsdb_idl_txn *,
                                                const char *format, ...)
    OVSDB_CLIENT_PRINTF(2, 3);

/* Lets the server try the transaction, but not do it. */
OVSDB_CLIENT_API void ovsdb_idl_txn_set_dry_run(struct ovsdb_idl_txn *);

/* Succeeds only when the transaction is on the server's disk. */
OVSDB_CLIENT_API void ovsdb_idl_txn_set_durable(struct ovsdb_idl_txn *);

/* Adds 1 to an integer column at commit; without 'force' only if there are
 * other changes. */
OVSDB_CLIENT_API void ovsdb_idl_txn_increment(
    struct ovsdb_idl_txn *, const struct ovsdb_idl_row *,
    const struct ovsdb_idl_column *, bool force);

OVSDB_CLIENT_API enum ovsdb_idl_txn_status ovsdb_idl_txn_commit(
    struct ovsdb_idl_txn *);

/* Commits, and calls ovsdb_idl_run() until that is done. */
OVSDB_CLIENT_API enum ovsdb_idl_txn_status ovsdb_idl_txn_commit_block(
    struct ovsdb_idl_txn *);
OVSDB_CLIENT_API void ovsdb_idl_txn_abort(struct ovsdb_idl_txn *);

/* The status in words, and for TXN_ERROR what the server said, as JSON. */
OVSDB_CLIENT_API const char *ovsdb_idl_txn_get_error(
    const struct ovsdb_idl_txn *);

/* After TXN_SUCCESS: the incremented column's value. */
OVSDB_CLIENT_API int64_t ovsdb_idl_txn_get_increment_new_value(
    const struct ovsdb_idl_txn *);

/* After TXN_SUCCESS: the UUID that the server gave to the row that was
 * inserted with 'uuid', NULL if there was none. */
OVSDB_CLIENT_API const struct uuid *ovsdb_idl_txn_get_insert_uuid(
    const struct ovsdb_idl_txn *, const struct uuid *);

OVSDB_CLIENT_API struct ovsdb_idl *ovsdb_idl_txn_get_idl(
    const struct ovsdb_idl_txn *);

/* The transaction that is being built up, or NULL. */
OVSDB_CLIENT_API struct ovsdb_idl_txn *ovsdb_idl_txn_get(
    const struct ovsdb_idl_row *);

/* A loop that keeps at most one transaction going.
 *
 *     struct ovsdb_idl_loop loop = OVSDB_IDL_LOOP_INITIALIZER(idl);
 *     for (;;) {
 *         struct ovsdb_idl_txn *txn = ovsdb_idl_loop_run(&loop);
 *         if (txn) {
 *             ...look at the database, change it...
 *         }
 *         ovsdb_idl_loop_commit(&loop);
 *         ovsdb_idl_block(idl, -1);
 *     } */
struct ovsdb_idl_loop {
    struct ovsdb_idl *idl;
    unsigned int skip_seqno;

    struct ovsdb_idl_txn *committing_txn;
    unsigned int precommit_seqno;

    struct ovsdb_idl_txn *open_txn;

    /* When a transaction succeeds, 'cur_cfg' becomes 'next_cfg'. */
    int64_t cur_cfg;
    int64_t next_cfg;
};

#define OVSDB_IDL_LOOP_INITIALIZER(IDL) { (IDL), 0, NULL, 0, NULL, 0, 0 }

/* Runs the IDL and opens a transaction.  Returns NULL while an earlier one is
 * in progress or must wait for the database to change. */
OVSDB_CLIENT_API struct ovsdb_idl_txn *ovsdb_idl_loop_run(
    struct ovsdb_idl_loop *);

/* Commits the open transaction.  Returns 1 if there is nothing left to do, -1
 * while a commit is in progress, 0 if one has failed. */
OVSDB_CLIENT_API int ovsdb_idl_loop_commit(struct ovsdb_idl_loop *);

/* Destroys the loop with its IDL. */
OVSDB_CLIENT_API void ovsdb_idl_loop_destroy(struct ovsdb_idl_loop *);

/* Conditions: which rows of a table to replicate, those for which any of the
 * clauses holds.  No clause means no row. */
struct ovsdb_idl_condition {
    char **clauses;             /* As JSON, sorted. */
    size_t n;
    bool is_true;               /* Every row. */
};
#define OVSDB_IDL_CONDITION_INIT(CONDITION) { NULL, 0, false }

OVSDB_CLIENT_API void ovsdb_idl_condition_init(struct ovsdb_idl_condition *);
OVSDB_CLIENT_API void ovsdb_idl_condition_clear(struct ovsdb_idl_condition *);
OVSDB_CLIENT_API void ovsdb_idl_condition_destroy(
    struct ovsdb_idl_condition *);
OVSDB_CLIENT_API void ovsdb_idl_condition_add_clause_true(
    struct ovsdb_idl_condition *);
OVSDB_CLIENT_API bool ovsdb_idl_condition_is_true(
    const struct ovsdb_idl_condition *);

/* Returns the condition sequence number from which on the table's rows are
 * those of the new condition. */
OVSDB_CLIENT_API unsigned int ovsdb_idl_set_condition(
    struct ovsdb_idl *, const struct ovsdb_idl_table_class *,
    const struct ovsdb_idl_condition *);
OVSDB_CLIENT_API unsigned int ovsdb_idl_get_condition_seqno(
    const struct ovsdb_idl *);

/* Indexes: rows of a table in the order of some columns. */
enum ovsdb_index_order {
    OVSDB_INDEX_ASC,
    OVSDB_INDEX_DESC
};

/* Compares two rows' columns, given both structures, like strcmp(). */
typedef int column_comparator_func(const void *a, const void *b);

struct ovsdb_idl_index_column {
    const struct ovsdb_idl_column *column;
    column_comparator_func *comparer; /* NULL for the natural order. */
    enum ovsdb_index_order order;
};

/* Indexes are made before the first ovsdb_idl_run() and go with the IDL. */
OVSDB_CLIENT_API struct ovsdb_idl_index *ovsdb_idl_index_create(
    struct ovsdb_idl *, const struct ovsdb_idl_index_column *, size_t n);
OVSDB_CLIENT_API struct ovsdb_idl_index *ovsdb_idl_index_create1(
    struct ovsdb_idl *, const struct ovsdb_idl_column *);
OVSDB_CLIENT_API struct ovsdb_idl_index *ovsdb_idl_index_create2(
    struct ovsdb_idl *, const struct ovsdb_idl_column *,
    const struct ovsdb_idl_column *);

/* Some row with the indexed columns of 'key', or NULL. */
OVSDB_CLIENT_API struct ovsdb_idl_row *ovsdb_idl_index_find(
    struct ovsdb_idl_index *, const struct ovsdb_idl_row *key);

struct ovsdb_idl_cursor {
    struct ovsdb_idl_index *index;
    struct ovsdb_idl_index_node *position; /* NULL at the end. */
};

OVSDB_CLIENT_API struct ovsdb_idl_cursor ovsdb_idl_cursor_first(
    struct ovsdb_idl_index *);
OVSDB_CLIENT_API struct ovsdb_idl_cursor ovsdb_idl_cursor_first_eq(
    struct ovsdb_idl_index *, const struct ovsdb_idl_row *key);
OVSDB_CLIENT_API struct ovsdb_idl_cursor ovsdb_idl_cursor_first_ge(
    struct ovsdb_idl_index *, const struct ovsdb_idl_row *key);
OVSDB_CLIENT_API void ovsdb_idl_cursor_next(struct ovsdb_idl_cursor *);
OVSDB_CLIENT_API void ovsdb_idl_cursor_next_eq(struct ovsdb_idl_cursor *);
OVSDB_CLIENT_API struct ovsdb_idl_row *ovsdb_idl_cursor_data(
    const struct ovsdb_idl_cursor *);

#ifdef __cplusplus
}
#endif

#endif /* ovsdb-client/idl.h */
