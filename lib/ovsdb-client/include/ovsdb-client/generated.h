/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVSDB_CLIENT_GENERATED_H
#define OVSDB_CLIENT_GENERATED_H 1

/* What the code that ovsdb-idlc generates calls.  Programs use the generated
 * functions, which the compiler can check. */

#include <ovsdb-client/idl.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Calls LONG with three arguments or SHORT with two. */
#define OVSDB_IDL_PICK__(A, B, C, MACRO, ...) MACRO
#define OVSDB_IDL_OVERLOAD(LONG, SHORT, ...) \
    OVSDB_IDL_PICK__(__VA_ARGS__, LONG, SHORT, unused)(__VA_ARGS__)

/* C arrays stand for data: 'keys' points to 'n' elements of type int64_t,
 * double, bool, const char *, struct uuid, or, for a column that refers to
 * rows, const struct ovsdb_idl_row *.  'values' does likewise for a map, and
 * is NULL otherwise.  Order does not matter; duplicate keys count once. */
OVSDB_CLIENT_API void ovsdb_idl_write(const struct ovsdb_idl_row *,
                                      const struct ovsdb_idl_column *,
                                      const void *keys, const void *values,
                                      size_t n);
OVSDB_CLIENT_API void ovsdb_idl_write_smap(const struct ovsdb_idl_row *,
                                           const struct ovsdb_idl_column *,
                                           const struct smap *);

/* Adds a value to a set or sets a key of a map, at commit, whatever others do
 * to the column meanwhile; or removes one. */
OVSDB_CLIENT_API void ovsdb_idl_add_partial(const struct ovsdb_idl_row *,
                                            const struct ovsdb_idl_column *,
                                            const void *key,
                                            const void *value);
OVSDB_CLIENT_API void ovsdb_idl_delete_partial(
    const struct ovsdb_idl_row *, const struct ovsdb_idl_column *,
    const void *key);

/* Lets the transaction fail softly if the column has changed meanwhile. */
OVSDB_CLIENT_API void ovsdb_idl_verify(const struct ovsdb_idl_row *,
                                       const struct ovsdb_idl_column *);
OVSDB_CLIENT_API void ovsdb_idl_delete(const struct ovsdb_idl_row *);

/* A 'uuid' other than NULL is the permanent one of the new row. */
OVSDB_CLIENT_API struct ovsdb_idl_row *ovsdb_idl_insert(
    struct ovsdb_idl_txn *, const struct ovsdb_idl_table_class *,
    const struct uuid *uuid);

/* Gives a row that is in no database its columns' default values. */
OVSDB_CLIENT_API void ovsdb_idl_init_row(struct ovsdb_idl_row *,
                                         const struct ovsdb_idl_table_class *);

/* As ovsdb_idl_write(), but references are struct uuid. */
OVSDB_CLIENT_API void ovsdb_idl_add_clause(struct ovsdb_idl_condition *,
                                           enum ovsdb_function,
                                           const struct ovsdb_idl_column *,
                                           const void *keys,
                                           const void *values, size_t n);
OVSDB_CLIENT_API void ovsdb_idl_add_clause_smap(
    struct ovsdb_idl_condition *, enum ovsdb_function,
    const struct ovsdb_idl_column *, const struct smap *);

/* Rows that serve as keys of an index. */
OVSDB_CLIENT_API struct ovsdb_idl_row *ovsdb_idl_index_init_row(
    struct ovsdb_idl_index *);
OVSDB_CLIENT_API void ovsdb_idl_index_destroy_row(
    const struct ovsdb_idl_row *);
OVSDB_CLIENT_API void ovsdb_idl_index_write(const struct ovsdb_idl_row *,
                                            const struct ovsdb_idl_column *,
                                            const void *keys,
                                            const void *values, size_t n);
OVSDB_CLIENT_API void ovsdb_idl_index_write_smap(
    const struct ovsdb_idl_row *, const struct ovsdb_idl_column *,
    const struct smap *);
OVSDB_CLIENT_API int ovsdb_idl_index_compare(const struct ovsdb_idl_index *,
                                             const struct ovsdb_idl_row *,
                                             const struct ovsdb_idl_row *);

/* Tables as objects: a "struct PREFIXtable_table" is one of these. */
OVSDB_CLIENT_API const struct ovsdb_idl_table *ovsdb_idl_table_get(
    const struct ovsdb_idl *, const struct ovsdb_idl_table_class *);
OVSDB_CLIENT_API const struct ovsdb_idl_row *ovsdb_idl_table_first(
    const struct ovsdb_idl_table *);
OVSDB_CLIENT_API const struct ovsdb_idl_row *ovsdb_idl_table_track_first(
    const struct ovsdb_idl_table *);
OVSDB_CLIENT_API const struct ovsdb_idl_row *ovsdb_idl_table_get_for_uuid(
    const struct ovsdb_idl_table *, const struct uuid *);

#ifdef __cplusplus
}
#endif

#endif /* ovsdb-client/generated.h */
