/* SPDX-License-Identifier: Apache-2.0 */
/* Taking what the server says into the replica: RFC 7047 section 4.1.6, and
 * update2 and update3 in ovsdb-server(7). */

#include "idl-private.h"

/* Finds a column by name.  Both sides mostly come in the same order: the
 * search begins after the last one found. */
static bool
find_column(const struct ovsdb_idl_table_class *class, const char *name,
            size_t *position)
{
    for (size_t i = 0; i < class->n_columns; i++) {
        size_t j = (*position + i) % class->n_columns;

        if (!strcmp(class->columns[j].name, name)) {
            *position = j;
            return true;
        }
    }
    return false;
}

static void
log_column(const struct ovsdb_idl_row_state *row, size_t column,
           const char *error)
{
    idl_log(row->table->idl, OVSDB_IDL_LOG_WARN,
            "error parsing column %s in row " UUID_FMT " in table %s: %s",
            row->table->class->columns[column].name,
            UUID_ARGS(&row->row->uuid), row->table->class->name, error);
}

/* Sets a column.  'd' is consumed. */
static bool
set_column(struct ovsdb_idl_row_state *row, size_t i, struct ovsdb_datum *d)
{
    const struct ovsdb_type *type = &row->table->class->columns[i].type;

    if (datum_equals(&row->data[i], d, type)) {
        datum_destroy(d, type);
        return false;
    }
    datum_destroy(&row->data[i], type);
    row->data[i] = *d;
    return true;
}

/* Changes a column by a difference.  For a column of one value at most, that
 * is the new value. */
static bool
change_column(struct ovsdb_idl_row_state *row, size_t i,
              const struct json *value, bool is_difference)
{
    const struct ovsdb_type *type = &row->table->class->columns[i].type;
    bool merge = is_difference && type->n_max > 1;
    const char *error;
    struct ovsdb_datum d;

    error = datum_from_json(&d, type, value, merge);
    if (!error && !merge) {
        return set_column(row, i, &d);
    } else if (!error) {
        error = datum_apply_diff(&row->data[i], &d, type);
        datum_destroy(&d, type);
    }
    if (error) {
        log_column(row, i, error);
    }
    return !error;
}

/* Notes a change, and fills the structure unless the column refers to rows.
 * Returns true if the program wants to know of it. */
static bool
column_changed(struct ovsdb_idl_row_state *row, size_t i,
               enum ovsdb_idl_change change, bool *references)
{
    if (type_is_reference(&row->table->class->columns[i].type)) {
        *references = true;
    } else {
        structure_fill_column(row, i);
    }
    if (!(row->table->modes[i] & OVSDB_IDL_ALERT)) {
        return false;
    }
    row_track_column(row, i, change);
    return true;
}

static bool
change_columns(struct ovsdb_idl_row_state *row, const struct json *values,
               bool is_difference, enum ovsdb_idl_change change)
{
    bool changed = false, references = false;
    size_t i = 0;

    for (unsigned int j = 0; j < values->n; j++) {
        const struct json_member *m = &values->members[j];

        if (!find_column(row->table->class, m->name, &i)) {
            continue;           /* A newer server may have more. */
        }
        if (change_column(row, i, &m->value, is_difference)) {
            changed |= column_changed(row, i, change, &references);
        }
        i = (i + 1) % row->table->class->n_columns;
    }
    if (references) {
        structure_fill_references(row);
    }
    return changed;
}

/* Columns that the full contents of a row leave out have their defaults. */
static bool
reset_missing(struct ovsdb_idl_row_state *row, const struct json *values)
{
    bool changed = false, references = false;

    for (size_t i = 0; i < row->table->class->n_columns; i++) {
        const struct ovsdb_idl_column *column = &row->table->class->columns[i];
        struct ovsdb_datum d;

        if (!json_get(values, column->name)) {
            datum_init_default(&d, &column->type);
            if (set_column(row, i, &d)) {
                changed |= column_changed(row, i, OVSDB_IDL_CHANGE_MODIFY,
                                          &references);
            }
        }
    }
    if (references) {
        structure_fill_references(row);
    }
    return changed;
}

/* The changes of a row.  They return false if the row is not as expected. */

static bool
modify_row(struct ovsdb_idl_row_state *row, const struct json *values,
           bool is_difference, bool is_all, bool *changed)
{
    if (!row || values->type != JSON_OBJECT) {
        return false;
    }
    indexes_remove(row);
    if (is_all) {
        *changed |= reset_missing(row, values);
    }
    *changed |= change_columns(row, values, is_difference,
                               OVSDB_IDL_CHANGE_MODIFY);
    indexes_add(row);
    return true;
}

static bool
insert_row(struct ovsdb_idl_table *table, const struct uuid *uuid,
           struct ovsdb_idl_row_state *existing, const struct json *values,
           bool *changed)
{
    struct ovsdb_idl_row_state *row;

    if (values->type != JSON_OBJECT) {
        return false;
    } else if (existing) {
        if (!existing->unseen) {
            return false;
        }
        existing->unseen = false;
        return modify_row(existing, values, false, true, changed);
    }
    row = row_create(table, uuid);
    row_add(row);
    change_columns(row, values, false, OVSDB_IDL_CHANGE_INSERT);
    row_track(row, OVSDB_IDL_CHANGE_INSERT);
    structure_fill(row);
    indexes_add(row);
    *changed = true;
    return true;
}

static bool
delete_row(struct ovsdb_idl_row_state *row, bool *changed)
{
    if (!row) {
        return false;
    }
    row_kill(row);
    *changed = true;
    return true;
}

static bool
update_row1(struct ovsdb_idl_table *table, const struct uuid *uuid,
            struct ovsdb_idl_row_state *row, const struct json *update,
            bool *changed)
{
    const struct json *old = json_get(update, "old");
    const struct json *new = json_get(update, "new");

    if (!new) {
        return delete_row(row, changed);
    }
    return (old ? modify_row(row, new, false, false, changed)
            : insert_row(table, uuid, row, new, changed));
}

static bool
update_row2(struct ovsdb_idl_table *table, const struct uuid *uuid,
            struct ovsdb_idl_row_state *row, const struct json *update,
            bool *changed)
{
    const struct json_member *m = update->members;

    if (update->type != JSON_OBJECT || update->n != 1) {
        return false;
    } else if (!strcmp(m->name, "initial") || !strcmp(m->name, "insert")) {
        return insert_row(table, uuid, row, &m->value, changed);
    } else if (!strcmp(m->name, "modify")) {
        return modify_row(row, &m->value, true, false, changed);
    }
    return !strcmp(m->name, "delete") && delete_row(row, changed);
}

static bool
update_table(struct ovsdb_idl_table *table, const struct json *rows,
             int version, bool *changed)
{
    if (rows->type != JSON_OBJECT) {
        return false;
    }
    for (unsigned int i = 0; i < rows->n; i++) {
        const struct json *update = &rows->members[i].value;
        struct uuid uuid;
        struct slot *slot;
        struct ovsdb_idl_row_state *row;

        if (!uuid_from_string(&uuid, rows->members[i].name)) {
            return false;
        }
        slot = slot_find(table, &uuid);
        row = slot ? slot->live : NULL;
        if (!(version == 1
              ? update_row1(table, &uuid, row, update, changed)
              : update_row2(table, &uuid, row, update, changed))) {
            idl_log(table->idl, OVSDB_IDL_LOG_ERR,
                    "row " UUID_FMT " of table %s is not as the server thinks",
                    UUID_ARGS(&uuid), table->class->name);
            return false;
        }
    }
    return true;
}

static bool
update_tables(struct ovsdb_idl *idl, const struct json *updates, int version,
              bool *changed)
{
    if (updates->type != JSON_OBJECT) {
        return false;
    }
    for (unsigned int i = 0; i < updates->n; i++) {
        const struct json_member *m = &updates->members[i];

        for (size_t j = 0; j < idl->class->n_tables; j++) {
            if (!strcmp(idl->class->tables[j].name, m->name)
                && !update_table(&idl->tables[j], &m->value, version,
                                 changed)) {
                return false;
            }
        }
    }
    return true;
}

/* All rows that there are must be in the new contents, or go. */
static void
mark_unseen(struct ovsdb_idl *idl)
{
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        struct ovsdb_idl_row_state *row;

        LIST_FOR_EACH (row, struct ovsdb_idl_row_state, node,
                       &idl->tables[i].rows) {
            row->unseen = true;
        }
    }
}

static void
delete_unseen(struct ovsdb_idl *idl, bool *changed)
{
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        struct ovsdb_idl_row_state *row;

        LIST_FOR_EACH_SAFE (row, struct ovsdb_idl_row_state, node,
                            &idl->tables[i].rows) {
            if (row->unseen) {
                row->unseen = false;
                delete_row(row, changed);
            }
        }
    }
}

bool
idl_update(struct ovsdb_idl *idl, const struct json *updates, int version,
           bool clear)
{
    bool changed = !idl->ever_connected;
    bool consistent;

    if (clear) {
        mark_unseen(idl);
    }
    consistent = update_tables(idl, updates, version, &changed);
    if (clear) {
        delete_unseen(idl, &changed);
        idl->condition_seqno += idl->restart_advance;
        idl->restart_advance = 0;
    }
    idl_settle(idl);
    idl->ever_connected = true;
    idl->change_seqno += changed;
    return consistent;
}
