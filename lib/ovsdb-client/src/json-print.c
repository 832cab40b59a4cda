/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <inttypes.h>

void
json_print_string(struct strbuf *b, const char *s)
{
    strbuf_putc(b, '"');
    for (; *s; s++) {
        static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
        const char *escape = NULL;

        for (size_t i = 0; escapes[i]; i += 2) {
            if (*s == escapes[i]) {
                escape = &escapes[i + 1];
            }
        }
        if (escape) {
            strbuf_putc(b, '\\');
            strbuf_putc(b, *escape);
        } else if ((unsigned char) *s < 0x20) {
            strbuf_printf(b, "\\u%04x", (unsigned int) *s);
        } else {
            strbuf_putc(b, *s);
        }
    }
    strbuf_putc(b, '"');
}

void
json_print_uuid(struct strbuf *b, const struct uuid *uuid)
{
    strbuf_printf(b, "[\"uuid\",\"" UUID_FMT "\"]", UUID_ARGS(uuid));
}

/* An array or object that is being printed. */
struct level {
    const struct json *json;
    unsigned int next;
};

static void
print_scalar(struct strbuf *b, const struct json *json)
{
    switch (json->type) {
    case JSON_NULL:
        strbuf_puts(b, "null");
        break;
    case JSON_FALSE:
        strbuf_puts(b, "false");
        break;
    case JSON_TRUE:
        strbuf_puts(b, "true");
        break;
    case JSON_INTEGER:
        strbuf_printf(b, "%"PRId64, json->integer);
        break;
    case JSON_REAL:
        json_print_real(b, json->real);
        break;
    case JSON_STRING:
        json_print_string(b, json->string);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
}

static bool
is_container(const struct json *json)
{
    return json->type == JSON_ARRAY || json->type == JSON_OBJECT;
}

static void
open_container(struct strbuf *b, struct level *level, const struct json *json)
{
    strbuf_putc(b, json->type == JSON_ARRAY ? '[' : '{');
    level->json = json;
    level->next = 0;
}

/* Prints a value that json_parse() made, which bounds its depth. */
void
json_print(struct strbuf *b, const struct json *json)
{
    struct level levels[JSON_MAX_DEPTH + 1];
    size_t depth = 0;

    if (!is_container(json)) {
        print_scalar(b, json);
        return;
    }
    open_container(b, &levels[depth++], json);
    while (depth) {
        struct level *level = &levels[depth - 1];
        const struct json *value;

        if (level->next >= level->json->n) {
            strbuf_putc(b, level->json->type == JSON_ARRAY ? ']' : '}');
            depth--;
            continue;
        }
        if (level->next) {
            strbuf_putc(b, ',');
        }
        if (level->json->type == JSON_OBJECT) {
            const struct json_member *m = &level->json->members[level->next];

            json_print_string(b, m->name);
            strbuf_putc(b, ':');
            value = &m->value;
        } else {
            value = &level->json->elements[level->next];
        }
        level->next++;
        if (is_container(value) && depth < ARRAY_SIZE(levels)) {
            open_container(b, &levels[depth++], value);
        } else {
            print_scalar(b, value);
        }
    }
}
