/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>

#include "stream-ssl.h"
#include "uuid-random.h"

#define PROBE_INTERVAL 5000
#define MIN_PROBE_INTERVAL 1000
#define RECEIVE_SIZE 65536
#define MAX_MESSAGES_PER_RUN 50
#define MAX_MESSAGE_SIZE ((size_t) 512 << 20)

/* With more than that to send, echo requests go unanswered: a peer that asks
 * and asks, but never reads, must not fill the memory. */
#define MAX_ECHO_BACKLOG ((size_t) 1 << 20)

void
session_init(struct session *s, struct cs *cs)
{
    memset(s, 0, sizeof *s);
    s->cs = cs;
    s->probe_interval = -1;
    s->max_message_size = MAX_MESSAGE_SIZE;
    reconnect_init(&s->reconnect, 0, 0, 0);
}

static void
free_remotes(struct session *s)
{
    for (size_t i = 0; i < s->n_remotes; i++) {
        free(s->remotes[i]);
    }
    free(s->remotes);
    s->remotes = NULL;
    s->n_remotes = s->next_remote = 0;
}

/* Ends the connection or the try to make one. */
static void
disconnect(struct session *s, int64_t now, int error)
{
    if (s->open) {
        stream_close(&s->stream);
        s->open = false;
        cs_disconnected(s->cs);
    }
    s->last_error = error;
    memset(&s->scanner, 0, sizeof s->scanner);
    strbuf_destroy(&s->input);
    strbuf_destroy(&s->output);
    s->scanned = s->sent = 0;
    s->more = false;
    reconnect_disconnected(&s->reconnect, now);
}

void
session_destroy(struct session *s)
{
    disconnect(s, 0, 0);
    free_remotes(s);
    ssl_files_free(s->ssl);
}

static void
shuffle_remotes(struct session *s)
{
    for (size_t i = s->n_remotes; i > 1; i--) {
        struct uuid random;
        char *remote = s->remotes[i - 1];
        size_t j;

        uuid_random(&random);
        j = random.parts[0] % i;
        s->remotes[i - 1] = s->remotes[j];
        s->remotes[j] = remote;
    }
}

void
session_set_remotes(struct session *s, const char *remotes, bool shuffle,
                    bool retry, int64_t now)
{
    const char *current = s->open && s->n_remotes
        ? s->remotes[(s->next_remote + s->n_remotes - 1) % s->n_remotes]
        : NULL;
    char *connected_to = current ? xstrdup(current) : NULL;
    bool keep = false;
    uint32_t n;

    free_remotes(s);
    while (remotes && *remotes) {
        size_t size = strcspn(remotes, ", \t\n");

        if (size) {
            char *remote = xmemdup(remotes, size + 1);

            remote[size] = '\0';
            s->remotes = xrealloc_array(s->remotes, s->n_remotes + 1,
                                        sizeof *s->remotes);
            s->remotes[s->n_remotes++] = remote;
            keep |= connected_to && !strcmp(connected_to, remote);
        }
        remotes += size + (remotes[size] != '\0');
    }
    free(connected_to);
    if (shuffle) {
        shuffle_remotes(s);
    }
    n = s->n_remotes < 1000 ? (uint32_t) s->n_remotes : 1000;
    if (keep && reconnect_is_connected(&s->reconnect)) {
        s->reconnect.n_tries = retry ? RECONNECT_UNLIMITED : 0;
        return;
    }
    disconnect(s, now, 0);
    reconnect_init(&s->reconnect, now,
                   n && retry ? RECONNECT_UNLIMITED : n, n);
}

static void
set_probes(struct session *s, const char *remote)
{
    int interval = s->probe_interval;

    if (interval < 0) {
        interval = stream_needs_probes(remote) ? PROBE_INTERVAL : 0;
    } else if (interval && interval < MIN_PROBE_INTERVAL) {
        interval = MIN_PROBE_INTERVAL;
    }
    s->reconnect.probe_interval = interval;
}

void
session_set_probe_interval(struct session *s, int ms)
{
    s->probe_interval = ms;
    if (s->n_remotes) {
        set_probes(s, s->remotes[(s->next_remote + s->n_remotes - 1)
                                 % s->n_remotes]);
    }
}

static void
report(const struct session *s, enum ovsdb_idl_log_level level,
       const char *remote, const char *text)
{
    struct strbuf line = STRBUF_INITIALIZER;

    strbuf_printf(&line, "%s: %s", remote, text);
    s->cs->ops->log(s->cs->aux, level, strbuf_cstr(&line));
    strbuf_destroy(&line);
}

static void
begin_connecting(struct session *s, int64_t now)
{
    const char *remote = s->remotes[s->next_remote];
    int error;

    s->next_remote = (s->next_remote + 1) % s->n_remotes;
    set_probes(s, remote);
    reconnect_connecting(&s->reconnect, now);
    report(s, OVSDB_IDL_LOG_DBG, remote, "connecting...");
    error = stream_open(&s->stream, remote, s->ssl);
    if (error) {
        report(s, OVSDB_IDL_LOG_INFO, remote, strerror(error));
        disconnect(s, now, error);
    } else {
        s->open = true;
    }
}

static void
go_on_connecting(struct session *s, int64_t now)
{
    int error = stream_connect(&s->stream);

    if (!error) {
        reconnect_connected(&s->reconnect, now);
        s->cs->ops->log(s->cs->aux, OVSDB_IDL_LOG_INFO, "connected");
        cs_connected(s->cs);
    } else if (error != EAGAIN) {
        s->cs->ops->log(s->cs->aux, OVSDB_IDL_LOG_INFO, strerror(error));
        disconnect(s, now, error);
    }
}

/* Sending. */

static size_t
backlog(const struct session *s)
{
    return s->output.size - s->sent + s->cs->output.size;
}

void
session_flush(struct session *s, int64_t now)
{
    if (!s->open || !reconnect_is_connected(&s->reconnect)) {
        return;
    }
    strbuf_put(&s->output, s->cs->output.text, s->cs->output.size);
    s->cs->output.size = 0;
    while (s->sent < s->output.size) {
        ssize_t n = stream_send(&s->stream, s->output.text + s->sent,
                                s->output.size - s->sent);

        if (n == -EAGAIN) {
            if (s->sent > s->output.size / 2) {
                strbuf_pull(&s->output, s->sent);
                s->sent = 0;
            }
            return;
        } else if (n < 0) {
            disconnect(s, now, (int) -n);
            return;
        }
        s->sent += (size_t) n;
    }
    strbuf_destroy(&s->output);
    s->sent = 0;
}

static void
answer_echo(struct session *s, const struct json *message)
{
    const struct json *params = json_get(message, "params");
    const struct json *id = json_get(message, "id");

    if (id && id->type != JSON_NULL && backlog(s) < MAX_ECHO_BACKLOG) {
        strbuf_puts(&s->output, "{\"id\":");
        json_print(&s->output, id);
        strbuf_puts(&s->output, ",\"result\":");
        if (params) {
            json_print(&s->output, params);
        } else {
            strbuf_puts(&s->output, "[]");
        }
        strbuf_puts(&s->output, ",\"error\":null}");
    }
}

/* Receiving. */

static bool
take_message(struct session *s, const char *text, size_t size)
{
    struct json_document document;
    const char *method;

    if (json_parse(&document, text, size)) {
        return false;
    }
    method = json_get_string(&document.root, "method");
    if (method && !strcmp(method, "echo")) {
        answer_echo(s, &document.root);
    } else {
        cs_receive(s->cs, &document.root);
    }
    json_document_destroy(&document);
    return true;
}

/* Takes messages from the input.  Returns false if it is not JSON or too
 * much. */
static bool
take_messages(struct session *s, int *n_messages)
{
    size_t start = 0;
    bool done = true;

    s->more = false;
    while (done && s->scanned < s->input.size) {
        if (*n_messages >= MAX_MESSAGES_PER_RUN || s->cs->state == CS_RETRY) {
            s->more = true;
            break;
        }
        s->scanned += json_scan(&s->scanner, s->input.text + s->scanned,
                                s->input.size - s->scanned, &done);
        if (s->scanner.failed) {
            return false;
        } else if (done) {
            memset(&s->scanner, 0, sizeof s->scanner);
            ++*n_messages;
            if (!take_message(s, s->input.text + start, s->scanned - start)) {
                return false;
            }
            start = s->scanned;
        }
    }
    if (start == s->input.size) {
        strbuf_destroy(&s->input);
    } else if (start) {
        strbuf_pull(&s->input, start);
    }
    s->scanned -= start;
    return s->input.size <= s->max_message_size || s->more;
}

static void
receive(struct session *s, int64_t now)
{
    int n_messages = 0;

    for (;;) {
        ssize_t n;

        if (!take_messages(s, &n_messages)) {
            s->cs->ops->log(s->cs->aux, OVSDB_IDL_LOG_WARN,
                            "bad JSON or too large a message");
            disconnect(s, now, EPROTO);
            return;
        } else if (s->more) {
            return;
        }
        n = stream_recv(&s->stream, strbuf_reserve(&s->input, RECEIVE_SIZE),
                        RECEIVE_SIZE);
        if (n == -EAGAIN) {
            return;
        } else if (n <= 0) {
            disconnect(s, now, n ? (int) -n : EOF);
            return;
        }
        s->input.size += (size_t) n;
        reconnect_activity(&s->reconnect, now);
    }
}

/* The whole. */

static void
run_reconnect(struct session *s, int64_t now)
{
    switch (reconnect_run(&s->reconnect, now)) {
    case RECONNECT_CONNECT:
        begin_connecting(s, now);
        break;
    case RECONNECT_DISCONNECT:
        s->cs->ops->log(s->cs->aux, OVSDB_IDL_LOG_WARN,
                        "no answer from the server");
        disconnect(s, now, ETIMEDOUT);
        break;
    case RECONNECT_PROBE:
        strbuf_puts(&s->output,
                    "{\"method\":\"echo\",\"params\":[],\"id\":\"echo\"}");
        break;
    case RECONNECT_NOTHING:
        break;
    }
}

void
session_run(struct session *s, int64_t now)
{
    if (s->open && reconnect_is_connected(&s->reconnect)) {
        receive(s, now);
    }
    if (s->cs->state == CS_RETRY) {
        disconnect(s, now, EAGAIN);
    }
    if (s->n_remotes) {
        run_reconnect(s, now);
    }
    if (s->open && s->reconnect.state == RECONNECT_CONNECTING) {
        go_on_connecting(s, now);
    }
    if (s->open && reconnect_is_connected(&s->reconnect)) {
        cs_run(s->cs);
        session_flush(s, now);
    }
    if (s->cs->state == CS_MONITORING && s->n_remotes > 1) {
        /* The next trouble is new trouble: go through all of them again. */
        s->reconnect.n_free_tries = (uint32_t) s->n_remotes;
    }
}

void
session_force_reconnect(struct session *s, int64_t now)
{
    if (s->open) {
        disconnect(s, now, 0);
    }
}

void
session_enable_reconnect(struct session *s, int64_t now)
{
    if (s->n_remotes) {
        s->reconnect.n_tries = RECONNECT_UNLIMITED;
        if (s->reconnect.state == RECONNECT_VOID) {
            reconnect_init(&s->reconnect, now, RECONNECT_UNLIMITED, 0);
        }
    }
}

int64_t
session_deadline(const struct session *s)
{
    if (s->more || s->cs->state == CS_RETRY) {
        return INT64_MIN;
    }
    return s->n_remotes ? reconnect_deadline(&s->reconnect) : TIME_NEVER;
}

short int
session_events(const struct session *s)
{
    return s->open ? stream_events(&s->stream, backlog(s) > 0) : 0;
}
