/* SPDX-License-Identifier: Apache-2.0 */
/* Exercises the library on a server with an empty database of the schema
 * kinds.ovsschema: exercise REMOTE [KEY CERTIFICATE CA], the latter for TLS.
 * Most parts have two clients, A and B. */

#include <limits.h>
#include <ovsdb-client/ovsdb-client.h>
#include <string.h>
#include <time.h>

#include "check.h"
#include "kinds-idl.h"

#define PATIENCE_MS 10000

static const char *remote;
static char *const *ssl_files;  /* NULL for none. */

static void
log_line(void *name, enum ovsdb_idl_log_level level, const char *line)
{
    if (level >= OVSDB_IDL_LOG_WARN) {
        fprintf(stderr, "%s: %s\n", (const char *) name, line);
    }
}

static struct ovsdb_idl *
create(bool everything)
{
    struct ovsdb_idl *idl = ovsdb_idl_create(remote, &kinds_idl_class,
                                             everything, true);

    if (ssl_files) {
        CHECK(ovsdb_idl_set_ssl(idl, "/nonexistent", ssl_files[1],
                                ssl_files[2]));
        CHECK(!ovsdb_idl_set_ssl(idl, ssl_files[0], ssl_files[1],
                                 ssl_files[2]));
    }
    return idl;
}

static struct ovsdb_idl *
connect_to_server(char *name)
{
    struct ovsdb_idl *idl = create(true);

    ovsdb_idl_set_log(idl, log_line, name);
    ovsdb_idl_track_add_all(idl);
    CHECK(!ovsdb_idl_get_initial_snapshot(idl, PATIENCE_MS));
    return idl;
}

static int64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Runs a client until a condition holds. */
#define WAIT_UNTIL(IDL, CONDITION)                                      \
    do {                                                                \
        int64_t deadline_ = now_ms() + PATIENCE_MS;                     \
        for (;;) {                                                      \
            ovsdb_idl_run(IDL);                                         \
            if (CONDITION) {                                            \
                break;                                                  \
            }                                                           \
            CHECK(now_ms() < deadline_ || !#CONDITION);                 \
            ovsdb_idl_block(IDL, 100);                                  \
        }                                                               \
    } while (0)

/* Brings a client up to date: a transaction's reply comes after all updates
 * from before it. */
static void
catch_up(struct ovsdb_idl *idl)
{
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(idl);

    kinds_node_insert(txn);
    ovsdb_idl_txn_set_dry_run(txn);
    CHECK(ovsdb_idl_txn_commit_block(txn) == TXN_SUCCESS);
    ovsdb_idl_txn_destroy(txn);
}

static enum ovsdb_idl_txn_status
commit(struct ovsdb_idl_txn *txn)
{
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit_block(txn);

    if (status == TXN_ERROR) {
        fprintf(stderr, "%s\n", ovsdb_idl_txn_get_error(txn));
    }
    ovsdb_idl_txn_destroy(txn);
    return status;
}

static const struct kinds_atom *
find_atom(const struct ovsdb_idl *idl, const char *name)
{
    const struct kinds_atom *row;

    KINDS_ATOM_FOR_EACH (row, idl) {
        if (!strcmp(row->name, name)) {
            return row;
        }
    }
    return NULL;
}

static const struct kinds_node *
find_node(const struct ovsdb_idl *idl, const char *name)
{
    const struct kinds_node *row;

    KINDS_NODE_FOR_EACH (row, idl) {
        if (!strcmp(row->name, name)) {
            return row;
        }
    }
    return NULL;
}

static void
delete_everything(struct ovsdb_idl *idl)
{
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(idl);
    const struct kinds_atom *atom, *next;
    const struct kinds_collection *collection;
    const struct kinds_node *node;
    const struct kinds_single *single;

    KINDS_ATOM_FOR_EACH_SAFE (atom, next, idl) {
        kinds_atom_delete(atom);
    }
    KINDS_COLLECTION_FOR_EACH_SAFE (collection, idl) {
        kinds_collection_delete(collection);
    }
    KINDS_NODE_FOR_EACH_SAFE (node, idl) {
        kinds_node_delete(node);
    }
    KINDS_SINGLE_FOR_EACH_SAFE (single, idl) {
        kinds_single_delete(single);
    }
    CHECK(!kinds_atom_first(idl) && !kinds_node_first(idl));
    commit(txn);
    catch_up(idl);
    ovsdb_idl_track_clear(idl);
    CHECK(!kinds_atom_first(idl) && !kinds_node_first(idl));
    CHECK(!kinds_leaf_first(idl));
}

/* Values of every kind go to the server and come back. */
static void
test_atoms(struct ovsdb_idl *a, struct ovsdb_idl *b)
{
    static const char text[] = "\"\\/\b\f\n\r\t\x01 \xc3\xa4\xe2\x82\xac"
                               "\xf0\x9f\x90\x8b\x7f";
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(a);
    struct kinds_atom *row = kinds_atom_insert(txn);
    const struct kinds_atom *copy;
    struct uuid uuid, provisional = row->header_.uuid;
    int64_t five = 5;

    CHECK(uuid_from_string(&uuid, "01234567-89ab-cdef-0123-456789ABCDEF"));
    CHECK(!strcmp(row->name, "") && !row->color && !row->n_optional_integer);
    kinds_atom_set_name(row, "everything");
    kinds_atom_set_fixed(row, text);
    kinds_atom_set_integer(row, INT64_MIN);
    kinds_atom_set_small(row, -5);
    kinds_atom_set_real(row, 0.1);
    kinds_atom_set_boolean(row, true);
    kinds_atom_set_uuid(row, uuid);
    kinds_atom_set_color(row, "green");
    kinds_atom_set_default_(row, "keyword");
    kinds_atom_set_optional_integer(row, &five, 1);
    kinds_atom_set_optional_uuid(row, &uuid, 1);
    CHECK(!strcmp(row->name, "everything") && row->integer == INT64_MIN);
    CHECK(row->n_optional_integer == 1 && row->optional_integer[0] == 5);
    CHECK(ovsdb_idl_txn_commit_block(txn) == TXN_SUCCESS);

    /* The server has chosen another UUID. */
    copy = kinds_atom_get_for_uuid(
        a, ovsdb_idl_txn_get_insert_uuid(txn, &provisional));
    CHECK(copy && !strcmp(copy->name, "everything"));
    CHECK(!kinds_atom_get_for_uuid(a, &provisional));
    ovsdb_idl_txn_destroy(txn);

    catch_up(b);
    copy = find_atom(b, "everything");
    CHECK(copy && !strcmp(copy->fixed, text));
    CHECK(copy->integer == INT64_MIN && copy->small == -5);
    CHECK(copy->real >= 0.1 && copy->real <= 0.1 && copy->boolean);
    CHECK(uuid_equals(&copy->uuid, &uuid) && !strcmp(copy->color, "green"));
    CHECK(!strcmp(copy->default_, "keyword"));
    CHECK(copy->n_optional_integer == 1 && copy->optional_integer[0] == 5);
    CHECK(copy->n_optional_uuid == 1
          && uuid_equals(copy->optional_uuid, &uuid));
    CHECK(kinds_atom_get_integer(copy, OVSDB_TYPE_INTEGER)->keys[0].integer
          == INT64_MIN);
    CHECK(!kinds_atom_get_integer(copy, OVSDB_TYPE_STRING));
    CHECK(ovsdb_idl_is_mutable(&copy->header_, &kinds_atom_col_name));
    CHECK(!ovsdb_idl_is_mutable(&copy->header_, &kinds_atom_col_fixed));
    CHECK(kinds_server_has_atom_table(b));
    CHECK(kinds_server_has_atom_table_col_name(b));

    /* Optional things go away again. */
    txn = ovsdb_idl_txn_create(b);
    kinds_atom_set_color(copy, NULL);
    kinds_atom_set_optional_integer(copy, NULL, 0);
    CHECK(commit(txn) == TXN_SUCCESS);
    catch_up(a);
    copy = find_atom(a, "everything");
    CHECK(!copy->color && !copy->n_optional_integer);
}

static void
test_collections(struct ovsdb_idl *a, struct ovsdb_idl *b)
{
    static const int64_t integers[] = { 3, 1, 2, 3, INT64_MAX };
    static const double reals[] = { 1e300, -2.5, 7 };
    static const bool booleans[] = { true, false };
    const char *strings[] = { "b", "", "a" };
    const char *keys[] = { "one", "two" };
    static const int64_t values[] = { 1, 2 };
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(a);
    struct kinds_collection *row = kinds_collection_insert(txn);
    const struct kinds_collection *copy;
    const struct smap_node *node;
    struct smap smap;
    size_t n = 0;

    smap_init(&smap);
    smap_add(&smap, "z", "last");
    smap_add_format(&smap, "a", "%d", 42);
    smap_add(&smap, "b", "true");
    kinds_collection_set_name(row, "c");
    kinds_collection_set_integers(row, integers, 5);
    kinds_collection_set_reals(row, reals, 3);
    kinds_collection_set_booleans(row, booleans, 2);
    kinds_collection_set_strings(row, strings, 3);
    kinds_collection_set_nonempty(row, strings, 1);
    kinds_collection_set_config(row, &smap);
    kinds_collection_set_numbers(row, keys, values, 2);
    kinds_collection_set_pair(row, 7, "seven");
    kinds_collection_set_real_of_boolean(row, booleans, reals, 2);
    smap_destroy(&smap);
    CHECK(row->n_integers == 4);    /* Sorted, and without the duplicate. */
    CHECK(commit(txn) == TXN_SUCCESS);

    catch_up(b);
    copy = kinds_collection_first(b);
    CHECK(copy && !kinds_collection_next(copy));
    CHECK(copy->n_integers == 4 && copy->integers[0] == 1
          && copy->integers[3] == INT64_MAX);
    CHECK(copy->n_reals == 3 && copy->reals[2] >= 1e300);
    CHECK(copy->n_booleans == 2 && !copy->booleans[0] && copy->booleans[1]);
    CHECK(copy->n_strings == 3 && !strcmp(copy->strings[2], "b"));
    CHECK(copy->n_nonempty == 1 && !strcmp(copy->nonempty[0], "b"));
    CHECK(copy->n_numbers == 2 && !strcmp(copy->key_numbers[1], "two")
          && copy->value_numbers[1] == 2);
    CHECK(copy->key_pair == 7 && !strcmp(copy->value_pair, "seven"));
    CHECK(copy->n_real_of_boolean == 2);
    CHECK(smap_get_int(&copy->config, "a", 0) == 42);
    CHECK(smap_get_bool(&copy->config, "b", false));
    SMAP_FOR_EACH (node, &copy->config) {
        n++;
    }
    CHECK(n == 3 && smap_count(&copy->config) == 3);
}

/* Partial updates of two clients do not disturb one another, and each sees its
 * own at once. */
static void
test_partial_updates(struct ovsdb_idl *a, struct ovsdb_idl *b)
{
    const struct kinds_collection *in_a = kinds_collection_first(a);
    const struct kinds_collection *in_b = kinds_collection_first(b);
    struct ovsdb_idl_txn *txn_a = ovsdb_idl_txn_create(a);
    struct ovsdb_idl_txn *txn_b = ovsdb_idl_txn_create(b);

    kinds_collection_update_strings_addvalue(in_a, "from a");
    kinds_collection_update_strings_delvalue(in_a, "b");
    kinds_collection_update_config_setkey(in_a, "a", "43");
    kinds_collection_update_config_delkey(in_a, "z");
    kinds_collection_update_config_delkey(in_a, "not there");
    CHECK(in_a->n_strings == 3 && !strcmp(in_a->strings[2], "from a"));
    CHECK(smap_get_int(&in_a->config, "a", 0) == 43);
    CHECK(!smap_get(&in_a->config, "z"));

    kinds_collection_update_strings_addvalue(in_b, "from b");
    kinds_collection_update_config_setkey(in_b, "new", "b's");
    kinds_collection_update_numbers_setkey(in_b, "three", 3);
    kinds_collection_update_numbers_delkey(in_b, "one");
    CHECK(commit(txn_a) == TXN_SUCCESS);
    CHECK(commit(txn_b) == TXN_SUCCESS);

    catch_up(a);
    in_a = kinds_collection_first(a);
    CHECK(in_a->n_strings == 4 && !strcmp(in_a->strings[2], "from a")
          && !strcmp(in_a->strings[3], "from b"));
    CHECK(smap_count(&in_a->config) == 3);
    CHECK(!strcmp(smap_get_def(&in_a->config, "new", ""), "b's"));
    CHECK(smap_get_int(&in_a->config, "a", 0) == 43);
    CHECK(in_a->n_numbers == 2 && !strcmp(in_a->key_numbers[0], "three"));

    /* What is so already changes nothing. */
    txn_a = ovsdb_idl_txn_create(a);
    kinds_collection_update_config_setkey(in_a, "a", "43");
    kinds_collection_update_strings_delvalue(in_a, "no such");
    CHECK(commit(txn_a) == TXN_UNCHANGED);

    /* After a write, they change what was written. */
    txn_a = ovsdb_idl_txn_create(a);
    kinds_collection_set_strings(in_a, NULL, 0);
    kinds_collection_update_strings_addvalue(in_a, "only");
    CHECK(commit(txn_a) == TXN_SUCCESS);
    catch_up(b);
    in_b = kinds_collection_first(b);
    CHECK(in_b->n_strings == 1 && !strcmp(in_b->strings[0], "only"));
}

static void
test_verify(struct ovsdb_idl *a, struct ovsdb_idl *b)
{
    struct ovsdb_idl_txn *txn_a, *txn_b;
    unsigned int seqno;

    catch_up(a);
    catch_up(b);
    seqno = ovsdb_idl_get_seqno(b);
    txn_a = ovsdb_idl_txn_create(a);
    txn_b = ovsdb_idl_txn_create(b);
    kinds_atom_verify_integer(find_atom(a, "everything"));
    kinds_atom_set_integer(find_atom(a, "everything"), 1);
    kinds_atom_verify_integer(find_atom(b, "everything"));
    kinds_atom_set_integer(find_atom(b, "everything"), 2);
    CHECK(commit(txn_a) == TXN_SUCCESS);
    CHECK(commit(txn_b) == TXN_TRY_AGAIN);

    WAIT_UNTIL(b, ovsdb_idl_get_seqno(b) != seqno);
    CHECK(find_atom(b, "everything")->integer == 1);
    txn_b = ovsdb_idl_txn_create(b);
    kinds_atom_verify_integer(find_atom(b, "everything"));
    kinds_atom_set_integer(find_atom(b, "everything"), 2);
    CHECK(commit(txn_b) == TXN_SUCCESS);
}

static void
test_statuses(struct ovsdb_idl *a)
{
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(a);
    const struct kinds_atom *row = find_atom(a, "everything");
    struct kinds_atom *new;

    CHECK(!ovsdb_idl_txn_create(a)); /* One at a time. */
    CHECK(ovsdb_idl_txn_get(&row->header_) == txn);
    CHECK(commit(txn) == TXN_UNCHANGED);

    txn = ovsdb_idl_txn_create(a);
    kinds_atom_set_name(row, "everything");
    CHECK(commit(txn) == TXN_UNCHANGED);

    txn = ovsdb_idl_txn_create(a);
    kinds_atom_set_name(row, "changed");
    kinds_atom_delete(kinds_atom_insert(txn));
    kinds_atom_insert(txn);
    CHECK(!strcmp(row->name, "changed"));
    ovsdb_idl_txn_abort(txn);
    CHECK(!strcmp(row->name, "everything"));
    CHECK(!kinds_atom_next(kinds_atom_first(a)));
    CHECK(!strcmp(ovsdb_idl_txn_get_error(txn), "aborted"));
    ovsdb_idl_txn_destroy(txn);

    /* Without a transaction nothing changes, but nothing breaks either. */
    kinds_atom_set_integer(row, 99);
    kinds_atom_delete(row);
    CHECK(row->integer != 99);

    txn = ovsdb_idl_txn_create(a);
    kinds_atom_set_small(row, 6);
    CHECK(ovsdb_idl_txn_commit_block(txn) == TXN_ERROR);
    CHECK(strstr(ovsdb_idl_txn_get_error(txn), "constraint violation"));
    CHECK(!strcmp(ovsdb_idl_txn_status_to_string(TXN_ERROR), "error"));
    ovsdb_idl_txn_destroy(txn);
    CHECK(row->small == -5);

    txn = ovsdb_idl_txn_create(a);
    new = kinds_atom_insert(txn);
    kinds_atom_set_name(new, "everything");
    CHECK(ovsdb_idl_txn_commit_block(txn) == TXN_ERROR);
    ovsdb_idl_txn_destroy(txn);

    txn = ovsdb_idl_txn_create(a);
    kinds_atom_set_name(row, "\xff");
    CHECK(ovsdb_idl_txn_commit_block(txn) == TXN_ERROR);
    CHECK(strstr(ovsdb_idl_txn_get_error(txn), "UTF-8"));
    ovsdb_idl_txn_destroy(txn);

    txn = ovsdb_idl_txn_create(a);
    kinds_atom_set_integer(row, 77);
    ovsdb_idl_txn_set_dry_run(txn);
    CHECK(commit(txn) == TXN_SUCCESS);
    CHECK(find_atom(a, "everything")->integer != 77);

    txn = ovsdb_idl_txn_create(a);
    ovsdb_idl_txn_add_comment(txn, "a %s", "comment");
    ovsdb_idl_txn_add_comment(txn, "and another");
    ovsdb_idl_txn_set_durable(txn);
    kinds_atom_set_integer(row, 78);
    CHECK(commit(txn) == TXN_SUCCESS);
}

static void
test_increment(struct ovsdb_idl *a, struct ovsdb_idl *b)
{
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(a);
    struct ovsdb_idl_txn *other = ovsdb_idl_txn_create(b);
    struct kinds_single *row = kinds_single_insert(txn);

    /* Both insert the one row of the table: the second must think again. */
    kinds_single_set_counter(row, 5);
    kinds_single_insert(other);
    ovsdb_idl_txn_increment(txn, &row->header_, &kinds_single_col_counter,
                            false);
    CHECK(ovsdb_idl_txn_commit_block(txn) == TXN_SUCCESS);
    CHECK(ovsdb_idl_txn_get_increment_new_value(txn) == 6);
    ovsdb_idl_txn_destroy(txn);
    CHECK(commit(other) == TXN_TRY_AGAIN);

    catch_up(b);
    other = ovsdb_idl_txn_create(b);
    ovsdb_idl_txn_increment(other, &kinds_single_first(b)->header_,
                            &kinds_single_col_counter, false);
    CHECK(commit(other) == TXN_UNCHANGED);
    other = ovsdb_idl_txn_create(b);
    ovsdb_idl_txn_increment(other, &kinds_single_first(b)->header_,
                            &kinds_single_col_counter, true);
    CHECK(ovsdb_idl_txn_commit_block(other) == TXN_SUCCESS);
    CHECK(ovsdb_idl_txn_get_increment_new_value(other) == 7);
    ovsdb_idl_txn_destroy(other);
}

/* References between new rows, of a row to itself, in a ring, and to rows that
 * go away. */
static void
test_references(struct ovsdb_idl *a, struct ovsdb_idl *b)
{
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(a);
    struct kinds_node *n1 = kinds_node_insert(txn);
    struct kinds_node *n2 = kinds_node_insert(txn);
    struct kinds_node *both[] = { n1, n2 };
    struct kinds_leaf *leaf1 = kinds_leaf_insert(txn);
    struct kinds_leaf *leaf2 = kinds_leaf_insert(txn);
    struct kinds_leaf *leaves[] = { leaf1, leaf2 };
    const char *names[] = { "first", "second" };
    const struct kinds_node *m1, *m2;

    kinds_node_set_name(n1, "1");
    kinds_node_set_name(n2, "2");
    kinds_node_set_next(n1, n2);
    kinds_node_set_next(n2, n1);
    kinds_node_set_friends(n1, both, 2);
    kinds_leaf_set_name(leaf1, "leaf1");
    kinds_leaf_set_name(leaf2, "leaf2");
    kinds_leaf_set_owner(leaf1, n1);
    kinds_node_set_leaf(n1, leaf1);
    kinds_node_update_leaves_addvalue(n1, leaf1);
    kinds_node_update_leaves_addvalue(n1, leaf2);
    kinds_node_set_leaf_by_name(n2, names, leaves, 2);
    CHECK(n1->next == n2 && n2->next == n1 && n1->n_friends == 2);
    CHECK(n1->n_leaves == 2 && n2->n_leaf_by_name == 2);
    CHECK(commit(txn) == TXN_SUCCESS);

    catch_up(b);
    m1 = find_node(b, "1");
    m2 = find_node(b, "2");
    CHECK(m1 && m2 && m1->next == m2 && m2->next == m1);
    CHECK(m1->n_friends == 2
          && (m1->friends[0] == m1) + (m1->friends[1] == m1) == 1);
    CHECK(!strcmp(m1->leaf->name, "leaf1") && m1->leaf->owner == m1);
    CHECK(m1->n_leaves == 2 && m2->n_leaf_by_name == 2);
    CHECK(!strcmp(m2->key_leaf_by_name[1], "second")
          && !strcmp(m2->value_leaf_by_name[1]->name, "leaf2"));

    /* A weak reference ends with its row, leaves with their last owner. */
    txn = ovsdb_idl_txn_create(b);
    kinds_node_delete(m2);
    CHECK(!find_node(b, "2") && m1->next == m2);
    CHECK(commit(txn) == TXN_SUCCESS);
    catch_up(b);
    CHECK(find_node(b, "1") == m1 && !m1->next && m1->n_friends == 1);
    CHECK(m1->friends[0] == m1 && kinds_leaf_first(b));

    /* Dead rows can be looked at until they are cleared. */
    CHECK(kinds_node_is_deleted(m2) && !strcmp(m2->name, "2"));
    CHECK(m2->n_leaf_by_name == 2
          && !strcmp(m2->value_leaf_by_name[0]->name, "leaf1"));

    txn = ovsdb_idl_txn_create(b);
    kinds_node_delete(m1);
    CHECK(commit(txn) == TXN_SUCCESS);
    catch_up(b);
    CHECK(!kinds_leaf_first(b));
    CHECK(kinds_node_is_deleted(m1) && m1->leaf);
    CHECK(kinds_leaf_is_deleted(m1->leaf));
    CHECK(!strcmp(m1->leaf->name, "leaf1") && m1->leaf->owner == m1);
    CHECK(!strcmp(m2->value_leaf_by_name[0]->name, "leaf1"));
    ovsdb_idl_track_clear(b);
    CHECK(!kinds_node_track_get_first(b));
}

static void
test_tracking(struct ovsdb_idl *a, struct ovsdb_idl *b)
{
    const struct kinds_node *row;
    struct ovsdb_idl_txn *txn;
    struct kinds_node *n1, *n2;
    unsigned int seqno;
    int n = 0;

    catch_up(b);
    ovsdb_idl_track_clear(b);
    seqno = kinds_node_get_seqno(b);
    txn = ovsdb_idl_txn_create(a);
    n1 = kinds_node_insert(txn);
    n2 = kinds_node_insert(txn);
    kinds_node_set_name(n1, "target");
    kinds_node_set_name(n2, "source");
    kinds_node_set_next(n2, n1);
    CHECK(commit(txn) == TXN_SUCCESS);
    catch_up(b);
    CHECK(kinds_node_get_seqno(b) != seqno);
    KINDS_NODE_FOR_EACH_TRACKED (row, b) {
        CHECK(kinds_node_is_new(row) && !kinds_node_is_deleted(row));
        CHECK(kinds_node_is_updated(row, KINDS_NODE_COL_NAME));
        CHECK(!kinds_node_is_updated(row, KINDS_NODE_COL_VALUE));
        n++;
    }
    CHECK(n == 2);
    ovsdb_idl_track_clear(b);
    CHECK(!kinds_node_track_get_first(b));

    /* A changed row counts as a change of those that refer to it. */
    catch_up(a);
    txn = ovsdb_idl_txn_create(a);
    kinds_node_set_value(find_node(a, "target"), 5);
    CHECK(commit(txn) == TXN_SUCCESS);
    catch_up(b);
    n = 0;
    KINDS_NODE_FOR_EACH_TRACKED (row, b) {
        CHECK(!kinds_node_is_new(row));
        CHECK(kinds_node_row_get_seqno(row, OVSDB_IDL_CHANGE_MODIFY));
        CHECK(kinds_node_is_updated(row, KINDS_NODE_COL_VALUE)
              == !strcmp(row->name, "target"));
        n++;
    }
    CHECK(n == 2);
    ovsdb_idl_track_clear(b);
}

static void
test_locks(struct ovsdb_idl *a, struct ovsdb_idl *b)
{
    struct ovsdb_idl_txn *txn;

    ovsdb_idl_set_lock(a, "lock");
    WAIT_UNTIL(a, ovsdb_idl_has_lock(a));
    ovsdb_idl_set_lock(b, "lock");
    WAIT_UNTIL(b, ovsdb_idl_is_lock_contended(b));
    CHECK(!ovsdb_idl_has_lock(b));

    txn = ovsdb_idl_txn_create(b);
    kinds_node_set_value(find_node(b, "target"), 6);
    CHECK(commit(txn) == TXN_NOT_LOCKED);
    txn = ovsdb_idl_txn_create(a);
    kinds_node_set_value(find_node(a, "target"), 7);
    CHECK(commit(txn) == TXN_SUCCESS);

    ovsdb_idl_set_lock(a, NULL);
    ovsdb_idl_run(a);
    WAIT_UNTIL(b, ovsdb_idl_has_lock(b));
    CHECK(!ovsdb_idl_is_lock_contended(b));
    txn = ovsdb_idl_txn_create(b);
    kinds_node_set_value(find_node(b, "target"), 6);
    CHECK(commit(txn) == TXN_SUCCESS);

    /* What becomes of a transaction when the connection breaks, nobody knows.
     * The lock comes back with the next one. */
    txn = ovsdb_idl_txn_create(b);
    kinds_node_set_value(find_node(b, "target"), 6);
    kinds_node_set_name(find_node(b, "target"), "target");
    kinds_node_verify_next(find_node(b, "target"));
    kinds_node_insert(txn);
    CHECK(ovsdb_idl_txn_commit(txn) == TXN_INCOMPLETE);
    ovsdb_idl_force_reconnect(b);
    CHECK(!ovsdb_idl_has_lock(b));
    CHECK(commit(txn) == TXN_TRY_AGAIN);
    WAIT_UNTIL(b, ovsdb_idl_has_lock(b) && ovsdb_idl_is_connected(b));
    CHECK(find_node(b, "target")->value == 6);
    ovsdb_idl_set_lock(b, NULL);
    catch_up(a);
}

/* A program may choose the UUID of a row. */
static void
test_permanent_uuids(struct ovsdb_idl *a, struct ovsdb_idl *b)
{
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(a);
    struct kinds_node *n1, *n2;
    struct uuid uuid;

    CHECK(uuid_from_string(&uuid, "01234567-89ab-4def-8123-456789abcdef"));
    n1 = kinds_node_insert_persist_uuid(txn, &uuid);
    CHECK(n1 && !kinds_node_insert_persist_uuid(txn, &uuid));
    n2 = kinds_node_insert(txn);
    kinds_node_set_next(n2, n1);
    kinds_node_set_next(n1, n2);
    CHECK(commit(txn) == TXN_SUCCESS);
    catch_up(b);
    CHECK(kinds_node_get_for_uuid(b, &uuid));
    CHECK(kinds_node_get_for_uuid(b, &uuid)->next->next
          == kinds_node_get_for_uuid(b, &uuid));
    CHECK(kinds_node_table_get_for_uuid(kinds_node_table_get(b), &uuid)
          == kinds_node_get_for_uuid(b, &uuid));
}

static int
count_nodes(const struct ovsdb_idl *idl)
{
    const struct kinds_node *row;
    int n = 0;

    KINDS_NODE_FOR_EACH (row, idl) {
        n++;
    }
    return n;
}

static void
insert_numbered_nodes(struct ovsdb_idl *a, int n)
{
    struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(a);

    for (int i = 0; i < n; i++) {
        struct kinds_node *row = kinds_node_insert(txn);
        char name[16];

        snprintf(name, sizeof name, "node%d", i % 10);
        kinds_node_set_name(row, name);
        kinds_node_set_value(row, i * 37 % n);
    }
    CHECK(commit(txn) == TXN_SUCCESS);
    catch_up(a);
}

static void
test_conditions(struct ovsdb_idl *a)
{
    struct ovsdb_idl_condition condition
        = OVSDB_IDL_CONDITION_INIT(&condition);
    struct ovsdb_idl *c = create(true);
    const struct kinds_node *row;
    unsigned int seqno;
    int expected = 0;

    insert_numbered_nodes(a, 100);
    ovsdb_idl_set_log(c, log_line, (char[]) { "C" });
    kinds_node_add_clause_name(&condition, OVSDB_F_EQ, "node3");
    kinds_node_add_clause_name(&condition, OVSDB_F_EQ, "node4");
    kinds_node_add_clause_name(&condition, OVSDB_F_EQ, "node4");
    CHECK(condition.n == 2);
    seqno = kinds_node_set_condition(c, &condition);
    CHECK(!ovsdb_idl_get_initial_snapshot(c, PATIENCE_MS));
    CHECK(ovsdb_idl_get_condition_seqno(c) == seqno);
    CHECK(count_nodes(c) == 20);

    ovsdb_idl_condition_clear(&condition);
    kinds_node_add_clause_value(&condition, OVSDB_F_LT, 5);
    KINDS_NODE_FOR_EACH (row, a) {
        expected += row->value < 5;
    }
    seqno = kinds_node_set_condition(c, &condition);
    CHECK(seqno == kinds_node_set_condition(c, &condition));
    WAIT_UNTIL(c, ovsdb_idl_get_condition_seqno(c) == seqno);
    CHECK(count_nodes(c) == expected);

    /* Resumes with the same condition. */
    ovsdb_idl_force_reconnect(c);
    CHECK(!ovsdb_idl_is_connected(c) && count_nodes(c) == expected);
    CHECK(!ovsdb_idl_get_initial_snapshot(c, PATIENCE_MS));
    CHECK(count_nodes(c) == expected);

    ovsdb_idl_condition_clear(&condition);
    seqno = kinds_node_set_condition(c, &condition);
    WAIT_UNTIL(c, ovsdb_idl_get_condition_seqno(c) == seqno);
    CHECK(count_nodes(c) == 0);

    ovsdb_idl_condition_add_clause_true(&condition);
    CHECK(ovsdb_idl_condition_is_true(&condition));
    seqno = kinds_node_set_condition(c, &condition);
    WAIT_UNTIL(c, ovsdb_idl_get_condition_seqno(c) == seqno);
    CHECK(count_nodes(c) == count_nodes(a));
    ovsdb_idl_condition_destroy(&condition);
    ovsdb_idl_destroy(c);
}

static int
compare_parity(const void *a_, const void *b_)
{
    const struct kinds_node *a = a_, *b = b_;

    return (int) (a->value % 2 - b->value % 2);
}

static void
test_indexes(void)
{
    struct ovsdb_idl *d = create(true);
    struct ovsdb_idl_index *by_name_value = ovsdb_idl_index_create2(
        d, &kinds_node_col_name, &kinds_node_col_value);
    struct ovsdb_idl_index *by_name = ovsdb_idl_index_create1(
        d, &kinds_node_col_name);
    const struct ovsdb_idl_index_column columns[] = {
        { &kinds_node_col_value, compare_parity, OVSDB_INDEX_ASC },
        { &kinds_node_col_value, NULL, OVSDB_INDEX_DESC },
    };
    struct ovsdb_idl_index *odd_last = ovsdb_idl_index_create(d, columns, 2);
    const struct kinds_node *row, *previous = NULL;
    struct kinds_node *key, *from, *to;
    struct ovsdb_idl_txn *txn;
    int n = 0;

    CHECK(!ovsdb_idl_get_initial_snapshot(d, PATIENCE_MS));
    key = kinds_node_index_init_row(by_name);
    kinds_node_index_set_name(key, "node7");
    KINDS_NODE_FOR_EACH_EQUAL (row, key, by_name) {
        CHECK(!strcmp(row->name, "node7"));
        n++;
    }
    CHECK(n == 10);
    kinds_node_index_set_name(key, "no such node");
    CHECK(!kinds_node_index_find(by_name, key));

    n = 0;
    KINDS_NODE_FOR_EACH_BYINDEX (row, by_name_value) {
        if (previous) {
            int order = strcmp(previous->name, row->name);

            CHECK(order < 0
                  || (!order && previous->value <= row->value));
        }
        previous = row;
        n++;
    }
    CHECK(n == count_nodes(d));

    previous = NULL;
    KINDS_NODE_FOR_EACH_BYINDEX (row, odd_last) {
        if (previous) {
            CHECK(previous->value % 2 < row->value % 2
                  || (previous->value % 2 == row->value % 2
                      && previous->value >= row->value));
        }
        previous = row;
    }

    from = kinds_node_index_init_row(by_name);
    to = kinds_node_index_init_row(by_name);
    kinds_node_index_set_name(from, "node2");
    kinds_node_index_set_name(to, "node4");
    n = 0;
    KINDS_NODE_FOR_EACH_RANGE (row, from, to, by_name) {
        n++;
    }
    CHECK(n == 30);

    /* Indexes follow a transaction, and its end. */
    txn = ovsdb_idl_txn_create(d);
    kinds_node_index_set_name(key, "node7");
    row = kinds_node_index_find(by_name, key);
    kinds_node_set_name(row, "renamed");
    kinds_node_index_set_name(key, "renamed");
    CHECK(kinds_node_index_find(by_name, key) == row);
    kinds_node_delete(row);
    CHECK(!kinds_node_index_find(by_name, key));
    kinds_node_set_name(kinds_node_insert(txn), "renamed");
    CHECK(kinds_node_index_find(by_name, key));
    ovsdb_idl_txn_abort(txn);
    CHECK(!kinds_node_index_find(by_name, key));
    ovsdb_idl_txn_destroy(txn);

    kinds_node_index_destroy_row(key);
    kinds_node_index_destroy_row(from);
    kinds_node_index_destroy_row(to);
    ovsdb_idl_destroy(d);
}

/* Only what is asked for comes, and alerts only where they are wanted. */
static void
test_modes(struct ovsdb_idl *a)
{
    struct ovsdb_idl *c = create(false);
    struct ovsdb_idl_txn *txn;
    unsigned int seqno;

    ovsdb_idl_add_column(c, &kinds_node_col_name);
    ovsdb_idl_add_column(c, &kinds_node_col_value);
    ovsdb_idl_omit_alert(c, &kinds_node_col_value);
    CHECK(!ovsdb_idl_get_initial_snapshot(c, PATIENCE_MS));
    CHECK(find_node(c, "target")->value == 6);
    CHECK(!find_node(c, "source")->next);
    CHECK(!kinds_atom_first(c));
    seqno = ovsdb_idl_get_seqno(c);

    txn = ovsdb_idl_txn_create(a);
    kinds_node_set_value(find_node(a, "target"), 8);
    CHECK(commit(txn) == TXN_SUCCESS);
    WAIT_UNTIL(c, find_node(c, "target")->value == 8);
    CHECK(ovsdb_idl_get_seqno(c) == seqno);

    /* Nobody knows what an unreplicated column is, so it is always written. */
    catch_up(a);
    CHECK(find_node(a, "source")->next == find_node(a, "target"));
    txn = ovsdb_idl_txn_create(c);
    kinds_node_set_next(find_node(c, "source"), NULL);
    kinds_node_verify_next(find_node(c, "source"));
    kinds_node_update_friends_addvalue(find_node(c, "source"),
                                       find_node(c, "target"));
    CHECK(commit(txn) == TXN_SUCCESS);
    catch_up(a);
    CHECK(!find_node(a, "source")->next);
    CHECK(find_node(a, "source")->n_friends == 1);

    /* A column without alerts is written only if that changes it. */
    txn = ovsdb_idl_txn_create(c);
    kinds_node_set_value(find_node(c, "target"), 8);
    CHECK(commit(txn) == TXN_UNCHANGED);
    ovsdb_idl_destroy(c);
}

static void
test_loop(void)
{
    struct ovsdb_idl *idl = connect_to_server((char[]) { "loop" });
    struct ovsdb_idl_loop loop = OVSDB_IDL_LOOP_INITIALIZER(idl);
    bool written = false;

    for (int i = 0; i < 1000 && loop.cur_cfg != 1; i++) {
        struct ovsdb_idl_txn *txn = ovsdb_idl_loop_run(&loop);

        if (txn && !written) {
            kinds_node_set_value(find_node(idl, "target"), 12345);
            loop.next_cfg = 1;
            written = true;
        }
        ovsdb_idl_loop_commit(&loop);
        ovsdb_idl_block(idl, 10);
    }
    CHECK(loop.cur_cfg == 1);
    CHECK(find_node(idl, "target")->value == 12345);
    ovsdb_idl_loop_destroy(&loop);
}

/* A large transaction comes in many pieces. */
static void
test_bulk(struct ovsdb_idl *a, struct ovsdb_idl *b)
{
    struct ovsdb_idl_txn *txn;
    size_t size = 3 << 20;
    char *text = malloc(size + 1);
    int before;

    catch_up(b);
    before = count_nodes(b);
    memset(text, 'x', size);
    text[size] = '\0';
    txn = ovsdb_idl_txn_create(a);
    kinds_node_set_name(kinds_node_insert(txn), text);
    for (int i = 0; i < 2000; i++) {
        kinds_node_set_value(kinds_node_insert(txn), i);
    }
    CHECK(commit(txn) == TXN_SUCCESS);
    catch_up(b);
    CHECK(count_nodes(b) == before + 2001);
    CHECK(find_node(b, text));
    free(text);
}

/* Replicas of the same database are the same, whatever happened to it. */

static bool
same_atom(const union ovsdb_atom *a, const union ovsdb_atom *b,
          enum ovsdb_atomic_type type)
{
    switch (type) {
    case OVSDB_TYPE_INTEGER:
        return a->integer == b->integer;
    case OVSDB_TYPE_REAL:
        return a->real >= b->real && a->real <= b->real;
    case OVSDB_TYPE_BOOLEAN:
        return a->boolean == b->boolean;
    case OVSDB_TYPE_STRING:
        return !strcmp(a->string, b->string);
    case OVSDB_TYPE_UUID:
        return uuid_equals(&a->uuid, &b->uuid);
    case OVSDB_TYPE_VOID:
        break;
    }
    return true;
}

static void
check_same_row(const struct ovsdb_idl_row *a, const struct ovsdb_idl_row *b,
               const struct ovsdb_idl_table_class *class)
{
    for (size_t i = 0; i < class->n_columns; i++) {
        const struct ovsdb_idl_column *column = &class->columns[i];
        const struct ovsdb_datum *x = ovsdb_idl_read(a, column);
        const struct ovsdb_datum *y = ovsdb_idl_read(b, column);

        CHECK(x->n == y->n);
        for (unsigned int j = 0; j < x->n; j++) {
            CHECK(same_atom(&x->keys[j], &y->keys[j], column->type.key.type));
            CHECK(!x->values || same_atom(&x->values[j], &y->values[j],
                                          column->type.value.type));
        }
    }
}

static void
check_same_contents(const struct ovsdb_idl *a, const struct ovsdb_idl *b)
{
    for (size_t i = 0; i < KINDS_N_TABLES; i++) {
        const struct ovsdb_idl_table_class *class = &kinds_table_classes[i];
        const struct ovsdb_idl_row *row, *other;
        int n_a = 0, n_b = 0;

        for (row = ovsdb_idl_first_row(a, class); row;
             row = ovsdb_idl_next_row(row)) {
            other = ovsdb_idl_get_row_for_uuid(b, class, &row->uuid);
            CHECK(other);
            check_same_row(row, other, class);
            n_a++;
        }
        for (row = ovsdb_idl_first_row(b, class); row;
             row = ovsdb_idl_next_row(row)) {
            n_b++;
        }
        CHECK(n_a == n_b);
    }
}

static const struct kinds_node *
random_node(const struct ovsdb_idl *idl)
{
    const struct kinds_node *row = kinds_node_first(idl);

    for (int i = rand() % 8; i > 0 && row && kinds_node_next(row); i--) {
        row = kinds_node_next(row);
    }
    return row;
}

static void
change_randomly(struct ovsdb_idl_txn *txn, const struct kinds_node *node,
                const struct kinds_node *other)
{
    struct kinds_leaf *leaf;

    switch (node ? rand() % 9 : 0) {
    case 0:
        kinds_node_set_next(kinds_node_insert(txn), node);
        break;
    case 1:
        leaf = kinds_leaf_insert(txn);
        kinds_leaf_set_owner(leaf, other);
        kinds_node_update_leaves_addvalue(node, leaf);
        break;
    case 2:
        leaf = kinds_leaf_insert(txn);
        kinds_node_update_leaf_by_name_setkey(
            node, rand() % 2 ? "x" : "y", leaf);
        break;
    case 3:
        kinds_node_update_friends_addvalue(node, other);
        break;
    case 4:
        kinds_node_update_friends_delvalue(node, other);
        break;
    case 5:
        kinds_node_update_leaf_by_name_delkey(node, "x");
        break;
    case 6:
        kinds_node_set_leaves(node, NULL, 0);
        break;
    case 7:
        kinds_node_set_next(node, other);
        kinds_node_set_value(node, rand());
        break;
    default:
        if (rand() % 2) {
            kinds_node_delete(node);
        }
        break;
    }
}

static void
test_random_changes(struct ovsdb_idl *a, struct ovsdb_idl *b)
{
    struct ovsdb_idl *fresh;

    srand(1);
    for (int i = 0; i < 80; i++) {
        struct ovsdb_idl *idl = rand() % 2 ? a : b;
        struct ovsdb_idl_txn *txn = ovsdb_idl_txn_create(idl);
        enum ovsdb_idl_txn_status status;

        for (int n = rand() % 5; n >= 0; n--) {
            change_randomly(txn, random_node(idl), random_node(idl));
        }
        status = ovsdb_idl_txn_commit_block(txn);
        CHECK(status == TXN_SUCCESS || status == TXN_UNCHANGED);
        ovsdb_idl_txn_destroy(txn);
        if (rand() % 3) {
            catch_up(a);
            catch_up(b);
        }
        if (!(rand() % 8)) {
            ovsdb_idl_track_clear(a);
        }
    }
    catch_up(a);
    catch_up(b);
    check_same_contents(a, b);
    fresh = create(true);
    CHECK(!ovsdb_idl_get_initial_snapshot(fresh, PATIENCE_MS));
    check_same_contents(a, fresh);
    ovsdb_idl_destroy(fresh);
}

int
main(int argc, char *argv[])
{
    struct ovsdb_idl *a, *b;

    CHECK(argc == 2 || argc == 5);
    remote = argv[1];
    ssl_files = argc == 5 ? argv + 2 : NULL;
    CHECK(!strcmp(kinds_get_db_version(), "1.2.3"));
    CHECK(!strcmp(ovsdb_client_version(), OVSDB_CLIENT_VERSION));
    a = connect_to_server((char[]) { "A" });
    b = connect_to_server((char[]) { "B" });
    test_atoms(a, b);
    test_collections(a, b);
    test_partial_updates(a, b);
    test_verify(a, b);
    test_statuses(a);
    test_increment(a, b);
    test_references(a, b);
    test_tracking(a, b);
    test_locks(a, b);
    test_permanent_uuids(a, b);
    test_conditions(a);
    test_indexes();
    test_modes(a);
    test_loop();
    test_bulk(a, b);
    catch_up(a);
    delete_everything(a);
    catch_up(b);
    test_random_changes(a, b);
    ovsdb_idl_destroy(a);
    ovsdb_idl_destroy(b);
    puts("passed");
    return 0;
}
