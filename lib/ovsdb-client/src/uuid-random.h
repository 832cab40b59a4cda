/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UUID_RANDOM_H
#define UUID_RANDOM_H 1

#include "ovsdb-client/uuid.h"

/* Makes a UUID of random numbers, RFC 4122's version 4. */
void uuid_random(struct uuid *);

#endif /* uuid-random.h */
