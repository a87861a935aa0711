/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE ui
#include "assets.h"
#include "base/test.h"
#include "ui/asset.h"
#include "ui/components.h"
#include "ui_components.html.h"
#include "ui_page.html.h"

TEST(text_cannot_become_markup)
{
    struct buf out = buf_make(cx->arena, 4096);
    ui_text(&out, S("<b onload='x'>\"&"));
    EXPECT_STR("text", buf_str(&out), S("&lt;b onload=&#39;x&#39;&gt;&quot;&amp;"));
}

TEST(addresses_of_other_schemes_are_refused)
{
    static const struct { const char *url, *expected; } rows[] = {
        { "/fhir/Patient?name=a&x=1", "/fhir/Patient?name=a&amp;x=1" },
        { "https://example.org/\"", "https://example.org/&quot;" },
        { "javascript:alert(1)", "#" },
        { "JaVaScript:alert(1)", "#" },
        { " javascript:alert(1)", "#" },
        { "java\nscript:alert(1)", "#" },
        { "data:text/html,x", "#" },
        { "mailto:a@b", "mailto:a@b" },
        { "x?y=a:b", "x?y=a:b" },
        { "", "" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct buf out = buf_make(cx->arena, 4096);
        ui_url(&out, rows[i].url);
        EXPECT_STR(rows[i].url, buf_str(&out), str_of(rows[i].expected));
    }
}

TEST(numbers_and_absent_texts)
{
    struct buf out = buf_make(cx->arena, 4096);
    ui_text(&out, (int64_t)-5);
    ui_text(&out, (size_t)7);
    ui_text(&out, (str){ 0 });
    ui_text(&out, (const char *)NULL);
    EXPECT_STR("all", buf_str(&out), S("-57"));
}

TEST(age_is_in_whole_years_and_not_guessed)
{
    static const struct { const char *name, *born; int years; } rows[] = {
        { "birthday tomorrow", "1980-03-27", 45 }, { "birthday today", "1980-03-26", 46 },
        { "year alone", "1980", 46 },              { "absent", "", -1 },
        { "no date", "198x", -1 },                 { "not born yet", "2030-01-01", -1 },
        { "month 13", "1980-13-01", -1 },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        EXPECT_INT(rows[i].name, ui_age_years(str_of(rows[i].born), cx->now_ms), rows[i].years);
}

TEST(dates_keep_their_precision)
{
    EXPECT_STR("day", ui_date(cx, S("1945-07-14")), S("14-Jul-1945"));
    EXPECT_STR("month", ui_date(cx, S("1945-07")), S("Jul 1945"));
    EXPECT_STR("year", ui_date(cx, S("1945")), S("1945"));
    EXPECT_STR("instant", ui_date(cx, S("1945-07-14T10:00:00Z")), S("14-Jul-1945"));
    EXPECT_STR("absent", ui_date(cx, (str){ 0 }), S("Not known"));
    EXPECT_STR("summer time", ui_time(cx, 1783000000000), S("2 Jul 2026, 14:46"));
}

TEST(counts_are_grouped)
{
    EXPECT_STR("0", ui_count(cx, 0), S("0"));
    EXPECT_STR("999", ui_count(cx, 999), S("999"));
    EXPECT_STR("1000", ui_count(cx, 1000), S("1,000"));
    EXPECT_STR("1000005", ui_count(cx, 1000005), S("1,000,005"));
}

TEST(error_summary_lists_the_wrong_fields_only)
{
    struct ui_field fields[] = { { .name = "a", .label = "A", .error = S("Enter an A") },
                                 { .name = "b", .label = "B" } };
    struct buf out = buf_make(cx->arena, 1 << 16);
    ui_error_summary(&out, fields, COUNT(fields));
    EXPECT("wrong", str_find(buf_str(&out), S("<a href=\"#a\">Enter an A</a>")) != STR_NONE);
    EXPECT("right", str_find(buf_str(&out), S("#b")) == STR_NONE);
    struct buf none = buf_make(cx->arena, 1 << 16);
    ui_error_summary(&none, fields + 1, 1);
    EXPECT("none", str_find(buf_str(&none), S("problem")) == STR_NONE);
}

/* The budgets of a staff screen: scripts 25 KB, styles 35 KB, compressed by gzip. */
TEST(assets_are_within_their_budgets)
{
    size_t scripts_bytes = 0, styles_bytes = 0;
    for (const struct ui_asset *asset = ui_assets; asset->url; asset++) {
        size_t bytes = str_given(asset->gzip) ? asset->gzip.n : asset->plain.n;
        if (str_ends(str_of(asset->url), S(".js")))
            scripts_bytes += bytes;
        if (str_ends(str_of(asset->url), S(".css")))
            styles_bytes += bytes;
    }
    EXPECT("scripts", scripts_bytes > 0 && scripts_bytes <= 25 << 10);
    EXPECT("styles", styles_bytes > 0 && styles_bytes <= 35 << 10);
}

TEST(styles_load_nothing_from_elsewhere)
{
    const struct ui_asset *css = ui_asset_find(S(ASSET_APP_CSS));
    cr_assert(css != NULL);
    EXPECT("fonts", str_find(css->plain, S("@font-face")) == STR_NONE);
    EXPECT("hosts", str_find(css->plain, S("http")) == STR_NONE);
    EXPECT("font name", str_find(css->plain, S("Frutiger")) == STR_NONE);
}

TEST(page_keeps_what_it_is_given_inside_its_place)
{
    static const struct ui_link nav[] = { { "/beds", "Beds" }, { "/obs", "Obs" } };
    struct ui_page page = { .title = S("<Ward>"), .nav = nav, .nav_count = 2, .section = "/obs",
                            .theme = "night", .live_url = S("/live?a=1&b=2"), .live_seq = 42,
                            .path = S("/x\"y") };
    struct buf out = buf_make(cx->arena, 1 << 16);
    ui_page_open(&out, &page);
    ui_page_close(&out, &page);
    static const char *const parts[] = {
        "<title>&lt;Ward&gt; - Frontline</title>", "data-theme=\"night\"",
        "<a href=\"/obs\" aria-current=\"page\">Obs</a>", "<a href=\"/beds\" >Beds</a>",
        "data-live=\"/live?a=1&amp;b=2\" data-live-seq=\"42\"", "value=\"/x&quot;y\"", "</html>",
    };
    for (size_t i = 0; i < COUNT(parts); i++)
        EXPECT(parts[i], str_find(buf_str(&out), str_of(parts[i])) != STR_NONE);
}

static struct buf drawn_form(struct ctx *cx, struct ui_field *fields, size_t count)
{
    struct ui_form form = { .action = S("/x"), .submit = "Save", .cancel = S("/back"),
                            .fields = fields, .fields_count = count, .issues = &cx->issues };
    struct buf out = buf_make(cx->arena, 1 << 16);
    ui_fields_blame(&cx->issues, fields, count);
    ui_form_draw(&out, &form);
    return out;
}

TEST(a_form_marks_the_field_an_issue_names_and_lists_the_others)
{
    struct ui_field fields[] = {
        { .name = "date", .label = "Date", .type = "date", .value = S("never") },
        { .name = "why", .label = "Why", .kind = UI_AREA, .value = S("<b>") },
    };
    (void)ctx_fail(cx, ERR_INVALID, S("date"), S("give a date"));
    (void)ctx_fail(cx, ERR_RULE, S("mixed-sex"), S("the bay is for men"));
    struct buf out = drawn_form(cx, fields, COUNT(fields));
    static const char *const parts[] = {
        "<a href=\"#date\">give a date</a>", "aria-describedby=\"date-error\"",
        "<li>the bay is for men</li>", "&lt;b&gt;</textarea>", "value=\"never\"",
        "data-dialog-close",
    };
    for (size_t i = 0; i < COUNT(parts); i++)
        EXPECT(parts[i], str_find(buf_str(&out), str_of(parts[i])) != STR_NONE);
    EXPECT("why is not marked", str_find(buf_str(&out), S("why-error")) == STR_NONE);
}

TEST(a_form_without_faults_has_no_summary_and_keeps_what_was_chosen)
{
    struct ui_option options[] = { { S("a"), S("First"), S("a hint"), true },
                                   { S("b"), S("Second"), (str){ 0 }, false } };
    struct ui_field fields[] = {
        { .name = "one", .label = "One", .kind = UI_RADIOS, .value = S("b"),
          .options = options, .options_count = 2 },
        { .name = "some", .label = "Some", .kind = UI_CHECKS, .options = options,
          .options_count = 2 },
        { .name = "pick", .label = "Pick", .kind = UI_SELECT, .value = S("b"),
          .options = options, .options_count = 2 },
        { .name = "id", .kind = UI_HIDDEN, .value = S("7") },
    };
    struct buf out = drawn_form(cx, fields, COUNT(fields));
    static const char *const parts[] = {
        "value=\"b\" id=\"one-1\"  checked", "value=\"a\" id=\"some\"  checked",
        "<option value=\"b\" selected>", "<input type=\"hidden\" name=\"id\" value=\"7\">",
        "a hint",
    };
    for (size_t i = 0; i < COUNT(parts); i++)
        EXPECT(parts[i], str_find(buf_str(&out), str_of(parts[i])) != STR_NONE);
    EXPECT("no summary", str_find(buf_str(&out), S("There is a problem")) == STR_NONE);
    EXPECT("the other is free", str_find(buf_str(&out), S("value=\"a\" id=\"one\"  checked")) ==
                                    STR_NONE);
}

TEST(what_was_done_offers_its_undo_only_while_there_is_one)
{
    struct ui_done done = { .text = S("Moved"), .undo = S("/undo"), .inputs_count = 1 };
    done.inputs[0] = (struct ui_field){ .name = "encounter", .kind = UI_HIDDEN, .value = S("e1") };
    struct buf out = buf_make(cx->arena, 4096), bare = buf_make(cx->arena, 4096);
    ui_done_draw(&out, &done);
    done.undo = (str){ 0 };
    ui_done_draw(&bare, &done);
    EXPECT("undo", str_find(buf_str(&out), S("name=\"encounter\" value=\"e1\"")) != STR_NONE);
    EXPECT("no undo", str_find(buf_str(&bare), S("<form")) == STR_NONE);
}
