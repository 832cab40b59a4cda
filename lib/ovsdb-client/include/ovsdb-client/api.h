/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVSDB_CLIENT_API_H
#define OVSDB_CLIENT_API_H 1

/* What every header of the library needs.
 *
 * Memory: a function that cannot get memory ends the process with abort(), as
 * in every Open vSwitch program; sizes that a server chooses are bounded
 * before memory is asked for.  No other error aborts.
 *
 * Threads: there is no global state.  Each "struct ovsdb_idl", with all that
 * belongs to it, may be used by one thread at a time. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OVSDB_CLIENT_VERSION_MAJOR 1
#define OVSDB_CLIENT_VERSION_MINOR 0
#define OVSDB_CLIENT_VERSION "1.0"

/* Marks what the shared library exports. */
#if defined(__GNUC__)
#define OVSDB_CLIENT_API __attribute__((visibility("default")))
#define OVSDB_CLIENT_PRINTF(FORMAT, FIRST) \
    __attribute__((format(printf, FORMAT, FIRST)))
#else
#define OVSDB_CLIENT_API
#define OVSDB_CLIENT_PRINTF(FORMAT, FIRST)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Returns the version of the library that is in use, e.g. "1.0", which may be
 * newer than the one that the program was compiled for. */
OVSDB_CLIENT_API const char *ovsdb_client_version(void);

#ifdef __cplusplus
}
#endif

#endif /* ovsdb-client/api.h */
