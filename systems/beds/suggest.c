/* SPDX-License-Identifier: Apache-2.0 */
#include "beds_board.html.h"
#include "http/text.h"
#include "systems/beds/board.h"
#include "systems/beds/requests.h"
#include "ui_page.html.h"

enum { SUGGEST_MAX = 40, AGE_MAX = 130 };

/* ---- which bed suits ---- */

str beds_reasons(struct ctx *cx, const struct beds_suggestion *judged)
{
    struct buf buf = buf_make(cx->arena, 4096);
    for (size_t i = 0; i < judged->reasons_count; i++)
        buf_printf(&buf, "%s%s", i ? "; " : "", beds_refusals[judged->reasons[i]].text);
    return judged->reasons_count ? buf_str(&buf) : S("suits");
}

/* Every bed judged for a request, best first; *out indexes *beds. */
struct beds_suggestion *beds_judge_all(struct ctx *cx, const struct beds_picture *picture,
                                         const struct beds_request *wanted, int32_t **beds,
                                         size_t *count)
{
    *beds = beds_in_ward(cx, picture, BEDS_NONE, count);
    struct beds_bed *seen = arena_array(cx->arena, *count + 1, sizeof *seen);
    struct beds_suggestion *order = arena_array(cx->arena, *count + 1, sizeof *order);
    for (size_t i = 0; i < *count; i++) {
        seen[i] = beds_bed_at(picture, (*beds)[i]);
        seen[i].state = beds_state_at(picture, (*beds)[i], cx->now_ms);
    }
    beds_suggest(wanted, seen, *count, order);
    return order;
}

/* ---- what is asked for, as a query ---- */

/* A word that is none of the choices is refused: taken as "not known" it would find a bed that does
 * not suit. */
struct choice {
    const char *word;
    int value;
};
static err choose(struct http_request *request, const char *name, const struct choice *choices,
                  int *out)
{
    str text = str_trim(beds_asked(request, name));
    struct buf words = buf_make(request->cx->arena, 200);
    for (const struct choice *c = choices; c->word; c++) {
        if (str_eq(text, str_of(c->word))) {
            *out = c->value;
            return ERR_OK;
        }
        if (*c->word)
            buf_printf(&words, "%s%s", words.n ? ", " : "", c->word);
    }
    return ctx_failf(request->cx, ERR_INVALID, str_of(name), "%s must be one of %.*s", name,
                     STR_ARG(buf_str(&words)));
}

err beds_wanted_read(struct http_request *request, struct beds_request *out)
{
    static const struct choice sexes_known[] = {
        { "", BEDS_SEX_ANY }, { "female", BEDS_FEMALE }, { "male", BEDS_MALE },
        { "other", BEDS_SEX_ANY }, { "unknown", BEDS_SEX_ANY }, { 0 } };
    static const struct choice isolation_known[] = {
        { "", BEDS_ISOLATION_UNKNOWN }, { "unknown", BEDS_ISOLATION_UNKNOWN },
        { "none", BEDS_ISOLATION_NONE }, { "needed", BEDS_ISOLATION_NEEDED }, { 0 } };
    static const struct choice yes_no[] = { { "", 0 }, { "0", 0 }, { "no", 0 }, { "false", 0 },
                                            { "1", 1 }, { "yes", 1 }, { "true", 1 }, { 0 } };
    static const char *const needs[] = { "airborne", "monitor", "oxygen", "bariatric" };
    int sex, isolation, needed[COUNT(needs)];
    uint64_t age = 0;
    str text = str_trim(beds_asked(request, "age"));
    if (text.n && (!str_to_u64(text, &age) || age > AGE_MAX))
        return ctx_failf(request->cx, ERR_INVALID, S("age"), "age must be 0 to %d", AGE_MAX);
    TRY(choose(request, "sex", sexes_known, &sex));
    TRY(choose(request, "isolation", isolation_known, &isolation));
    for (size_t i = 0; i < COUNT(needs); i++)
        TRY(choose(request, needs[i], yes_no, &needed[i]));
    *out = (struct beds_request){
        .sex = (enum beds_sex)sex, .age_years = text.n ? (int)age : BEDS_AGE_UNKNOWN,
        .isolation = (enum beds_isolation)isolation, .airborne = needed[0],
        .needs_monitor = needed[1], .needs_oxygen = needed[2], .bariatric = needed[3],
        .specialty = str_trim(beds_asked(request, "specialty")) };
    return ERR_OK;
}

/* ---- the page ---- */

/* clang-format off: the choices of the form. */
static const struct ui_option sexes[] = {
    { { "female", 6 }, { "Female", 6 }, { 0 }, false },
    { { "male", 4 }, { "Male", 4 }, { 0 }, false },
    { { "unknown", 7 }, { "Not known", 9 }, { 0 }, false } };
static const struct ui_option isolations[] = {
    { { "unknown", 7 }, { "Not assessed", 12 }, { 0 }, false },
    { { "none", 4 }, { "Not needed", 10 }, { 0 }, false },
    { { "needed", 6 }, { "Needed", 6 }, { 0 }, false } };
/* clang-format on */

static void write_form(struct http_request *request, struct beds_wish *wish)
{
    const struct ui_field fields[] = {
        { .name = "sex", .label = "Sex", .kind = UI_SELECT, .options = sexes,
          .options_count = COUNT(sexes), .value = beds_asked(request, "sex") },
        { .name = "age", .label = "Age", .type = "number", .min = "0", .max = "130",
          .value = beds_asked(request, "age") },
        { .name = "isolation", .label = "Isolation", .kind = UI_SELECT, .options = isolations,
          .options_count = COUNT(isolations), .value = beds_asked(request, "isolation") },
        { .name = "specialty", .label = "Specialty code",
          .value = beds_asked(request, "specialty") },
    };
    memcpy(wish->fields, fields, sizeof fields);
    wish->fields_count = COUNT(fields);
    wish->asked = request->query.n > 0;
}

err beds_suggest_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    const struct beds_picture *picture;
    struct beds_request wanted;
    struct beds_wish wish = { 0 };
    int32_t *beds;
    size_t count = 0;
    TRY(beds_wanted_read(request, &wanted));
    TRY(beds_picture_open(cx, request->store, &picture));
    write_form(request, &wish);
    struct beds_suggested *list = arena_array(cx->arena, SUGGEST_MAX, sizeof *list);
    struct beds_suggestion *order = beds_judge_all(cx, picture, &wanted, &beds, &count);
    for (; wish.beds_count < count && wish.beds_count < SUGGEST_MAX && wish.asked;
         wish.beds_count++) {
        const struct beds_suggestion *one = &order[wish.beds_count];
        const struct beds_spot *bed = &picture->spots[beds[one->bed]];
        list[wish.beds_count] = (struct beds_suggested){
            .bed = str_of(bed->id), .name = str_of(bed->name), .refused = one->hard_count > 0,
            .ward = bed->ward == BEDS_NONE ? S("") : str_of(picture->spots[bed->ward].name),
            .why = beds_reasons(cx, one) };
    }
    wish.beds = list;
    struct ui_page page = beds_page_for(request, S("Find a bed"), picture->seq);
    page.islands_count = 0; /* nothing on it moves */
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_icons(&out);
    beds_sections(&out, S("/beds/suggest"));
    beds_suggestions(&out, &wish);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}
