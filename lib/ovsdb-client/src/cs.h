/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CS_H
#define CS_H 1

/* Client synchronization: the conversation by which a client follows a
 * database.  No I/O: messages come in parsed and go out as text.
 *
 * It finds out whether the server is of use (its database _Server), selects
 * the best monitor method that the server knows, resumes after the last known
 * transaction when connected again, changes conditions and holds a lock.
 *
 *   DISCONNECTED
 *   SERVER_SCHEMA    Does the server have a database _Server?
 *   SERVER_MONITOR   If so, what does that say?
 *   DATA_SCHEMA      If not, get the schema in the old way.
 *   DATA_MONITOR     monitor_cond_since, monitor_cond or monitor was sent.
 *   MONITORING       The replica is being kept up to date.
 *   RETRY            The server is of no use: the owner must disconnect. */

#include "json.h"
#include "ovsdb-client/idl.h"

enum cs_state {
    CS_DISCONNECTED,
    CS_SERVER_SCHEMA,
    CS_SERVER_MONITOR,
    CS_DATA_SCHEMA,
    CS_DATA_MONITOR,
    CS_MONITORING,
    CS_RETRY
};

/* A row of _Server's table Database. */
struct cs_server_row {
    struct cs_server_row *next;
    struct uuid uuid;
    char *name, *model, *schema;
    bool connected, leader;
    int64_t index;
};

/* What the replica does. */
struct cs_ops {
    /* The server's schema has come. */
    void (*schema)(void *aux, const struct json *schema);

    /* Prints the monitor requests, as an object. */
    void (*compose_monitor)(void *aux, int version, struct strbuf *);

    /* Prints changes of conditions, as an object.  Returns false if there are
     * none. */
    bool (*compose_conditions)(void *aux, struct strbuf *);
    void (*conditions_acknowledged)(void *aux);

    /* A new conversation begins: resumes from what the server has
     * acknowledged, or from nothing.  Returns false if that must be nothing.
     */
    bool (*conditions_restart)(void *aux, bool resume);

    /* Takes the updates.  'clear' says that they replace all there was.
     * Returns false if they do not fit what is there. */
    bool (*update)(void *aux, const struct json *updates, int version,
                   bool clear);
    void (*reply)(void *aux, int64_t id, const struct json *result,
                  const struct json *error);
    void (*disconnected)(void *aux);
    void (*locked)(void *aux);
    void (*log)(void *aux, enum ovsdb_idl_log_level, const char *);
};

struct cs {
    const struct cs_ops *ops;
    void *aux;
    char *database;
    enum cs_state state;
    bool leader_only;
    bool change_aware;

    struct strbuf output;       /* Messages to send. */
    int64_t next_id;
    int64_t request_id;         /* The reply that is waited for, or -1. */
    int requested_version;      /* Of the monitor request in flight. */
    int monitor_version;        /* 0 until monitoring. */
    bool server_monitored;
    struct uuid last_id;

    struct cs_server_row *server_rows;
    size_t n_server_rows;
    int64_t min_index;

    char *lock_name;
    int64_t lock_id;            /* The lock request in flight, or -1. */
    bool has_lock;
    bool is_lock_contended;
};

void cs_init(struct cs *, const char *database, const struct cs_ops *,
             void *aux);
void cs_destroy(struct cs *);

void cs_connected(struct cs *);
void cs_disconnected(struct cs *);
void cs_receive(struct cs *, const struct json *message);

/* Adds to the output what is due. */
void cs_run(struct cs *);

/* Begins a "transact" request in the output, up to and including the name of
 * the database, and returns its id.  cs_transact_end() ends it. */
int64_t cs_transact_begin(struct cs *);
void cs_transact_end(struct cs *, int64_t id);

void cs_set_lock(struct cs *, const char *name);

/* The replica does not fit what the server says: begin anew. */
void cs_flag_inconsistency(struct cs *);

#endif /* cs.h */
