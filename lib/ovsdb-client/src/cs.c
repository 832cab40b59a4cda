/* SPDX-License-Identifier: Apache-2.0 */
#include "cs.h"

#include "cs-server.h"

#define NO_REQUEST (-1)

static void
cs_log(const struct cs *cs, enum ovsdb_idl_log_level level, const char *line)
{
    cs->ops->log(cs->aux, level, line);
}

void
cs_init(struct cs *cs, const char *database, const struct cs_ops *ops,
        void *aux)
{
    memset(cs, 0, sizeof *cs);
    cs->ops = ops;
    cs->aux = aux;
    cs->database = xstrdup(database);
    cs->leader_only = cs->change_aware = true;
    cs->request_id = cs->lock_id = NO_REQUEST;
}

void
cs_destroy(struct cs *cs)
{
    cs_server_clear(cs);
    strbuf_destroy(&cs->output);
    free(cs->lock_name);
    free(cs->database);
}

/* Sending. */

/* Begins a request, up to its parameters' opening bracket. */
static int64_t
begin(struct cs *cs, const char *method)
{
    strbuf_printf(&cs->output, "{\"method\":\"%s\",\"params\":[", method);
    return cs->next_id++;
}

static int64_t
end(struct cs *cs, int64_t id)
{
    strbuf_printf(&cs->output, "],\"id\":%lld}", (long long int) id);
    return id;
}

/* The name under which the monitor of a database runs. */
static void
print_monitor_id(struct strbuf *b, const char *database)
{
    strbuf_puts(b, "[\"monid\",");
    json_print_string(b, database);
    strbuf_putc(b, ']');
}

static void
send_schema_request(struct cs *cs, const char *database,
                    enum cs_state state)
{
    int64_t id = begin(cs, "get_schema");

    json_print_string(&cs->output, database);
    cs->request_id = end(cs, id);
    cs->state = state;
}

static void
send_server_monitor(struct cs *cs, const struct json *schema)
{
    int64_t id = begin(cs, "monitor_cond");

    strbuf_puts(&cs->output, "\"_Server\",");
    print_monitor_id(&cs->output, "_Server");
    strbuf_puts(&cs->output, ",{\"Database\":[{\"columns\":");
    cs_server_print_columns(&cs->output, schema);
    strbuf_puts(&cs->output, "}]}");
    cs->request_id = end(cs, id);
    cs->state = CS_SERVER_MONITOR;
}

static void
send_data_monitor(struct cs *cs, int version)
{
    static const char *methods[] = { NULL, "monitor", "monitor_cond",
                                     "monitor_cond_since" };
    int64_t id = begin(cs, methods[version]);

    json_print_string(&cs->output, cs->database);
    strbuf_putc(&cs->output, ',');
    print_monitor_id(&cs->output, cs->database);
    strbuf_putc(&cs->output, ',');
    cs->ops->compose_monitor(cs->aux, version, &cs->output);
    if (version == 3) {
        strbuf_printf(&cs->output, ",\"" UUID_FMT "\"",
                      UUID_ARGS(&cs->last_id));
    }
    cs->request_id = end(cs, id);
    cs->requested_version = version;
    cs->state = CS_DATA_MONITOR;
}

static void
send_lock(struct cs *cs, const char *method)
{
    int64_t id = begin(cs, method);

    cs->has_lock = false;
    json_print_string(&cs->output, cs->lock_name);
    cs->lock_id = end(cs, id);
}

int64_t
cs_transact_begin(struct cs *cs)
{
    int64_t id = begin(cs, "transact");

    json_print_string(&cs->output, cs->database);
    return id;
}

void
cs_transact_end(struct cs *cs, int64_t id)
{
    end(cs, id);
}

/* The course of the conversation. */

static void
retry(struct cs *cs, const char *reason)
{
    if (cs->state != CS_RETRY) {
        struct strbuf line = STRBUF_INITIALIZER;

        strbuf_printf(&line, "%s; trying another server", reason);
        cs_log(cs, OVSDB_IDL_LOG_INFO, strbuf_cstr(&line));
        strbuf_destroy(&line);
        cs->state = CS_RETRY;
    }
}

void
cs_flag_inconsistency(struct cs *cs)
{
    memset(&cs->last_id, 0, sizeof cs->last_id);
    retry(cs, "server's updates do not fit the replica");
}

static void
restart(struct cs *cs)
{
    if (!cs->ops->conditions_restart(cs->aux, !uuid_is_zero(&cs->last_id))) {
        memset(&cs->last_id, 0, sizeof cs->last_id);
    }
    cs->monitor_version = 0;
    cs->server_monitored = false;
    cs_server_clear(cs);
    send_schema_request(cs, "_Server", CS_SERVER_SCHEMA);
}

void
cs_connected(struct cs *cs)
{
    cs->output.size = 0;
    if (cs->lock_name) {
        send_lock(cs, "lock");
    }
    restart(cs);
}

void
cs_disconnected(struct cs *cs)
{
    cs->state = CS_DISCONNECTED;
    cs->monitor_version = 0;
    cs->server_monitored = false;
    cs->request_id = cs->lock_id = NO_REQUEST;
    cs->has_lock = false;
    cs->output.size = 0;
    cs->ops->disconnected(cs->aux);
}

void
cs_run(struct cs *cs)
{
    struct strbuf changes = STRBUF_INITIALIZER;

    if (cs->state != CS_MONITORING || cs->monitor_version < 2
        || cs->request_id != NO_REQUEST) {
        return;
    }
    if (cs->ops->compose_conditions(cs->aux, &changes)) {
        int64_t id = begin(cs, "monitor_cond_change");

        print_monitor_id(&cs->output, cs->database);
        strbuf_putc(&cs->output, ',');
        print_monitor_id(&cs->output, cs->database);
        strbuf_putc(&cs->output, ',');
        strbuf_put(&cs->output, changes.text, changes.size);
        cs->request_id = end(cs, id);
    }
    strbuf_destroy(&changes);
}

/* Looks whether the server can serve us, and if it is time, begins to follow
 * the database. */
static void
check_server(struct cs *cs)
{
    const char *problem = cs_server_problem(cs);
    const struct cs_server_row *row = cs_server_find(cs);
    struct json_document document;

    if (problem) {
        retry(cs, problem);
    } else if (cs->state == CS_SERVER_MONITOR && row) {
        const char *error = json_parse(&document, row->schema,
                                       strlen(row->schema));

        if (error) {
            retry(cs, "server has a bad schema");
            return;
        }
        cs->ops->schema(cs->aux, &document.root);
        json_document_destroy(&document);
        send_data_monitor(cs, 3);
    }
}

static void
server_monitored(struct cs *cs, const struct json *result)
{
    cs->server_monitored = true;
    cs_server_update(cs, result);
    check_server(cs);
    if (cs->state == CS_DATA_MONITOR && cs->change_aware) {
        int64_t id = begin(cs, "set_db_change_aware");

        strbuf_puts(&cs->output, "true");
        end(cs, id);
    }
}

static void
data_monitored(struct cs *cs, const struct json *result)
{
    int version = cs->requested_version;
    bool clear = true;

    if (version == 3) {
        if (result->type != JSON_ARRAY || result->n != 3
            || (result->elements[0].type != JSON_TRUE
                && result->elements[0].type != JSON_FALSE)
            || result->elements[1].type != JSON_STRING
            || !uuid_from_string(&cs->last_id,
                                 result->elements[1].string)) {
            cs_flag_inconsistency(cs);
            return;
        }
        clear = result->elements[0].type == JSON_FALSE;
        result = &result->elements[2];
    }
    cs->monitor_version = version;
    cs->state = CS_MONITORING;
    if (!cs->ops->update(cs->aux, result, version, clear)) {
        cs_flag_inconsistency(cs);
    }
}

/* Takes an error reply in a state that waits for one.  Old servers lack what
 * is new. */
static void
request_failed(struct cs *cs)
{
    switch (cs->state) {
    case CS_SERVER_SCHEMA:
    case CS_SERVER_MONITOR:
        send_schema_request(cs, cs->database, CS_DATA_SCHEMA);
        break;
    case CS_DATA_MONITOR:
        if (cs->requested_version > 1) {
            send_data_monitor(cs, cs->requested_version - 1);
            break;
        }
        /* Fall through. */
    case CS_DATA_SCHEMA:
    case CS_MONITORING:
        retry(cs, "server refuses to serve the database");
        break;
    case CS_DISCONNECTED:
    case CS_RETRY:
        break;
    }
}

static void
request_succeeded(struct cs *cs, const struct json *result)
{
    switch (cs->state) {
    case CS_SERVER_SCHEMA:
        send_server_monitor(cs, result);
        break;
    case CS_SERVER_MONITOR:
        server_monitored(cs, result);
        break;
    case CS_DATA_SCHEMA:
        cs->ops->schema(cs->aux, result);
        send_data_monitor(cs, 3);
        break;
    case CS_DATA_MONITOR:
        data_monitored(cs, result);
        break;
    case CS_MONITORING:
        cs->ops->conditions_acknowledged(cs->aux);
        break;
    case CS_DISCONNECTED:
    case CS_RETRY:
        break;
    }
}

/* Locks. */

static void
set_has_lock(struct cs *cs)
{
    if (!cs->has_lock) {
        cs->has_lock = true;
        cs->is_lock_contended = false;
        cs->ops->locked(cs->aux);
    }
}

static void
lock_answered(struct cs *cs, const struct json *result)
{
    if (cs->lock_name) {
        if (json_is(json_get(result, "locked"), JSON_TRUE)) {
            set_has_lock(cs);
        } else {
            cs->is_lock_contended = true;
        }
    }
}

void
cs_set_lock(struct cs *cs, const char *name)
{
    bool connected = (cs->state != CS_DISCONNECTED && cs->state != CS_RETRY);

    if (name && cs->lock_name && !strcmp(name, cs->lock_name)) {
        return;
    }
    if (cs->lock_name) {
        if (connected) {
            send_lock(cs, "unlock");
            cs->lock_id = NO_REQUEST;
        }
        cs->has_lock = cs->is_lock_contended = false;
        free(cs->lock_name);
        cs->lock_name = NULL;
    }
    if (name) {
        cs->lock_name = xstrdup(name);
        if (connected) {
            send_lock(cs, "lock");
        }
    }
}

static void
receive_lock(struct cs *cs, const struct json *params, bool locked)
{
    if (!cs->lock_name || params->n < 1
        || !json_is_string(&params->elements[0], cs->lock_name)) {
        return;
    } else if (locked) {
        set_has_lock(cs);
    } else {
        cs->has_lock = false;
        cs->is_lock_contended = true;
    }
}

/* Notifications. */

static bool
is_monitor_id(const struct json *json, const char *database)
{
    return (json->type == JSON_ARRAY && json->n == 2
            && json_is_string(&json->elements[0], "monid")
            && json_is_string(&json->elements[1], database));
}

static void
receive_update(struct cs *cs, const struct json *params, int version)
{
    const struct json *updates;

    if (params->n != (version == 3 ? 3 : 2)) {
        return;
    }
    updates = &params->elements[params->n - 1];
    if (is_monitor_id(&params->elements[0], cs->database)) {
        if (cs->state != CS_MONITORING) {
            return;
        }
        if (version == 3
            && (params->elements[1].type != JSON_STRING
                || !uuid_from_string(&cs->last_id,
                                     params->elements[1].string))) {
            cs_flag_inconsistency(cs);
        } else if (!cs->ops->update(cs->aux, updates, version, false)) {
            cs_flag_inconsistency(cs);
        }
    } else if (is_monitor_id(&params->elements[0], "_Server")
               && cs->server_monitored) {
        cs_server_update(cs, updates);
        check_server(cs);
    }
}

/* A database was removed or converted: ends the other monitor too, and begins
 * anew. */
static void
receive_canceled(struct cs *cs, const struct json *params)
{
    const char *other;

    if (params->n < 1) {
        return;
    } else if (is_monitor_id(&params->elements[0], cs->database)) {
        other = cs->server_monitored ? "_Server" : NULL;
    } else if (is_monitor_id(&params->elements[0], "_Server")) {
        other = cs->monitor_version ? cs->database : NULL;
    } else {
        return;
    }
    if (other) {
        int64_t id = begin(cs, "monitor_cancel");

        print_monitor_id(&cs->output, other);
        end(cs, id);
    }
    restart(cs);
}

static void
receive_notification(struct cs *cs, const char *method,
                     const struct json *params)
{
    if (!strcmp(method, "update3")) {
        receive_update(cs, params, 3);
    } else if (!strcmp(method, "update2")) {
        receive_update(cs, params, 2);
    } else if (!strcmp(method, "update")) {
        receive_update(cs, params, 1);
    } else if (!strcmp(method, "locked")) {
        receive_lock(cs, params, true);
    } else if (!strcmp(method, "stolen")) {
        receive_lock(cs, params, false);
    } else if (!strcmp(method, "monitor_canceled")) {
        receive_canceled(cs, params);
    }
}

void
cs_receive(struct cs *cs, const struct json *message)
{
    const char *method = json_get_string(message, "method");
    const struct json *params = json_get(message, "params");
    const struct json *id = json_get(message, "id");
    const struct json *result = json_get(message, "result");
    const struct json *error = json_get(message, "error");

    if (cs->state == CS_DISCONNECTED || cs->state == CS_RETRY) {
        return;
    } else if (method) {
        if (json_is(params, JSON_ARRAY)) {
            receive_notification(cs, method, params);
        }
        return;
    } else if (!json_is(id, JSON_INTEGER) || !result) {
        return;
    }
    error = error && error->type != JSON_NULL ? error : NULL;
    if (id->integer == cs->request_id) {
        cs->request_id = NO_REQUEST;
        if (error) {
            request_failed(cs);
        } else {
            request_succeeded(cs, result);
        }
    } else if (id->integer == cs->lock_id) {
        cs->lock_id = NO_REQUEST;
        if (!error) {
            lock_answered(cs, result);
        }
    } else {
        cs->ops->reply(cs->aux, id->integer, result, error);
    }
}
