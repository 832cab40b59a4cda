/* SPDX-License-Identifier: Apache-2.0 */
#include "ovsdb-client/smap.h"

#include <errno.h>
#include <limits.h>
#include <strings.h>

#include "strbuf.h"

void
smap_init(struct smap *smap)
{
    memset(smap, 0, sizeof *smap);
}

void
smap_clear(struct smap *smap)
{
    for (size_t i = 0; i < smap->n; i++) {
        free(smap->nodes[i].key);
        free(smap->nodes[i].value);
    }
    smap->n = 0;
}

void
smap_destroy(struct smap *smap)
{
    if (smap) {
        smap_clear(smap);
        free(smap->nodes);
        smap_init(smap);
    }
}

void
smap_clone(struct smap *dst, const struct smap *src)
{
    dst->n = dst->n_allocated = src->n;
    dst->nodes = xmalloc_array(src->n, sizeof *dst->nodes);
    for (size_t i = 0; i < src->n; i++) {
        dst->nodes[i].key = xstrdup(src->nodes[i].key);
        dst->nodes[i].value = xstrdup(src->nodes[i].value);
    }
}

/* Returns where 'key' is or would be. */
static size_t
find(const struct smap *smap, const char *key, bool *found)
{
    size_t low = 0, high = smap->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(smap->nodes[middle].key, key);

        if (!order) {
            *found = true;
            return middle;
        } else if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *found = false;
    return low;
}

static void
insert_nocopy(struct smap *smap, const char *key, char *value, bool replace)
{
    bool found;
    size_t i = find(smap, key, &found);

    if (found) {
        char *unused = replace ? smap->nodes[i].value : value;

        smap->nodes[i].value = replace ? value : smap->nodes[i].value;
        free(unused);
        return;
    }
    if (smap->n >= smap->n_allocated) {
        smap->n_allocated = smap->n_allocated * 2 + 4;
        smap->nodes = xrealloc_array(smap->nodes, smap->n_allocated,
                                     sizeof *smap->nodes);
    }
    memmove(&smap->nodes[i + 1], &smap->nodes[i],
            (smap->n - i) * sizeof *smap->nodes);
    smap->nodes[i].key = xstrdup(key);
    smap->nodes[i].value = value;
    smap->n++;
}

void
smap_replace(struct smap *smap, const char *key, const char *value)
{
    insert_nocopy(smap, key, xstrdup(value), true);
}

void
smap_add(struct smap *smap, const char *key, const char *value)
{
    smap_replace(smap, key, value);
}

void
smap_add_format(struct smap *smap, const char *key, const char *format, ...)
{
    struct strbuf value = STRBUF_INITIALIZER;
    va_list args;

    va_start(args, format);
    strbuf_vprintf(&value, format, args);
    va_end(args);
    insert_nocopy(smap, key, strbuf_steal(&value), true);
}

bool
smap_add_once(struct smap *smap, const char *key, const char *value)
{
    if (smap_get(smap, key)) {
        return false;
    }
    smap_replace(smap, key, value);
    return true;
}

void
smap_remove(struct smap *smap, const char *key)
{
    bool found;
    size_t i = find(smap, key, &found);

    if (found) {
        free(smap->nodes[i].key);
        free(smap->nodes[i].value);
        smap->n--;
        memmove(&smap->nodes[i], &smap->nodes[i + 1],
                (smap->n - i) * sizeof *smap->nodes);
    }
}

const char *
smap_get_def(const struct smap *smap, const char *key, const char *def)
{
    bool found;
    size_t i = find(smap, key, &found);

    return found ? smap->nodes[i].value : def;
}

const char *
smap_get(const struct smap *smap, const char *key)
{
    return smap_get_def(smap, key, NULL);
}

bool
smap_get_bool(const struct smap *smap, const char *key, bool def)
{
    const char *value = smap_get_def(smap, key, "");

    return def ? strcasecmp(value, "false") != 0 : !strcasecmp(value, "true");
}

int
smap_get_int(const struct smap *smap, const char *key, int def)
{
    const char *value = smap_get_def(smap, key, "");
    char *end;
    long int number;

    errno = 0;
    number = strtol(value, &end, 10);
    return (!*value || *end || errno || number < INT_MIN || number > INT_MAX
            ? def : (int) number);
}

unsigned long long int
smap_get_ullong(const struct smap *smap, const char *key,
                unsigned long long int def)
{
    const char *value = smap_get_def(smap, key, "");
    char *end;
    unsigned long long int number;

    errno = 0;
    number = strtoull(value, &end, 10);
    return !*value || *end || errno || strchr(value, '-') ? def : number;
}

unsigned int
smap_get_uint(const struct smap *smap, const char *key, unsigned int def)
{
    unsigned long long int number = smap_get_ullong(smap, key, def);

    return number <= UINT_MAX ? (unsigned int) number : def;
}

bool
smap_get_uuid(const struct smap *smap, const char *key, struct uuid *uuid)
{
    return uuid_from_string(uuid, smap_get_def(smap, key, ""));
}

bool
smap_is_empty(const struct smap *smap)
{
    return !smap->n;
}

size_t
smap_count(const struct smap *smap)
{
    return smap->n;
}

bool
smap_equal(const struct smap *a, const struct smap *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->nodes[i].key, b->nodes[i].key)
            || strcmp(a->nodes[i].value, b->nodes[i].value)) {
            return false;
        }
    }
    return true;
}
