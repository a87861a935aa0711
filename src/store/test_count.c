/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE count
#include "store/search.h"
#include "store/test_record.h"

enum { PATIENTS = 6000, GROUP = 1000 };

/* Every third is a man, every hundredth is in Leeds. */
static void fill(struct ctx *cx, struct store *store)
{
    for (size_t from = 0; from < PATIENTS; from += GROUP) {
        struct arena_mark mark = arena_mark(cx->arena);
        struct commit_op *ops = arena_array(cx->arena, GROUP, sizeof *ops);
        for (size_t i = 0; i < GROUP; i++) {
            size_t n = from + i;
            str body = arena_printf(cx->arena, "{\"resourceType\":\"Patient\",\"gender\":\"%s\","
                                    "\"address\":[{\"city\":\"%s\"}]}",
                                    n % 3 ? "female" : "male", n % 100 ? "York" : "Leeds");
            ops[i] = record_op(cx, COMMIT_CREATE, "Patient", NULL, body.p);
        }
        struct commit commit = { .ops = ops, .ops_count = GROUP };
        struct ctx one = ctx_make(cx->arena);
        one.random = cx->random;
        cr_assert(commit_run(&one, store, &commit) == ERR_OK);
        ctx_release(&one);
        arena_rewind(cx->arena, mark);
    }
}

static const struct { const char *query; int64_t least, most; bool estimated; } rows[] = {
    { "gender=male&_total=accurate", 2000, 2000, false },
    { "address-city=leeds&_total=accurate", 60, 60, false },
    { "address-city=leeds&_total=estimate", 60, 60, false },
    { "gender=male&address-city=leeds&_total=estimate", 20, 20, false },
    { "gender=other&_total=estimate", 0, 0, false },
    { "gender=male&_total=estimate", 2000, 2000, false },
    { "address-city=york&_total=estimate", 5600, 6000, true },
    { "address-city=york&gender=female&_total=estimate", 3400, 4500, true },
    { "gender:not=male&_total=estimate", 3400, 4600, true },
    { "address-city=york&_total=none", 0, 0, false },
};

TEST(an_estimate_is_near_and_says_so)
{
    str folder = record_folder(cx);
    struct store *store = record_open(cx, folder);
    fill(cx, store);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct ctx one = ctx_make(cx->arena);
        struct search_page page;
        struct search_request request = { .resource = fhir_resource_find(S("Patient")),
                                          .query = str_of(rows[i].query), .count_default = 5 };
        EXPECT_INT(rows[i].query, search_run(&one, store, &request, &page), ERR_OK);
        cr_expect(page.total >= rows[i].least && page.total <= rows[i].most, "%s: %lld",
                  rows[i].query, (long long)page.total);
        EXPECT_INT(rows[i].query, page.estimated, rows[i].estimated);
        EXPECT_INT(rows[i].query, page.warnings.kept > 0, rows[i].estimated);
        ctx_release(&one);
    }
    store_close(store);
    record_remove(cx, folder);
}
