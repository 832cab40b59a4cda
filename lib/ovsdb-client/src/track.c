/* SPDX-License-Identifier: Apache-2.0 */
/* Remembering what has changed. */

#include "idl-private.h"

bool
table_is_tracked(const struct ovsdb_idl_table *table)
{
    for (size_t i = 0; i < table->class->n_columns; i++) {
        if (table->modes[i] & OVSDB_IDL_TRACK) {
            return true;
        }
    }
    return false;
}

static void
note_change(struct ovsdb_idl_row_state *row, enum ovsdb_idl_change change)
{
    struct ovsdb_idl_table *table = row->table;

    row->change_seqno[change] = table->change_seqno[change]
        = table->idl->change_seqno + 1;
}

/* Puts rows that refer to 'row', directly or not, on the list as modified.
 * New ones go to the end of a list of rows to look at, so that a long chain of
 * references needs no deep recursion. */
static void
track_referrers(struct ovsdb_idl_row_state *row)
{
    size_t n = 1, n_allocated = 16;
    struct ovsdb_idl_row_state **rows = xmalloc_array(n_allocated,
                                                      sizeof *rows);

    rows[0] = row;
    for (size_t i = 0; i < n; i++) {
        struct arc *arc;

        if (!rows[i]->slot) {
            continue;
        }
        LIST_FOR_EACH (arc, struct arc, node, &rows[i]->slot->arcs) {
            struct ovsdb_idl_row_state *source = arc->source;

            if (!source->dead && list_is_empty(&source->track_node)
                && table_is_tracked(source->table)) {
                note_change(source, OVSDB_IDL_CHANGE_MODIFY);
                list_push_back(&source->table->tracked, &source->track_node);
                if (n >= n_allocated) {
                    n_allocated *= 2;
                    rows = xrealloc_array(rows, n_allocated, sizeof *rows);
                }
                rows[n++] = source;
            }
        }
    }
    free(rows);
}

/* Notes that a row came or went. */
void
row_track(struct ovsdb_idl_row_state *row, enum ovsdb_idl_change change)
{
    note_change(row, change);
    if (table_is_tracked(row->table) && list_is_empty(&row->track_node)) {
        list_push_back(&row->table->tracked, &row->track_node);
    }
    track_referrers(row);
}

/* Notes that a column changed. */
void
row_track_column(struct ovsdb_idl_row_state *row, size_t column,
                 enum ovsdb_idl_change change)
{
    struct ovsdb_idl_table *table = row->table;

    note_change(row, change);
    if (table->modes[column] & OVSDB_IDL_TRACK) {
        if (list_is_empty(&row->track_node)) {
            list_push_back(&table->tracked, &row->track_node);
            track_referrers(row);
        }
        if (!row->updated) {
            row->updated = xzalloc(table->class->n_columns);
        }
        row->updated[column] = 1;
    }
}

void
ovsdb_idl_track_add_column(struct ovsdb_idl *idl,
                           const struct ovsdb_idl_column *column)
{
    ovsdb_idl_add_column(idl, column);
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        struct ovsdb_idl_table *table = &idl->tables[i];

        if (column >= table->class->columns
            && column < table->class->columns + table->class->n_columns) {
            table->modes[column_index(table, column)] |= OVSDB_IDL_TRACK;
        }
    }
}

/* Tracks all that is replicated with alerts. */
void
ovsdb_idl_track_add_all(struct ovsdb_idl *idl)
{
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        struct ovsdb_idl_table *table = &idl->tables[i];

        for (size_t j = 0; j < table->class->n_columns; j++) {
            if (table->modes[j] & OVSDB_IDL_ALERT) {
                table->modes[j] |= OVSDB_IDL_TRACK;
            }
        }
    }
}

static const struct ovsdb_idl_row *
tracked_row(const struct ovsdb_idl_table *table, const struct list *node)
{
    return (node == &table->tracked ? NULL
            : CONTAINER_OF(node, struct ovsdb_idl_row_state,
                           track_node)->row);
}

const struct ovsdb_idl_row *
ovsdb_idl_table_track_first(const struct ovsdb_idl_table *table)
{
    return tracked_row(table, table->tracked.next);
}

const struct ovsdb_idl_row *
ovsdb_idl_track_get_first(const struct ovsdb_idl *idl,
                          const struct ovsdb_idl_table_class *class)
{
    return ovsdb_idl_table_track_first(idl_table(idl, class));
}

const struct ovsdb_idl_row *
ovsdb_idl_track_get_next(const struct ovsdb_idl_row *row)
{
    return tracked_row(row->state->table, row->state->track_node.next);
}

bool
ovsdb_idl_track_is_updated(const struct ovsdb_idl_row *row,
                           const struct ovsdb_idl_column *column)
{
    const struct ovsdb_idl_row_state *state = row->state;

    return (state->updated
            && state->updated[column_index(state->table, column)]);
}

unsigned int
ovsdb_idl_table_get_seqno(const struct ovsdb_idl *idl,
                          const struct ovsdb_idl_table_class *class)
{
    const struct ovsdb_idl_table *table = idl_table(idl, class);
    unsigned int seqno = 0;

    for (size_t i = 0; i < OVSDB_IDL_CHANGE_MAX; i++) {
        if (seqno < table->change_seqno[i]) {
            seqno = table->change_seqno[i];
        }
    }
    return seqno;
}

unsigned int
ovsdb_idl_row_get_seqno(const struct ovsdb_idl_row *row,
                        enum ovsdb_idl_change change)
{
    return row->state->change_seqno[change];
}

void
ovsdb_idl_track_clear(struct ovsdb_idl *idl)
{
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        struct ovsdb_idl_table *table = &idl->tables[i];
        struct ovsdb_idl_row_state *row;

        LIST_FOR_EACH_SAFE (row, struct ovsdb_idl_row_state, track_node,
                            &table->tracked) {
            list_remove(&row->track_node);
            memset(row->change_seqno, 0, sizeof row->change_seqno);
            free(row->updated);
            row->updated = NULL;
            if (row->dead) {
                list_push_back(&idl->doomed, &row->node);
            }
        }
    }
    idl_settle(idl);
}
