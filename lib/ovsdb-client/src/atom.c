/* SPDX-License-Identifier: Apache-2.0 */
#include "datum.h"

#include "ovsdb-client/idl.h"

int
atom_compare(const union ovsdb_atom *a, const union ovsdb_atom *b,
             enum ovsdb_atomic_type type)
{
    switch (type) {
    case OVSDB_TYPE_INTEGER:
        return (a->integer > b->integer) - (a->integer < b->integer);
    case OVSDB_TYPE_REAL:
        return (a->real > b->real) - (a->real < b->real);
    case OVSDB_TYPE_BOOLEAN:
        return a->boolean - b->boolean;
    case OVSDB_TYPE_STRING:
        return strcmp(a->string, b->string);
    case OVSDB_TYPE_UUID:
        return uuid_compare_3way(&a->uuid, &b->uuid);
    case OVSDB_TYPE_VOID:
        break;
    }
    return 0;
}

void
atom_clone(union ovsdb_atom *dst, const union ovsdb_atom *src,
           enum ovsdb_atomic_type type)
{
    *dst = *src;
    if (type == OVSDB_TYPE_STRING) {
        dst->string = xstrdup(src->string);
    }
}

void
atom_destroy(union ovsdb_atom *atom, enum ovsdb_atomic_type type)
{
    if (type == OVSDB_TYPE_STRING) {
        free(atom->string);
    }
}

void
atom_from_array(union ovsdb_atom *atom, const struct ovsdb_base_type *base,
                const void *array, size_t i, bool rows)
{
    memset(atom, 0, sizeof *atom);
    switch (base->type) {
    case OVSDB_TYPE_INTEGER:
        atom->integer = ((const int64_t *) array)[i];
        break;
    case OVSDB_TYPE_REAL:
        atom->real = ((const double *) array)[i];
        break;
    case OVSDB_TYPE_BOOLEAN:
        atom->boolean = ((const bool *) array)[i];
        break;
    case OVSDB_TYPE_STRING:
        memcpy(&atom->string, (const char *) array + i * sizeof(char *),
               sizeof atom->string);
        break;
    case OVSDB_TYPE_UUID:
        if (base->ref_table && rows) {
            const struct ovsdb_idl_row *row;

            memcpy(&row, (const char *) array + i * sizeof row, sizeof row);
            atom->uuid = row->uuid;
        } else {
            atom->uuid = ((const struct uuid *) array)[i];
        }
        break;
    case OVSDB_TYPE_VOID:
        break;
    }
}

void
datum_print_atom(struct strbuf *b, const union ovsdb_atom *atom,
                 enum ovsdb_atomic_type type, datum_name_func *name,
                 const void *aux)
{
    switch (type) {
    case OVSDB_TYPE_INTEGER:
        strbuf_printf(b, "%lld", (long long int) atom->integer);
        break;
    case OVSDB_TYPE_REAL:
        json_print_real(b, atom->real);
        break;
    case OVSDB_TYPE_BOOLEAN:
        strbuf_puts(b, atom->boolean ? "true" : "false");
        break;
    case OVSDB_TYPE_STRING:
        json_print_string(b, atom->string);
        break;
    case OVSDB_TYPE_UUID:
        if (!name || !name(aux, &atom->uuid, b)) {
            json_print_uuid(b, &atom->uuid);
        }
        break;
    case OVSDB_TYPE_VOID:
        break;
    }
}
