/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE beds_demo
#include "base/clock.h"
#include "db/db.h"
#include "store/test_record.h"
#include "systems/beds/claim.h"
#include "systems/beds/demo.h"
#include "systems/beds/picture.h"
#include "view/view_table.h"

enum { BEDS = 6, PEOPLE = 20 * BEDS + 50, ROUNDS = 120 };

static struct store *open_hospital(struct ctx *cx, str *folder)
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

static void put(struct ctx *cx, struct store *store, const char *type, str body)
{
    struct json parsed;
    cr_assert(json_parse(cx, body, &parsed) == ERR_OK);
    str id = json_string(cx->arena, json_get(parsed, S("id")));
    struct commit_op op = record_op(cx, COMMIT_UPDATE, type, arena_cstr(cx->arena, id),
                                    arena_cstr(cx->arena, body));
    cr_assert(record_do(cx, store, &op) == ERR_OK);
}

static void fill(struct ctx *cx, struct store *store)
{
    put(cx, store, "Location", S("{\"resourceType\":\"Location\",\"id\":\"ward-amu-1\","
                                 "\"physicalType\":{\"coding\":[{\"code\":\"wa\"}]}}"));
    for (int i = 0; i < BEDS; i++)
        put(cx, store, "Location", arena_printf(cx->arena,
            "{\"resourceType\":\"Location\",\"id\":\"bed-%d\",\"physicalType\":{\"coding\":[{"
            "\"code\":\"bd\"}]},\"partOf\":{\"reference\":\"Location/ward-amu-1\"},\"type\":[{"
            "\"coding\":[{\"code\":\"side-room\"}]}]}", i));
    for (int i = 0; i < PEOPLE; i++)
        put(cx, store, "Patient", arena_printf(cx->arena,
            "{\"resourceType\":\"Patient\",\"id\":\"p%06d\",\"gender\":\"female\",\"birthDate\":"
            "\"1950-01-01\",\"name\":[{\"family\":\"Person\",\"given\":[\"N%d\"]}]}", i, i));
}

/* A round of every act, as the clock makes it, with a memory of its own. */
static size_t play_round(struct store *store, struct random *random)
{
    struct arena arena = arena_make(64 << 20);
    struct ctx cx = ctx_make(&arena);
    struct play_hand hand = { .cx = &cx, .store = store, .random = random, .hours = 0.5,
                              .speed = 1000 };
    size_t faults = 0;
    cx.now_ms = clock_now_ms();
    cx.random = random;
    for (const struct play_act *const *act = beds_demo; *act; act++) {
        cr_assert(store_reader(&cx, store) == ERR_OK);
        err wrong = (*act)->run(&hand);
        store_reader_end(&cx);
        faults += wrong && wrong != ERR_CONFLICT && wrong != ERR_RULE;
        EXPECT((*act)->name, wrong == ERR_OK || wrong == ERR_CONFLICT || wrong == ERR_RULE);
        cx.issues = (struct issues){ .arena = &arena };
    }
    ctx_release(&cx);
    arena_free(&arena);
    return faults;
}

TEST(a_played_hospital_fills_is_seen_and_empties_without_a_fault)
{
    str folder;
    struct random random = random_seeded(3);
    struct store *store = open_hospital(cx, &folder);
    size_t faults = 0, most = 0, seen = 0;
    fill(cx, store);
    int64_t begun = store_seq(store);
    for (int i = 0; i < ROUNDS || (!seen && i < 20 * ROUNDS); i++) { /* what happens is chance */
        struct beds_picture *picture;
        faults += play_round(store, &random);
        cr_assert(beds_picture_whole(cx, store, BEDS_SCORES, &picture) == ERR_OK);
        size_t in = 0;
        for (size_t k = 0; k < picture->stays_count; k++) {
            in += !picture->stays[k].reserved;
            seen += picture->stays[k].reside != BEDS_RESIDE_UNKNOWN && picture->stays[k].news2 >= 0;
        }
        most = in > most ? in : most;
        store_reader_end(cx);
    }
    EXPECT_INT("faults", faults, 0);
    EXPECT("people came", most >= 2);
    EXPECT("somebody was assessed and has a score", seen > 0);
    EXPECT("it was written down", store_seq(store) > begun + 50);
    store_close(store);
    record_remove(cx, folder);
}
