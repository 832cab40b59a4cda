/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds the library broken JSON and strange servers: fuzz SEED ROUNDS.
 *
 * "json": texts with random damage are either refused or, printed and parsed
 * again, print the same.  "replica": a client without a socket gets messages,
 * well-formed, with plausible and implausible contents; after each one, all
 * that a program can see is looked at, and the invariants are checked.
 * Everything follows from the seed. */

#include <string.h>

#include "check.h"
#include "kinds-idl.h"
#include "txn-private.h"

static uint64_t state;

static uint32_t
random_below(uint32_t n)
{
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t) (state >> 33) % n;
}

/* JSON. */

static const char *const corpus[] = {
    "{\"id\":1,\"result\":[true,\"x\",{\"T\":{}}],\"error\":null}",
    "[1,-2.5e10,true,false,null,\"\\u00e4\\ud83d\\udc0b\\n\",{\"a\":[[]]}]",
    "{\"a\":{\"b\":{\"c\":[0.1,1e-7,9223372036854775807]}},\"d\":\"\"}",
    "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8b\"",
};

static size_t
damage(char *text, size_t size, size_t room)
{
    static const char pieces[] = "[]{},:\"\\ue0+-.19tfn\x80\xc3\xff\x01 ";

    for (uint32_t n = random_below(4); n > 0; n--) {
        size_t at = random_below((uint32_t) size + 1);
        char c = pieces[random_below(sizeof pieces)];

        switch (random_below(4)) {
        case 0:
            if (size < room) {
                memmove(text + at + 1, text + at, size - at);
                text[at] = c;
                size++;
            }
            break;
        case 1:
            if (at < size) {
                memmove(text + at, text + at + 1, size - at - 1);
                size--;
            }
            break;
        case 2:
            if (at < size) {
                text[at] = c;
            }
            break;
        default:
            size = random_below(8) ? size : at;
            break;
        }
    }
    return size;
}

/* Parses a text that must be good, and prints it into 'b'. */
static void
parse_and_print(const struct strbuf *text, struct strbuf *b)
{
    struct json_document document;

    CHECK(!json_parse(&document, text->text, text->size));
    json_print(b, &document.root);
    json_document_destroy(&document);
}

/* The second print may differ from the first: a real number that is integral
 * once rounded is an integer from then on. */
static void
fuzz_json(void)
{
    const char *source = corpus[random_below(ARRAY_SIZE(corpus))];
    struct strbuf prints[3] = { STRBUF_INITIALIZER };
    struct json_document document;
    struct json_scanner scanner = { .depth = 0 };
    char room[200];
    size_t size = strlen(source);
    char *text;
    bool done;

    memcpy(room, source, size);
    size = damage(room, size, sizeof room);
    text = xmemdup(room, size);     /* So that reading beyond it is seen. */
    CHECK(json_scan(&scanner, text, size, &done) <= size);
    if (!json_parse(&document, text, size)) {
        json_print(&prints[0], &document.root);
        json_document_destroy(&document);
        parse_and_print(&prints[0], &prints[1]);
        parse_and_print(&prints[1], &prints[2]);
        CHECK(prints[1].size == prints[2].size
              && !memcmp(prints[1].text, prints[2].text, prints[1].size));
    }
    for (size_t i = 0; i < ARRAY_SIZE(prints); i++) {
        strbuf_destroy(&prints[i]);
    }
    free(text);
}

/* The replica. */

#define N_UUIDS 12

static void
put_uuid_text(struct strbuf *b)
{
    strbuf_printf(b, "\"00000000-0000-0000-0000-0000000000%02x\"",
                  random_below(N_UUIDS));
}

static void
put_atom(struct strbuf *b, enum ovsdb_atomic_type type)
{
    if (!random_below(60)) {
        type = 1 + random_below(5);     /* A wrong one, now and then. */
    }
    switch (type) {
    case OVSDB_TYPE_INTEGER:
        strbuf_printf(b, "%u", random_below(5));
        break;
    case OVSDB_TYPE_REAL:
        strbuf_printf(b, "%u.5", random_below(5));
        break;
    case OVSDB_TYPE_BOOLEAN:
        strbuf_puts(b, random_below(2) ? "true" : "false");
        break;
    case OVSDB_TYPE_UUID:
        strbuf_puts(b, "[\"uuid\",");
        put_uuid_text(b);
        strbuf_putc(b, ']');
        break;
    case OVSDB_TYPE_STRING:
    case OVSDB_TYPE_VOID:
    default:
        strbuf_printf(b, "\"s%u\"", random_below(6));
        break;
    }
}

static void
put_datum(struct strbuf *b, const struct ovsdb_type *type)
{
    uint32_t n = type->n_max > 1 ? random_below(4)
                 : type->n_min ? 1 : random_below(2);
    bool is_map = type_is_map(type);

    if (!is_map && n == 1) {
        put_atom(b, type->key.type);
        return;
    }
    strbuf_puts(b, is_map ? "[\"map\",[" : "[\"set\",[");
    for (uint32_t i = 0; i < n; i++) {
        strbuf_puts(b, i ? "," : "");
        strbuf_puts(b, is_map ? "[" : "");
        put_atom(b, type->key.type);
        if (is_map) {
            strbuf_putc(b, ',');
            put_atom(b, type->value.type);
            strbuf_putc(b, ']');
        }
    }
    strbuf_puts(b, "]]");
}

static void
put_row(struct strbuf *b, const struct ovsdb_idl_table_class *class)
{
    bool any = false;

    strbuf_putc(b, '{');
    for (size_t i = 0; i < class->n_columns; i++) {
        if (!random_below(3)) {
            strbuf_puts(b, any ? "," : "");
            any = true;
            json_print_string(b, class->columns[i].name);
            strbuf_putc(b, ':');
            put_datum(b, &class->columns[i].type);
        }
    }
    strbuf_putc(b, '}');
}

/* In the form of the monitor method that is in use, mostly. */
static void
put_row_update(struct strbuf *b, const struct ovsdb_idl_table *table,
               bool initial)
{
    bool is_old = (initial ? table->idl->cs.requested_version
                   : table->idl->cs.monitor_version) == 1;
    struct uuid uuid = { { 0, 0, 0, random_below(N_UUIDS) } };
    const struct slot *slot = slot_find(table, &uuid);
    bool exists = slot && slot->live && !initial;

    strbuf_printf(b, "\"" UUID_FMT "\":{", UUID_ARGS(&uuid));
    if (!random_below(400)) {
        exists = !exists;               /* An inconsistent server. */
    }
    if (exists && !random_below(3)) {
        strbuf_puts(b, is_old ? "\"old\":{}" : "\"delete\":null");
    } else if (is_old) {
        strbuf_puts(b, exists ? "\"old\":{},\"new\":" : "\"new\":");
        put_row(b, table->class);
    } else {
        strbuf_puts(b, exists ? "\"modify\":" : initial ? "\"initial\":"
                    : "\"insert\":");
        put_row(b, table->class);
    }
    strbuf_putc(b, '}');
}

static void
put_updates(struct strbuf *b, const struct ovsdb_idl *idl, bool initial)
{
    bool any = false;

    strbuf_putc(b, '{');
    for (size_t i = 0; i < idl->class->n_tables; i++) {
        if (random_below(2)) {
            uint32_t n = random_below(4);

            strbuf_puts(b, any ? "," : "");
            any = true;
            json_print_string(b, idl->class->tables[i].name);
            strbuf_puts(b, ":{");
            for (uint32_t j = 0; j < n; j++) {
                /* The same row twice is possible too. */
                strbuf_puts(b, j ? "," : "");
                put_row_update(b, &idl->tables[i], initial);
            }
            strbuf_putc(b, '}');
        }
    }
    strbuf_putc(b, '}');
}

static void
feed(struct ovsdb_idl *idl, const struct strbuf *text)
{
    struct json_document document;
    const char *error = json_parse(&document, text->text, text->size);

    if (!error) {
        cs_receive(&idl->cs, &document.root);
        json_document_destroy(&document);
    }
    if (idl->cs.state == CS_RETRY) {
        cs_disconnected(&idl->cs);
    }
}

static void
feed_text(struct ovsdb_idl *idl, const char *text)
{
    struct strbuf b = STRBUF_INITIALIZER;

    strbuf_puts(&b, text);
    feed(idl, &b);
    strbuf_destroy(&b);
}

/* Plays a server up to the initial contents. */
static void
connect_client(struct ovsdb_idl *idl)
{
    struct strbuf b = STRBUF_INITIALIZER;

    cs_connected(&idl->cs);
    if (random_below(2)) {
        strbuf_printf(&b, "{\"id\":%lld,\"error\":\"unknown database\","
                      "\"result\":null}", (long long int) idl->cs.request_id);
        feed(idl, &b);
    } else {
        strbuf_printf(&b, "{\"id\":%lld,\"error\":null,\"result\":{}}",
                      (long long int) idl->cs.request_id);
        feed(idl, &b);
        b.size = 0;
        strbuf_printf(&b, "{\"id\":%lld,\"error\":null,\"result\":{"
                      "\"Database\":{\"00000000-0000-0000-0000-000000000001\":"
                      "{\"initial\":{\"name\":\"Kinds\","
                      "\"schema\":\"{}\"}}}}}",
                      (long long int) idl->cs.request_id);
        feed(idl, &b);
    }
    if (idl->cs.state == CS_DATA_SCHEMA) {
        b.size = 0;
        strbuf_printf(&b, "{\"id\":%lld,\"error\":null,\"result\":{}}",
                      (long long int) idl->cs.request_id);
        feed(idl, &b);
    }
    CHECK(idl->cs.state == CS_DATA_MONITOR);
    while (idl->cs.requested_version > 1 && !random_below(4)) {
        b.size = 0;             /* An older server. */
        strbuf_printf(&b, "{\"id\":%lld,\"error\":\"unknown method\","
                      "\"result\":null}", (long long int) idl->cs.request_id);
        feed(idl, &b);
    }
    b.size = 0;
    strbuf_printf(&b, "{\"id\":%lld,\"error\":null,\"result\":",
                  (long long int) idl->cs.request_id);
    if (idl->cs.requested_version == 3) {
        strbuf_puts(&b, random_below(2) ? "[true," : "[false,");
        put_uuid_text(&b);
        strbuf_putc(&b, ',');
    }
    put_updates(&b, idl, true);
    strbuf_puts(&b, idl->cs.requested_version == 3 ? "]}" : "}");
    feed(idl, &b);
    strbuf_destroy(&b);
}

/* Looks at a reference as a program would. */
static void
look_at(const struct ovsdb_idl_row *row)
{
    if (row) {
        const struct ovsdb_idl_row_state *s = row->state;

        CHECK(s->row == row && s->slot);
        CHECK(s->slot->live == s || s->dead);
    }
}

static size_t
look_at_text(const char *s)
{
    return s ? strlen(s) : 0;
}

static void
look_at_node(const struct kinds_node *node)
{
    size_t n = look_at_text(node->name);

    look_at(&node->header_);
    look_at(node->next ? &node->next->header_ : NULL);
    look_at(node->leaf ? &node->leaf->header_ : NULL);
    for (size_t i = 0; i < node->n_friends; i++) {
        look_at(&node->friends[i]->header_);
        n += look_at_text(node->friends[i]->name);
    }
    for (size_t i = 0; i < node->n_leaves; i++) {
        n += look_at_text(node->leaves[i]->name);
    }
    for (size_t i = 0; i < node->n_leaf_by_name; i++) {
        n += look_at_text(node->key_leaf_by_name[i]);
        n += look_at_text(node->value_leaf_by_name[i]->name);
    }
    CHECK(n < 100000);
}

static void
look_around(struct ovsdb_idl *idl, struct ovsdb_idl_index *index)
{
    const struct kinds_collection *collection;
    const struct kinds_node *node, *previous = NULL;
    size_t n = 0, n_indexed = 0;

    CHECK(list_is_empty(&idl->stale) && list_is_empty(&idl->doomed));
    KINDS_NODE_FOR_EACH (node, idl) {
        CHECK(!node->header_.state->dead);
        look_at_node(node);
        n++;
    }
    KINDS_NODE_FOR_EACH_TRACKED (node, idl) {
        look_at_node(node);
    }
    KINDS_NODE_FOR_EACH_BYINDEX (node, index) {
        CHECK(!previous
              || kinds_node_index_compare(index, previous, node) <= 0);
        previous = node;
        n_indexed++;
    }
    CHECK(n == n_indexed);
    KINDS_COLLECTION_FOR_EACH (collection, idl) {
        for (size_t i = 0; i < collection->config.n; i++) {
            look_at_text(collection->config.nodes[i].value);
        }
        for (size_t i = 0; i < collection->n_strings; i++) {
            look_at_text(collection->strings[i]);
        }
    }
}

/* Something that a program might do in a transaction. */
static void
change_something(struct ovsdb_idl_txn *txn, struct ovsdb_idl *idl)
{
    const struct kinds_node *node = kinds_node_first(idl);
    const struct kinds_collection *collection = kinds_collection_first(idl);
    struct kinds_node *new;
    struct kinds_leaf *leaf;

    for (uint32_t skip = random_below(4); node && skip; skip--) {
        const struct kinds_node *next = kinds_node_next(node);

        node = next ? next : node;
    }
    switch (random_below(7)) {
    case 0:
        new = kinds_node_insert(txn);
        kinds_node_set_name(new, "new");
        kinds_node_set_next(new, node);
        if (node) {
            kinds_node_set_next(node, new);
        }
        break;
    case 1:
        leaf = kinds_leaf_insert(txn);
        if (node) {
            kinds_node_update_leaves_addvalue(node, leaf);
            kinds_node_update_leaf_by_name_setkey(node, "key", leaf);
        }
        break;
    case 2:
        if (node) {
            kinds_node_delete(node);
        }
        break;
    case 3:
        if (node) {
            kinds_node_verify_name(node);
            kinds_node_set_name(node, "other");
            kinds_node_update_friends_addvalue(node, node);
        }
        break;
    case 4:
        if (node && node->n_friends) {
            kinds_node_update_friends_delvalue(node, node->friends[0]);
        }
        break;
    case 5:
        if (collection) {
            kinds_collection_update_config_setkey(collection, "s1", "new");
            kinds_collection_update_config_delkey(collection, "s2");
            kinds_collection_update_strings_delvalue(collection, "s3");
        }
        break;
    default:
        kinds_single_insert(txn);
        break;
    }
}

static void
check_output(struct ovsdb_idl *idl)
{
    const char *text = idl->cs.output.text;
    size_t left = idl->cs.output.size;

    while (left) {
        struct json_scanner scanner = { .depth = 0 };
        struct json_document document;
        bool done;
        size_t size = json_scan(&scanner, text, left, &done);

        CHECK(done && !json_parse(&document, text, size));
        json_document_destroy(&document);
        text += size;
        left -= size;
    }
    idl->cs.output.size = 0;
}

/* What a server may answer, or not. */
static void
reply(struct ovsdb_idl *idl, int64_t id)
{
    static const char *const results[] = {
        "[]", "[{}]", "[{\"error\":\"timed out\"},null]", "null", "[[]]",
        "[{\"error\":\"constraint violation\",\"details\":\"x\"}]",
        "[{\"error\":\"not owner\"}]", "[{\"error\":5}]", "{}",
        "[{\"uuid\":[\"uuid\",\"00000000-0000-0000-0000-000000000001\"]},"
        "{\"uuid\":[\"uuid\",\"x\"]},{\"count\":1},{\"rows\":[{}]}]",
    };
    struct strbuf b = STRBUF_INITIALIZER;

    strbuf_printf(&b, "{\"id\":%lld,\"error\":%s,\"result\":%s}",
                  (long long int) id,
                  random_below(8) ? "null" : "\"canceled\"",
                  results[random_below(ARRAY_SIZE(results))]);
    feed(idl, &b);
    strbuf_destroy(&b);
}

static void
transact(struct ovsdb_idl *idl, struct ovsdb_idl_index *index)
{
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(idl);

    for (uint32_t n = random_below(6); n > 0; n--) {
        change_something(txn, idl);
        look_around(idl, index);
    }
    if (random_below(2)
        && ovsdb_idl_txn_commit(txn) == TXN_INCOMPLETE) {
        check_output(idl);
        reply(idl, txn->request_id);
        CHECK(ovsdb_idl_txn_commit(txn) != TXN_UNCOMMITTED);
        CHECK(ovsdb_idl_txn_get_error(txn));
    }
    ovsdb_idl_txn_destroy(txn);
    look_around(idl, index);
}

static void
update(struct ovsdb_idl *idl)
{
    static const char *const methods[] = { "update", "update", "update2",
                                           "update3" };
    struct strbuf b = STRBUF_INITIALIZER;
    int version = idl->cs.monitor_version;

    strbuf_printf(&b, "{\"id\":null,\"method\":\"%s\",\"params\":["
                  "[\"monid\",\"Kinds\"],", methods[version]);
    if (version == 3) {
        put_uuid_text(&b);
        strbuf_putc(&b, ',');
    }
    put_updates(&b, idl, false);
    strbuf_puts(&b, "]}");
    if (!random_below(20) && b.size < 100000) {
        strbuf_reserve(&b, 100);
        b.size = damage(b.text, b.size, b.size + 100);
    }
    feed(idl, &b);
    strbuf_destroy(&b);
}

static void
disturb(struct ovsdb_idl *idl)
{
    static const char *const messages[] = {
        "{}", "[]", "{\"method\":5}", "{\"method\":\"update3\",\"params\":[]}",
        "{\"method\":\"update2\",\"params\":[[\"monid\",\"Kinds\"],[]]}",
        "{\"method\":\"update2\",\"params\":[[\"monid\",\"Kinds\"],"
        "{\"Node\":[]}]}",
        "{\"method\":\"update2\",\"params\":[[\"monid\",\"Kinds\"],"
        "{\"Node\":{\"x\":{}}}]}",
        "{\"method\":\"update\",\"params\":[[\"monid\",\"Kinds\"],{\"Node\":"
        "{\"00000000-0000-0000-0000-000000000003\":{\"new\":{\"next\":"
        "[\"uuid\",\"00000000-0000-0000-0000-000000000003\"]}}}}]}",
        "{\"method\":\"update2\",\"params\":[[\"monid\",\"_Server\"],"
        "{\"Database\":{\"00000000-0000-0000-0000-000000000001\":"
        "{\"delete\":null}}}]}",
        "{\"method\":\"monitor_canceled\",\"params\":[[\"monid\",\"Kinds\"]]}",
        "{\"method\":\"monitor_canceled\",\"params\":[]}",
        "{\"method\":\"locked\",\"params\":[]}",
        "{\"method\":\"stolen\",\"params\":[\"x\"]}",
        "{\"id\":0,\"result\":{},\"error\":null}",
    };

    feed_text(idl, messages[random_below(ARRAY_SIZE(messages))]);
}

static void
fuzz_replica(void)
{
    struct ovsdb_idl *idl = ovsdb_idl_create(NULL, &kinds_idl_class, true,
                                             true);
    struct ovsdb_idl_index *index = ovsdb_idl_index_create2(
        idl, &kinds_node_col_name, &kinds_node_col_next);

    if (random_below(4)) {
        ovsdb_idl_track_add_all(idl);
    }
    connect_client(idl);
    look_around(idl, index);
    for (int i = 0; i < 40; i++) {
        if (idl->cs.state == CS_DISCONNECTED) {
            connect_client(idl);
        }
        switch (random_below(8)) {
        case 0:
            transact(idl, index);
            break;
        case 1:
            ovsdb_idl_track_clear(idl);
            break;
        case 2:
            if (!random_below(3)) {
                disturb(idl);
            }
            break;
        default:
            update(idl);
            break;
        }
        look_around(idl, index);
    }
    check_output(idl);
    ovsdb_idl_destroy(idl);
}

int
main(int argc, char *argv[])
{
    long int rounds;

    CHECK(argc == 3);
    state = strtoull(argv[1], NULL, 10);
    rounds = strtol(argv[2], NULL, 10);
    for (long int i = 0; i < rounds; i++) {
        for (int j = 0; j < 100; j++) {
            fuzz_json();
        }
        fuzz_replica();
    }
    puts("passed");
    return 0;
}
