/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <limits.h>

#define BLOCK_SIZE 4000

/* Memory of a document, handed out from the beginning. */
struct json_block {
    struct json_block *next;
    size_t size;
    size_t used;
    max_align_t memory[];
};

/* An array or object that has begun but not ended. */
struct level {
    bool is_object;
    size_t start;               /* Its first value on the parser's stack. */
};

struct parser {
    const char *p, *end;
    const char *error;
    struct json_document *document;

    /* Members of unfinished arrays and objects; those of arrays have no
     * name. */
    struct json_member *stack;
    size_t n_stack, n_allocated;
    struct level levels[JSON_MAX_DEPTH];
    size_t depth;
};

/* Scanning. */

size_t
json_scan(struct json_scanner *s, const char *text, size_t size, bool *done)
{
    *done = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];

        if (s->escaped) {
            s->escaped = false;
        } else if (s->in_string) {
            s->escaped = c == '\\';
            s->in_string = c != '"';
        } else if (c == '"') {
            s->in_string = true;
            s->failed |= !s->depth;
        } else if (c == '{' || c == '[') {
            s->failed |= ++s->depth > JSON_MAX_DEPTH;
        } else if (s->depth && (c == '}' || c == ']')) {
            if (!--s->depth) {
                *done = true;
                return i + 1;
            }
        } else if (!s->depth
                   && c != ' ' && c != '\t' && c != '\n' && c != '\r') {
            s->failed = true;
        }
        if (s->failed) {
            return i;
        }
    }
    return size;
}

/* Memory. */

static void *
allocate(struct json_document *d, size_t size)
{
    struct json_block *b = d->blocks;
    void *memory;

    size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
    if (!b || size > b->size - b->used) {
        size_t wanted = size > BLOCK_SIZE ? size : BLOCK_SIZE;

        b = xmalloc(sizeof *b + wanted);
        b->next = d->blocks;
        b->size = wanted;
        b->used = 0;
        d->blocks = b;
    }
    memory = (char *) b->memory + b->used;
    b->used += size;
    return memory;
}

void
json_document_destroy(struct json_document *d)
{
    while (d->blocks) {
        struct json_block *next = d->blocks->next;

        free(d->blocks);
        d->blocks = next;
    }
}

/* Parsing. */

static bool
fail(struct parser *parser, const char *error)
{
    parser->error = error;
    return false;
}

static void
skip_spaces(struct parser *parser)
{
    while (parser->p < parser->end
           && (*parser->p == ' ' || *parser->p == '\t'
               || *parser->p == '\n' || *parser->p == '\r')) {
        parser->p++;
    }
}

static bool
parse_hex4(struct parser *parser, unsigned int *value)
{
    *value = 0;
    if (parser->end - parser->p < 4) {
        return fail(parser, "malformed \\u escape");
    }
    for (int i = 0; i < 4; i++) {
        char c = *parser->p++;
        unsigned int digit;

        if (c >= '0' && c <= '9') {
            digit = (unsigned int) (c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = (unsigned int) (c - 'a') + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = (unsigned int) (c - 'A') + 10;
        } else {
            return fail(parser, "malformed \\u escape");
        }
        *value = *value * 16 + digit;
    }
    return true;
}

static char *
put_utf8(char *out, unsigned int c)
{
    if (c < 0x80) {
        *out++ = (char) c;
        return out;
    } else if (c < 0x800) {
        *out++ = (char) (0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *out++ = (char) (0xe0 | c >> 12);
        } else {
            *out++ = (char) (0xf0 | c >> 18);
            *out++ = (char) (0x80 | (c >> 12 & 0x3f));
        }
        *out++ = (char) (0x80 | (c >> 6 & 0x3f));
    }
    *out++ = (char) (0x80 | (c & 0x3f));
    return out;
}

/* Parses what follows "\u". */
static bool
parse_unicode(struct parser *parser, char **out)
{
    unsigned int c, low;

    if (!parse_hex4(parser, &c)) {
        return false;
    } else if (!c) {
        return fail(parser, "null bytes not supported in quoted strings");
    } else if (c >= 0xdc00 && c <= 0xdfff) {
        return fail(parser, "unpaired surrogate");
    } else if (c >= 0xd800 && c <= 0xdbff) {
        if (parser->end - parser->p < 2
            || parser->p[0] != '\\' || parser->p[1] != 'u') {
            return fail(parser, "unpaired surrogate");
        }
        parser->p += 2;
        if (!parse_hex4(parser, &low)) {
            return false;
        } else if (low < 0xdc00 || low > 0xdfff) {
            return fail(parser, "unpaired surrogate");
        }
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    *out = put_utf8(*out, c);
    return true;
}

static bool
parse_escape(struct parser *parser, char **out)
{
    static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
    char c = parser->p < parser->end ? *parser->p++ : '\0';

    if (c == 'u') {
        return parse_unicode(parser, out);
    }
    for (size_t i = 0; escapes[i]; i += 2) {
        if (c == escapes[i]) {
            *(*out)++ = escapes[i + 1];
            return true;
        }
    }
    return fail(parser, "bad escape in string");
}

/* Returns the size of the character at 'p', 0 if it is not UTF-8: also what is
 * overlong, a surrogate or beyond U+10FFFF (RFC 3629). */
static size_t
utf8_size(const char *p, const char *end)
{
    static const unsigned int least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    unsigned char lead = (unsigned char) *p;
    size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2
                  : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    unsigned int c;

    if (size < 2 || (size_t) (end - p) < size) {
        return size == 1;
    }
    c = lead & (0xffu >> (size + 1));
    for (size_t i = 1; i < size; i++) {
        unsigned char next = (unsigned char) p[i];

        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        c = c << 6 | (next & 0x3f);
    }
    return (c < least[size] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)
            ? 0 : size);
}

bool
json_is_utf8(const char *text, size_t size)
{
    const char *end = text + size;

    while (text < end) {
        size_t n = utf8_size(text, end);

        if (!n) {
            return false;
        }
        text += n;
    }
    return true;
}

/* Copies one character of more than one octet. */
static bool
parse_utf8(struct parser *parser, char **out)
{
    size_t size = utf8_size(parser->p, parser->end);

    if (!size) {
        return fail(parser, "invalid UTF-8 sequence");
    }
    memcpy(*out, parser->p, size);
    *out += size;
    parser->p += size;
    return true;
}

/* Parses a string whose opening quote has been consumed.  It never gets
 * longer than its JSON, up to the quote. */
static bool
parse_string(struct parser *parser, struct json *value)
{
    const char *quote = parser->p;
    char *string, *out;

    while (quote < parser->end && *quote != '"') {
        quote += *quote == '\\' && parser->end - quote > 1 ? 2 : 1;
    }
    string = out = allocate(parser->document,
                            (size_t) (quote - parser->p) + 1);
    while (parser->p < parser->end) {
        unsigned char c = (unsigned char) *parser->p;

        if (c == '"') {
            parser->p++;
            *out = '\0';
            value->type = JSON_STRING;
            value->string = string;
            if (out - string > UINT_MAX) {
                return fail(parser, "string too long");
            }
            value->n = (unsigned int) (out - string);
            return true;
        } else if (c < 0x20) {
            return fail(parser, "control character must be escaped");
        } else if (c == '\\') {
            parser->p++;
            if (!parse_escape(parser, &out)) {
                return false;
            }
        } else if (c < 0x80) {
            *out++ = (char) c;
            parser->p++;
        } else if (!parse_utf8(parser, &out)) {
            return false;
        }
    }
    return fail(parser, "unexpected end of input in quoted string");
}

static bool
parse_value(struct parser *parser, struct json *value, bool *opened)
{
    static const struct {
        const char *word;
        enum json_type type;
    } words[] = {
        { "null", JSON_NULL }, { "true", JSON_TRUE }, { "false", JSON_FALSE },
    };
    size_t left = (size_t) (parser->end - parser->p);
    char c = left ? *parser->p : '\0';

    *opened = false;
    value->n = 0;
    value->integer = 0;
    if (c == '"') {
        parser->p++;
        return parse_string(parser, value);
    } else if (c == '[' || c == '{') {
        if (parser->depth >= JSON_MAX_DEPTH) {
            return fail(parser, "input exceeds maximum nesting depth");
        }
        parser->p++;
        parser->levels[parser->depth].is_object = c == '{';
        parser->levels[parser->depth++].start = parser->n_stack;
        *opened = true;
        return true;
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        const char *error = json_parse_number(&parser->p, parser->end, value);

        return !error || fail(parser, error);
    }
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        size_t length = strlen(words[i].word);

        if (left >= length && !memcmp(parser->p, words[i].word, length)) {
            parser->p += length;
            value->type = words[i].type;
            return true;
        }
    }
    return fail(parser, "syntax error at beginning of value");
}

static struct json_member *
push(struct parser *parser)
{
    if (parser->n_stack >= parser->n_allocated) {
        parser->n_allocated = parser->n_allocated * 2 + 16;
        parser->stack = xrealloc_array(parser->stack, parser->n_allocated,
                                       sizeof *parser->stack);
    }
    return &parser->stack[parser->n_stack++];
}

/* Makes an array or object of the values on the stack. */
static bool
close_level(struct parser *parser, struct json *value)
{
    const struct level *level = &parser->levels[--parser->depth];
    const struct json_member *first = &parser->stack[level->start];
    size_t n = parser->n_stack - level->start;

    if (n > UINT_MAX) {
        return fail(parser, "too many elements");
    }
    value->n = (unsigned int) n;
    if (level->is_object) {
        struct json_member *members = allocate(parser->document,
                                               n * sizeof *members);

        if (n) {
            memcpy(members, first, n * sizeof *members);
        }
        value->type = JSON_OBJECT;
        value->members = members;
    } else {
        struct json *elements = allocate(parser->document,
                                         n * sizeof *elements);

        for (size_t i = 0; i < n; i++) {
            elements[i] = first[i].value;
        }
        value->type = JSON_ARRAY;
        value->elements = elements;
    }
    parser->n_stack = level->start;
    return true;
}

static bool
parse_name(struct parser *parser, const char **name)
{
    struct json string;

    skip_spaces(parser);
    if (parser->p >= parser->end || *parser->p != '"') {
        return fail(parser, "syntax error parsing object expecting string");
    }
    parser->p++;
    if (!parse_string(parser, &string)) {
        return false;
    }
    skip_spaces(parser);
    if (parser->p >= parser->end || *parser->p != ':') {
        return fail(parser, "syntax error parsing object expecting ':'");
    }
    parser->p++;
    *name = string.string;
    return true;
}

static char
closer(const struct parser *parser)
{
    return parser->levels[parser->depth - 1].is_object ? '}' : ']';
}

/* After a value within an array or object: closes as many levels as end here.
 * Returns true if the document is complete or another value must follow, which
 * 'more' tells. */
static bool
after_value(struct parser *parser, struct json *value, bool *more)
{
    while (parser->depth) {
        skip_spaces(parser);
        if (parser->p >= parser->end) {
            return fail(parser, "unexpected end of input");
        }
        parser->stack[parser->n_stack - 1].value = *value;
        if (*parser->p == ',') {
            parser->p++;
            *more = true;
            return true;
        } else if (*parser->p != closer(parser)) {
            return fail(parser, "syntax error expecting ',' or the end");
        }
        parser->p++;
        if (!close_level(parser, value)) {
            return false;
        }
    }
    *more = false;
    return true;
}

/* Parses values until the outermost one is complete.  The innermost open
 * level's next value always has its place on the stack already. */
static bool
parse_document(struct parser *parser, struct json *value)
{
    bool more = true;

    while (more) {
        bool opened = false;

        if (parser->depth) {
            struct json_member *member;
            const char *name = NULL;

            if (parser->levels[parser->depth - 1].is_object
                && !parse_name(parser, &name)) {
                return false;
            }
            member = push(parser);
            member->name = name;
        }
        skip_spaces(parser);
        if (!parse_value(parser, value, &opened)) {
            return false;
        }
        if (opened) {
            skip_spaces(parser);
            if (parser->p >= parser->end || *parser->p != closer(parser)) {
                continue;
            }
            parser->p++;
            if (!close_level(parser, value)) {
                return false;
            }
        }
        if (!after_value(parser, value, &more)) {
            return false;
        }
    }
    return true;
}

const char *
json_parse(struct json_document *document, const char *text, size_t size)
{
    struct parser *parser = xzalloc(sizeof *parser);
    const char *error;

    document->blocks = NULL;
    parser->p = text;
    parser->end = text + size;
    parser->document = document;
    if (parse_document(parser, &document->root)) {
        skip_spaces(parser);
        if (parser->p < parser->end) {
            fail(parser, "trailing garbage at end of input");
        }
    }
    error = parser->error;
    free(parser->stack);
    free(parser);
    if (error) {
        json_document_destroy(document);
    }
    return error;
}

const struct json *
json_get(const struct json *object, const char *name)
{
    if (json_is(object, JSON_OBJECT)) {
        for (unsigned int i = object->n; i-- > 0;) {
            if (!strcmp(object->members[i].name, name)) {
                return &object->members[i].value;
            }
        }
    }
    return NULL;
}

const char *
json_get_string(const struct json *object, const char *name)
{
    const struct json *value = json_get(object, name);

    return json_is(value, JSON_STRING) ? value->string : NULL;
}
