/* SPDX-License-Identifier: Apache-2.0 */
#include "datum.h"

#include <limits.h>

/* A key with its value, while a datum is being made. */
struct pair {
    union ovsdb_atom key;
    union ovsdb_atom value;
};

void
datum_init_empty(struct ovsdb_datum *d)
{
    memset(d, 0, sizeof *d);
}

/* Makes room for 'n' elements. */
static void
datum_init(struct ovsdb_datum *d, const struct ovsdb_type *type, size_t n)
{
    bool is_map = type_is_map(type);

    xcheck(n <= UINT_MAX ? d : NULL);
    d->n = (unsigned int) n;
    d->keys = n ? xmalloc_array(n * (is_map ? 2 : 1), sizeof *d->keys) : NULL;
    d->values = n && is_map ? d->keys + n : NULL;
}

void
datum_init_default(struct ovsdb_datum *d, const struct ovsdb_type *type)
{
    union ovsdb_atom zero, empty = { .string = (char[]) { "" } };

    memset(&zero, 0, sizeof zero);
    datum_init(d, type, type->n_min ? 1 : 0);
    if (d->n) {
        atom_clone(d->keys,
                   type->key.type == OVSDB_TYPE_STRING ? &empty : &zero,
                   type->key.type);
    }
    if (d->values) {
        atom_clone(d->values,
                   type->value.type == OVSDB_TYPE_STRING ? &empty : &zero,
                   type->value.type);
    }
}

void
datum_clone(struct ovsdb_datum *d, const struct ovsdb_datum *src,
            const struct ovsdb_type *type)
{
    datum_init(d, type, src->n);
    for (unsigned int i = 0; i < d->n; i++) {
        atom_clone(&d->keys[i], &src->keys[i], type->key.type);
        if (d->values) {
            atom_clone(&d->values[i], &src->values[i], type->value.type);
        }
    }
}

void
datum_destroy(struct ovsdb_datum *d, const struct ovsdb_type *type)
{
    for (unsigned int i = 0; i < d->n; i++) {
        atom_destroy(&d->keys[i], type->key.type);
        if (d->values) {
            atom_destroy(&d->values[i], type->value.type);
        }
    }
    free(d->keys);
    datum_init_empty(d);
}

/* Compares element by element, then by number, like strcmp(). */
int
datum_compare(const struct ovsdb_datum *a, const struct ovsdb_datum *b,
              const struct ovsdb_type *type)
{
    for (unsigned int i = 0; i < a->n && i < b->n; i++) {
        int order = atom_compare(&a->keys[i], &b->keys[i], type->key.type);

        if (!order && a->values) {
            order = atom_compare(&a->values[i], &b->values[i],
                                 type->value.type);
        }
        if (order) {
            return order;
        }
    }
    return (a->n > b->n) - (a->n < b->n);
}

bool
datum_equals(const struct ovsdb_datum *a, const struct ovsdb_datum *b,
             const struct ovsdb_type *type)
{
    return a->n == b->n && !datum_compare(a, b, type);
}

bool
datum_is_default(const struct ovsdb_datum *d, const struct ovsdb_type *type)
{
    struct ovsdb_datum def;
    bool equal;

    datum_init_default(&def, type);
    equal = datum_equals(d, &def, type);
    datum_destroy(&def, type);
    return equal;
}

/* Sorting.  qsort() has no argument for the type. */

#define COMPARE_PAIRS(NAME, TYPE)                                       \
    static int                                                          \
    NAME(const void *a, const void *b)                                  \
    {                                                                   \
        return atom_compare(&((const struct pair *) a)->key,            \
                            &((const struct pair *) b)->key, TYPE);     \
    }

COMPARE_PAIRS(compare_integers, OVSDB_TYPE_INTEGER)
COMPARE_PAIRS(compare_reals, OVSDB_TYPE_REAL)
COMPARE_PAIRS(compare_booleans, OVSDB_TYPE_BOOLEAN)
COMPARE_PAIRS(compare_strings, OVSDB_TYPE_STRING)
COMPARE_PAIRS(compare_uuids, OVSDB_TYPE_UUID)

static void
sort_pairs(struct pair *pairs, size_t n, enum ovsdb_atomic_type type)
{
    static int (*const compare[])(const void *, const void *) = {
        [OVSDB_TYPE_INTEGER] = compare_integers,
        [OVSDB_TYPE_REAL] = compare_reals,
        [OVSDB_TYPE_BOOLEAN] = compare_booleans,
        [OVSDB_TYPE_STRING] = compare_strings,
        [OVSDB_TYPE_UUID] = compare_uuids,
    };

    if (n > 1) {
        qsort(pairs, n, sizeof *pairs, compare[type]);
    }
}

static void
destroy_pairs(struct pair *pairs, size_t n, const struct ovsdb_type *type)
{
    for (size_t i = 0; i < n; i++) {
        atom_destroy(&pairs[i].key, type->key.type);
        atom_destroy(&pairs[i].value, type->value.type);
    }
    free(pairs);
}

/* Makes a datum of 'n' pairs, which are consumed.  Returns false if there were
 * duplicate keys; the datum then has the first of each. */
static bool
datum_from_pairs(struct ovsdb_datum *d, const struct ovsdb_type *type,
                 struct pair *pairs, size_t n)
{
    size_t kept = 0;
    bool distinct;

    sort_pairs(pairs, n, type->key.type);
    for (size_t i = 0; i < n; i++) {
        if (kept && !atom_compare(&pairs[kept - 1].key, &pairs[i].key,
                                  type->key.type)) {
            atom_destroy(&pairs[i].key, type->key.type);
            atom_destroy(&pairs[i].value, type->value.type);
        } else {
            pairs[kept++] = pairs[i];
        }
    }
    distinct = kept == n;
    datum_init(d, type, kept);
    for (size_t i = 0; i < kept; i++) {
        d->keys[i] = pairs[i].key;
        if (d->values) {
            d->values[i] = pairs[i].value;
        }
    }
    free(pairs);
    return distinct;
}

/* JSON. */

static const char *
atom_from_json(union ovsdb_atom *atom, const struct json *json,
               enum ovsdb_atomic_type type)
{
    memset(atom, 0, sizeof *atom);
    switch (type) {
    case OVSDB_TYPE_VOID:
        return NULL;
    case OVSDB_TYPE_INTEGER:
        atom->integer = json->integer;
        return json->type == JSON_INTEGER ? NULL : "expected integer";
    case OVSDB_TYPE_REAL:
        if (json->type == JSON_INTEGER) {
            atom->real = (double) json->integer;
            return NULL;
        }
        atom->real = json->real;
        return json->type == JSON_REAL ? NULL : "expected real";
    case OVSDB_TYPE_BOOLEAN:
        atom->boolean = json->type == JSON_TRUE;
        return (json->type == JSON_TRUE || json->type == JSON_FALSE
                ? NULL : "expected boolean");
    case OVSDB_TYPE_STRING:
        if (json->type != JSON_STRING) {
            return "expected string";
        }
        atom->string = xmemdup(json->string, (size_t) json->n + 1);
        return NULL;
    case OVSDB_TYPE_UUID:
        if (json->type != JSON_ARRAY || json->n != 2
            || !json_is_string(&json->elements[0], "uuid")
            || json->elements[1].type != JSON_STRING
            || !uuid_from_string(&atom->uuid, json->elements[1].string)) {
            return "expected [\"uuid\", <string>]";
        }
        return NULL;
    }
    return "unknown type";
}

static const char *
pair_from_json(struct pair *pair, const struct json *json,
               const struct ovsdb_type *type)
{
    const char *error;

    if (!type_is_map(type)) {
        pair->value.integer = 0;
        return atom_from_json(&pair->key, json, type->key.type);
    } else if (json->type != JSON_ARRAY || json->n != 2) {
        return "expected 2-element array";
    }
    error = atom_from_json(&pair->key, &json->elements[0], type->key.type);
    if (!error) {
        error = atom_from_json(&pair->value, &json->elements[1],
                               type->value.type);
        if (error) {
            atom_destroy(&pair->key, type->key.type);
        }
    }
    return error;
}

const char *
datum_from_json(struct ovsdb_datum *d, const struct ovsdb_type *type,
                const struct json *json, bool is_difference)
{
    const char *tag = type_is_map(type) ? "map" : "set";
    const struct json *elements = json;
    struct pair *pairs;
    size_t n = 1;

    datum_init_empty(d);
    if (json->type == JSON_ARRAY && json->n == 2
        && json_is_string(&json->elements[0], tag)
        && json->elements[1].type == JSON_ARRAY) {
        elements = json->elements[1].elements;
        n = json->elements[1].n;
    } else if (type_is_map(type)) {
        return "expected [\"map\", <array>]";
    }
    if (!is_difference && (n < type->n_min || n > type->n_max)) {
        return "wrong number of elements";
    }
    pairs = xmalloc_array(n, sizeof *pairs);
    for (size_t i = 0; i < n; i++) {
        const char *error = pair_from_json(&pairs[i], &elements[i], type);

        if (error) {
            destroy_pairs(pairs, i, type);
            return error;
        }
    }
    if (!datum_from_pairs(d, type, pairs, n)) {
        datum_destroy(d, type);
        return "duplicate key";
    }
    return NULL;
}

void
datum_print(struct strbuf *b, const struct ovsdb_datum *d,
            const struct ovsdb_type *type, datum_name_func *name,
            const void *aux)
{
    if (d->n == 1 && !type_is_map(type)) {
        datum_print_atom(b, d->keys, type->key.type, name, aux);
        return;
    }
    strbuf_puts(b, type_is_map(type) ? "[\"map\",[" : "[\"set\",[");
    for (unsigned int i = 0; i < d->n; i++) {
        if (i) {
            strbuf_putc(b, ',');
        }
        if (d->values) {
            strbuf_putc(b, '[');
        }
        datum_print_atom(b, &d->keys[i], type->key.type, name, aux);
        if (d->values) {
            strbuf_putc(b, ',');
            datum_print_atom(b, &d->values[i], type->value.type, name, aux);
            strbuf_putc(b, ']');
        }
    }
    strbuf_puts(b, "]]");
}

/* C arrays. */

void
datum_from_arrays(struct ovsdb_datum *d, const struct ovsdb_type *type,
                  const void *keys, const void *values, size_t n, bool rows)
{
    struct pair *pairs = xmalloc_array(n, sizeof *pairs);

    for (size_t i = 0; i < n; i++) {
        union ovsdb_atom atom;

        atom_from_array(&atom, &type->key, keys, i, rows);
        atom_clone(&pairs[i].key, &atom, type->key.type);
        pairs[i].value.integer = 0;
        if (type_is_map(type)) {
            atom_from_array(&atom, &type->value, values, i, rows);
            atom_clone(&pairs[i].value, &atom, type->value.type);
        }
    }
    datum_from_pairs(d, type, pairs, n);
}

/* An smap is sorted already, in the same order.  NULL is an empty one. */
void
datum_from_smap(struct ovsdb_datum *d, const struct smap *smap)
{
    static const struct ovsdb_type type = {
        .key = { .type = OVSDB_TYPE_STRING },
        .value = { .type = OVSDB_TYPE_STRING },
    };

    datum_init(d, &type, smap ? smap->n : 0);
    for (unsigned int i = 0; i < d->n; i++) {
        d->keys[i].string = xstrdup(smap->nodes[i].key);
        d->values[i].string = xstrdup(smap->nodes[i].value);
    }
}

/* Single elements. */

bool
datum_find(const struct ovsdb_datum *d, const union ovsdb_atom *key,
           const struct ovsdb_type *type, unsigned int *index)
{
    unsigned int low = 0, high = d->n;

    while (low < high) {
        unsigned int middle = low + (high - low) / 2;
        int order = atom_compare(&d->keys[middle], key, type->key.type);

        if (!order) {
            *index = middle;
            return true;
        } else if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *index = low;
    return false;
}

void
datum_put(struct ovsdb_datum *d, const struct ovsdb_type *type,
          const union ovsdb_atom *key, const union ovsdb_atom *value)
{
    struct ovsdb_datum new;
    unsigned int i;

    if (datum_find(d, key, type, &i)) {
        if (d->values) {
            atom_destroy(&d->values[i], type->value.type);
            atom_clone(&d->values[i], value, type->value.type);
        }
        return;
    }
    datum_init(&new, type, (size_t) d->n + 1);
    for (unsigned int j = 0; j < d->n; j++) {
        new.keys[j + (j >= i)] = d->keys[j];
        if (d->values) {
            new.values[j + (j >= i)] = d->values[j];
        }
    }
    atom_clone(&new.keys[i], key, type->key.type);
    if (new.values) {
        atom_clone(&new.values[i], value, type->value.type);
    }
    free(d->keys);
    *d = new;
}

void
datum_remove(struct ovsdb_datum *d, const struct ovsdb_type *type,
             unsigned int i)
{
    size_t rest = d->n - i - 1;

    atom_destroy(&d->keys[i], type->key.type);
    memmove(&d->keys[i], &d->keys[i + 1], rest * sizeof *d->keys);
    if (d->values) {
        atom_destroy(&d->values[i], type->value.type);
        memmove(&d->values[i], &d->values[i + 1], rest * sizeof *d->values);
    }
    d->n--;
    if (!d->n) {
        free(d->keys);
        datum_init_empty(d);
    }
}

/* Differences. */

static void
append_copy(struct ovsdb_datum *to, const struct ovsdb_datum *from,
            unsigned int i, const struct ovsdb_type *type)
{
    atom_clone(&to->keys[to->n], &from->keys[i], type->key.type);
    if (to->values) {
        atom_clone(&to->values[to->n], &from->values[i], type->value.type);
    }
    to->n++;
}

/* Merges: what only one of both has stays; a key of both goes, unless the
 * difference has a new value for it. */
const char *
datum_apply_diff(struct ovsdb_datum *d, const struct ovsdb_datum *diff,
                 const struct ovsdb_type *type)
{
    unsigned int i = 0, j = 0;
    struct ovsdb_datum new;

    datum_init(&new, type, (size_t) d->n + diff->n);
    new.n = 0;
    while (i < d->n || j < diff->n) {
        int order = i >= d->n ? 1 : j >= diff->n ? -1
                    : atom_compare(&d->keys[i], &diff->keys[j],
                                   type->key.type);

        if (order < 0) {
            append_copy(&new, d, i++, type);
        } else if (order > 0) {
            append_copy(&new, diff, j++, type);
        } else {
            if (d->values && atom_compare(&d->values[i], &diff->values[j],
                                          type->value.type)) {
                append_copy(&new, diff, j, type);
            }
            i++;
            j++;
        }
    }
    if (!new.n) {
        free(new.keys);
        datum_init_empty(&new);
    }
    if (new.n < type->n_min || new.n > type->n_max) {
        datum_destroy(&new, type);
        return "difference leads to a wrong number of elements";
    }
    datum_destroy(d, type);
    *d = new;
    return NULL;
}
