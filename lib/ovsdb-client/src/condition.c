/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of a table are wanted.
 *
 * The server applies a changed condition some time after it was sent, and
 * answers.  Until then nobody knows which one holds, so that if the connection
 * breaks meanwhile, the whole table must be asked for again. */

#include "idl-private.h"

void
ovsdb_idl_condition_init(struct ovsdb_idl_condition *c)
{
    memset(c, 0, sizeof *c);
}

void
ovsdb_idl_condition_clear(struct ovsdb_idl_condition *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->clauses[i]);
    }
    free(c->clauses);
    ovsdb_idl_condition_init(c);
}

void
ovsdb_idl_condition_destroy(struct ovsdb_idl_condition *c)
{
    if (c) {
        ovsdb_idl_condition_clear(c);
    }
}

void
ovsdb_idl_condition_add_clause_true(struct ovsdb_idl_condition *c)
{
    ovsdb_idl_condition_clear(c);
    c->is_true = true;
}

bool
ovsdb_idl_condition_is_true(const struct ovsdb_idl_condition *c)
{
    return c->is_true;
}

/* Adds a clause in its place, unless it is there already.  It is consumed. */
static void
add_text(struct ovsdb_idl_condition *c, char *text)
{
    size_t i = 0;

    while (i < c->n && strcmp(c->clauses[i], text) < 0) {
        i++;
    }
    if (c->is_true || (i < c->n && !strcmp(c->clauses[i], text))) {
        free(text);
        return;
    }
    c->clauses = xrealloc_array(c->clauses, c->n + 1, sizeof *c->clauses);
    memmove(&c->clauses[i + 1], &c->clauses[i],
            (c->n - i) * sizeof *c->clauses);
    c->clauses[i] = text;
    c->n++;
}

static void
add_clause(struct ovsdb_idl_condition *c, enum ovsdb_function function,
           const struct ovsdb_idl_column *column, struct ovsdb_datum *d)
{
    static const char *names[] = {
        [OVSDB_F_EQ] = "==",
        [OVSDB_F_NE] = "!=",
        [OVSDB_F_LT] = "<",
        [OVSDB_F_LE] = "<=",
        [OVSDB_F_GT] = ">",
        [OVSDB_F_GE] = ">=",
        [OVSDB_F_INCLUDES] = "includes",
        [OVSDB_F_EXCLUDES] = "excludes",
    };
    struct strbuf text = STRBUF_INITIALIZER;

    strbuf_putc(&text, '[');
    json_print_string(&text, column->name);
    strbuf_printf(&text, ",\"%s\",", names[function]);
    datum_print(&text, d, &column->type, NULL, NULL);
    strbuf_putc(&text, ']');
    add_text(c, strbuf_steal(&text));
    datum_destroy(d, &column->type);
}

void
ovsdb_idl_add_clause(struct ovsdb_idl_condition *c,
                     enum ovsdb_function function,
                     const struct ovsdb_idl_column *column,
                     const void *keys, const void *values, size_t n)
{
    struct ovsdb_datum d;

    datum_from_arrays(&d, &column->type, keys, values, n, false);
    add_clause(c, function, column, &d);
}

void
ovsdb_idl_add_clause_smap(struct ovsdb_idl_condition *c,
                          enum ovsdb_function function,
                          const struct ovsdb_idl_column *column,
                          const struct smap *smap)
{
    struct ovsdb_datum d;

    datum_from_smap(&d, smap);
    add_clause(c, function, column, &d);
}

/* What the server gets to see; NULL for all rows. */
static char *
to_json(const struct ovsdb_idl_condition *c)
{
    struct strbuf text = STRBUF_INITIALIZER;

    if (c->is_true) {
        return NULL;
    } else if (!c->n) {
        return xstrdup("[false]");
    }
    for (size_t i = 0; i < c->n; i++) {
        strbuf_putc(&text, i ? ',' : '[');
        strbuf_puts(&text, c->clauses[i]);
    }
    strbuf_putc(&text, ']');
    return strbuf_steal(&text);
}

static bool
same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

static const char *
latest(const struct table_condition *c)
{
    return c->is_new ? c->new : c->is_requested ? c->requested
           : c->acknowledged;
}

static void
replace(char **to, char **from)
{
    free(*to);
    *to = *from;
    *from = NULL;
}

static bool
any_requested(const struct ovsdb_idl *idl)
{
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        if (idl->tables[i].condition.is_requested) {
            return true;
        }
    }
    return false;
}

static bool
any_new(const struct ovsdb_idl *idl)
{
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        if (idl->tables[i].condition.is_new) {
            return true;
        }
    }
    return false;
}

/* Whether there is something to send, and it can be. */
bool
conditions_pending(const struct ovsdb_idl *idl)
{
    return (idl->cs.state == CS_MONITORING && idl->cs.monitor_version > 1
            && idl->cs.request_id < 0 && any_new(idl));
}

unsigned int
ovsdb_idl_set_condition(struct ovsdb_idl *idl,
                        const struct ovsdb_idl_table_class *class,
                        const struct ovsdb_idl_condition *condition)
{
    struct table_condition *c = &idl_table(idl, class)->condition;
    char *text = to_json(condition);

    c->is_set = true;
    if (same(text, latest(c))) {
        free(text);
    } else {
        replace(&c->new, &text);
        c->is_new = true;
    }
    if (!c->is_new) {
        return idl->condition_seqno + c->is_requested;
    }
    return idl->condition_seqno + any_requested(idl) + 1;
}

unsigned int
ovsdb_idl_get_condition_seqno(const struct ovsdb_idl *idl)
{
    return idl->condition_seqno;
}

bool
conditions_compose_changes(struct ovsdb_idl *idl, struct strbuf *b)
{
    bool any = false;

    for (size_t i = 0; i < idl->class->n_tables; i++) {
        struct table_condition *c = &idl->tables[i].condition;

        if (c->is_new) {
            replace(&c->requested, &c->new);
            c->is_requested = true;
            c->is_new = false;
            strbuf_putc(b, any ? ',' : '{');
            json_print_string(b, idl->class->tables[i].name);
            strbuf_printf(b, ":[{\"where\":%s}]",
                          c->requested ? c->requested : "[true]");
            any = true;
        }
    }
    if (any) {
        strbuf_putc(b, '}');
    }
    return any;
}

void
conditions_acknowledged(struct ovsdb_idl *idl)
{
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        struct table_condition *c = &idl->tables[i].condition;

        if (c->is_requested) {
            replace(&c->acknowledged, &c->requested);
            c->is_requested = false;
        }
    }
    idl->condition_seqno++;
}

/* With everything to be asked for anew, the latest conditions hold from the
 * beginning. */
bool
conditions_restart(struct ovsdb_idl *idl, bool resume)
{
    bool requested = any_requested(idl);
    unsigned int advance;

    if (resume && !requested) {
        return true;
    }
    advance = (unsigned int) requested + any_new(idl);
    if (idl->restart_advance < advance) {
        idl->restart_advance = advance;
    }
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        struct table_condition *c = &idl->tables[i].condition;

        if (c->is_requested) {
            replace(&c->acknowledged, &c->requested);
            c->is_requested = false;
        }
        if (c->is_new) {
            replace(&c->acknowledged, &c->new);
            c->is_new = false;
        }
    }
    return false;
}

void
table_condition_destroy(struct table_condition *c)
{
    free(c->acknowledged);
    free(c->requested);
    free(c->new);
}
