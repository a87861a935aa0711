/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE beds_sql
#include "db/db.h"
#include "store/test_record.h"
#include "systems/beds/claim.h"
#include "systems/beds/picture.h"
#include "systems/beds/sql.h"
#include "view/view_table.h"

#define BD "\"physicalType\":{\"coding\":[{\"code\":\"bd\"}]}"
#define IN(ward) "\"partOf\":{\"reference\":\"Location/" ward "\"}"
#define KIND(code) "\"physicalType\":{\"coding\":[{\"code\":\"" code "\"}]}"

static struct store *hospital(struct ctx *cx, str *folder)
{
    struct view_tables *tables = NULL;
    *folder = record_folder(cx);
    struct store *store = record_open(cx, *folder);
    commit_set_claim_rules(store, beds_claims);
    struct view_rebuild how = { .store = store, .folder = *folder };
    cr_assert(view_tables_make(cx, view_files, &tables) == ERR_OK);
    cr_assert(view_tables_open(cx, tables, &how) == ERR_OK);
    return store;
}

static err put(struct ctx *cx, struct store *store, const char *type, const char *id,
               const char *rest)
{
    const char *body = arena_printf(cx->arena, "{\"resourceType\":\"%s\",\"id\":\"%s\",%s}", type,
                                    id, rest).p;
    struct commit_op op = record_op(cx, COMMIT_UPDATE, type, id, body);
    return record_do(cx, store, &op);
}

static void done(struct ctx *cx, struct store *store, str folder)
{
    store_reader_end(cx);
    store_close(store);
    record_remove(cx, folder);
}

TEST(beds_statements_use_their_indexes)
{
    str folder;
    struct store *store = hospital(cx, &folder);
    EXPECT_INT("reader", store_reader(cx, store), ERR_OK);
    for (const struct stmt *stmt = beds_sql; stmt->name; stmt++) {
        str plan = { 0 };
        EXPECT_INT(stmt->name, db_plan(cx, cx->db, stmt->sql, &plan), ERR_OK);
        EXPECT(stmt->name, stmt->plan && str_find(plan, str_of(stmt->plan)) != STR_NONE);
        bool small = str_starts(str_of(stmt->plan), S("SCAN")) || stmt == &beds_sql[BEDS_SQL_FREE];
        if (!small)
            EXPECT(stmt->name, str_find(plan, S("SCAN")) == STR_NONE);
    }
    done(cx, store, folder);
}

static void fill(struct ctx *cx, struct store *store)
{
    static const struct { const char *type, *id, *body; } rows[] = {
        { "Location", "site", KIND("si") ",\"name\":\"Site\"" },
        { "Location", "w1", KIND("wa") "," IN("site") ",\"name\":\"One\",\"type\":[{\"coding\":"
                            "[{\"code\":\"300\"}]}]" },
        { "Location", "w2", KIND("wa") "," IN("site") ",\"name\":\"Two\"" },
        { "Location", "bay", KIND("ro") "," IN("w1") },
        { "Location", "b1", BD "," IN("bay") ",\"type\":[{\"coding\":[{\"code\":\"female\"}]},"
                            "{\"coding\":[{\"code\":\"monitored\"}]}]" },
        { "Location", "b2", BD "," IN("bay") },
        { "Location", "b3", BD "," IN("w2") ",\"status\":\"suspended\"" },
        { "Patient", "p", "\"name\":[{\"family\":\"Smith\",\"given\":[\"Ann\"]}],\"gender\":"
                          "\"female\",\"birthDate\":\"1950-01-01\"" },
        { "Flag", "f", "\"status\":\"active\",\"code\":{\"text\":\"Isolation needed\"},\"subject\":"
                       "{\"reference\":\"Patient/p\"}" },
        { "Encounter", "e", "\"status\":\"in-progress\",\"class\":{\"code\":\"IMP\"},\"subject\":"
                            "{\"reference\":\"Patient/p\"},\"period\":{\"start\":"
                            "\"2026-03-20T10:00:00Z\"},\"location\":[{\"location\":{\"reference\":"
                            "\"Location/b1\"},\"status\":\"active\"}]" },
        { "Observation", "o1", "\"status\":\"final\",\"code\":{\"coding\":[{\"code\":"
                               "\"1104051000000101\"}]},\"subject\":{\"reference\":\"Patient/p\"},"
                               "\"effectiveDateTime\":\"2026-03-21T10:30:00+01:00\","
                               "\"valueInteger\":3" },
        { "Observation", "o0", "\"status\":\"entered-in-error\",\"code\":{\"coding\":[{\"code\":"
                               "\"1104051000000101\"}]},\"subject\":{\"reference\":\"Patient/p\"},"
                               "\"effectiveDateTime\":\"2026-03-25T10:00:00Z\","
                               "\"valueInteger\":19" },
        { "Observation", "o2", "\"status\":\"corrected\",\"code\":{\"coding\":[{\"code\":"
                               "\"1104051000000101\"}]},\"subject\":{\"reference\":\"Patient/p\"},"
                               "\"effectiveDateTime\":\"2026-03-21T10:00:00Z\","
                               "\"valueQuantity\":{\"value\":7}" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].id, put(cx, store, rows[i].type, rows[i].id, rows[i].body), ERR_OK);
}

TEST(beds_picture_is_what_the_views_hold)
{
    str folder;
    struct store *store = hospital(cx, &folder);
    const struct beds_picture *whole;
    fill(cx, store);
    cr_assert(beds_picture_open(cx, store, &whole) == ERR_OK);
    EXPECT_INT("places", whole->spots_count, 7);
    EXPECT_INT("stays", whole->stays_count, 1);
    EXPECT_INT("as of", whole->seq, store_seq(store));
    const struct beds_spot *b1 = &whole->spots[beds_find_spot(whole, S("b1"))];
    const struct beds_stay *stay = &whole->stays[b1->stay];
    EXPECT_STR("ward", str_of(whole->spots[b1->ward].specialty), S("300"));
    EXPECT_STR("site", str_of(whole->spots[b1->site].name), S("Site"));
    EXPECT_INT("attributes", b1->attributes, BEDS_A_FEMALE | BEDS_A_MONITORED);
    EXPECT_STR("name", str_of(stay->name), S("SMITH, Ann"));
    EXPECT("isolated", stay->isolation);
    EXPECT_INT("the later score, whatever its offset says", stay->news2, 7);
    EXPECT_INT("its trend", stay->trend_count, 2);
    EXPECT("oldest first, by instant", stay->trend[0].at_ms < stay->trend[1].at_ms);
    EXPECT_INT("closed", beds_state_at(whole, beds_find_spot(whole, S("b3")), cx->now_ms),
               BEDS_CLOSED);
    done(cx, store, folder);
}

TEST(beds_picture_of_a_part_says_the_same_as_the_whole)
{
    str folder;
    struct store *store = hospital(cx, &folder);
    struct beds_picture *part;
    fill(cx, store);
    cr_assert(beds_picture_begin(cx, store, &part) == ERR_OK);
    cr_assert(beds_picture_add_stay(cx, part, S("e")) == ERR_OK);
    EXPECT_INT("bed, its bay mate, bay, ward and site", part->spots_count, 5);
    EXPECT("the other ward is not in it", beds_find_spot(part, S("b3")) == BEDS_NONE);
    int32_t b2 = beds_find_spot(part, S("b2"));
    cr_assert(b2 != BEDS_NONE);
    EXPECT_INT("a woman lies in the bay", beds_bed_at(part, b2).bay_occupants, BEDS_FEMALE);
    EXPECT_STR("ward", beds_bed_at(part, b2).ward, S("One"));
    cr_assert(beds_picture_begin(cx, store, &part) == ERR_OK);
    cr_assert(beds_picture_add_ward(cx, part, S("w1")) == ERR_OK);
    EXPECT_INT("ward", part->spots_count, 5);
    EXPECT_INT("with scores", part->stays[0].news2, 7);
    str *free_beds;
    size_t count;
    cr_assert(beds_free_beds(cx, &free_beds, &count) == ERR_OK);
    EXPECT_INT("free: neither held nor closed", count, 1);
    EXPECT_STR("free", free_beds[0], S("b2"));
    cr_assert(beds_picture_begin(cx, store, &part) == ERR_OK);
    cr_assert(beds_picture_add_bed(cx, part, S("nowhere")) == ERR_OK);
    EXPECT_INT("no such bed", part->spots_count, 0);
    done(cx, store, folder);
}

#define STAY(status, class, places) "\"status\":\"" status "\",\"class\":{\"code\":\"" class       \
        "\"},\"subject\":{\"reference\":\"Patient/p\"},\"location\":[" places "]"
#define PLACE(bed, status) "{\"location\":{\"reference\":\"Location/" bed "\"},\"status\":\""      \
        status "\"," BD "}"

TEST(beds_patient_lies_in_one_bed)
{
    static const struct { const char *name, *id, *body; err err; } rows[] = {
        { "admitted", "a", STAY("in-progress", "IMP", PLACE("x1", "active")), ERR_OK },
        { "another bed, another stay", "b", STAY("in-progress", "IMP", PLACE("x2", "active")),
          ERR_CONFLICT },
        { "a bed kept for the next move", "c", STAY("planned", "IMP", PLACE("x2", "reserved")),
          ERR_OK },
        { "an emergency attendance beside it", "d",
          STAY("in-progress", "EMER", PLACE("x3", "active")), ERR_OK },
        { "two beds in one stay", "e", STAY("in-progress", "EMER",
          PLACE("x4", "active") "," PLACE("x5", "active")), ERR_CONFLICT },
        { "moved to the other bed", "a", STAY("in-progress", "IMP",
          PLACE("x1", "completed") "," PLACE("x6", "active")), ERR_OK },
        { "discharged", "a", STAY("finished", "IMP", PLACE("x6", "completed")), ERR_OK },
        { "admitted again", "b", STAY("in-progress", "IMP", PLACE("x1", "active")), ERR_OK },
    };
    str folder;
    struct store *store = hospital(cx, &folder);
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].name, put(cx, store, "Encounter", rows[i].id, rows[i].body),
                   rows[i].err);
    done(cx, store, folder);
}
