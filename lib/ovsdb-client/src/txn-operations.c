/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions as operations for the server: RFC 7047 section 5.2.
 *
 * First a "wait" for each row with verified columns, so that a concurrent
 * change makes everything fail softly; then inserts, deletes, updates and
 * mutations; then the increment, with a "select" of its result; then the
 * rest. */

#include "txn-private.h"

struct printer {
    struct ovsdb_idl_txn *txn;
    struct strbuf *b;
    unsigned int n;             /* Operations so far. */
    bool changed;               /* They change something. */
};

static void
begin(struct printer *p, const char *op, const struct ovsdb_idl_table *table)
{
    p->n++;
    strbuf_printf(p->b, ",{\"op\":\"%s\"", op);
    if (table) {
        strbuf_puts(p->b, ",\"table\":");
        json_print_string(p->b, table->class->name);
    }
}

/* Refers to a row that this transaction inserts by its name. */
static bool
print_name(const void *txn, const struct uuid *uuid, struct strbuf *b)
{
    const struct txn_insert *insert = txn_find_insert(txn, uuid);

    if (!insert || !insert->row || insert->row->persist_uuid) {
        return false;
    }
    strbuf_printf(b, "[\"named-uuid\",\"row%08x_%04x_%04x_%04x_%04x%08x\"]",
                  UUID_ARGS(uuid));
    return true;
}

static void
print_datum(struct printer *p, const struct ovsdb_datum *d,
            const struct ovsdb_type *type)
{
    datum_print(p->b, d, type, print_name, p->txn);
}

static void
print_where(struct printer *p, const struct uuid *uuid)
{
    const union ovsdb_atom atom = { .uuid = *uuid };

    strbuf_puts(p->b, ",\"where\":[[\"_uuid\",\"==\",");
    datum_print_atom(p->b, &atom, OVSDB_TYPE_UUID, print_name, p->txn);
    strbuf_puts(p->b, "]]");
}

/* Verified columns. */

static void
print_wait(struct printer *p, const struct ovsdb_idl_row_state *row)
{
    const struct ovsdb_idl_table_class *class = row->table->class;
    struct strbuf values = STRBUF_INITIALIZER;
    bool any = false;

    for (size_t i = 0; row->changes && i < class->n_columns; i++) {
        if (!row->changes[i].verified) {
            continue;
        }
        if (!any) {
            begin(p, "wait", row->table);
            strbuf_puts(p->b, ",\"timeout\":0");
            print_where(p, &row->row->uuid);
            strbuf_puts(p->b, ",\"until\":\"==\",\"columns\":[");
        } else {
            strbuf_putc(p->b, ',');
            strbuf_putc(&values, ',');
        }
        any = true;
        json_print_string(p->b, class->columns[i].name);
        json_print_string(&values, class->columns[i].name);
        strbuf_putc(&values, ':');
        datum_print(&values, &row->data[i], &class->columns[i].type, NULL,
                    NULL);
    }
    if (any) {
        strbuf_puts(p->b, "],\"rows\":[{");
        strbuf_put(p->b, values.text, values.size);
        strbuf_puts(p->b, "}]}");
    }
    strbuf_destroy(&values);
}

/* A row that is inserted into a table for one row: only if the table is still
 * empty then. */
static void
print_singleton_wait(struct printer *p, const struct ovsdb_idl_table *table)
{
    struct ovsdb_idl_row_state *row;
    size_t before = 0, after = 0;

    LIST_FOR_EACH (row, struct ovsdb_idl_row_state, node, &table->rows) {
        before += !row->inserted;
        after += !row->deleted;
    }
    if (!before && after == 1) {
        begin(p, "wait", table);
        strbuf_puts(p->b, ",\"where\":[],\"timeout\":0,\"until\":\"==\","
                          "\"rows\":[]}");
    }
}

/* Changes. */

static void
print_insert(struct printer *p, const struct ovsdb_idl_row_state *row)
{
    const struct ovsdb_idl_table_class *class = row->table->class;
    const struct uuid *uuid = &row->row->uuid;
    bool any = false;

    txn_find_insert(p->txn, uuid)->operation = p->n;
    begin(p, "insert", row->table);
    if (row->persist_uuid) {
        strbuf_printf(p->b, ",\"uuid\":\"" UUID_FMT "\"", UUID_ARGS(uuid));
    } else {
        strbuf_printf(p->b,
                      ",\"uuid-name\":\"row%08x_%04x_%04x_%04x_%04x%08x\"",
                      UUID_ARGS(uuid));
    }
    strbuf_puts(p->b, ",\"row\":{");
    for (size_t i = 0; row->changes && i < class->n_columns; i++) {
        const struct column_change *change = &row->changes[i];
        const struct ovsdb_idl_column *column = &class->columns[i];

        if (change->written
            && !datum_is_default(&change->value, &column->type)) {
            if (any) {
                strbuf_putc(p->b, ',');
            }
            any = true;
            json_print_string(p->b, column->name);
            strbuf_putc(p->b, ':');
            print_datum(p, &change->value, &column->type);
        }
    }
    strbuf_puts(p->b, "}}");
    p->changed = true;
}

/* Whether the server keeps us up to date about a column.  If not, its value in
 * the replica means nothing. */
static bool
is_known(const struct ovsdb_idl_row_state *row, size_t column)
{
    return (row->table->modes[column] & OVSDB_IDL_MONITOR) != 0;
}

static void
print_update(struct printer *p, const struct ovsdb_idl_row_state *row)
{
    const struct ovsdb_idl_table_class *class = row->table->class;
    bool any = false;

    for (size_t i = 0; row->changes && i < class->n_columns; i++) {
        const struct column_change *change = &row->changes[i];
        const struct ovsdb_idl_column *column = &class->columns[i];

        if (!change->written) {
            continue;
        }
        if (!any) {
            begin(p, "update", row->table);
            print_where(p, &row->row->uuid);
            strbuf_puts(p->b, ",\"row\":{");
        } else {
            strbuf_putc(p->b, ',');
        }
        any = true;
        json_print_string(p->b, column->name);
        strbuf_putc(p->b, ':');
        print_datum(p, &change->value, &column->type);
        p->changed |= (!is_known(row, i)
                       || !datum_equals(&change->value, &row->data[i],
                                        &column->type));
    }
    if (any) {
        strbuf_puts(p->b, "}}");
    }
}

/* Adds an element to the list of what a mutation inserts or deletes. */
static void
print_key(struct printer *p, struct strbuf *b, const struct ovsdb_type *type,
          const union ovsdb_atom *key)
{
    strbuf_puts(b, b->size ? "," : "");
    datum_print_atom(b, key, type->key.type, print_name, p->txn);
}

static void
print_pair(struct printer *p, struct strbuf *b, const struct ovsdb_type *type,
           const union ovsdb_atom *key, const union ovsdb_atom *value)
{
    strbuf_puts(b, b->size ? ",[" : "[");
    datum_print_atom(b, key, type->key.type, print_name, p->txn);
    strbuf_putc(b, ',');
    datum_print_atom(b, value, type->value.type, print_name, p->txn);
    strbuf_putc(b, ']');
}

/* Collects what is to be deleted from and inserted into a column.  A key of a
 * map whose value changes is deleted and inserted again; what is so already is
 * left out, as far as the old value is known. */
static void
collect_mutations(struct printer *p, const struct ovsdb_type *type,
                  const struct ovsdb_datum *old, bool known,
                  const struct column_change *change, struct strbuf *removes,
                  struct strbuf *inserts)
{
    const struct ovsdb_datum *gone = &change->removes;
    const struct ovsdb_datum *new = &change->inserts;
    unsigned int j;

    for (unsigned int i = 0; i < gone->n; i++) {
        if (!known || datum_find(old, &gone->keys[i], type, &j)) {
            print_key(p, removes, type, &gone->keys[i]);
        }
    }
    for (unsigned int i = 0; i < new->n; i++) {
        if (!type_is_map(type)) {
            print_key(p, inserts, type, &new->keys[i]);
            continue;
        }
        if (!known) {
            print_key(p, removes, type, &new->keys[i]);
        } else if (datum_find(old, &new->keys[i], type, &j)) {
            if (!atom_compare(&old->values[j], &new->values[i],
                              type->value.type)) {
                continue;
            }
            print_key(p, removes, type, &new->keys[i]);
        }
        print_pair(p, inserts, type, &new->keys[i], &new->values[i]);
    }
}

/* Prints the mutations of a column, each with a comma before it. */
static void
print_column_mutations(struct printer *p, struct strbuf *b,
                       const struct ovsdb_idl_row_state *row, size_t i)
{
    const struct ovsdb_idl_column *column = &row->table->class->columns[i];
    struct strbuf removes = STRBUF_INITIALIZER, inserts = STRBUF_INITIALIZER;

    collect_mutations(p, &column->type, &row->data[i], is_known(row, i),
                      &row->changes[i], &removes, &inserts);
    if (removes.size) {
        strbuf_puts(b, ",[");
        json_print_string(b, column->name);
        strbuf_printf(b, ",\"delete\",[\"set\",[%s]]]", strbuf_cstr(&removes));
    }
    if (inserts.size) {
        strbuf_puts(b, ",[");
        json_print_string(b, column->name);
        strbuf_printf(b, ",\"insert\",[\"%s\",[%s]]]",
                      type_is_map(&column->type) ? "map" : "set",
                      strbuf_cstr(&inserts));
    }
    strbuf_destroy(&removes);
    strbuf_destroy(&inserts);
}

static void
print_mutations(struct printer *p, const struct ovsdb_idl_row_state *row)
{
    const struct ovsdb_idl_table_class *class = row->table->class;
    struct strbuf mutations = STRBUF_INITIALIZER;

    for (size_t i = 0; row->changes && i < class->n_columns; i++) {
        if (row->changes[i].mutated) {
            print_column_mutations(p, &mutations, row, i);
        }
    }
    if (mutations.size) {
        begin(p, "mutate", row->table);
        print_where(p, &row->row->uuid);
        strbuf_puts(p->b, ",\"mutations\":[");
        strbuf_put(p->b, mutations.text + 1, mutations.size - 1);
        strbuf_puts(p->b, "]}");
        p->changed = true;
    }
    strbuf_destroy(&mutations);
}

static void
print_changes(struct printer *p, const struct ovsdb_idl_row_state *row)
{
    if (row->deleted) {
        /* Others are deleted when nothing refers to them any more. */
        if (row->table->class->is_root) {
            begin(p, "delete", row->table);
            print_where(p, &row->row->uuid);
            strbuf_putc(p->b, '}');
            p->changed = true;
        }
    } else if (row->inserted) {
        print_insert(p, row);
    } else {
        print_update(p, row);
        print_mutations(p, row);
    }
}

/* The rest. */

static void
print_increment(struct printer *p)
{
    struct ovsdb_idl_txn *txn = p->txn;
    const struct ovsdb_idl_table *table;

    txn->increment_done = (txn->increment_column
                           && (p->changed || txn->increment_force));
    if (!txn->increment_done) {
        return;
    }
    table = idl_table(txn->idl, txn->increment_table);
    txn->increment_operation = p->n;
    begin(p, "mutate", table);
    print_where(p, &txn->increment_row);
    strbuf_puts(p->b, ",\"mutations\":[[");
    json_print_string(p->b, txn->increment_column->name);
    strbuf_puts(p->b, ",\"+=\",1]]}");
    begin(p, "select", table);
    print_where(p, &txn->increment_row);
    strbuf_puts(p->b, ",\"columns\":[");
    json_print_string(p->b, txn->increment_column->name);
    strbuf_puts(p->b, "]}");
    p->changed = true;
}

static void
print_rest(struct printer *p)
{
    struct ovsdb_idl_txn *txn = p->txn;

    if (txn->comment.size) {
        begin(p, "comment", NULL);
        strbuf_puts(p->b, ",\"comment\":");
        json_print_string(p->b, strbuf_cstr(&txn->comment));
        strbuf_putc(p->b, '}');
    }
    if (txn->durable) {
        begin(p, "commit", NULL);
        strbuf_puts(p->b, ",\"durable\":true}");
    }
    if (txn->dry_run) {
        begin(p, "abort", NULL);
        strbuf_putc(p->b, '}');
    }
    if (txn->idl->cs.lock_name) {
        begin(p, "assert", NULL);
        strbuf_puts(p->b, ",\"lock\":");
        json_print_string(p->b, txn->idl->cs.lock_name);
        strbuf_putc(p->b, '}');
    }
}

bool
txn_print_operations(struct ovsdb_idl_txn *txn, struct strbuf *b)
{
    struct printer p = { .txn = txn, .b = b };
    const struct ovsdb_idl *idl = txn->idl;
    struct ovsdb_idl_row_state *row;

    LIST_FOR_EACH (row, struct ovsdb_idl_row_state, txn_node, &txn->rows) {
        print_wait(&p, row);
    }
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        if (idl->class->tables[i].is_singleton) {
            print_singleton_wait(&p, &idl->tables[i]);
        }
    }
    LIST_FOR_EACH (row, struct ovsdb_idl_row_state, txn_node, &txn->rows) {
        print_changes(&p, row);
    }
    print_increment(&p);
    print_rest(&p);
    return p.changed;
}
