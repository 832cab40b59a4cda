/* SPDX-License-Identifier: Apache-2.0 */
/* What a server says about its databases, in its database _Server. */

#include "cs-server.h"

/* A server that has more databases than this is not believed.  Rows are
 * searched one by one, and each message may have many. */
#define MAX_ROWS 1000

void
cs_server_print_columns(struct strbuf *b, const struct json *schema)
{
    static const char *names[] = { "name", "model", "connected", "leader",
                                   "schema", "index" };
    const struct json *columns = json_get(
        json_get(json_get(schema, "tables"), "Database"), "columns");
    const char *separator = "[";

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (json_get(columns, names[i])) {
            strbuf_puts(b, separator);
            json_print_string(b, names[i]);
            separator = ",";
        }
    }
    strbuf_puts(b, *separator == ',' ? "]" : "[]");
}

static void
free_row(struct cs_server_row *row)
{
    free(row->name);
    free(row->model);
    free(row->schema);
    free(row);
}

void
cs_server_clear(struct cs *cs)
{
    while (cs->server_rows) {
        struct cs_server_row *next = cs->server_rows->next;

        free_row(cs->server_rows);
        cs->server_rows = next;
    }
    cs->n_server_rows = 0;
}

/* A string column, or an optional one that is empty. */
static void
set_string(char **string, const struct json *value)
{
    if (value) {
        free(*string);
        *string = value->type == JSON_STRING ? xstrdup(value->string) : NULL;
    }
}

static void
set_bool(bool *boolean, const struct json *value)
{
    if (value) {
        *boolean = value->type == JSON_TRUE;
    }
}

static void
change_row(struct cs_server_row *row, const struct json *columns)
{
    const struct json *index = json_get(columns, "index");

    set_string(&row->name, json_get(columns, "name"));
    set_string(&row->model, json_get(columns, "model"));
    set_string(&row->schema, json_get(columns, "schema"));
    set_bool(&row->connected, json_get(columns, "connected"));
    set_bool(&row->leader, json_get(columns, "leader"));
    if (index) {
        row->index = index->type == JSON_INTEGER ? index->integer : 0;
    }
}

/* Returns false if there are too many rows. */
static bool
update_row(struct cs *cs, const struct uuid *uuid, const struct json *change)
{
    static const char *kinds[] = { "initial", "insert", "modify" };
    struct cs_server_row **p = &cs->server_rows;

    while (*p && !uuid_equals(&(*p)->uuid, uuid)) {
        p = &(*p)->next;
    }
    if (json_get(change, "delete")) {
        if (*p) {
            struct cs_server_row *row = *p;

            *p = row->next;
            free_row(row);
            cs->n_server_rows--;
        }
        return true;
    }
    if (!*p) {
        if (cs->n_server_rows >= MAX_ROWS) {
            return false;
        }
        *p = xzalloc(sizeof **p);
        (*p)->uuid = *uuid;
        cs->n_server_rows++;
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        change_row(*p, json_get(change, kinds[i]));
    }
    return true;
}

void
cs_server_update(struct cs *cs, const struct json *updates)
{
    const struct json *rows = json_get(updates, "Database");

    if (json_is(rows, JSON_OBJECT)) {
        for (unsigned int i = 0; i < rows->n; i++) {
            struct uuid uuid;

            if (!uuid_from_string(&uuid, rows->members[i].name)
                || !update_row(cs, &uuid, &rows->members[i].value)) {
                return;
            }
        }
    }
}

const struct cs_server_row *
cs_server_find(const struct cs *cs)
{
    for (const struct cs_server_row *row = cs->server_rows; row;
         row = row->next) {
        if (row->name && !strcmp(row->name, cs->database)) {
            return row;
        }
    }
    return NULL;
}

const char *
cs_server_problem(struct cs *cs)
{
    const struct cs_server_row *row = cs_server_find(cs);
    const char *model = row && row->model ? row->model : "";

    if (!row) {
        return "server does not have the database";
    } else if (!strcmp(model, "clustered")) {
        if (!row->schema) {
            return "clustered database server has not yet joined cluster";
        } else if (!row->connected) {
            return "clustered database server is disconnected from cluster";
        } else if (cs->leader_only && !row->leader) {
            return "clustered database server is not cluster leader";
        } else if (row->index < cs->min_index) {
            return "clustered database server has stale data";
        }
        cs->min_index = row->index;
    } else if (!strcmp(model, "relay")) {
        if (!row->schema) {
            return ("relay database server has not yet connected to the "
                    "relay source");
        } else if (!row->connected) {
            return ("relay database server is disconnected from the relay "
                    "source");
        } else if (cs->leader_only) {
            return "relay database server cannot be a leader";
        }
    } else if (!row->schema) {
        return "missing database schema";
    }
    return NULL;
}
