/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes: a treap each, a binary search tree by key that is a heap by random
 * priorities, so that it stays some 2 log(n) deep whatever the order of
 * insertion. */

#include "idl-private.h"

struct ovsdb_idl_index_node {
    struct list row_node;       /* In the row's 'index_nodes'. */
    struct ovsdb_idl_row_state *row;
    struct ovsdb_idl_index *index;
    struct ovsdb_idl_index_node *child[2];
    struct ovsdb_idl_index_node *parent;
    uint32_t priority;
};

struct ovsdb_idl_index {
    struct list node;           /* In the table's 'indexes'. */
    struct ovsdb_idl_table *table;
    struct ovsdb_idl_index_column *columns;
    size_t n_columns;
    struct ovsdb_idl_index_node *root;
    uint32_t random;
};

struct ovsdb_idl_index *
ovsdb_idl_index_create(struct ovsdb_idl *idl,
                       const struct ovsdb_idl_index_column *columns, size_t n)
{
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        struct ovsdb_idl_table *table = &idl->tables[i];

        if (n && columns[0].column >= table->class->columns
            && columns[0].column < (table->class->columns
                                    + table->class->n_columns)) {
            struct ovsdb_idl_index *index = xzalloc(sizeof *index);
            struct ovsdb_idl_row_state *row;

            index->table = table;
            index->columns = xmemdup(columns, n * sizeof *columns);
            index->n_columns = n;
            index->random = idl->seed | 1;
            list_push_back(&table->indexes, &index->node);
            LIST_FOR_EACH (row, struct ovsdb_idl_row_state, node,
                           &table->rows) {
                indexes_remove(row);
                indexes_add(row);
            }
            return index;
        }
    }
    return NULL;
}

struct ovsdb_idl_index *
ovsdb_idl_index_create1(struct ovsdb_idl *idl,
                        const struct ovsdb_idl_column *column)
{
    return ovsdb_idl_index_create(
        idl, &(struct ovsdb_idl_index_column) { .column = column }, 1);
}

struct ovsdb_idl_index *
ovsdb_idl_index_create2(struct ovsdb_idl *idl,
                        const struct ovsdb_idl_column *column1,
                        const struct ovsdb_idl_column *column2)
{
    const struct ovsdb_idl_index_column columns[] = {
        { .column = column1 }, { .column = column2 },
    };

    return ovsdb_idl_index_create(idl, columns, 2);
}

int
ovsdb_idl_index_compare(const struct ovsdb_idl_index *index,
                        const struct ovsdb_idl_row *a,
                        const struct ovsdb_idl_row *b)
{
    for (size_t i = 0; i < index->n_columns; i++) {
        const struct ovsdb_idl_index_column *c = &index->columns[i];
        size_t j = column_index(index->table, c->column);
        int order = (c->comparer ? c->comparer(a, b)
                     : datum_compare(row_read(a->state, j),
                                     row_read(b->state, j), &c->column->type));

        if (order) {
            return c->order == OVSDB_INDEX_ASC ? order : -order;
        }
    }
    return 0;
}

/* The tree. */

static struct ovsdb_idl_index_node **
link_to(struct ovsdb_idl_index_node *node)
{
    struct ovsdb_idl_index_node *parent = node->parent;

    return (parent ? &parent->child[node == parent->child[1]]
            : &node->index->root);
}

/* Makes 'node' its parent's parent. */
static void
rotate_up(struct ovsdb_idl_index_node *node)
{
    struct ovsdb_idl_index_node *parent = node->parent;
    int side = node == parent->child[1];
    struct ovsdb_idl_index_node *inner = node->child[!side];

    *link_to(parent) = node;
    node->parent = parent->parent;
    node->child[!side] = parent;
    parent->parent = node;
    parent->child[side] = inner;
    if (inner) {
        inner->parent = parent;
    }
}

static void
insert(struct ovsdb_idl_index *index, struct ovsdb_idl_row_state *row)
{
    struct ovsdb_idl_index_node **p = &index->root;
    struct ovsdb_idl_index_node *node = xzalloc(sizeof *node);

    index->random = index->random * 1664525 + 1013904223;
    node->priority = index->random;
    node->row = row;
    node->index = index;
    while (*p) {
        struct ovsdb_idl_index_node *here = *p;
        int order = ovsdb_idl_index_compare(index, row->row, here->row->row);

        if (!order) {
            order = uuid_compare_3way(&row->row->uuid, &here->row->row->uuid);
        }
        node->parent = here;
        p = &here->child[order > 0];
    }
    *p = node;
    while (node->parent && node->priority > node->parent->priority) {
        rotate_up(node);
    }
    list_push_back(&row->index_nodes, &node->row_node);
}

static void
erase(struct ovsdb_idl_index_node *node)
{
    while (node->child[0] || node->child[1]) {
        struct ovsdb_idl_index_node *left = node->child[0];
        struct ovsdb_idl_index_node *right = node->child[1];

        rotate_up(!right || (left && left->priority > right->priority)
                  ? left : right);
    }
    *link_to(node) = NULL;
    list_remove(&node->row_node);
    free(node);
}

void
indexes_remove(struct ovsdb_idl_row_state *row)
{
    struct ovsdb_idl_index_node *node;

    LIST_FOR_EACH_SAFE (node, struct ovsdb_idl_index_node, row_node,
                        &row->index_nodes) {
        erase(node);
    }
}

void
indexes_add(struct ovsdb_idl_row_state *row)
{
    struct ovsdb_idl_index *index;

    if (row->slot && !row->dead && !row->deleted) {
        LIST_FOR_EACH (index, struct ovsdb_idl_index, node,
                       &row->table->indexes) {
            insert(index, row);
        }
    }
}

void
indexes_destroy(struct ovsdb_idl_table *table)
{
    struct ovsdb_idl_index *index;

    LIST_FOR_EACH_SAFE (index, struct ovsdb_idl_index, node,
                        &table->indexes) {
        list_remove(&index->node);
        free(index->columns);
        free(index);
    }
}

/* Finding. */

/* Returns the first row that is not less than 'key'. */
static struct ovsdb_idl_index_node *
lower_bound(struct ovsdb_idl_index *index, const struct ovsdb_idl_row *key)
{
    struct ovsdb_idl_index_node *node = index->root, *found = NULL;

    while (node) {
        if (!key || ovsdb_idl_index_compare(index, node->row->row, key) >= 0) {
            found = node;
            node = node->child[0];
        } else {
            node = node->child[1];
        }
    }
    return found;
}

static struct ovsdb_idl_index_node *
successor(struct ovsdb_idl_index_node *node)
{
    if (node->child[1]) {
        for (node = node->child[1]; node->child[0];) {
            node = node->child[0];
        }
        return node;
    }
    while (node->parent && node == node->parent->child[1]) {
        node = node->parent;
    }
    return node->parent;
}

struct ovsdb_idl_cursor
ovsdb_idl_cursor_first(struct ovsdb_idl_index *index)
{
    return ovsdb_idl_cursor_first_ge(index, NULL);
}

struct ovsdb_idl_cursor
ovsdb_idl_cursor_first_ge(struct ovsdb_idl_index *index,
                          const struct ovsdb_idl_row *key)
{
    return (struct ovsdb_idl_cursor) { index, lower_bound(index, key) };
}

struct ovsdb_idl_cursor
ovsdb_idl_cursor_first_eq(struct ovsdb_idl_index *index,
                          const struct ovsdb_idl_row *key)
{
    struct ovsdb_idl_cursor cursor = ovsdb_idl_cursor_first_ge(index, key);

    if (cursor.position
        && ovsdb_idl_index_compare(index, cursor.position->row->row, key)) {
        cursor.position = NULL;
    }
    return cursor;
}

void
ovsdb_idl_cursor_next(struct ovsdb_idl_cursor *cursor)
{
    cursor->position = successor(cursor->position);
}

void
ovsdb_idl_cursor_next_eq(struct ovsdb_idl_cursor *cursor)
{
    const struct ovsdb_idl_row *row = cursor->position->row->row;
    struct ovsdb_idl_index_node *next = successor(cursor->position);

    cursor->position = (next && !ovsdb_idl_index_compare(cursor->index,
                                                         next->row->row, row)
                        ? next : NULL);
}

struct ovsdb_idl_row *
ovsdb_idl_cursor_data(const struct ovsdb_idl_cursor *cursor)
{
    return cursor->position ? cursor->position->row->row : NULL;
}

struct ovsdb_idl_row *
ovsdb_idl_index_find(struct ovsdb_idl_index *index,
                     const struct ovsdb_idl_row *key)
{
    struct ovsdb_idl_cursor cursor = ovsdb_idl_cursor_first_eq(index, key);

    return ovsdb_idl_cursor_data(&cursor);
}

/* Rows that are keys: they are in no table. */

struct ovsdb_idl_row *
ovsdb_idl_index_init_row(struct ovsdb_idl_index *index)
{
    return row_create(index->table, NULL)->row;
}

void
ovsdb_idl_index_destroy_row(const struct ovsdb_idl_row *row)
{
    if (row && !row->state->slot) {
        row_free(row->state);
    }
}

/* Sets a column of a key.  'd' is consumed. */
static void
set_key_column(const struct ovsdb_idl_row *row,
               const struct ovsdb_idl_column *column, struct ovsdb_datum *d)
{
    struct ovsdb_idl_row_state *state = row->state;
    size_t i = column_index(state->table, column);

    if (state->slot) {
        datum_destroy(d, &column->type); /* Not a key. */
        return;
    }
    datum_destroy(&state->data[i], &column->type);
    state->data[i] = *d;
    structure_fill_column(state, i);
}

void
ovsdb_idl_index_write(const struct ovsdb_idl_row *row,
                      const struct ovsdb_idl_column *column, const void *keys,
                      const void *values, size_t n)
{
    struct ovsdb_datum d;

    datum_from_arrays(&d, &column->type, keys, values, n, true);
    set_key_column(row, column, &d);
}

void
ovsdb_idl_index_write_smap(const struct ovsdb_idl_row *row,
                           const struct ovsdb_idl_column *column,
                           const struct smap *smap)
{
    struct ovsdb_datum d;

    datum_from_smap(&d, smap);
    set_key_column(row, column, &d);
}
