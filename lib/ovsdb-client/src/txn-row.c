/* SPDX-License-Identifier: Apache-2.0 */
/* Changing rows in a transaction. */

#include <limits.h>

#include "txn-private.h"
#include "uuid-random.h"

static struct ovsdb_type
keys_of(const struct ovsdb_type *type)
{
    return (struct ovsdb_type) {
        .key = type->key,
        .value = { .type = OVSDB_TYPE_VOID },
        .n_max = UINT_MAX,
    };
}

static void
change_clear(struct column_change *change, const struct ovsdb_type *type)
{
    struct ovsdb_type keys = keys_of(type);

    datum_destroy(&change->value, type);
    datum_destroy(&change->inserts, type);
    datum_destroy(&change->removes, &keys);
    change->written = change->mutated = false;
}

/* Shows the program a column as it is now. */
static void
refill(struct ovsdb_idl_row_state *row, size_t i)
{
    const struct ovsdb_type *type = &row->table->class->columns[i].type;

    if (type_is_reference(type)) {
        structure_fill_references(row);
    } else {
        structure_fill_column(row, i);
    }
}

/* Takes all changes off a row. */
void
row_drop_changes(struct ovsdb_idl_row_state *row)
{
    const struct ovsdb_idl_table_class *class = row->table->class;
    struct column_change *changes = row->changes;
    bool references = false;

    if (!changes) {
        return;
    }
    row->changes = NULL;
    for (size_t i = 0; i < class->n_columns; i++) {
        const struct ovsdb_type *type = &class->columns[i].type;

        if (changes[i].written || changes[i].mutated) {
            if (type_is_reference(type)) {
                references = true;
            } else {
                structure_fill_column(row, i);
            }
        }
    }
    if (references) {
        structure_fill_references(row);
    }
    for (size_t i = 0; i < class->n_columns; i++) {
        change_clear(&changes[i], &class->columns[i].type);
    }
    free(changes);
}

/* Returns the column's change, for the transaction in progress; NULL if there
 * is none or the row cannot be changed. */
static struct column_change *
get_change(const struct ovsdb_idl_row *row,
           const struct ovsdb_idl_column *column)
{
    struct ovsdb_idl_row_state *state = row->state;
    struct ovsdb_idl_txn *txn = state->table->idl->txn;

    if (!txn || !state->slot || state->dead || state->deleted) {
        idl_log(state->table->idl, OVSDB_IDL_LOG_ERR,
                "row " UUID_FMT " of table %s cannot be changed: %s",
                UUID_ARGS(&row->uuid), state->table->class->name,
                txn ? "it is deleted" : "no transaction is in progress");
        return NULL;
    }
    if (list_is_empty(&state->txn_node)) {
        list_push_back(&txn->rows, &state->txn_node);
    }
    if (!state->changes) {
        state->changes = xzalloc(state->table->class->n_columns
                                 * sizeof *state->changes);
    }
    return &state->changes[column_index(state->table, column)];
}

/* Writing whole columns. */

/* Writing what is there already can be left out, if the program says so or if
 * it would not see others' changes. */
static bool
is_needless(const struct ovsdb_idl_row_state *row, size_t i,
            const struct ovsdb_datum *d)
{
    unsigned char mode = row->table->modes[i];

    return (!row->inserted
            && ((mode & OVSDB_IDL_WRITE_CHANGED_ONLY)
                || (mode & (OVSDB_IDL_MONITOR | OVSDB_IDL_ALERT))
                   == OVSDB_IDL_MONITOR)
            && datum_equals(row_read(row, i), d,
                            &row->table->class->columns[i].type));
}

/* 'd' is consumed. */
static void
write_datum(const struct ovsdb_idl_row *row,
            const struct ovsdb_idl_column *column, struct ovsdb_datum *d)
{
    size_t i = column_index(row->state->table, column);
    struct column_change *change;

    if (is_needless(row->state, i, d)
        || !(change = get_change(row, column))) {
        datum_destroy(d, &column->type);
        return;
    }
    indexes_remove(row->state);
    change_clear(change, &column->type);
    change->value = *d;
    change->written = true;
    refill(row->state, i);
    indexes_add(row->state);
}

void
ovsdb_idl_write(const struct ovsdb_idl_row *row,
                const struct ovsdb_idl_column *column, const void *keys,
                const void *values, size_t n)
{
    struct ovsdb_datum d;

    datum_from_arrays(&d, &column->type, keys, values, n, true);
    write_datum(row, column, &d);
}

void
ovsdb_idl_write_smap(const struct ovsdb_idl_row *row,
                     const struct ovsdb_idl_column *column,
                     const struct smap *smap)
{
    struct ovsdb_datum d;

    datum_from_smap(&d, smap);
    write_datum(row, column, &d);
}

/* Partial updates. */

/* Makes the column's new value something that can be changed.  In a new row,
 * or one whose column was written, a partial update is just a change of the
 * new value. */
static struct column_change *
begin_partial(const struct ovsdb_idl_row *row,
              const struct ovsdb_idl_column *column)
{
    struct column_change *change = get_change(row, column);
    size_t i = column_index(row->state->table, column);

    if (change && !change->written && !change->mutated) {
        if (row->state->inserted) {
            change->written = true;
            datum_init_empty(&change->value);
        } else {
            change->mutated = true;
            datum_clone(&change->value, &row->state->data[i], &column->type);
        }
    }
    return change;
}

void
ovsdb_idl_add_partial(const struct ovsdb_idl_row *row,
                      const struct ovsdb_idl_column *column,
                      const void *key, const void *value)
{
    struct column_change *change = begin_partial(row, column);
    const struct ovsdb_type *type = &column->type;
    struct ovsdb_type keys = keys_of(type);
    union ovsdb_atom k, v;
    unsigned int i;

    if (!change) {
        return;
    }
    atom_from_array(&k, &type->key, key, 0, true);
    atom_from_array(&v, &type->value, value, 0, true);
    indexes_remove(row->state);
    datum_put(&change->value, type, &k, &v);
    if (change->mutated) {
        datum_put(&change->inserts, type, &k, &v);
        if (datum_find(&change->removes, &k, &keys, &i)) {
            datum_remove(&change->removes, &keys, i);
        }
    }
    refill(row->state, column_index(row->state->table, column));
    indexes_add(row->state);
}

void
ovsdb_idl_delete_partial(const struct ovsdb_idl_row *row,
                         const struct ovsdb_idl_column *column,
                         const void *key)
{
    struct column_change *change = begin_partial(row, column);
    const struct ovsdb_type *type = &column->type;
    struct ovsdb_type keys = keys_of(type);
    union ovsdb_atom k;
    unsigned int i;

    if (!change) {
        return;
    }
    atom_from_array(&k, &type->key, key, 0, true);
    indexes_remove(row->state);
    if (datum_find(&change->value, &k, type, &i)) {
        datum_remove(&change->value, type, i);
    }
    if (change->mutated) {
        if (datum_find(&change->inserts, &k, type, &i)) {
            datum_remove(&change->inserts, type, i);
        }
        datum_put(&change->removes, &keys, &k, NULL);
    }
    refill(row->state, column_index(row->state->table, column));
    indexes_add(row->state);
}

/* Rows as a whole. */

void
ovsdb_idl_verify(const struct ovsdb_idl_row *row,
                 const struct ovsdb_idl_column *column)
{
    struct ovsdb_idl_row_state *state = row->state;
    size_t i = column_index(state->table, column);
    struct column_change *change;

    /* What the transaction itself made cannot have changed. */
    if (state->inserted || (state->changes && state->changes[i].written)) {
        return;
    }
    if (!(state->table->modes[i] & OVSDB_IDL_MONITOR)) {
        idl_log(state->table->idl, OVSDB_IDL_LOG_ERR,
                "column %s of table %s is not replicated: cannot verify it",
                column->name, state->table->class->name);
        return;
    }
    change = get_change(row, column);
    if (change) {
        change->verified = true;
    }
}

void
ovsdb_idl_delete(const struct ovsdb_idl_row *row)
{
    struct ovsdb_idl_row_state *state = row->state;
    struct ovsdb_idl *idl = state->table->idl;
    struct ovsdb_idl_txn *txn = idl->txn;

    if (!txn || !state->slot || state->dead || state->deleted) {
        return;
    }
    indexes_remove(state);
    if (state->inserted) {
        struct txn_insert *insert = txn_find_insert(txn, &row->uuid);

        hash_table_remove(&txn->inserted, &insert->node);
        free(insert);
        list_remove(&state->txn_node);
        row_remove(state);
        list_push_back(&idl->doomed, &state->node);
        idl_settle(idl);
        return;
    }
    state->deleted = true;
    if (list_is_empty(&state->txn_node)) {
        list_push_back(&txn->rows, &state->txn_node);
    }
}

struct ovsdb_idl_row *
ovsdb_idl_insert(struct ovsdb_idl_txn *txn,
                 const struct ovsdb_idl_table_class *class,
                 const struct uuid *uuid)
{
    struct ovsdb_idl_table *table = idl_table(txn->idl, class);
    struct ovsdb_idl_row_state *row;
    struct txn_insert *insert;
    struct uuid random;
    struct slot *slot;

    if (txn->idl->txn != txn) {
        idl_log(txn->idl, OVSDB_IDL_LOG_ERR, "the transaction has ended");
        return NULL;
    }
    uuid_random(&random);
    slot = uuid ? slot_find(table, uuid) : NULL;
    if (slot && slot->live) {
        idl_log(txn->idl, OVSDB_IDL_LOG_ERR, "row " UUID_FMT " exists",
                UUID_ARGS(uuid));
        return NULL;
    }
    row = row_create(table, uuid ? uuid : &random);
    row->inserted = true;
    row->persist_uuid = uuid != NULL;
    row_add(row);
    structure_fill(row);
    indexes_add(row);
    list_push_back(&txn->rows, &row->txn_node);

    insert = xzalloc(sizeof *insert);
    insert->provisional = row->row->uuid;
    insert->row = row;
    hash_table_insert(&txn->inserted, &insert->node,
                      hash_uuid(&insert->provisional, txn->idl->seed));
    idl_settle(txn->idl);
    return row->row;
}

bool
ovsdb_idl_is_mutable(const struct ovsdb_idl_row *row,
                     const struct ovsdb_idl_column *column)
{
    return column->is_mutable || row->state->inserted;
}
