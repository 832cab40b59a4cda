/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVSDB_CLIENT_DATUM_H
#define OVSDB_CLIENT_DATUM_H 1

/* Atoms, types and data: RFC 7047 section 3.2 and 5.1. */

#include <ovsdb-client/uuid.h>

#ifdef __cplusplus
extern "C" {
#endif

enum ovsdb_atomic_type {
    OVSDB_TYPE_VOID,            /* The value type of what isn't a map. */
    OVSDB_TYPE_INTEGER,         /* int64_t. */
    OVSDB_TYPE_REAL,            /* double. */
    OVSDB_TYPE_BOOLEAN,         /* bool. */
    OVSDB_TYPE_STRING,          /* UTF-8 without NUL. */
    OVSDB_TYPE_UUID             /* struct uuid. */
};

union ovsdb_atom {
    int64_t integer;
    double real;
    bool boolean;
    char *string;
    struct uuid uuid;
};

struct ovsdb_idl_table_class;

/* The type of a key or a value. */
struct ovsdb_base_type {
    enum ovsdb_atomic_type type;

    /* For OVSDB_TYPE_UUID, the table whose rows it refers to, or NULL. */
    const struct ovsdb_idl_table_class *ref_table;
};

/* The type of a column. */
struct ovsdb_type {
    struct ovsdb_base_type key;
    struct ovsdb_base_type value;
    unsigned int n_min;         /* 0 or 1. */
    unsigned int n_max;         /* UINT_MAX if unlimited. */
};

/* What one column of one row holds.  The keys are sorted and distinct. */
struct ovsdb_datum {
    unsigned int n;
    union ovsdb_atom *keys;
    union ovsdb_atom *values;   /* NULL if not a map. */
};

/* How a client compares a column with a value in a condition. */
enum ovsdb_function {
    OVSDB_F_EQ,
    OVSDB_F_NE,
    OVSDB_F_LT,
    OVSDB_F_LE,
    OVSDB_F_GT,
    OVSDB_F_GE,
    OVSDB_F_INCLUDES,
    OVSDB_F_EXCLUDES
};

#ifdef __cplusplus
}
#endif

#endif /* ovsdb-client/datum.h */
