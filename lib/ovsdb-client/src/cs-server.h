/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CS_SERVER_H
#define CS_SERVER_H 1

#include "cs.h"

/* The columns of _Server's table Database that matter and that 'schema' has,
 * printed as an array. */
void cs_server_print_columns(struct strbuf *, const struct json *schema);

/* Takes the body of an update2. */
void cs_server_update(struct cs *, const struct json *updates);
void cs_server_clear(struct cs *);

/* Returns the row of the client's database, or NULL. */
const struct cs_server_row *cs_server_find(const struct cs *);

/* Returns NULL if the server can serve, and otherwise why not. */
const char *cs_server_problem(struct cs *);

#endif /* cs-server.h */
