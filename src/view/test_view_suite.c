/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE view_suite
#include "base/test.h"
#include "view/view.h"

/* The SQL on FHIR v2 suite: every file of the folder, whole. */
struct tally {
    int passed, failed;
};

static err run_all(struct ctx *cx, const struct view *view, struct json resources, struct buf *buf)
{
    bool first = true;
    view_write_head(buf, view, VIEW_JSON_ARRAY);
    for (struct json_walk w = json_walk(resources); json_next(&w);) {
        struct view_rows rows;
        TRY(view_run(cx, view, w.value, &rows));
        view_write_rows(buf, view, VIEW_JSON_ARRAY, &rows, &first);
    }
    view_write_tail(buf, VIEW_JSON_ARRAY);
    return ERR_OK;
}

/* Rows in any order: each expected one has its own among those made. */
static bool same_rows(struct ctx *cx, struct json expected, struct json made)
{
    size_t count = json_count(expected);
    bool *used = arena_zero(cx->arena, count + 1);
    if (json_count(made) != count)
        return false;
    for (struct json_walk e = json_walk(expected); json_next(&e);) {
        bool found = false;
        for (size_t i = 0; i < count && !found; i++)
            if (!used[i] && json_same(e.value, json_at(made, i), false))
                used[i] = found = true;
        if (!found)
            return false;
    }
    return true;
}

static bool same_columns(const struct view *view, struct json expected)
{
    size_t count, i = 0;
    const struct view_column *columns = view_columns(view, &count);
    for (struct json_walk w = json_walk(expected); json_next(&w); i++)
        if (i >= count || !json_string_is(w.value, columns[i].name))
            return false;
    return !expected.doc || i == count;
}

static bool run_test(struct ctx *cx, struct json test, struct json resources, str *why)
{
    const struct view *view;
    struct buf buf = buf_make(cx->arena, 1 << 24);
    struct json made, count = json_get(test, S("expectCount"));
    err error = view_compile(cx, json_get(test, S("view")), &view);
    if (!error)
        error = run_all(cx, view, resources, &buf);
    *why = error ? cx->issues.list[0].text : buf_str(&buf);
    if (json_is(json_get(test, S("expectError")), JSON_TRUE))
        return error != ERR_OK;
    if (error || json_parse(cx, buf_str(&buf), &made) != ERR_OK)
        return false;
    uint64_t wanted;
    if (json_is(count, JSON_NUMBER) && str_to_u64(json_text(count), &wanted))
        return json_count(made) == wanted;
    return same_columns(view, json_get(test, S("expectColumns"))) &&
           same_rows(cx, json_get(test, S("expect")), made);
}

static void run_file(struct ctx *cx, str path, struct tally *tally)
{
    struct json file;
    cr_assert(json_parse(cx, test_read(cx, path), &file) == ERR_OK, "%s", path.p);
    for (struct json_walk w = json_walk(json_get(file, S("tests"))); json_next(&w);) {
        struct ctx inner = ctx_make(cx->arena);
        str why = S(""), title = json_string(cx->arena, json_get(w.value, S("title")));
        bool passed = run_test(&inner, w.value, json_get(file, S("resources")), &why);
        *(passed ? &tally->passed : &tally->failed) += 1;
        cr_expect(passed, "%s: %.*s: %.*s", path.p, STR_ARG(title), STR_ARG(why));
    }
}

TEST(view_passes_the_sql_on_fhir_suite)
{
    struct tally tally = { 0 };
    str folder = test_shared(cx, "testdata/sql-on-fhir");
    size_t count = 0;
    str *files = test_list(cx, folder, S(".json"), &count);
    for (size_t i = 0; i < count; i++)
        run_file(cx, files[i], &tally);
    if (folder.p)
        printf("conformance sql-on-fhir passed %d failed %d skipped 0\n", tally.passed,
               tally.failed);
}
