/* SPDX-License-Identifier: Apache-2.0 */
#include "strbuf.h"

#include <stdio.h>

char *
strbuf_reserve(struct strbuf *b, size_t size)
{
    if (size > b->n_allocated - b->size) {
        size_t wanted = b->size + size;

        xcheck(wanted >= size && wanted <= SIZE_MAX / 2 ? b : NULL);
        b->n_allocated = b->n_allocated ? b->n_allocated : 64;
        while (b->n_allocated < wanted) {
            b->n_allocated *= 2;
        }
        b->text = xrealloc_array(b->text, b->n_allocated, 1);
    }
    return b->text + b->size;
}

void
strbuf_put(struct strbuf *b, const void *octets, size_t size)
{
    if (size) {
        memcpy(strbuf_reserve(b, size), octets, size);
        b->size += size;
    }
}

void
strbuf_puts(struct strbuf *b, const char *s)
{
    strbuf_put(b, s, strlen(s));
}

void
strbuf_putc(struct strbuf *b, char c)
{
    *strbuf_reserve(b, 1) = c;
    b->size++;
}

void
strbuf_vprintf(struct strbuf *b, const char *format, va_list args)
{
    va_list copy;
    int size;

    va_copy(copy, args);
    size = vsnprintf(NULL, 0, format, copy);
    va_end(copy);
    if (size > 0) {
        vsnprintf(strbuf_reserve(b, (size_t) size + 1), (size_t) size + 1,
                  format, args);
        b->size += (size_t) size;
    }
}

void
strbuf_printf(struct strbuf *b, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    strbuf_vprintf(b, format, args);
    va_end(args);
}

const char *
strbuf_cstr(struct strbuf *b)
{
    *strbuf_reserve(b, 1) = '\0';
    return b->text;
}

char *
strbuf_steal(struct strbuf *b)
{
    char *text;

    strbuf_cstr(b);
    text = b->text;
    b->text = NULL;
    b->size = b->n_allocated = 0;
    return text;
}

void
strbuf_pull(struct strbuf *b, size_t size)
{
    b->size -= size;
    if (b->size) {
        memmove(b->text, b->text + size, b->size);
    }
}

void
strbuf_destroy(struct strbuf *b)
{
    free(b->text);
    b->text = NULL;
    b->size = b->n_allocated = 0;
}
