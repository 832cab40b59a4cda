/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IDL_PRIVATE_H
#define IDL_PRIVATE_H 1

/* The replica: tables, rows, and how rows refer to one another.
 *
 * A row has two faces.  Programs see the structure that the generator made for
 * its table, with "struct ovsdb_idl_row" at its beginning; the library keeps
 * data in "struct ovsdb_idl_row_state" and fills the structure from them.
 * Strings in the structure are those of the data; arrays are its own.
 *
 * A reference is a pointer in the structure.  So that it is right at any time,
 * each UUID that a row has, or refers to, has a "slot" in its table, which
 * knows the row and everyone who refers to it.  When a row comes or goes, the
 * referring rows are "stale", and idl_settle() fills them anew. */

#include "cs.h"
#include "datum.h"
#include "hash.h"
#include "list.h"
#include "ovsdb-client/generated.h"
#include "session.h"

/* A UUID that a row of a table has or another row refers to. */
struct slot {
    struct hash_node node;      /* In the table's 'slots'. */
    struct uuid uuid;
    struct ovsdb_idl_table *table;
    struct ovsdb_idl_row_state *live; /* The row, if it exists. */
    struct ovsdb_idl_row_state *dead; /* Or existed, and is still tracked. */
    struct list arcs;           /* References to it. */
    size_t n_rows;              /* Rows with this slot, freed or not yet. */
};

/* A reference. */
struct arc {
    struct list node;           /* In the slot's 'arcs'. */
    struct arc *next;           /* Of the same source. */
    struct slot *slot;
    struct ovsdb_idl_row_state *source;
};

/* What a transaction does to one column of a row. */
struct column_change {
    bool written;               /* 'value' replaces what was there. */
    bool mutated;               /* 'inserts' and 'removes' are to be done. */
    bool verified;              /* It must not have changed meanwhile. */
    struct ovsdb_datum value;   /* If written or mutated: the new value. */
    struct ovsdb_datum inserts;
    struct ovsdb_datum removes; /* Of type set, even if the column's a map. */
};

struct ovsdb_idl_row_state {
    struct ovsdb_idl_row *row;
    struct ovsdb_idl_table *table;
    struct slot *slot;          /* NULL for a row that is an index's key. */
    struct list node;           /* In the table's 'rows' if live. */
    struct arc *arcs;
    struct ovsdb_datum *data;   /* A datum a column: the server's. */
    bool dead;                  /* Deleted by the server. */
    bool unseen;                /* Not in the contents that replace all. */
    struct list stale_node;     /* In the IDL's 'stale'. */

    /* The transaction in progress. */
    struct column_change *changes; /* One a column, or NULL. */
    struct list txn_node;       /* In the transaction's 'rows'. */
    bool inserted;
    bool deleted;
    bool persist_uuid;

    /* Tracking. */
    struct list track_node;     /* In the table's 'tracked'. */
    unsigned int change_seqno[OVSDB_IDL_CHANGE_MAX];
    unsigned char *updated;     /* One a column, or NULL. */

    struct list index_nodes;    /* Its places in indexes. */
};

/* A condition on its way to the server, as JSON; NULL means all rows. */
struct table_condition {
    char *acknowledged;
    char *requested;            /* In flight if 'is_requested'. */
    char *new;                  /* To be sent if 'is_new'. */
    bool is_requested;
    bool is_new;
    bool is_set;                /* The program has set one. */
};

struct ovsdb_idl_table {
    const struct ovsdb_idl_table_class *class;
    struct ovsdb_idl *idl;
    unsigned char *modes;       /* OVSDB_IDL_* for each column. */
    bool *in_server_columns;    /* Whether the server has each column. */
    bool in_server;
    bool wanted;                /* Replicated even without columns. */
    bool has_references;
    struct hash_table slots;
    struct list rows;
    size_t n_rows;
    struct list tracked;
    unsigned int change_seqno[OVSDB_IDL_CHANGE_MAX];
    struct table_condition condition;
    struct list indexes;        /* struct ovsdb_idl_index. */
};

struct ovsdb_idl {
    const struct ovsdb_idl_class *class;
    struct ovsdb_idl_table *tables;
    struct cs cs;
    struct session session;
    bool shuffle;
    char *remote;
    bool retry;
    bool remote_set;            /* The session has got 'remote'. */
    int64_t now;                /* At the last run. */
    uint32_t seed;

    unsigned int change_seqno;
    unsigned int condition_seqno;
    unsigned int restart_advance; /* Of that, with the contents to come. */
    bool ever_connected;

    struct list stale;          /* Rows whose references may be wrong. */
    struct list doomed;         /* Deleted rows to be freed. */

    struct ovsdb_idl_txn *txn;  /* That is being built up. */
    struct list outstanding;    /* Transactions that wait for a reply. */

    ovsdb_idl_log_func *log;
    void *log_aux;
};

void idl_log(const struct ovsdb_idl *, enum ovsdb_idl_log_level,
             const char *format, ...) OVSDB_CLIENT_PRINTF(3, 4);

static inline struct ovsdb_idl_table *
idl_table(const struct ovsdb_idl *idl,
          const struct ovsdb_idl_table_class *class)
{
    return &idl->tables[class - idl->class->tables];
}

static inline size_t
column_index(const struct ovsdb_idl_table *table,
             const struct ovsdb_idl_column *column)
{
    return (size_t) (column - table->class->columns);
}

/* slot.c */
struct slot *slot_find(const struct ovsdb_idl_table *, const struct uuid *);
struct slot *slot_get(struct ovsdb_idl_table *, const struct uuid *);
void slot_release(struct slot *); /* Frees it if nobody needs it. */
void slot_changed(struct slot *); /* Its references are stale. */
struct slot *slot_refer(struct ovsdb_idl_row_state *source,
                        struct ovsdb_idl_table *, const struct uuid *);
void row_drop_arcs(struct ovsdb_idl_row_state *);

/* structure.c: the program's face of a row. */
void structure_init(struct ovsdb_idl_row *,
                    const struct ovsdb_idl_table_class *);
void structure_uninit(struct ovsdb_idl_row *,
                      const struct ovsdb_idl_table_class *);
void structure_fill_column(struct ovsdb_idl_row_state *, size_t column);
void structure_fill_references(struct ovsdb_idl_row_state *);
void structure_fill(struct ovsdb_idl_row_state *);

/* row.c */
struct ovsdb_idl_row_state *row_create(struct ovsdb_idl_table *,
                                       const struct uuid *);
void row_free(struct ovsdb_idl_row_state *);
void row_add(struct ovsdb_idl_row_state *);    /* It lives. */
void row_remove(struct ovsdb_idl_row_state *); /* It no longer does. */
void row_kill(struct ovsdb_idl_row_state *);   /* The server deletes it. */
const struct ovsdb_datum *row_read(const struct ovsdb_idl_row_state *,
                                   size_t column);
void idl_settle(struct ovsdb_idl *);

/* update.c */
bool idl_update(struct ovsdb_idl *, const struct json *, int version,
                bool clear);

/* track.c */
bool table_is_tracked(const struct ovsdb_idl_table *);
void row_track(struct ovsdb_idl_row_state *, enum ovsdb_idl_change);
void row_track_column(struct ovsdb_idl_row_state *, size_t column,
                      enum ovsdb_idl_change);

/* condition.c */
bool conditions_pending(const struct ovsdb_idl *);
bool conditions_compose_changes(struct ovsdb_idl *, struct strbuf *);
void conditions_acknowledged(struct ovsdb_idl *);
bool conditions_restart(struct ovsdb_idl *, bool resume);
void table_condition_destroy(struct table_condition *);

/* index.c: before and after a row's indexed columns change. */
void indexes_remove(struct ovsdb_idl_row_state *);
void indexes_add(struct ovsdb_idl_row_state *);
void indexes_destroy(struct ovsdb_idl_table *);

/* txn.c */
void txn_note_row(struct ovsdb_idl_row_state *);
void row_drop_changes(struct ovsdb_idl_row_state *);
void idl_fail_outstanding(struct ovsdb_idl *);
void idl_take_reply(struct ovsdb_idl *, int64_t id, const struct json *result,
                    const struct json *error);

#endif /* idl-private.h */
