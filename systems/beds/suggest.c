/* SPDX-License-Identifier: Apache-2.0 */
#include "beds_board.html.h"
#include "http/text.h"
#include "systems/beds/board.h"
#include "ui_page.html.h"

enum { SUGGEST_MAX = 40 };

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

static struct beds_request read_wanted(struct http_request *request)
{
    uint64_t age;
    str sex = beds_asked(request, "sex"), isolation = beds_asked(request, "isolation");
    str specialty = beds_asked(request, "specialty");
    return (struct beds_request){
        .sex = str_eq(sex, S("female")) ? BEDS_FEMALE : str_eq(sex, S("male")) ? BEDS_MALE
                                                                              : BEDS_SEX_ANY,
        .age_years = str_to_u64(beds_asked(request, "age"), &age) && age <= 130 ? (int)age
                                                                           : BEDS_AGE_UNKNOWN,
        .isolation = str_eq(isolation, S("needed")) ? BEDS_ISOLATION_NEEDED
                     : str_eq(isolation, S("none")) ? BEDS_ISOLATION_NONE : BEDS_ISOLATION_UNKNOWN,
        .airborne = str_eq(beds_asked(request, "airborne"), S("1")),
        .needs_monitor = str_eq(beds_asked(request, "monitor"), S("1")),
        .specialty = specialty.n ? specialty : (str){ 0 } };
}

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
    struct beds_request wanted = read_wanted(request);
    struct beds_wish wish = { 0 };
    int32_t *beds;
    size_t count = 0;
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
