/* SPDX-License-Identifier: Apache-2.0 */
/* The replica as a whole: creation, running, settings and reading. */

#include "idl-private.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <time.h>

#include "stream-ssl.h"

const char *
ovsdb_client_version(void)
{
    return OVSDB_CLIENT_VERSION;
}

void
idl_log(const struct ovsdb_idl *idl, enum ovsdb_idl_log_level level,
        const char *format, ...)
{
    struct strbuf line = STRBUF_INITIALIZER;
    va_list args;

    if (idl->log) {
        va_start(args, format);
        strbuf_vprintf(&line, format, args);
        va_end(args);
        idl->log(idl->log_aux, level, strbuf_cstr(&line));
        strbuf_destroy(&line);
    }
}

static int64_t
monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* What the conversation with the server calls. */

static void
take_schema(void *idl_, const struct json *schema)
{
    struct ovsdb_idl *idl = idl_;
    const struct json *tables = json_get(schema, "tables");

    for (size_t i = 0; i < idl->class->n_tables; i++) {
        struct ovsdb_idl_table *table = &idl->tables[i];
        const struct json *known = json_get(tables, table->class->name);
        const struct json *columns = json_get(known, "columns");

        table->in_server = known != NULL;
        for (size_t j = 0; j < table->class->n_columns; j++) {
            const char *name = table->class->columns[j].name;

            table->in_server_columns[j] = json_get(columns, name) != NULL;
            if (!table->in_server_columns[j] && table->modes[j]) {
                idl_log(idl, OVSDB_IDL_LOG_WARN, "%s database lacks column %s "
                        "of table %s (database needs upgrade?)",
                        idl->class->database, name, table->class->name);
            }
        }
    }
}

static bool
compose_table(const struct ovsdb_idl_table *table, int version,
              struct strbuf *b)
{
    const struct table_condition *condition = &table->condition;
    struct strbuf columns = STRBUF_INITIALIZER;
    bool wanted = table->wanted;

    for (size_t i = 0; i < table->class->n_columns; i++) {
        if (table->modes[i] & OVSDB_IDL_MONITOR) {
            wanted = true;
            if (table->in_server_columns[i]) {
                strbuf_puts(&columns, columns.size ? "," : "");
                json_print_string(&columns, table->class->columns[i].name);
            }
        }
    }
    if (wanted && table->in_server) {
        json_print_string(b, table->class->name);
        strbuf_puts(b, ":[{\"columns\":[");
        strbuf_put(b, columns.text, columns.size);
        strbuf_putc(b, ']');
        if (version > 1 && condition->is_set) {
            strbuf_puts(b, ",\"where\":");
            strbuf_puts(b, condition->acknowledged
                        ? condition->acknowledged : "[true]");
        }
        strbuf_puts(b, "}]");
    }
    strbuf_destroy(&columns);
    return wanted && table->in_server;
}

static void
compose_monitor(void *idl_, int version, struct strbuf *b)
{
    const struct ovsdb_idl *idl = idl_;
    struct strbuf table = STRBUF_INITIALIZER;
    const char *separator = "{";

    for (size_t i = 0; i < idl->class->n_tables; i++) {
        table.size = 0;
        if (compose_table(&idl->tables[i], version, &table)) {
            strbuf_puts(b, separator);
            strbuf_put(b, table.text, table.size);
            separator = ",";
        }
    }
    strbuf_puts(b, *separator == ',' ? "}" : "{}");
    strbuf_destroy(&table);
}

static bool
compose_conditions(void *idl, struct strbuf *b)
{
    return conditions_compose_changes(idl, b);
}

static void
take_conditions(void *idl)
{
    conditions_acknowledged(idl);
}

static bool
restart_conditions(void *idl, bool resume)
{
    return conditions_restart(idl, resume);
}

static bool
take_update(void *idl, const struct json *updates, int version, bool clear)
{
    return idl_update(idl, updates, version, clear);
}

static void
take_reply(void *idl, int64_t id, const struct json *result,
           const struct json *error)
{
    idl_take_reply(idl, id, result, error);
}

static void
take_disconnection(void *idl)
{
    idl_fail_outstanding(idl);
}

static void
take_lock(void *idl_)
{
    struct ovsdb_idl *idl = idl_;

    idl->change_seqno++;        /* There may be something to do now. */
}

static void
take_log(void *idl, enum ovsdb_idl_log_level level, const char *line)
{
    idl_log(idl, level, "%s", line);
}

static const struct cs_ops idl_cs_ops = {
    .schema = take_schema,
    .compose_monitor = compose_monitor,
    .compose_conditions = compose_conditions,
    .conditions_acknowledged = take_conditions,
    .conditions_restart = restart_conditions,
    .update = take_update,
    .reply = take_reply,
    .disconnected = take_disconnection,
    .locked = take_lock,
    .log = take_log,
};

/* Creation. */

static void
table_init(struct ovsdb_idl *idl, struct ovsdb_idl_table *table,
           const struct ovsdb_idl_table_class *class, unsigned char mode)
{
    table->class = class;
    table->idl = idl;
    table->modes = xzalloc(class->n_columns);
    memset(table->modes, mode, class->n_columns);
    table->in_server_columns = xzalloc(class->n_columns
                                       * sizeof *table->in_server_columns);
    table->wanted = mode != 0;
    for (size_t i = 0; i < class->n_columns; i++) {
        table->has_references |= type_is_reference(&class->columns[i].type);
    }
    hash_table_init(&table->slots);
    list_init(&table->rows);
    list_init(&table->tracked);
    list_init(&table->indexes);
}

struct ovsdb_idl *
ovsdb_idl_create(const char *remote, const struct ovsdb_idl_class *class,
                 bool monitor_everything_by_default, bool retry)
{
    struct ovsdb_idl *idl = xzalloc(sizeof *idl);
    unsigned char mode = (monitor_everything_by_default
                          ? OVSDB_IDL_MONITOR | OVSDB_IDL_ALERT : 0);

    idl->class = class;
    idl->seed = hash_seed();
    idl->shuffle = true;
    idl->tables = xzalloc(class->n_tables * sizeof *idl->tables);
    for (size_t i = 0; i < class->n_tables; i++) {
        table_init(idl, &idl->tables[i], &class->tables[i], mode);
    }
    list_init(&idl->stale);
    list_init(&idl->doomed);
    list_init(&idl->outstanding);
    cs_init(&idl->cs, class->database, &idl_cs_ops, idl);
    session_init(&idl->session, &idl->cs);
    ovsdb_idl_set_remote(idl, remote, retry);
    return idl;
}

struct ovsdb_idl *
ovsdb_idl_create_unconnected(const struct ovsdb_idl_class *class,
                             bool monitor_everything_by_default)
{
    return ovsdb_idl_create(NULL, class, monitor_everything_by_default, false);
}

static void
table_uninit(struct ovsdb_idl_table *table)
{
    struct ovsdb_idl_row_state *row;

    LIST_FOR_EACH_SAFE (row, struct ovsdb_idl_row_state, node, &table->rows) {
        indexes_remove(row);
        row_remove(row);
        list_push_back(&table->idl->doomed, &row->node);
    }
}

void
ovsdb_idl_destroy(struct ovsdb_idl *idl)
{
    if (!idl) {
        return;
    }
    if (idl->txn) {
        ovsdb_idl_txn_abort(idl->txn);
    }
    session_destroy(&idl->session);
    idl_fail_outstanding(idl);
    ovsdb_idl_track_clear(idl);
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        table_uninit(&idl->tables[i]);
    }
    idl_settle(idl);
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        struct ovsdb_idl_table *table = &idl->tables[i];

        indexes_destroy(table);
        table_condition_destroy(&table->condition);
        hash_table_destroy(&table->slots);
        free(table->modes);
        free(table->in_server_columns);
    }
    cs_destroy(&idl->cs);
    free(idl->tables);
    free(idl->remote);
    free(idl);
}

void
ovsdb_idl_set_remote(struct ovsdb_idl *idl, const char *remote, bool retry)
{
    free(idl->remote);
    idl->remote = remote ? xstrdup(remote) : NULL;
    idl->retry = retry;
    idl->remote_set = false;
}

/* Settings. */

void
ovsdb_idl_set_shuffle_remotes(struct ovsdb_idl *idl, bool shuffle)
{
    idl->shuffle = shuffle;
}

void
ovsdb_idl_set_probe_interval(struct ovsdb_idl *idl, int ms)
{
    session_set_probe_interval(&idl->session, ms < 0 ? -1 : ms);
}

void
ovsdb_idl_set_leader_only(struct ovsdb_idl *idl, bool leader_only)
{
    idl->cs.leader_only = leader_only;
}

void
ovsdb_idl_reset_min_index(struct ovsdb_idl *idl)
{
    idl->cs.min_index = 0;
}

void
ovsdb_idl_set_db_change_aware(struct ovsdb_idl *idl, bool aware)
{
    idl->cs.change_aware = aware;
}

void
ovsdb_idl_set_max_message_size(struct ovsdb_idl *idl, size_t size)
{
    idl->session.max_message_size = size;
}

int
ovsdb_idl_set_ssl(struct ovsdb_idl *idl, const char *private_key,
                  const char *certificate, const char *ca_certificate)
{
    struct ssl_files *files;
    int error = ssl_files_load(&files, private_key, certificate,
                               ca_certificate);

    if (!error) {
        if (idl->session.ssl) {
            ovsdb_idl_force_reconnect(idl);
        }
        ssl_files_free(idl->session.ssl);
        idl->session.ssl = files;
    }
    return error;
}

void
ovsdb_idl_set_log(struct ovsdb_idl *idl, ovsdb_idl_log_func *log, void *aux)
{
    idl->log = log;
    idl->log_aux = aux;
}

void
ovsdb_idl_set_lock(struct ovsdb_idl *idl, const char *lock_name)
{
    cs_set_lock(&idl->cs, lock_name);
}

bool
ovsdb_idl_has_lock(const struct ovsdb_idl *idl)
{
    return idl->cs.has_lock;
}

bool
ovsdb_idl_is_lock_contended(const struct ovsdb_idl *idl)
{
    return idl->cs.is_lock_contended;
}

/* Running. */

void
ovsdb_idl_run_at(struct ovsdb_idl *idl, int64_t now)
{
    if (idl->txn) {
        idl_log(idl, OVSDB_IDL_LOG_ERR,
                "commit or abort the transaction before running");
        return;
    }
    idl->now = now;
    if (!idl->remote_set) {
        session_set_remotes(&idl->session, idl->remote, idl->shuffle,
                            idl->retry, now);
        idl->remote_set = true;
    }
    session_run(&idl->session, now);
}

void
ovsdb_idl_run(struct ovsdb_idl *idl)
{
    ovsdb_idl_run_at(idl, monotonic_ms());
}

int
ovsdb_idl_get_fd(const struct ovsdb_idl *idl)
{
    return idl->session.open ? idl->session.stream.fd : -1;
}

short int
ovsdb_idl_get_events(const struct ovsdb_idl *idl)
{
    return session_events(&idl->session);
}

int64_t
ovsdb_idl_get_deadline(const struct ovsdb_idl *idl)
{
    return (idl->remote_set && !conditions_pending(idl)
            ? session_deadline(&idl->session) : INT64_MIN);
}

int
ovsdb_idl_block(const struct ovsdb_idl *idl, int timeout_ms)
{
    struct pollfd pfd = {
        .fd = ovsdb_idl_get_fd(idl),
        .events = ovsdb_idl_get_events(idl),
    };
    int64_t deadline = ovsdb_idl_get_deadline(idl);
    int timeout = timeout_ms < 0 ? -1 : timeout_ms;

    if (deadline != INT64_MAX) {
        int64_t now = monotonic_ms();
        int64_t left = deadline > now ? deadline - now : 0;

        if (timeout < 0 || left < timeout) {
            timeout = left < INT_MAX ? (int) left : INT_MAX;
        }
    }
    return poll(&pfd, pfd.fd >= 0, timeout) < 0 ? errno : 0;
}

int
ovsdb_idl_get_initial_snapshot(struct ovsdb_idl *idl, int timeout_ms)
{
    int64_t deadline = monotonic_ms() + timeout_ms;

    for (;;) {
        int left = -1;

        ovsdb_idl_run(idl);
        if (ovsdb_idl_is_connected(idl)) {
            return 0;
        } else if (!ovsdb_idl_is_alive(idl)) {
            int error = ovsdb_idl_get_last_error(idl);

            return error > 0 ? error : ECONNRESET;
        }
        if (timeout_ms >= 0) {
            int64_t now = monotonic_ms();

            if (now >= deadline) {
                return ETIMEDOUT;
            }
            left = (int) (deadline - now);
        }
        ovsdb_idl_block(idl, left);
    }
}

unsigned int
ovsdb_idl_get_seqno(const struct ovsdb_idl *idl)
{
    return idl->change_seqno;
}

bool
ovsdb_idl_has_ever_connected(const struct ovsdb_idl *idl)
{
    return idl->ever_connected;
}

bool
ovsdb_idl_is_connected(const struct ovsdb_idl *idl)
{
    return idl->cs.state == CS_MONITORING;
}

bool
ovsdb_idl_is_alive(const struct ovsdb_idl *idl)
{
    return (!idl->remote_set
            || idl->session.reconnect.state != RECONNECT_VOID);
}

int
ovsdb_idl_get_last_error(const struct ovsdb_idl *idl)
{
    return idl->session.last_error;
}

void
ovsdb_idl_enable_reconnect(struct ovsdb_idl *idl)
{
    idl->retry = true;
    session_enable_reconnect(&idl->session, idl->now);
}

void
ovsdb_idl_force_reconnect(struct ovsdb_idl *idl)
{
    session_force_reconnect(&idl->session, idl->now);
}

const struct ovsdb_idl_class *
ovsdb_idl_get_class(const struct ovsdb_idl *idl)
{
    return idl->class;
}
