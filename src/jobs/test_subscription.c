/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE subscription
#include "jobs/subscription_work.h"
#include "store/test_record.h"

static struct search_body body_of(struct ctx *cx, const char *type, const char *text)
{
    return (struct search_body){ fhir_resource_find(str_of(type)), S("x"), cx->now_ms,
                                 record_json(cx, text) };
}

/* The same answers as a search over the record gives, for a body that is in no record. */
TEST(body_in_hand_is_held_to_a_query)
{
    static const struct { const char *query; int answer; } rows[] = { /* -1: it cannot be asked */
        { "family=ash", 1 },            { "family:exact=Ash", 1 },   { "family:exact=ash", 0 },
        { "gender=female", 1 },         { "gender:not=female", 0 },  { "gender:not=male", 1 },
        { "birthdate=ge2000", 1 },      { "birthdate=lt2000", 0 },   { "_id=x", 1 },
        { "_id=y", 0 },                 { "_id:not=y", 1 },
        { "family=ash&gender=male", 0 },
        { "family=oak,ash", 1 },        { "phone:missing=true", 1 }, { "phone:missing=false", 0 },
        { "identifier=a%7C1", 1 },      { "identifier=a%7C2", 0 },   { "_lastUpdated=gt2000", 1 },
        { "_lastUpdated=lt2000", 0 },   { "colour=red", -1 },        { "birthdate=soon", -1 },
        { "_count=3", -1 },
    };
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct search_body on = body_of(cx, "Patient",
        "{\"resourceType\":\"Patient\",\"id\":\"x\",\"gender\":\"female\",\"birthDate\":"
        "\"2000-01-01\",\"name\":[{\"family\":\"Ash\"}],"
        "\"identifier\":[{\"system\":\"a\",\"value\":\"1\"}]}");
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool yes = false;
        err wrong = search_body_matches(cx, store, &on, str_of(rows[i].query), &yes);
        EXPECT_INT(rows[i].query, wrong ? -1 : yes, rows[i].answer);
    }
    ctx_release(cx);
    store_close(store);
    record_remove(cx, folder);
}

static err add_events(struct ctx *cx, struct db *db, void *self)
{
    const struct store_version *version = self;
    struct subscription_hit hit = { .rid = 7, .keep = 3, .id = S("s"), .outbox = true };
    return subscription_add_event(cx, db, &hit, version);
}

static err own(struct ctx *cx, struct db *db, void *self)
{
    return subscription_put_owner(cx, db, self);
}

TEST(events_are_numbered_once_without_gap)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    struct subscription_owner owner = { 7, S("s"), S("user a"), S("secret"), true };
    struct subscription_state state;
    EXPECT_INT("due", due_schema(cx, store), ERR_OK);
    EXPECT_INT("schema", subscription_schema(cx, store), ERR_OK);
    EXPECT_INT("own", store_write(cx, store, own, &owner), ERR_OK);
    static const int64_t seqs[] = { 10, 11, 11, 10, 14, 20, 21 }; /* some told twice */
    for (size_t i = 0; i < COUNT(seqs); i++) {
        struct store_version version = { .seq = seqs[i], .vid = 1, .id = S("p"),
                                         .method = STORE_CREATED };
        EXPECT_INT("add", store_write(cx, store, add_events, &version), ERR_OK);
    }
    EXPECT_INT("state", subscription_state_find(cx, store, S("s"), &state), ERR_OK);
    EXPECT_INT("last", state.last, 5);
    struct subscription_events events = { .rid = 7, .from = 1, .to = 99 };
    EXPECT_INT("events", subscription_events(cx, store, &events), ERR_OK);
    EXPECT_INT("the last three are kept", events.count, 3);
    for (size_t i = 0; i < events.count; i++)
        EXPECT_INT("number", events.list[i].number, (int64_t)i + 3);
    EXPECT_INT("nobody", subscription_state_find(cx, store, S("t"), &state), ERR_NOT_FOUND);
    ctx_release(cx);
    store_close(store);
    record_remove(cx, folder);
}
