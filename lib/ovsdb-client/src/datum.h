/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DATUM_H
#define DATUM_H 1

/* Atoms and data: memory, JSON, order and differences.
 *
 * A datum's keys are sorted and distinct, so that equal data have equal
 * arrays and a difference is applied by merging.  'keys' and 'values' lie in
 * one piece of memory, which 'keys' points to. */

#include "json.h"
#include "ovsdb-client/datum.h"
#include "ovsdb-client/smap.h"

/* What a key refers to while it is printed: see datum_print(). */
typedef bool datum_name_func(const void *aux, const struct uuid *,
                             struct strbuf *);

int atom_compare(const union ovsdb_atom *, const union ovsdb_atom *,
                 enum ovsdb_atomic_type);
void atom_clone(union ovsdb_atom *, const union ovsdb_atom *,
                enum ovsdb_atomic_type);
void atom_destroy(union ovsdb_atom *, enum ovsdb_atomic_type);

/* The atom that element 'i' of a C array of the type is.  A string is not
 * copied.  References are struct uuid, or if 'rows' pointers to rows. */
void atom_from_array(union ovsdb_atom *, const struct ovsdb_base_type *,
                     const void *array, size_t i, bool rows);

void datum_init_empty(struct ovsdb_datum *);
void datum_init_default(struct ovsdb_datum *, const struct ovsdb_type *);
void datum_clone(struct ovsdb_datum *, const struct ovsdb_datum *,
                 const struct ovsdb_type *);
void datum_destroy(struct ovsdb_datum *, const struct ovsdb_type *);
int datum_compare(const struct ovsdb_datum *, const struct ovsdb_datum *,
                  const struct ovsdb_type *);
bool datum_equals(const struct ovsdb_datum *, const struct ovsdb_datum *,
                  const struct ovsdb_type *);
bool datum_is_default(const struct ovsdb_datum *, const struct ovsdb_type *);

/* Parses JSON.  Returns NULL or what is wrong with it.  A difference may have
 * any number of elements. */
const char *datum_from_json(struct ovsdb_datum *, const struct ovsdb_type *,
                            const struct json *, bool is_difference);

/* Makes a datum of C arrays, as <ovsdb-client/generated.h> describes. */
void datum_from_arrays(struct ovsdb_datum *, const struct ovsdb_type *,
                       const void *keys, const void *values, size_t n,
                       bool rows);

void datum_from_smap(struct ovsdb_datum *, const struct smap *);

/* Prints a datum as JSON.  'name', unless NULL, may print something instead of
 * a UUID, and then returns true. */
void datum_print(struct strbuf *, const struct ovsdb_datum *,
                 const struct ovsdb_type *, datum_name_func *name,
                 const void *aux);
void datum_print_atom(struct strbuf *, const union ovsdb_atom *,
                      enum ovsdb_atomic_type, datum_name_func *name,
                      const void *aux);

/* Finds a key.  Returns true and its index, or false. */
bool datum_find(const struct ovsdb_datum *, const union ovsdb_atom *key,
                const struct ovsdb_type *, unsigned int *index);

/* Adds copies of a key and a value, or gives the key its new value. */
void datum_put(struct ovsdb_datum *, const struct ovsdb_type *,
               const union ovsdb_atom *key, const union ovsdb_atom *value);
void datum_remove(struct ovsdb_datum *, const struct ovsdb_type *,
                  unsigned int index);

/* Changes 'datum' by an update2's difference.  Returns NULL or what is wrong:
 * then 'datum' is as it was. */
const char *datum_apply_diff(struct ovsdb_datum *,
                             const struct ovsdb_datum *difference,
                             const struct ovsdb_type *);

static inline bool
type_is_map(const struct ovsdb_type *type)
{
    return type->value.type != OVSDB_TYPE_VOID;
}

static inline bool
type_is_smap(const struct ovsdb_type *type)
{
    return (type->key.type == OVSDB_TYPE_STRING
            && type->value.type == OVSDB_TYPE_STRING);
}

/* Whether it refers to rows. */
static inline bool
type_is_reference(const struct ovsdb_type *type)
{
    return type->key.ref_table || type->value.ref_table;
}

/* Always exactly one. */
static inline bool
type_is_scalar(const struct ovsdb_type *type)
{
    return type->n_min == 1 && type->n_max == 1;
}

/* A pointer that is NULL if the column is empty. */
static inline bool
type_is_optional_pointer(const struct ovsdb_type *type)
{
    return (!type->n_min && type->n_max == 1 && !type_is_map(type)
            && (type->key.type == OVSDB_TYPE_STRING || type->key.ref_table));
}

#endif /* datum.h */
