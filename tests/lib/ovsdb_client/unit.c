/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the parts that need no server. */

#include <float.h>
#include <limits.h>
#include <math.h>

#include "check.h"
#include "cs-server.h"
#include "datum.h"
#include "json.h"
#include "ovsdb-client/smap.h"
#include "reconnect.h"

/* JSON. */

static char *
round_trip(const char *text)
{
    struct strbuf printed = STRBUF_INITIALIZER;
    struct json_document document;

    if (json_parse(&document, text, strlen(text))) {
        return NULL;
    }
    json_print(&printed, &document.root);
    json_document_destroy(&document);
    return strbuf_steal(&printed);
}

static void
check_json(const char *text, const char *expected)
{
    char *printed = round_trip(text);

    if (!expected != !printed || (printed && strcmp(printed, expected))) {
        fprintf(stderr, "%s: got %s\n", text, printed ? printed : "an error");
        exit(1);
    }
    free(printed);
}

static void
test_json_values(void)
{
    static const char *same[] = {
        "null", "true", "false", "0", "-1", "[]", "{}", "\"\"",
        "9223372036854775807", "-9223372036854775808",
        "9.22337203685478e+18", "0.1", "1e+300", "-2.5", "1e-07",
        "[1,[2,{\"a\":[]}],\"x\"]", "{\"a\":{\"b\":null},\"c\":[{}]}",
        "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8b\"", "\"\\n\\\\\\\"\"",
        "\"\\u0001\"", "\"\x7f\"", "4.94065645841247e-324",
        "1.7976931348623157e+308", "0.30000000000000004",
    };
    static const char *changed[][2] = {
        { " [ 1 , 2 ] \n", "[1,2]" },
        { "1.0", "1" }, { "1e3", "1000" }, { "120e-1", "12" },
        { "-0", "0" }, { "-0.0", "0" }, { "0e99999", "0" },
        { "1.5e1", "15" },
        { "9223372036854775808", "9.223372036854776e+18" },
        { "123456789012345678901234567890", "1.2345678901234568e+29" },
        { "0.1000000000000000000000000000000000001", "0.1" },
        { "1000000000000000000000e-3", "1000000000000000000" },
        { "\"\\u00e4\\u20AC\\ud83d\\udc0b\\/\"",
          "\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\x8b/\"" },
        { "{\"a\":1,\"a\":2}", "{\"a\":1,\"a\":2}" },
    };
    static const char *bad[] = {
        "", " ", "[", "]", "{", "[1", "[1,]", "[,]", "[1 2]", "{\"a\"}",
        "{\"a\":}", "{\"a\":1,}", "{a:1}", "{1:2}", "[}", "{]", "nul", "True",
        "01", "-", "-a", "1.", ".5", "1e", "1e+", "+1", "1e999", "0x1", "NaN",
        "\"", "\"\\\"", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\u0000\"",
        "\"\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
        "\"\n\"", "\"\x01\"", "\"\x80\"", "\"\xc0\xaf\"", "\"\xc3\"",
        "\"\xe2\x82\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
        "\"\xe0\x80\x80\"", "\"\xff\"", "1 2", "[] x", "{} {}", "[1]]",
    };

    for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
        check_json(same[i], same[i]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(changed); i++) {
        check_json(changed[i][0], changed[i][1]);
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        check_json(bad[i], NULL);
    }
}

static char *
nested(size_t depth)
{
    char *text = xmalloc(2 * depth + 1);

    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    text[2 * depth] = '\0';
    return text;
}

static void
test_json_depth(void)
{
    char *text = nested(JSON_MAX_DEPTH);

    check_json(text, text);
    free(text);
    text = nested(JSON_MAX_DEPTH + 1);
    check_json(text, NULL);
    free(text);
    text = nested(1000000);
    check_json(text, NULL);
    free(text);
}

static void
test_json_get(void)
{
    const char *text = "{\"a\":1,\"b\":\"x\",\"a\":2}";
    struct json_document d;

    CHECK(!json_parse(&d, text, strlen(text)));
    CHECK(json_get(&d.root, "a")->integer == 2); /* The last one counts. */
    CHECK(!strcmp(json_get_string(&d.root, "b"), "x"));
    CHECK(!json_get_string(&d.root, "a") && !json_get(&d.root, "c"));
    CHECK(!json_get(NULL, "a") && !json_get(json_get(&d.root, "a"), "a"));
    json_document_destroy(&d);
}

/* Messages follow one another, in pieces of any size. */
static void
test_json_scanner(void)
{
    const char *text = " {\"a\":\"}\\\"]\"} [1,{}]\n{}[]";
    static const size_t ends[] = { 13, 20, 23, 25 };

    for (size_t piece = 1; piece < 30; piece++) {
        struct json_scanner scanner = { .depth = 0 };
        size_t position = 0, n = 0;

        while (position < strlen(text)) {
            size_t left = strlen(text) - position;
            bool done;

            position += json_scan(&scanner, text + position,
                                  left < piece ? left : piece, &done);
            CHECK(!scanner.failed);
            if (done) {
                CHECK(position == ends[n++]);
                memset(&scanner, 0, sizeof scanner);
            }
        }
        CHECK(n == ARRAY_SIZE(ends));
    }
    for (const char *p = "x\"1]},"; *p; p++) {
        struct json_scanner scanner = { .depth = 0 };
        bool done;

        json_scan(&scanner, p, 1, &done);
        CHECK(scanner.failed && !done);
    }
}

/* Data. */

static struct ovsdb_datum
datum(const struct ovsdb_type *type, const char *text, bool is_difference)
{
    struct json_document document;
    struct ovsdb_datum d;

    CHECK(!json_parse(&document, text, strlen(text)));
    CHECK(!datum_from_json(&d, type, &document.root, is_difference));
    json_document_destroy(&document);
    return d;
}

static bool
rejects(const struct ovsdb_type *type, const char *text)
{
    struct json_document document;
    struct ovsdb_datum d;
    bool rejected;

    CHECK(!json_parse(&document, text, strlen(text)));
    rejected = datum_from_json(&d, type, &document.root, false) != NULL;
    datum_destroy(&d, type);
    json_document_destroy(&document);
    return rejected;
}

static const struct ovsdb_type strings = {
    .key = { .type = OVSDB_TYPE_STRING }, .n_max = UINT_MAX,
};
static const struct ovsdb_type string_map = {
    .key = { .type = OVSDB_TYPE_STRING }, .value = { OVSDB_TYPE_STRING, NULL },
    .n_max = UINT_MAX,
};
static const struct ovsdb_type integer = {
    .key = { .type = OVSDB_TYPE_INTEGER }, .n_min = 1, .n_max = 1,
};

static void
check_diff(const struct ovsdb_type *type, const char *old, const char *diff,
           const char *expected)
{
    struct ovsdb_datum d = datum(type, old, false);
    struct ovsdb_datum difference = datum(type, diff, true);
    struct ovsdb_datum result = datum(type, expected, false);

    CHECK(!datum_apply_diff(&d, &difference, type));
    CHECK(datum_equals(&d, &result, type));
    datum_destroy(&d, type);
    datum_destroy(&difference, type);
    datum_destroy(&result, type);
}

static void
test_data(void)
{
    struct ovsdb_datum d;

    check_diff(&strings, "[\"set\",[\"a\",\"c\"]]",
               "[\"set\",[\"b\",\"c\",\"d\"]]",
               "[\"set\",[\"a\",\"b\",\"d\"]]");
    check_diff(&strings, "\"a\"", "\"a\"", "[\"set\",[]]");
    check_diff(&string_map, "[\"map\",[[\"a\",\"1\"],[\"b\",\"2\"]]]",
               "[\"map\",[[\"a\",\"1\"],[\"b\",\"3\"],[\"c\",\"4\"]]]",
               "[\"map\",[[\"b\",\"3\"],[\"c\",\"4\"]]]");
    CHECK(rejects(&strings, "[\"set\",[\"a\",\"a\"]]"));
    CHECK(rejects(&strings, "[\"set\",[1]]") && rejects(&strings, "{}"));
    CHECK(rejects(&string_map, "\"a\""));
    CHECK(rejects(&string_map, "[\"set\",[]]"));
    CHECK(rejects(&string_map, "[\"map\",[[\"a\"]]]"));
    CHECK(rejects(&string_map, "[\"map\",[[\"a\",1]]]"));
    CHECK(rejects(&integer, "[\"set\",[]]") && rejects(&integer, "0.5"));
    CHECK(rejects(&integer, "[\"set\",[1,2]]"));
    CHECK(!rejects(&integer, "[\"set\",[1]]") && !rejects(&integer, "1.0"));

    datum_init_default(&d, &integer);
    CHECK(d.n == 1 && datum_is_default(&d, &integer));
    datum_destroy(&d, &integer);
    datum_init_default(&d, &strings);
    CHECK(d.n == 0 && datum_is_default(&d, &strings));
}

/* Text. */

static void
test_uuid(void)
{
    struct uuid uuid;
    char text[UUID_LEN + 1];

    CHECK(uuid_from_string(&uuid, "f47ac10b-58cc-4372-a567-0e02b2c3d479"));
    snprintf(text, sizeof text, UUID_FMT, UUID_ARGS(&uuid));
    CHECK(!strcmp(text, "f47ac10b-58cc-4372-a567-0e02b2c3d479"));
    CHECK(!uuid_is_zero(&uuid));
    CHECK(!uuid_from_string(&uuid, "f47ac10b-58cc-4372-a567-0e02b2c3d47"));
    CHECK(uuid_is_zero(&uuid));
    CHECK(!uuid_from_string(&uuid, "f47ac10b-58cc-4372-a567-0e02b2c3d4790"));
    CHECK(!uuid_from_string(&uuid, "f47ac10b58cc-4372-a567-0e02b2c3d479-"));
    CHECK(!uuid_from_string(&uuid, "g47ac10b-58cc-4372-a567-0e02b2c3d479"));
    CHECK(!uuid_from_string(&uuid, ""));
}

static void
test_smap(void)
{
    struct smap a = SMAP_INITIALIZER(&a), b;

    smap_add(&a, "n", "-12");
    smap_add(&a, "yes", "TRUE");
    smap_add(&a, "no", "false");
    smap_add(&a, "big", "99999999999999999999");
    smap_add(&a, "junk", "12x");
    CHECK(!smap_add_once(&a, "n", "other") && smap_add_once(&a, "m", "1"));
    CHECK(smap_get_int(&a, "n", 0) == -12 && smap_get_int(&a, "big", 3) == 3);
    CHECK(smap_get_int(&a, "junk", 4) == 4 && smap_get_int(&a, "", 5) == 5);
    CHECK(smap_get_uint(&a, "n", 6) == 6 && smap_get_ullong(&a, "m", 0) == 1);
    CHECK(smap_get_bool(&a, "yes", false) && !smap_get_bool(&a, "no", true));
    CHECK(smap_get_bool(&a, "none", true) && !smap_get_bool(&a, "n", false));
    smap_clone(&b, &a);
    CHECK(smap_equal(&a, &b) && smap_count(&b) == 6);
    smap_remove(&b, "n");
    smap_remove(&b, "n");
    CHECK(!smap_equal(&a, &b) && !smap_get(&b, "n"));
    CHECK(!strcmp(smap_get_def(&b, "n", "x"), "x"));
    smap_destroy(&a);
    smap_destroy(&b);
    CHECK(smap_is_empty(&a));
}

/* When to connect. */

static void
test_backoff(void)
{
    static const int64_t waits[] = { 1000, 2000, 4000, 8000, 8000 };
    struct reconnect r;
    int64_t now = 5;

    reconnect_init(&r, now, RECONNECT_UNLIMITED, 1);
    CHECK(reconnect_run(&r, now) == RECONNECT_CONNECT);
    for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
        reconnect_connecting(&r, now);
        reconnect_disconnected(&r, now);
        CHECK(reconnect_deadline(&r) == now + waits[i]);
        CHECK(reconnect_run(&r, now + waits[i] - 1) == RECONNECT_NOTHING);
        now += waits[i];
        CHECK(reconnect_run(&r, now) == RECONNECT_CONNECT);
    }

    /* A connection that lasts ends the long waits, one that does not doesn't;
     * a try lasts as long as the wait before it. */
    reconnect_connecting(&r, now);
    CHECK(reconnect_deadline(&r) == now + 8000);
    reconnect_connected(&r, now);
    reconnect_disconnected(&r, now + 10);
    CHECK(reconnect_deadline(&r) == now + 10 + 8000);
    reconnect_connecting(&r, now);
    reconnect_connected(&r, now);
    reconnect_activity(&r, now + 9000);
    reconnect_disconnected(&r, now + 9000);
    CHECK(reconnect_deadline(&r) == now + 9000 + 1000);
}

static void
test_probes(void)
{
    struct reconnect r;

    reconnect_init(&r, 0, RECONNECT_UNLIMITED, 1);
    r.probe_interval = 5000;
    reconnect_connecting(&r, 0);
    CHECK(reconnect_run(&r, 999) == RECONNECT_NOTHING);
    reconnect_connected(&r, 100);
    reconnect_activity(&r, 200);
    CHECK(reconnect_deadline(&r) == 5200);
    CHECK(reconnect_run(&r, 5200) == RECONNECT_PROBE);
    CHECK(reconnect_is_connected(&r));
    reconnect_activity(&r, 5300);
    CHECK(reconnect_run(&r, 10300) == RECONNECT_PROBE);
    CHECK(reconnect_run(&r, 15299) == RECONNECT_NOTHING);
    CHECK(reconnect_run(&r, 15300) == RECONNECT_DISCONNECT);
}

static void
test_tries(void)
{
    struct reconnect r;

    /* Each of two remotes once, without a wait. */
    reconnect_init(&r, 0, 2, 2);
    CHECK(reconnect_run(&r, 0) == RECONNECT_CONNECT);
    reconnect_connecting(&r, 0);
    reconnect_disconnected(&r, 0);
    CHECK(reconnect_run(&r, 0) == RECONNECT_CONNECT);
    reconnect_connecting(&r, 0);
    reconnect_disconnected(&r, 0);
    CHECK(r.state == RECONNECT_VOID);
    CHECK(reconnect_deadline(&r) == TIME_NEVER);
    CHECK(reconnect_run(&r, 1000000) == RECONNECT_NOTHING);
}

/* The conversation with a server. */

static void
no_schema(void *aux, const struct json *schema)
{
    (void) aux;
    (void) schema;
}

static void
no_requests(void *aux, int version, struct strbuf *b)
{
    (void) aux;
    (void) version;
    strbuf_puts(b, "{}");
}

static bool
no_conditions(void *aux, struct strbuf *b)
{
    (void) aux;
    (void) b;
    return false;
}

static bool
resume(void *aux, bool possible)
{
    (void) aux;
    return possible;
}

static bool
count_update(void *n_updates, const struct json *updates, int version,
             bool clear)
{
    (void) updates;
    (void) version;
    (void) clear;
    ++*(int *) n_updates;
    return true;
}

static void
nothing(void *aux)
{
    (void) aux;
}

static void
no_log(void *aux, enum ovsdb_idl_log_level level, const char *line)
{
    (void) aux;
    (void) level;
    (void) line;
}

static const struct cs_ops no_ops = {
    .schema = no_schema,
    .compose_monitor = no_requests,
    .compose_conditions = no_conditions,
    .conditions_acknowledged = nothing,
    .conditions_restart = resume,
    .update = count_update,
    .disconnected = nothing,
    .locked = nothing,
    .log = no_log,
};

static void
receive(struct cs *cs, const char *text)
{
    struct json_document d;

    CHECK(!json_parse(&d, text, strlen(text)));
    cs_receive(cs, &d.root);
    json_document_destroy(&d);
}

static void
answer(struct cs *cs, const char *result)
{
    struct strbuf text = STRBUF_INITIALIZER;

    strbuf_printf(&text, "{\"id\":%lld,\"error\":null,\"result\":%s}",
                  (long long int) cs->request_id, result);
    receive(cs, strbuf_cstr(&text));
    strbuf_destroy(&text);
}

static void
refuse(struct cs *cs)
{
    struct strbuf text = STRBUF_INITIALIZER;

    strbuf_printf(&text,
                  "{\"id\":%lld,\"error\":\"unknown\",\"result\":null}",
                  (long long int) cs->request_id);
    receive(cs, strbuf_cstr(&text));
    strbuf_destroy(&text);
}

/* Lets a server with that row introduce itself; returns whether it will do. */
static bool
accepts(struct cs *cs, const char *row)
{
    struct strbuf text = STRBUF_INITIALIZER;

    cs_connected(cs);
    answer(cs, "{\"tables\":{\"Database\":{\"columns\":{\"name\":{}}}}}");
    CHECK(cs->state == CS_SERVER_MONITOR);
    strbuf_printf(&text, "{\"Database\":{"
                  "\"00000000-0000-0000-0000-000000000001\":"
                  "{\"initial\":{\"name\":\"db\",%s}}}}", row);
    answer(cs, strbuf_cstr(&text));
    strbuf_destroy(&text);
    CHECK(cs->state == CS_DATA_MONITOR || cs->state == CS_RETRY);
    if (cs->state == CS_RETRY) {
        cs_disconnected(cs);
        return false;
    }
    return true;
}

#define CLUSTER "\"model\":\"clustered\",\"schema\":\"{}\","
#define RELAY "\"model\":\"relay\",\"schema\":\"{}\","

static void
test_choice_of_servers(void)
{
    int n_updates = 0;
    struct cs cs;

    cs_init(&cs, "db", &no_ops, &n_updates);
    CHECK(accepts(&cs, "\"model\":\"standalone\",\"schema\":\"{}\""));
    CHECK(!accepts(&cs, "\"schema\":[\"set\",[]]"));
    CHECK(!accepts(&cs, "\"schema\":\"{\""));
    CHECK(!accepts(&cs, "\"name\":\"other\",\"schema\":\"{}\""));
    CHECK(!accepts(&cs, CLUSTER "\"connected\":true,\"leader\":false"));
    CHECK(!accepts(&cs, CLUSTER "\"connected\":false,\"leader\":true"));
    CHECK(accepts(&cs, CLUSTER "\"connected\":true,\"leader\":true,"
                  "\"index\":5"));
    CHECK(!accepts(&cs, CLUSTER "\"connected\":true,\"leader\":true,"
                   "\"index\":4"));
    CHECK(!accepts(&cs, RELAY "\"connected\":true"));
    cs.leader_only = false;
    CHECK(accepts(&cs, RELAY "\"connected\":true"));
    CHECK(!accepts(&cs, RELAY "\"connected\":false"));
    CHECK(accepts(&cs, CLUSTER "\"connected\":true,\"leader\":false,"
                  "\"index\":6"));

    /* The leader is deposed, later. */
    cs.leader_only = true;
    CHECK(accepts(&cs, CLUSTER "\"connected\":true,\"leader\":true,"
                  "\"index\":7"));
    answer(&cs, "[false,\"00000000-0000-0000-0000-00000000000a\",{}]");
    CHECK(cs.state == CS_MONITORING && n_updates == 1);
    receive(&cs, "{\"method\":\"update2\",\"params\":[[\"monid\",\"_Server\"],"
            "{\"Database\":{\"00000000-0000-0000-0000-000000000001\":"
            "{\"modify\":{\"leader\":false}}}}],\"id\":null}");
    CHECK(cs.state == CS_RETRY);
    cs_destroy(&cs);
}

/* Ever older servers. */
static void
test_fallback(void)
{
    int n_updates = 0;
    struct cs cs;

    cs_init(&cs, "db", &no_ops, &n_updates);
    cs_connected(&cs);
    refuse(&cs);
    CHECK(cs.state == CS_DATA_SCHEMA);
    answer(&cs, "{}");
    for (int version = 3; version > 1; version--) {
        CHECK(cs.state == CS_DATA_MONITOR && cs.requested_version == version);
        refuse(&cs);
    }
    answer(&cs, "{}");
    CHECK(cs.state == CS_MONITORING && cs.monitor_version == 1);
    receive(&cs, "{\"method\":\"update\",\"params\":[[\"monid\",\"db\"],{}],"
            "\"id\":null}");
    CHECK(n_updates == 2);

    /* The database is converted: everything begins anew. */
    receive(&cs, "{\"method\":\"monitor_canceled\",\"params\":"
            "[[\"monid\",\"db\"]],\"id\":null}");
    CHECK(cs.state == CS_SERVER_SCHEMA);
    refuse(&cs);
    refuse(&cs);
    CHECK(cs.state == CS_RETRY);
    cs_destroy(&cs);
}

int
main(void)
{
    test_json_values();
    test_json_depth();
    test_json_get();
    test_json_scanner();
    test_data();
    test_uuid();
    test_smap();
    test_backoff();
    test_probes();
    test_tries();
    test_choice_of_servers();
    test_fallback();
    puts("passed");
    return 0;
}
