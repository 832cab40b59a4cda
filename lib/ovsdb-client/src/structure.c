/* SPDX-License-Identifier: Apache-2.0 */
/* Filling the structures that programs see from data.
 *
 * The generated description of a column says where its member is; what kind of
 * member follows from the column's type:
 *
 *   a map from strings to strings    struct smap
 *   exactly one                      the thing itself, twice for a map
 *   an optional string or reference  a pointer, NULL if empty
 *   anything else                    arrays, and their number */

#include "idl-private.h"

static void *
member(struct ovsdb_idl_row *row, size_t offset)
{
    return (char *) row + offset;
}

static size_t
element_size(const struct ovsdb_base_type *base)
{
    switch (base->type) {
    case OVSDB_TYPE_INTEGER:
        return sizeof(int64_t);
    case OVSDB_TYPE_REAL:
        return sizeof(double);
    case OVSDB_TYPE_BOOLEAN:
        return sizeof(bool);
    case OVSDB_TYPE_STRING:
        return sizeof(char *);
    case OVSDB_TYPE_UUID:
        return base->ref_table ? sizeof(void *) : sizeof(struct uuid);
    case OVSDB_TYPE_VOID:
        break;
    }
    return 0;
}

/* Stores an atom as element 'i' of an array.  If it's a reference, 'target' is
 * the row. */
static void
store(void *array, size_t i, const union ovsdb_atom *atom,
      const struct ovsdb_base_type *base, struct ovsdb_idl_row *target)
{
    char *p = (char *) array + i * element_size(base);

    switch (base->type) {
    case OVSDB_TYPE_INTEGER:
        memcpy(p, &atom->integer, sizeof atom->integer);
        break;
    case OVSDB_TYPE_REAL:
        memcpy(p, &atom->real, sizeof atom->real);
        break;
    case OVSDB_TYPE_BOOLEAN:
        memcpy(p, &atom->boolean, sizeof atom->boolean);
        break;
    case OVSDB_TYPE_STRING:
        memcpy(p, &atom->string, sizeof atom->string);
        break;
    case OVSDB_TYPE_UUID:
        if (base->ref_table) {
            memcpy(p, &target, sizeof target);
        } else {
            memcpy(p, &atom->uuid, sizeof atom->uuid);
        }
        break;
    case OVSDB_TYPE_VOID:
        break;
    }
}

/* Looks up what an atom refers to.  Returns false if that is a row that isn't
 * there. */
static bool
resolve(struct ovsdb_idl_row_state *row, const union ovsdb_atom *atom,
        const struct ovsdb_base_type *base, struct ovsdb_idl_row **target)
{
    struct ovsdb_idl_row_state *found;
    struct ovsdb_idl_table *table;
    struct slot *slot;

    *target = NULL;
    if (!base->ref_table) {
        return true;
    }
    table = idl_table(row->table->idl, base->ref_table);
    slot = (row->slot ? slot_refer(row, table, &atom->uuid)
            : slot_find(table, &atom->uuid));
    found = !slot ? NULL : slot->live || !row->dead ? slot->live : slot->dead;
    *target = found ? found->row : NULL;
    return found != NULL;
}

static void
clear_column(struct ovsdb_idl_row *row, const struct ovsdb_idl_column *column)
{
    const struct ovsdb_type *type = &column->type;

    if (type_is_smap(type)) {
        struct smap *smap = member(row, column->key_offset);

        free(smap->nodes);      /* The strings are the datum's. */
        smap_init(smap);
    } else if (type_is_scalar(type) || type_is_optional_pointer(type)) {
        union ovsdb_atom none;

        memset(&none, 0, sizeof none);
        if (type->n_min && type->key.type == OVSDB_TYPE_STRING) {
            none.string = (char *) (uintptr_t) "";
        }
        store(member(row, column->key_offset), 0, &none, &type->key, NULL);
        if (type_is_map(type)) {
            memset(&none, 0, sizeof none);
            if (type->value.type == OVSDB_TYPE_STRING) {
                none.string = (char *) (uintptr_t) "";
            }
            store(member(row, column->value_offset), 0, &none, &type->value,
                  NULL);
        }
    } else {
        void *none = NULL;
        void *array;

        memcpy(&array, member(row, column->key_offset), sizeof array);
        free(array);
        memcpy(member(row, column->key_offset), &none, sizeof none);
        if (type_is_map(type)) {
            memcpy(&array, member(row, column->value_offset), sizeof array);
            free(array);
            memcpy(member(row, column->value_offset), &none, sizeof none);
        }
        *(size_t *) member(row, column->n_offset) = 0;
    }
}

static void
fill_smap(struct smap *smap, const struct ovsdb_datum *d)
{
    smap->n = smap->n_allocated = d->n;
    smap->nodes = xmalloc_array(d->n, sizeof *smap->nodes);
    for (unsigned int i = 0; i < d->n; i++) {
        smap->nodes[i].key = d->keys[i].string;
        smap->nodes[i].value = d->values[i].string;
    }
}

/* Stores the elements whose references resolve, and returns their number. */
static size_t
fill_elements(struct ovsdb_idl_row_state *row, const struct ovsdb_type *type,
              const struct ovsdb_datum *d, void *keys, void *values)
{
    size_t n = 0;

    for (unsigned int i = 0; i < d->n; i++) {
        struct ovsdb_idl_row *key, *value = NULL;

        if (resolve(row, &d->keys[i], &type->key, &key)
            && (!d->values
                || resolve(row, &d->values[i], &type->value, &value))) {
            store(keys, n, &d->keys[i], &type->key, key);
            if (d->values) {
                store(values, n, &d->values[i], &type->value, value);
            }
            n++;
        }
    }
    return n;
}

static void
fill_arrays(struct ovsdb_idl_row_state *row,
            const struct ovsdb_idl_column *column, const struct ovsdb_datum *d)
{
    const struct ovsdb_type *type = &column->type;
    void *keys = xmalloc_array(d->n, element_size(&type->key));
    void *values = (type_is_map(type)
                    ? xmalloc_array(d->n, element_size(&type->value)) : NULL);
    size_t n = fill_elements(row, type, d, keys, values);

    memcpy(member(row->row, column->key_offset), &keys, sizeof keys);
    if (type_is_map(type)) {
        memcpy(member(row->row, column->value_offset), &values,
               sizeof values);
    }
    *(size_t *) member(row->row, column->n_offset) = n;
}

void
structure_fill_column(struct ovsdb_idl_row_state *row, size_t i)
{
    const struct ovsdb_idl_column *column = &row->table->class->columns[i];
    const struct ovsdb_type *type = &column->type;
    const struct ovsdb_datum *d = row_read(row, i);

    clear_column(row->row, column);
    if (type_is_smap(type)) {
        fill_smap(member(row->row, column->key_offset), d);
    } else if (type_is_scalar(type) || type_is_optional_pointer(type)) {
        if (d->n == 1) {
            fill_elements(row, type, d, member(row->row, column->key_offset),
                          member(row->row, column->value_offset));
        }
    } else {
        fill_arrays(row, column, d);
    }
}

/* Fills all columns that refer to rows, since a row's references are known
 * only together. */
void
structure_fill_references(struct ovsdb_idl_row_state *row)
{
    const struct ovsdb_idl_table_class *class = row->table->class;
    struct arc *old = row->arcs, *new;

    if (!row->table->has_references) {
        return;
    }
    row->arcs = NULL;           /* The old ones keep the slots for now. */
    for (size_t i = 0; i < class->n_columns; i++) {
        if (type_is_reference(&class->columns[i].type)) {
            structure_fill_column(row, i);
        }
    }
    new = row->arcs;
    row->arcs = old;
    row_drop_arcs(row);
    row->arcs = new;
}

void
structure_fill(struct ovsdb_idl_row_state *row)
{
    const struct ovsdb_idl_table_class *class = row->table->class;

    for (size_t i = 0; i < class->n_columns; i++) {
        if (!type_is_reference(&class->columns[i].type)) {
            structure_fill_column(row, i);
        }
    }
    structure_fill_references(row);
}

void
structure_init(struct ovsdb_idl_row *row,
               const struct ovsdb_idl_table_class *class)
{
    memset(row, 0, class->allocation_size);
    for (size_t i = 0; i < class->n_columns; i++) {
        clear_column(row, &class->columns[i]);
    }
}

void
structure_uninit(struct ovsdb_idl_row *row,
                 const struct ovsdb_idl_table_class *class)
{
    for (size_t i = 0; i < class->n_columns; i++) {
        clear_column(row, &class->columns[i]);
    }
}

void
ovsdb_idl_init_row(struct ovsdb_idl_row *row,
                   const struct ovsdb_idl_table_class *class)
{
    structure_init(row, class);
}
