/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVSDB_CLIENT_UUID_H
#define OVSDB_CLIENT_UUID_H 1

/* Universally unique identifiers, RFC 4122. */

#include <ovsdb-client/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Four numbers of 32 bits, the first the most significant. */
struct uuid {
    uint32_t parts[4];
};

/* Size of a UUID as text, without the NUL. */
#define UUID_LEN 36

/* For printf(): printf(UUID_FMT, UUID_ARGS(&uuid)). */
#define UUID_FMT "%08x-%04x-%04x-%04x-%04x%08x"
#define UUID_ARGS(UUID) \
    (unsigned int) (UUID)->parts[0], \
    (unsigned int) ((UUID)->parts[1] >> 16), \
    (unsigned int) ((UUID)->parts[1] & 0xffff), \
    (unsigned int) ((UUID)->parts[2] >> 16), \
    (unsigned int) ((UUID)->parts[2] & 0xffff), \
    (unsigned int) (UUID)->parts[3]

/* Returns true if 's' is a UUID, and stores it; otherwise stores zeros. */
OVSDB_CLIENT_API bool uuid_from_string(struct uuid *, const char *s);

OVSDB_CLIENT_API bool uuid_is_zero(const struct uuid *);
OVSDB_CLIENT_API bool uuid_equals(const struct uuid *, const struct uuid *);

/* Compares like strcmp(), in the order of the text form. */
OVSDB_CLIENT_API int uuid_compare_3way(const struct uuid *,
                                       const struct uuid *);

#ifdef __cplusplus
}
#endif

#endif /* ovsdb-client/uuid.h */
