/* SPDX-License-Identifier: Apache-2.0 */
/* Who has which UUID, and who refers to it: see idl-private.h. */

#include "idl-private.h"

struct slot *
slot_find(const struct ovsdb_idl_table *table, const struct uuid *uuid)
{
    uint32_t hash = hash_uuid(uuid, table->idl->seed);
    struct hash_node *node;

    HASH_FOR_EACH_WITH_HASH (node, hash, &table->slots) {
        struct slot *slot = CONTAINER_OF(node, struct slot, node);

        if (uuid_equals(&slot->uuid, uuid)) {
            return slot;
        }
    }
    return NULL;
}

struct slot *
slot_get(struct ovsdb_idl_table *table, const struct uuid *uuid)
{
    struct slot *slot = slot_find(table, uuid);

    if (!slot) {
        slot = xzalloc(sizeof *slot);
        slot->uuid = *uuid;
        slot->table = table;
        list_init(&slot->arcs);
        hash_table_insert(&table->slots, &slot->node,
                          hash_uuid(uuid, table->idl->seed));
    }
    return slot;
}

void
slot_release(struct slot *slot)
{
    if (!slot->n_rows && list_is_empty(&slot->arcs)) {
        hash_table_remove(&slot->table->slots, &slot->node);
        free(slot);
    }
}

void
slot_changed(struct slot *slot)
{
    struct arc *arc;

    LIST_FOR_EACH (arc, struct arc, node, &slot->arcs) {
        if (list_is_empty(&arc->source->stale_node)) {
            list_push_back(&slot->table->idl->stale, &arc->source->stale_node);
        }
    }
}

struct slot *
slot_refer(struct ovsdb_idl_row_state *source, struct ovsdb_idl_table *table,
           const struct uuid *uuid)
{
    struct arc *arc = xmalloc(sizeof *arc);

    arc->slot = slot_get(table, uuid);
    arc->source = source;
    arc->next = source->arcs;
    source->arcs = arc;
    list_push_back(&arc->slot->arcs, &arc->node);
    return arc->slot;
}

void
row_drop_arcs(struct ovsdb_idl_row_state *row)
{
    while (row->arcs) {
        struct arc *arc = row->arcs;

        row->arcs = arc->next;
        list_remove(&arc->node);
        slot_release(arc->slot);
        free(arc);
    }
}
