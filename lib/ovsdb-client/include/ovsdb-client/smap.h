/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVSDB_CLIENT_SMAP_H
#define OVSDB_CLIENT_SMAP_H 1

/* Maps from strings to strings: what a column such as external_ids holds.
 *
 * An smap is an array sorted by key: finding a key takes logarithmic time,
 * adding one linear time. */

#include <ovsdb-client/uuid.h>

#ifdef __cplusplus
extern "C" {
#endif

struct smap_node {
    char *key;
    char *value;
};

struct smap {
    struct smap_node *nodes;    /* Sorted by key. */
    size_t n;
    size_t n_allocated;
};

#define SMAP_INITIALIZER(SMAP) { NULL, 0, 0 }

/* Visits every pair, in the order of the keys.  NODE is a pointer to const
 * struct smap_node. */
#define SMAP_FOR_EACH(NODE, SMAP)                       \
    for ((NODE) = (SMAP)->nodes;                        \
         (NODE) < (SMAP)->nodes + (SMAP)->n; (NODE)++)

OVSDB_CLIENT_API void smap_init(struct smap *);
OVSDB_CLIENT_API void smap_destroy(struct smap *);
OVSDB_CLIENT_API void smap_clear(struct smap *);
OVSDB_CLIENT_API void smap_clone(struct smap *, const struct smap *);

/* Adds a pair.  If 'key' is there already, it gets the new value. */
OVSDB_CLIENT_API void smap_replace(struct smap *, const char *key,
                                   const char *value);
OVSDB_CLIENT_API void smap_add(struct smap *, const char *key,
                               const char *value);
OVSDB_CLIENT_API void smap_add_format(struct smap *, const char *key,
                                      const char *format, ...)
    OVSDB_CLIENT_PRINTF(3, 4);

/* Adds a pair unless 'key' is there already.  Returns true if it did. */
OVSDB_CLIENT_API bool smap_add_once(struct smap *, const char *key,
                                    const char *value);

/* Removes 'key' if it is there. */
OVSDB_CLIENT_API void smap_remove(struct smap *, const char *key);

/* The value of 'key', or if there is none NULL or 'def'. */
OVSDB_CLIENT_API const char *smap_get(const struct smap *, const char *key);
OVSDB_CLIENT_API const char *smap_get_def(const struct smap *,
                                          const char *key, const char *def);

/* The value of 'key' as a number or truth value, 'def' if there is none or it
 * isn't one.  A truth value is "true" or "false", whatever the case. */
OVSDB_CLIENT_API bool smap_get_bool(const struct smap *, const char *key,
                                    bool def);
OVSDB_CLIENT_API int smap_get_int(const struct smap *, const char *key,
                                  int def);
OVSDB_CLIENT_API unsigned int smap_get_uint(const struct smap *,
                                            const char *key,
                                            unsigned int def);
OVSDB_CLIENT_API unsigned long long int smap_get_ullong(
    const struct smap *, const char *key, unsigned long long int def);
OVSDB_CLIENT_API bool smap_get_uuid(const struct smap *, const char *key,
                                    struct uuid *);

OVSDB_CLIENT_API bool smap_is_empty(const struct smap *);
OVSDB_CLIENT_API size_t smap_count(const struct smap *);
OVSDB_CLIENT_API bool smap_equal(const struct smap *, const struct smap *);

#ifdef __cplusplus
}
#endif

#endif /* ovsdb-client/smap.h */
