/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/round.h"
#include "assets.h"
#include "beds_board.html.h"
#include "beds_round.html.h"
#include "clinical/london.h"
#include "fhir/datetime.h"
#include "http/text.h"
#include "store/search.h"
#include "systems/beds/dialog.h"
#include "systems/beds/edit.h"
#include "systems/beds/task.h"
#include "ui_page.html.h"

enum { TEXT_MAX = 400, CODES_MAX = 16, EXTRAS_MAX = 8, OPS_MAX = 24 };

/* One round while it is shown or recorded. */
struct visit {
    struct http_request *request;
    struct ctx *cx;
    str id;
    struct json body;                 /* the Encounter */
    struct beds_round_page *page;
    const struct beds_todo *todos;    /* open ones */
    size_t todos_count;
    struct beds_extra extras[EXTRAS_MAX];
    size_t extras_count;
    struct commit_op ops[OPS_MAX];
    size_t ops_count;
};

static str input(const struct visit *visit, const char *name)
{
    return str_trim(http_query_value(visit->cx->arena, visit->request->body, str_of(name)));
}

/* The values of a parameter that may be given several times. */
static size_t inputs(const struct visit *visit, const char *name, str out[CODES_MAX])
{
    str rest = visit->request->body;
    struct http_param param;
    size_t count = 0;
    while (count < CODES_MAX && http_next_param(&rest, &param))
        if (str_eq(param.name, str_of(name)) && param.value.n &&
            http_decode(visit->cx->arena, param.value, true, &out[count]))
            count++;
    return count;
}

static str recorded(const struct visit *visit, const char *name, const char *member)
{
    return json_string(visit->cx->arena,
                       json_get(beds_extension_of(visit->body, name), str_of(member)));
}

/* What stands in a field: what was sent with a refused form, else what is recorded. */
static str value_of(const struct visit *visit, const char *name, str now)
{
    return visit->request->method == HTTP_POST ? input(visit, name) : now;
}

/* ---- the form ---- */

static void add(struct visit *visit, struct ui_field field)
{
    visit->page->fields[visit->page->form.fields_count++] = field;
}

static struct ui_option *options_of(struct visit *visit, const struct beds_criterion *rows,
                                    size_t count, const char *none)
{
    struct ui_option *options = arena_array(visit->cx->arena, count + 1, sizeof *options);
    size_t first = none ? 1 : 0;
    if (none)
        options[0] = (struct ui_option){ .value = S(""), .text = str_of(none) };
    for (size_t i = 0; i < count; i++)
        options[first + i] = (struct ui_option){ .value = str_of(rows[i].code),
                                                 .text = str_of(rows[i].text) };
    return options;
}

static void criteria_fields(struct visit *visit)
{
    static const struct ui_option answers[] = {
        { { "meets", 5 }, { "Meets the criteria ticked below", 31 }, { 0 }, false },
        { { "not", 3 }, { "Meets none: no longer needs a hospital bed", 42 }, { 0 }, false },
        { { "", 0 }, { "Not assessed at this round", 26 }, { 0 }, false } };
    struct ui_option *criteria = options_of(visit, beds_criteria, beds_criteria_count, NULL);
    str codes[CODES_MAX];
    size_t count = inputs(visit, "criterion", codes);
    for (size_t i = 0; i < beds_criteria_count; i++)
        for (size_t k = 0; k < count; k++)
            criteria[i].chosen |= str_eq(criteria[i].value, codes[k]);
    add(visit, (struct ui_field){
        .name = "answer", .label = "Criteria to reside today", .kind = UI_RADIOS,
        .options = answers, .options_count = COUNT(answers),
        .value = value_of(visit, "answer", S("")) });
    add(visit, (struct ui_field){
        .name = "criterion", .label = "Which are met", .kind = UI_CHECKS, .options = criteria,
        .options_count = beds_criteria_count });
}

static void date_fields(struct visit *visit)
{
    str edd = recorded(visit, "estimated-discharge-date", "valueDate");
    add(visit, (struct ui_field){ .name = "edd", .label = "Expected to leave", .type = "date",
                                  .value = value_of(visit, "edd", edd) });
    add(visit, (struct ui_field){
        .name = "edd-why", .label = "If this date is later than before: why?",
        .hint = edd.n ? "Kept, so that a delay does not vanish with the date." : NULL,
        .value = value_of(visit, "edd-why", S("")) });
    add(visit, (struct ui_field){
        .name = "ccd", .label = "Clinical criteria for discharge", .kind = UI_AREA,
        .hint = "What must be true for this patient to go, in words a nurse can check.",
        .value = value_of(visit, "ccd", recorded(visit, "clinical-criteria-for-discharge",
                                                 "valueString")) });
}

static void way_fields(struct visit *visit)
{
    struct ui_option *ways = arena_array(visit->cx->arena, COUNT(beds_pathways) + 1,
                                         sizeof *ways);
    for (size_t i = 0; i < COUNT(beds_pathways); i++)
        ways[i + 1] = (struct ui_option){
            .value = str_of(beds_pathways[i].code),
            .text = arena_printf(visit->cx->arena, "%s: %s", beds_pathways[i].code,
                                 beds_pathways[i].text) };
    ways[0] = (struct ui_option){ .value = S(""), .text = S("Not decided") };
    add(visit, (struct ui_field){
        .name = "pathway", .label = "Way out", .kind = UI_SELECT, .options = ways,
        .options_count = COUNT(beds_pathways) + 1,
        .value = value_of(visit, "pathway", recorded(visit, "discharge-pathway", "valueCode")) });
    add(visit, (struct ui_field){
        .name = "delay", .label = "What holds the discharge up", .kind = UI_SELECT,
        .hint = "Needed when the criteria are not met and the patient is still here.",
        .options = options_of(visit, beds_delays, beds_delays_count, "Nothing"),
        .options_count = beds_delays_count + 1,
        .value = value_of(visit, "delay", recorded(visit, "discharge-delay", "valueCode")) });
}

static void task_fields(struct visit *visit)
{
    struct ui_option *done = arena_array(visit->cx->arena, visit->todos_count + 1, sizeof *done);
    for (size_t i = 0; i < visit->todos_count; i++) {
        const struct beds_todo *todo = &visit->todos[i];
        done[i] = (struct ui_option){
            .value = todo->id, .text = todo->text,
            .hint = arena_printf(visit->cx->arena, "%.*s, %.*s%s", STR_ARG(todo->owner),
                                 STR_ARG(todo->due), todo->late ? ", late" : "") };
    }
    if (visit->todos_count)
        add(visit, (struct ui_field){ .name = "done", .label = "Tick what is done",
                                      .kind = UI_CHECKS, .options = done,
                                      .options_count = visit->todos_count });
    add(visit, (struct ui_field){ .name = "task", .label = "New task that must be done first",
                                  .value = value_of(visit, "task", S("")) });
    add(visit, (struct ui_field){ .name = "owner", .label = "Who does it",
                                  .value = value_of(visit, "owner", S("")) });
    add(visit, (struct ui_field){ .name = "due", .label = "By when", .type = "datetime-local",
                                  .value = value_of(visit, "due", S("")) });
}

static str text_of(const struct beds_criterion *rows, size_t count, str code)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(code, str_of(rows[i].code)))
            return str_of(rows[i].text);
    return code;
}

static struct beds_round_row round_row(struct ctx *cx, struct json extension)
{
    struct beds_round_row row = { .answer = S("Not assessed") };
    struct buf criteria = buf_make(cx->arena, 4096);
    for (struct json_walk w = json_walk(json_get(extension, S("extension"))); json_next(&w);) {
        str url = json_string(cx->arena, json_get(w.value, S("url")));
        str code = json_string(cx->arena, json_get(w.value, S("valueCode")));
        if (str_eq(url, S("day")))
            row.day = ui_date(cx, json_string(cx->arena, json_get(w.value, S("valueDate"))));
        if (str_eq(url, S("answer"))) {
            bool meets = str_eq(code, S("meets"));
            row.answer = meets ? S("Meets") : S("No longer meets");
            row.tone = meets ? UI_PLAIN : UI_GOOD;
        }
        if (str_eq(url, S("criterion"))) {
            buf_add(&criteria, criteria.n ? S("; ") : S(""));
            buf_add(&criteria, text_of(beds_criteria, beds_criteria_count, code));
        }
    }
    row.criteria = buf_str(&criteria);
    return row;
}

static struct beds_round_row change_row(struct ctx *cx, struct json extension)
{
    struct beds_round_row row = { 0 };
    str from = { 0 }, to = { 0 };
    for (struct json_walk w = json_walk(json_get(extension, S("extension"))); json_next(&w);) {
        str url = json_string(cx->arena, json_get(w.value, S("url")));
        str date = json_string(cx->arena, json_get(w.value, S("valueDate")));
        if (str_eq(url, S("day")))
            row.day = ui_date(cx, date);
        if (str_eq(url, S("from")))
            from = date;
        if (str_eq(url, S("to")))
            to = date;
        if (str_eq(url, S("why")))
            row.criteria = json_string(cx->arena, json_get(w.value, S("valueString")));
    }
    row.answer = arena_printf(cx->arena, "%.*s to %.*s",
                              STR_ARG(from.n ? ui_date(cx, from) : S("no date")),
                              STR_ARG(ui_date(cx, to)));
    return row;
}

/* Extensions of one name, newest first. */
static size_t rows_of(struct visit *visit, const char *name, const struct beds_round_row **out,
                      struct beds_round_row (*row)(struct ctx *, struct json))
{
    struct ctx *cx = visit->cx;
    str url = arena_printf(cx->arena, BEDS_URL "%s", name);
    struct beds_round_row *rows = arena_array(cx->arena, BEDS_ROUNDS_SHOWN, sizeof *rows);
    size_t count = 0;
    for (struct json_walk w = json_walk(json_get(visit->body, S("extension"))); json_next(&w);) {
        if (!json_string_is(json_get(w.value, S("url")), url))
            continue;
        count -= count == BEDS_ROUNDS_SHOWN;
        memmove(rows + 1, rows, count * sizeof *rows);
        rows[0] = row(cx, w.value);
        count++;
    }
    *out = rows;
    return count;
}

/* ---- reading ---- */

static err read_stay(struct visit *visit)
{
    struct ctx *cx = visit->cx;
    struct store_version version;
    TRY(store_reader(cx, visit->request->store));
    TRY(store_read(cx, visit->request->store, fhir_resource_find(S("Encounter")), visit->id,
                   &version));
    TRY(json_parse(cx, version.body, &visit->body));
    return beds_todos_of(cx, visit->request->store, visit->id, &visit->todos,
                         &visit->todos_count);
}

static err begin(struct http_request *request, struct visit **out)
{
    struct visit *visit = arena_zero(request->cx->arena, sizeof *visit);
    visit->request = request;
    visit->cx = request->cx;
    visit->id = request->captures[0];
    visit->page = arena_zero(request->cx->arena, sizeof *visit->page);
    TRY(read_stay(visit));
    *out = visit;
    return ERR_OK;
}

static err fill(struct visit *visit, str *back, int64_t *seq)
{
    struct ctx *cx = visit->cx;
    struct beds_round_page *page = visit->page;
    struct beds_picture *picture;
    TRY(beds_picture_begin(cx, visit->request->store, &picture));
    TRY(beds_picture_add_stay(cx, picture, visit->id));
    int32_t stay = beds_find_stay(picture, visit->id);
    *seq = picture->seq;
    *back = S("/beds");
    if (stay != BEDS_NONE) {
        const struct beds_spot *spot = &picture->spots[picture->stays[stay].bed];
        page->row = beds_row_of(cx, picture, picture->stays[stay].bed);
        page->in_bed = true;
        if (spot->ward != BEDS_NONE)
            *back = arena_printf(cx->arena, "/beds/ward/%s", picture->spots[spot->ward].id);
    }
    str patient = beds_reference_id(cx, json_get(visit->body, S("subject")), "Patient");
    if (patient.n)
        TRY(ui_banner_read(cx, visit->request->store, patient, &page->banner));
    page->table = beds_criteria_table;
    page->form = (struct ui_form){
        .action = arena_printf(cx->arena, "/beds/round/%.*s", STR_ARG(visit->id)),
        .submit = "Record this round", .cancel = *back, .fields = page->fields,
        .issues = visit->request->method == HTTP_POST ? &cx->issues : NULL };
    criteria_fields(visit);
    date_fields(visit);
    way_fields(visit);
    task_fields(visit);
    ui_fields_blame(&cx->issues, page->fields, page->form.fields_count);
    page->rounds_count = rows_of(visit, "reside-round", &page->rounds, round_row);
    page->changes_count = rows_of(visit, "edd-change", &page->changes, change_row);
    return ERR_OK;
}

static err draw(struct visit *visit, struct http_response *response)
{
    static const char *const islands[] = { ASSET_DIALOG_JS };
    struct http_request *request = visit->request;
    str back;
    int64_t seq;
    TRY(fill(visit, &back, &seq));
    struct ui_page page = beds_page_for(request, S("Ward round"), seq);
    page.islands = islands;
    page.islands_count = COUNT(islands);
    page.wide = false;
    page.back_href = back;
    page.back_text = S("Back");
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    beds_icons(&out);
    beds_round_body(&out, visit->cx, visit->page);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

err beds_round_get(struct http_request *request, struct http_response *response)
{
    struct visit *visit;
    TRY(begin(request, &visit));
    return draw(visit, response);
}

/* ---- recording ---- */

static void put_extra(struct visit *visit, const char *name, bool append, str more)
{
    visit->extras[visit->extras_count++] = (struct beds_extra){ name, more, append };
}

static str today_text(const struct visit *visit)
{
    return str_slice(beds_when(visit->cx, visit->cx->now_ms), 0, 10);
}

/* A JSON member of a text people wrote. */
static str text_member(struct ctx *cx, const char *member, str text)
{
    struct buf buf = buf_make(cx->arena, 16 << 10);
    buf_printf(&buf, "\"%s\":\"", member);
    json_escape(&buf, str_slice(text, 0, TEXT_MAX));
    buf_char(&buf, '"');
    return buf_str(&buf);
}

static bool is_listed(const struct beds_criterion *rows, size_t count, str code)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(code, str_of(rows[i].code)))
            return true;
    return false;
}

static err take_criteria(struct visit *visit)
{
    struct ctx *cx = visit->cx;
    str answer = input(visit, "answer"), codes[CODES_MAX];
    size_t count = inputs(visit, "criterion", codes);
    bool meets = str_eq(answer, S("meets"));
    if (!answer.n && !count)
        return ERR_OK;
    if (!meets && !str_eq(answer, S("not")))
        return ctx_fail(cx, ERR_INVALID, S("answer"),
                        S("say whether the criteria ticked are met today"));
    if (meets && !count)
        return ctx_fail(cx, ERR_INVALID, S("criterion"), S("tick the criteria that are met"));
    if (!meets && count)
        return ctx_fail(cx, ERR_INVALID, S("criterion"),
                        S("criteria are ticked, yet none is said to be met: untick them, or say "
                          "they are met"));
    struct buf buf = buf_make(cx->arena, 8 << 10);
    buf_printf(&buf, "\"extension\":[{\"url\":\"day\",\"valueDate\":\"%.*s\"},"
               "{\"url\":\"answer\",\"valueCode\":\"%s\"}", STR_ARG(today_text(visit)),
               meets ? "meets" : "not");
    for (size_t i = 0; i < count; i++) {
        if (!is_listed(beds_criteria, beds_criteria_count, codes[i]))
            return ctx_failf(cx, ERR_INVALID, S("criterion"), "there is no criterion %.*s",
                             STR_ARG(codes[i]));
        buf_printf(&buf, ",{\"url\":\"criterion\",\"valueCode\":\"%.*s\"}", STR_ARG(codes[i]));
    }
    buf_char(&buf, ']');
    put_extra(visit, "reside-round", true, buf_str(&buf));
    return ERR_OK;
}

static bool is_date(str text)
{
    struct datetime when;
    return datetime_parse(text, DATETIME_AS_DATE, &when) && when.precision == DATETIME_DAY;
}

/* A date may come forward without a word; put back, it needs a reason. */
static err take_date(struct visit *visit)
{
    struct ctx *cx = visit->cx;
    str edd = input(visit, "edd"), why = input(visit, "edd-why");
    str before = recorded(visit, "estimated-discharge-date", "valueDate");
    if (!edd.n || str_eq(edd, before))
        return ERR_OK;
    if (!is_date(edd))
        return ctx_fail(cx, ERR_INVALID, S("edd"), S("give a date, day, month and year"));
    if (str_cmp(edd, today_text(visit)) < 0)
        return ctx_fail(cx, ERR_INVALID, S("edd"), S("this day has passed: give today or later"));
    if (before.n && str_cmp(edd, before) > 0 && why.n < 3)
        return ctx_fail(cx, ERR_INVALID, S("edd-why"),
                        S("the date is put back: say why, so that the delay can be seen"));
    put_extra(visit, "estimated-discharge-date", false,
              arena_printf(cx->arena, "\"valueDate\":\"%.*s\"", STR_ARG(edd)));
    str from = before.n ? arena_printf(cx->arena, "{\"url\":\"from\",\"valueDate\":\"%.*s\"},",
                                       STR_ARG(before)) : S("");
    str reason = why.n ? arena_printf(cx->arena, ",{\"url\":\"why\",%.*s}",
                                      STR_ARG(text_member(cx, "valueString", why))) : S("");
    put_extra(visit, "edd-change", true,
              arena_printf(cx->arena, "\"extension\":[{\"url\":\"day\",\"valueDate\":\"%.*s\"},"
                           "%.*s{\"url\":\"to\",\"valueDate\":\"%.*s\"}%.*s]",
                           STR_ARG(today_text(visit)), STR_ARG(from), STR_ARG(edd),
                           STR_ARG(reason)));
    return ERR_OK;
}

static err take_way(struct visit *visit)
{
    struct ctx *cx = visit->cx;
    str pathway = input(visit, "pathway"), delay = input(visit, "delay");
    bool known = !pathway.n;
    for (size_t i = 0; i < COUNT(beds_pathways); i++)
        known |= str_eq(pathway, str_of(beds_pathways[i].code));
    if (!known)
        return ctx_fail(cx, ERR_INVALID, S("pathway"), S("choose P0, P1, P2 or P3"));
    if (delay.n && !is_listed(beds_delays, beds_delays_count, delay))
        return ctx_fail(cx, ERR_INVALID, S("delay"), S("choose a reason from the list"));
    if (str_eq(input(visit, "answer"), S("not")) && !delay.n)
        return ctx_fail(cx, ERR_INVALID, S("delay"),
                        S("the patient could leave: say what holds the discharge up"));
    put_extra(visit, "discharge-pathway", false, pathway.n
              ? arena_printf(cx->arena, "\"valueCode\":\"%.*s\"", STR_ARG(pathway)) : S(""));
    put_extra(visit, "discharge-delay", false, delay.n
              ? arena_printf(cx->arena, "\"valueCode\":\"%.*s\"", STR_ARG(delay)) : S(""));
    str ccd = input(visit, "ccd");
    put_extra(visit, "clinical-criteria-for-discharge", false,
              ccd.n ? text_member(cx, "valueString", ccd) : S(""));
    return ERR_OK;
}

static err take_tasks(struct visit *visit)
{
    struct ctx *cx = visit->cx;
    str done[CODES_MAX], text = input(visit, "task"), owner = input(visit, "owner");
    size_t count = inputs(visit, "done", done);
    for (size_t i = 0; i < count; i++)
        visit->ops[visit->ops_count++] = beds_todo_done(cx, done[i]);
    if (!text.n)
        return owner.n ? ctx_fail(cx, ERR_INVALID, S("task"), S("say what is to be done"))
                       : ERR_OK;
    if (!owner.n)
        return ctx_fail(cx, ERR_INVALID, S("owner"), S("say who does it: a task is somebody's"));
    struct beds_new_todo todo = { .encounter = visit->id, .text = str_slice(text, 0, TEXT_MAX),
        .owner = str_slice(owner, 0, TEXT_MAX), .due = input(visit, "due"),
        .patient = beds_reference_id(cx, json_get(visit->body, S("subject")), "Patient") };
    return beds_todo_make(cx, &todo, &visit->ops[visit->ops_count++]);
}

static err record(struct visit *visit)
{
    struct ctx *cx = visit->cx;
    TRY(take_criteria(visit));
    TRY(take_date(visit));
    TRY(take_way(visit));
    TRY(take_tasks(visit));
    struct beds_edit edit = { .write = beds_edit_extras, .extras = visit->extras,
                              .extras_count = visit->extras_count };
    visit->ops[visit->ops_count++] = beds_edit_op(cx, "Encounter", visit->id, &edit);
    struct commit commit = { .ops = visit->ops, .ops_count = visit->ops_count, .cx = cx,
                             .why = S("beds: round") };
    store_reader_end(cx);
    return commit_run(cx, visit->request->store, &commit);
}

err beds_round_post(struct http_request *request, struct http_response *response)
{
    struct visit *visit;
    TRY(begin(request, &visit));
    err wrong = record(visit);
    if (wrong) {
        response->status = err_http_status(wrong);
        visit->page->form.fields_count = 0;
        return draw(visit, response);
    }
    str back;
    int64_t seq;
    visit->page->form.fields_count = 0;
    TRY(fill(visit, &back, &seq));
    response->status = 303;
    http_put_header(response, S("Location"),
                    arena_printf(visit->cx->arena, "%.*s?done=round", STR_ARG(back)));
    return ERR_OK;
}
