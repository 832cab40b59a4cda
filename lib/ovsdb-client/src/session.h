/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SESSION_H
#define SESSION_H 1

/* A connection to one of several servers, made again when it breaks: the only
 * part of the library, beside the streams, that does I/O. */

#include "cs.h"
#include "reconnect.h"
#include "stream.h"

struct session {
    struct cs *cs;
    char **remotes;
    size_t n_remotes;
    size_t next_remote;
    bool open;
    struct stream stream;
    struct reconnect reconnect;
    int probe_interval;         /* In ms; -1 for the default. */
    struct ssl_files *ssl;

    struct json_scanner scanner;
    struct strbuf input;        /* A message that is not complete yet, and
                                 * what follows it. */
    size_t scanned;             /* How much of it the scanner has seen. */
    size_t max_message_size;
    struct strbuf output;
    size_t sent;                /* Octets at its beginning. */
    bool more;                  /* Messages are left in 'input'. */
    int last_error;
};

void session_init(struct session *, struct cs *);
void session_destroy(struct session *);

/* 'remotes' are separated by commas; NULL for none. */
void session_set_remotes(struct session *, const char *remotes, bool shuffle,
                         bool retry, int64_t now);
void session_run(struct session *, int64_t now);

/* Sends what the socket takes. */
void session_flush(struct session *, int64_t now);
void session_force_reconnect(struct session *, int64_t now);
void session_enable_reconnect(struct session *, int64_t now);
void session_set_probe_interval(struct session *, int ms);
int64_t session_deadline(const struct session *);

/* Poll events for 'stream.fd', if 'open'. */
short int session_events(const struct session *);

#endif /* session.h */
