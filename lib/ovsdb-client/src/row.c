/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the replica: their lives. */

#include "idl-private.h"

/* Creates a row that is in no table yet, with default values. */
struct ovsdb_idl_row_state *
row_create(struct ovsdb_idl_table *table, const struct uuid *uuid)
{
    const struct ovsdb_idl_table_class *class = table->class;
    struct ovsdb_idl_row_state *row = xzalloc(sizeof *row);

    row->table = table;
    row->row = xmalloc(class->allocation_size);
    row->data = xmalloc_array(class->n_columns, sizeof *row->data);
    for (size_t i = 0; i < class->n_columns; i++) {
        datum_init_default(&row->data[i], &class->columns[i].type);
    }
    list_init(&row->node);
    list_init(&row->stale_node);
    list_init(&row->txn_node);
    list_init(&row->track_node);
    list_init(&row->index_nodes);
    structure_init(row->row, class);
    row->row->state = row;
    if (uuid) {
        row->row->uuid = *uuid;
    }
    return row;
}

/* Frees a row that nobody refers to any more. */
void
row_free(struct ovsdb_idl_row_state *row)
{
    const struct ovsdb_idl_table_class *class = row->table->class;
    struct slot *slot = row->slot;

    indexes_remove(row);
    row_drop_changes(row);
    row_drop_arcs(row);
    list_remove(&row->node);
    list_remove(&row->stale_node);
    list_remove(&row->txn_node);
    list_remove(&row->track_node);
    structure_uninit(row->row, class);
    for (size_t i = 0; i < class->n_columns; i++) {
        datum_destroy(&row->data[i], &class->columns[i].type);
    }
    free(row->data);
    free(row->updated);
    free(row->row);
    free(row);
    if (slot) {
        slot->n_rows--;
        slot_release(slot);
    }
}

void
row_add(struct ovsdb_idl_row_state *row)
{
    row->slot = slot_get(row->table, &row->row->uuid);
    row->slot->n_rows++;
    row->slot->live = row;
    list_push_back(&row->table->rows, &row->node);
    row->table->n_rows++;
    slot_changed(row->slot);
}

void
row_remove(struct ovsdb_idl_row_state *row)
{
    row->slot->live = NULL;
    list_remove(&row->node);
    row->table->n_rows--;
    slot_changed(row->slot);
}

/* Takes a row that the server has deleted out of its table.  If it is tracked,
 * it stays until ovsdb_idl_track_clear(), and then, or else now, it is
 * doomed. */
void
row_kill(struct ovsdb_idl_row_state *row)
{
    struct ovsdb_idl *idl = row->table->idl;

    indexes_remove(row);
    row_remove(row);
    row->dead = true;
    row->slot->dead = row;
    if (list_is_empty(&row->stale_node)) {
        list_push_back(&idl->stale, &row->stale_node);
    }
    if (table_is_tracked(row->table)) {
        row_track(row, OVSDB_IDL_CHANGE_DELETE);
    } else {
        list_push_back(&idl->doomed, &row->node);
    }
}

/* The value of a column, with the transaction's changes. */
const struct ovsdb_datum *
row_read(const struct ovsdb_idl_row_state *row, size_t column)
{
    const struct column_change *change = (row->changes ? &row->changes[column]
                                          : NULL);

    return (change && (change->written || change->mutated)
            ? &change->value : &row->data[column]);
}

static void
refresh_stale(struct ovsdb_idl *idl)
{
    while (!list_is_empty(&idl->stale)) {
        struct ovsdb_idl_row_state *row = CONTAINER_OF(
            idl->stale.next, struct ovsdb_idl_row_state, stale_node);

        list_remove(&row->stale_node);
        structure_fill_references(row);
    }
}

/* After changes: makes all references right, then frees doomed rows. */
void
idl_settle(struct ovsdb_idl *idl)
{
    struct ovsdb_idl_row_state *row;

    LIST_FOR_EACH (row, struct ovsdb_idl_row_state, node, &idl->doomed) {
        if (row->slot->dead == row) {
            row->slot->dead = NULL;
            slot_changed(row->slot);
        }
    }
    refresh_stale(idl);
    LIST_FOR_EACH_SAFE (row, struct ovsdb_idl_row_state, node, &idl->doomed) {
        row_free(row);
    }
}
