/* SPDX-License-Identifier: Apache-2.0 */
/* Tables and columns: what to replicate, and reading it. */

#include "idl-private.h"

static struct ovsdb_idl_table *
table_of(const struct ovsdb_idl *idl, const struct ovsdb_idl_column *column)
{
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        const struct ovsdb_idl_table_class *class = &idl->class->tables[i];

        if (column >= class->columns
            && column < class->columns + class->n_columns) {
            return &idl->tables[i];
        }
    }
    return NULL;
}

/* The mode of a column.  One of another database's has none that matters. */
static unsigned char *
mode_of(struct ovsdb_idl *idl, const struct ovsdb_idl_column *column,
        unsigned char *unused)
{
    struct ovsdb_idl_table *table = table_of(idl, column);

    return table ? &table->modes[column_index(table, column)] : unused;
}

void
ovsdb_idl_add_table(struct ovsdb_idl *idl,
                    const struct ovsdb_idl_table_class *class)
{
    idl_table(idl, class)->wanted = true;
}

/* Rows that the column refers to are replicated too, at least their being. */
void
ovsdb_idl_add_column(struct ovsdb_idl *idl,
                     const struct ovsdb_idl_column *column)
{
    unsigned char unused;

    *mode_of(idl, column, &unused) |= OVSDB_IDL_MONITOR | OVSDB_IDL_ALERT;
    if (column->type.key.ref_table) {
        ovsdb_idl_add_table(idl, column->type.key.ref_table);
    }
    if (column->type.value.ref_table) {
        ovsdb_idl_add_table(idl, column->type.value.ref_table);
    }
}

void
ovsdb_idl_omit(struct ovsdb_idl *idl, const struct ovsdb_idl_column *column)
{
    unsigned char unused;

    *mode_of(idl, column, &unused) = 0;
}

void
ovsdb_idl_omit_alert(struct ovsdb_idl *idl,
                     const struct ovsdb_idl_column *column)
{
    unsigned char unused;
    unsigned char *mode = mode_of(idl, column, &unused);

    *mode = (unsigned char) (*mode & ~(OVSDB_IDL_ALERT | OVSDB_IDL_TRACK));
}

void
ovsdb_idl_set_write_changed_only(struct ovsdb_idl *idl,
                                 const struct ovsdb_idl_column *column,
                                 bool enable)
{
    unsigned char unused;
    unsigned char *mode = mode_of(idl, column, &unused);

    *mode = (unsigned char) (enable ? *mode | OVSDB_IDL_WRITE_CHANGED_ONLY
                             : *mode & ~OVSDB_IDL_WRITE_CHANGED_ONLY);
}

void
ovsdb_idl_set_write_changed_only_all(struct ovsdb_idl *idl, bool enable)
{
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        const struct ovsdb_idl_table_class *class = &idl->class->tables[i];

        for (size_t j = 0; j < class->n_columns; j++) {
            ovsdb_idl_set_write_changed_only(idl, &class->columns[j], enable);
        }
    }
}

bool
ovsdb_idl_server_has_table(const struct ovsdb_idl *idl,
                           const struct ovsdb_idl_table_class *class)
{
    return idl_table(idl, class)->in_server;
}

bool
ovsdb_idl_server_has_column(const struct ovsdb_idl *idl,
                            const struct ovsdb_idl_column *column)
{
    const struct ovsdb_idl_table *table = table_of(idl, column);

    return table && table->in_server_columns[column_index(table, column)];
}

/* Reading. */

/* The first row from 'node' on that the transaction has not deleted. */
static const struct ovsdb_idl_row *
next_row(const struct ovsdb_idl_table *table, const struct list *node)
{
    for (; node != &table->rows; node = node->next) {
        const struct ovsdb_idl_row_state *row = CONTAINER_OF(
            node, struct ovsdb_idl_row_state, node);

        if (!row->deleted) {
            return row->row;
        }
    }
    return NULL;
}

const struct ovsdb_idl_table *
ovsdb_idl_table_get(const struct ovsdb_idl *idl,
                    const struct ovsdb_idl_table_class *class)
{
    return idl_table(idl, class);
}

const struct ovsdb_idl_row *
ovsdb_idl_table_first(const struct ovsdb_idl_table *table)
{
    return next_row(table, table->rows.next);
}

const struct ovsdb_idl_row *
ovsdb_idl_first_row(const struct ovsdb_idl *idl,
                    const struct ovsdb_idl_table_class *class)
{
    return ovsdb_idl_table_first(idl_table(idl, class));
}

const struct ovsdb_idl_row *
ovsdb_idl_next_row(const struct ovsdb_idl_row *row)
{
    return row->state->dead ? NULL : next_row(row->state->table,
                                              row->state->node.next);
}

const struct ovsdb_idl_row *
ovsdb_idl_table_get_for_uuid(const struct ovsdb_idl_table *table,
                             const struct uuid *uuid)
{
    const struct slot *slot = slot_find(table, uuid);

    return slot && slot->live && !slot->live->deleted ? slot->live->row : NULL;
}

const struct ovsdb_idl_row *
ovsdb_idl_get_row_for_uuid(const struct ovsdb_idl *idl,
                           const struct ovsdb_idl_table_class *class,
                           const struct uuid *uuid)
{
    return ovsdb_idl_table_get_for_uuid(idl_table(idl, class), uuid);
}

const struct ovsdb_datum *
ovsdb_idl_read(const struct ovsdb_idl_row *row,
               const struct ovsdb_idl_column *column)
{
    return row_read(row->state, column_index(row->state->table, column));
}
