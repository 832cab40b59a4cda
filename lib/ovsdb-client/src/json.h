/* SPDX-License-Identifier: Apache-2.0 */
#ifndef JSON_H
#define JSON_H 1

/* JSON as OVSDB uses it: RFC 7159, but strings hold no NUL, and a number that
 * is integral and fits is an int64_t, anything else a double.
 *
 * Three parts: a scanner that finds where a text in a stream ends, a parser
 * for a whole text, and functions that print.  The parser makes a document:
 * values that point to one another within memory that is freed as a whole.
 * Neither recurses; both bound the depth. */

#include <stdbool.h>
#include <stdint.h>

#include "strbuf.h"

#define JSON_MAX_DEPTH 1000

enum json_type {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_INTEGER,
    JSON_REAL,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
};

struct json {
    enum json_type type;
    unsigned int n;             /* Octets, elements or members. */
    union {
        int64_t integer;
        double real;
        const char *string;     /* UTF-8, terminated. */
        const struct json *elements;
        const struct json_member *members;
    };
};

struct json_member {
    const char *name;
    struct json value;
};

/* Finding the end of a text that begins with { or [. */
struct json_scanner {
    unsigned int depth;
    bool in_string;
    bool escaped;
    bool failed;                /* The text is hopeless. */
};

/* Takes 'size' octets more.  Returns how many of them belong to the text; it
 * is complete if 'done' becomes true. */
size_t json_scan(struct json_scanner *, const char *, size_t size, bool *done);

/* A parsed text. */
struct json_document {
    struct json root;
    struct json_block *blocks;
};

/* Parses 'size' octets as a single value.  Returns NULL if that succeeds,
 * and otherwise what is wrong; 'document' need not be freed then. */
const char *json_parse(struct json_document *, const char *, size_t size);
void json_document_destroy(struct json_document *);

/* Parses the number at '*p', and moves '*p' behind it.  Returns NULL or what
 * is wrong. */
const char *json_parse_number(const char **p, const char *end, struct json *);

/* The value of the last member with that name, or NULL. */
const struct json *json_get(const struct json *object, const char *name);

/* The same, for a member that is a string. */
const char *json_get_string(const struct json *object, const char *name);

static inline bool
json_is(const struct json *json, enum json_type type)
{
    return json && json->type == type;
}

static inline bool
json_is_string(const struct json *json, const char *s)
{
    return json_is(json, JSON_STRING) && !strcmp(json->string, s);
}

/* Whether a text is UTF-8.  What is printed is only if the strings are. */
bool json_is_utf8(const char *, size_t size);

/* Printing. */
void json_print(struct strbuf *, const struct json *);
void json_print_string(struct strbuf *, const char *);
void json_print_real(struct strbuf *, double);
void json_print_uuid(struct strbuf *, const struct uuid *); /* ["uuid",...] */

#endif /* json.h */
