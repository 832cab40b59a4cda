/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STRBUF_H
#define STRBUF_H 1

/* Text that grows at its end. */

#include <stdarg.h>

#include "memory.h"
#include "ovsdb-client/uuid.h"

struct strbuf {
    char *text;                 /* Not terminated; see strbuf_cstr(). */
    size_t size;
    size_t n_allocated;
};

#define STRBUF_INITIALIZER { NULL, 0, 0 }

void strbuf_put(struct strbuf *, const void *, size_t);
void strbuf_puts(struct strbuf *, const char *);
void strbuf_putc(struct strbuf *, char);
void strbuf_printf(struct strbuf *, const char *, ...)
    OVSDB_CLIENT_PRINTF(2, 3);
void strbuf_vprintf(struct strbuf *, const char *, va_list)
    OVSDB_CLIENT_PRINTF(2, 0);

/* Terminates the text, and returns it: as long as the buffer is left alone,
 * or for the caller to free. */
const char *strbuf_cstr(struct strbuf *);
char *strbuf_steal(struct strbuf *);

/* Makes room for 'size' octets more, and returns where it is. */
char *strbuf_reserve(struct strbuf *, size_t size);

/* Removes octets at the beginning. */
void strbuf_pull(struct strbuf *, size_t size);
void strbuf_destroy(struct strbuf *);

#endif /* strbuf.h */
