/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OVSDB_CLIENT_H
#define OVSDB_CLIENT_H 1

/* All of the library but for what only generated code needs. */

#include <ovsdb-client/api.h>
#include <ovsdb-client/datum.h>
#include <ovsdb-client/idl.h>
#include <ovsdb-client/smap.h>
#include <ovsdb-client/uuid.h>

#endif /* ovsdb-client/ovsdb-client.h */
