/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/privacy.h"
#include "auth/audit_log.h"
#include "auth/secret.h"
#include "auth/step_up.h"
#include "http/text.h"
#include "ui_privacy.html.h"

enum { URL_BYTES = 4096, OPTIONS_MAX = 16 };

static str field_of(const struct http_request *request, const char *name)
{
    return http_query_value(request->cx->arena, request->body, str_of(name));
}

static err go_to(struct http_response *response, str location)
{
    response->status = 303;
    http_put_header(response, S("Location"), location);
    http_put_header(response, S("Cache-Control"), S("no-store"));
    return ERR_OK;
}

static const struct ui_option *options_of(struct ctx *cx, const struct glass_choice *choices,
                                          size_t *count)
{
    struct ui_option *options = arena_array(cx->arena, OPTIONS_MAX, sizeof *options);
    for (*count = 0; choices[*count].code && *count < OPTIONS_MAX; (*count)++)
        options[*count] = (struct ui_option){ .value = str_of(choices[*count].code),
                                              .text = str_of(choices[*count].text) };
    return options;
}

static struct ui_field choice_field(struct ctx *cx, const char *name, const char *label,
                                    const struct glass_choice *choices, str value)
{
    struct ui_field field = { .name = name, .label = label, .kind = UI_RADIOS, .required = true,
                              .value = value };
    field.options = options_of(cx, choices, &field.options_count);
    return field;
}

/* The form came from a page of this sign-in. */
static err check_csrf(struct http_request *request)
{
    const struct user *user = request->cx->user;
    if (user->csrf.n && secret_same(field_of(request, "csrf"), user->csrf))
        return ERR_OK;
    return ctx_fail(request->cx, ERR_FORBIDDEN, (str){ 0 },
                    S("this form is from another sign-in; open the page again"));
}

/* True when the person is sent to prove who they are first. */
static bool sent_to_prove(struct http_request *request, struct http_response *response)
{
    const struct user *user = request->cx->user;
    if (step_up_is_fresh("break_glass", user->proved_ms, request->cx->now_ms))
        return false;
    struct buf url = buf_make(request->cx->arena, URL_BYTES);
    buf_add(&url, S("/step-up?next="));
    http_encode(&url, request->path);
    (void)!go_to(response, buf_str(&url));
    return true;
}

/* ---- the dialog ---- */

static err may_break(struct http_request *request)
{
    const struct user *user = request->cx->user;
    if (user->asker.role->may_break_glass && user->person.name.n)
        return ERR_OK;
    return ctx_fail(request->cx, ERR_FORBIDDEN, (str){ 0 },
                    S("your role has no emergency access; ask who treats the patient"));
}

static err show_dialog(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct ui_field fields[5] = {
        choice_field(cx, "reason", "Why do you need it?", glass_reasons,
                     field_of(request, "reason")),
        { .name = "words", .label = "In your own words", .kind = UI_AREA, .required = true,
          .hint = "Read by the privacy officer; the patient may ask for it",
          .value = field_of(request, "words") },
        choice_field(cx, "basis", "Legal basis", glass_bases, field_of(request, "basis")),
        { .name = "minutes", .label = "For how long", .type = "number", .unit = "minutes",
          .min = "1", .max = "60", .value = field_of(request, "minutes") },
        { .name = "csrf", .kind = UI_HIDDEN, .value = cx->user->csrf },
    };
    if (!fields[3].value.n)
        fields[3].value = S("60");
    ui_fields_blame(&cx->issues, fields, COUNT(fields));
    struct privacy_dialog dialog = {
        .page = ui_page_for(request, S("Emergency access")),
        .patient = request->captures[0],
        .form = { .action = request->path, .cancel = S("/"), .submit = "Open the record",
                  .warns = true, .fields = fields, .fields_count = COUNT(fields),
                  .issues = &cx->issues },
    };
    struct buf out = ui_page_buf(request);
    privacy_dialog_draw(&out, &dialog);
    return ui_page_send(request, response, &out);
}

static err dialog_get(struct http_request *request, struct http_response *response)
{
    TRY(may_break(request));
    if (sent_to_prove(request, response))
        return ERR_OK;
    return show_dialog(request, response);
}

static err break_it(struct http_request *request)
{
    struct ctx *cx = request->cx;
    struct store_version patient;
    const struct store_access *before = cx->access;
    str minutes = field_of(request, "minutes");
    int64_t id;
    struct glass_ask ask = {
        .user = cx->user, .patient = request->captures[0],
        .reason = field_of(request, "reason"), .words = field_of(request, "words"),
        .basis = field_of(request, "basis"), .minutes = minutes.n ? 0 : GLASS_MINUTES_MAX,
    };
    str_to_i64(minutes, &ask.minutes);
    cx->access = NULL; /* who is not there for this person yet is what this is for */
    err found = store_read(cx, request->store, fhir_resource_find(S("Patient")),
                           request->captures[0], &patient);
    cx->access = before;
    TRY(found);
    ask.pid = patient.rid;
    TRY(glass_break(cx, request->store, &ask, &id));
    standings_forget(gate_standings(request->gate_self));
    return ERR_OK;
}

static err dialog_post(struct http_request *request, struct http_response *response)
{
    TRY(may_break(request));
    TRY(check_csrf(request));
    if (sent_to_prove(request, response))
        return ERR_OK;
    err failed = break_it(request);
    if (failed == ERR_INVALID) {
        response->status = err_http_status(failed);
        return show_dialog(request, response);
    }
    TRY(failed);
    return go_to(response, arena_printf(request->cx->arena, "/browse/Patient/%.*s",
                                        STR_ARG(request->captures[0])));
}

static err end_post(struct http_request *request, struct http_response *response)
{
    struct store_version patient;
    TRY(check_csrf(request));
    TRY(store_read(request->cx, request->store, fhir_resource_find(S("Patient")),
                   request->captures[0], &patient));
    TRY(glass_end(request->cx, request->store, request->cx->user, patient.rid));
    standings_forget(gate_standings(request->gate_self));
    return go_to(response, S("/"));
}

/* ---- the worklist ---- */

static err count_opened(struct ctx *cx, const struct glass_row *row, struct audit_page *page)
{
    struct audit_query query = { .pid = row->pid, .who = row->user, .from_ms = row->begun_ms,
                                 .until_ms = row->until_ms, .act = -1, .outcome = -1,
                                 .count = PRIVACY_PAGE * 4 };
    return audit_find(cx, &query, page);
}

static err make_case(struct ctx *cx, struct privacy_flagger *flagger, const struct glass_row *row,
                     struct privacy_case *out)
{
    struct audit_page page;
    const struct role *role = role_find(row->role);
    *out = (struct privacy_case){
        .row = *row, .when = ui_time(cx, row->begun_ms), .until = ui_clock(cx, row->until_ms),
        .role = role ? role->title : "", .reason = glass_text(glass_reasons, row->reason),
        .basis = glass_text(glass_bases, row->basis),
        .outcome = glass_text(glass_outcomes, row->outcome),
        .overdue = !row->outcome.n &&
                   cx->now_ms - row->begun_ms > GLASS_REVIEW_HOURS * 3600000LL,
    };
    privacy_patient(flagger, row->pid, &out->patient, &out->patient_id);
    TRY(count_opened(cx, row, &page));
    out->opened = page.count;
    return ERR_OK;
}

static err make_cases(struct http_request *request, bool open, struct privacy_work *work)
{
    struct ctx *cx = request->cx;
    struct glass_list list;
    struct privacy_flagger *flagger = privacy_flagger_make(cx, request->store,
                                                           gate_people(request->gate_self));
    TRY(glass_find(cx, request->store, open, 0, &list));
    struct privacy_case *cases = arena_array(cx->arena, list.count + 1, sizeof *cases);
    size_t count = 0;
    for (size_t i = 0; i < list.count && count < PRIVACY_PAGE * 2; i++)
        if (open == (list.rows[i].outcome.n == 0))
            TRY(make_case(cx, flagger, &list.rows[i], &cases[count++]));
    *(open ? &work->open : &work->done) = cases;
    *(open ? &work->open_count : &work->done_count) = count;
    for (size_t i = 0; i < count; i++)
        work->overdue += cases[i].overdue;
    return ERR_OK;
}

static err work_get(struct http_request *request, struct http_response *response)
{
    struct privacy_work work = { .page = ui_page_for(request, S("Privacy")) };
    work.page.section = "/privacy";
    TRY(audit_flush(request->cx, gate_audit(request->gate_self)));
    TRY(store_reader(request->cx, request->store));
    TRY(make_cases(request, true, &work));
    TRY(make_cases(request, false, &work));
    struct buf out = ui_page_buf(request);
    privacy_work_draw(&out, &work);
    return ui_page_send(request, response, &out);
}

/* ---- a review ---- */

static err read_id(struct http_request *request, int64_t *out)
{
    if (str_to_i64(request->captures[0], out) && *out > 0)
        return ERR_OK;
    return ctx_fail(request->cx, ERR_NOT_FOUND, (str){ 0 }, S("there is no such emergency access"));
}

static err show_review(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct privacy_review review = { .page = ui_page_for(request, S("Emergency access")) };
    struct privacy_list during = { 0 };
    struct glass_row row;
    struct audit_page page;
    int64_t id;
    TRY(read_id(request, &id));
    TRY(audit_flush(cx, gate_audit(request->gate_self)));
    TRY(store_reader(cx, request->store));
    TRY(glass_find_one(cx, request->store, id, &row));
    struct privacy_flagger *flagger = privacy_flagger_make(cx, request->store,
                                                           gate_people(request->gate_self));
    TRY(make_case(cx, flagger, &row, &review.it));
    TRY(count_opened(cx, &row, &page));
    TRY(privacy_rows(cx, flagger, &page, &during));
    review.during = during.rows;
    review.during_count = during.rows_count;
    struct ui_field fields[3] = {
        choice_field(cx, "outcome", "What do you find?", glass_outcomes,
                     field_of(request, "outcome")),
        { .name = "words", .label = "In your own words", .kind = UI_AREA, .required = true,
          .value = field_of(request, "words") },
        { .name = "csrf", .kind = UI_HIDDEN, .value = cx->user->csrf },
    };
    ui_fields_blame(&cx->issues, fields, COUNT(fields));
    review.page.section = "/privacy";
    review.page.back_href = S("/privacy");
    review.page.back_text = S("Privacy");
    review.form = (struct ui_form){ .action = request->path, .cancel = S("/privacy"),
                                    .submit = "Keep the review", .fields = fields,
                                    .fields_count = COUNT(fields), .issues = &cx->issues };
    struct buf out = ui_page_buf(request);
    privacy_review_draw(&out, &review);
    return ui_page_send(request, response, &out);
}

static err review_post(struct http_request *request, struct http_response *response)
{
    struct glass_review review = { .user = request->cx->user,
                                   .outcome = field_of(request, "outcome"),
                                   .words = field_of(request, "words") };
    TRY(check_csrf(request));
    TRY(read_id(request, &review.id));
    err failed = glass_review(request->cx, request->store, &review);
    if (failed == ERR_INVALID) {
        response->status = err_http_status(failed);
        return show_review(request, response);
    }
    TRY(failed);
    return go_to(response, S("/privacy"));
}

const struct route privacy_routes[] = {
    { "GET", "/break-glass/{patient}", "signed-in", dialog_get, "Ask for emergency access",
      ROUTE_PERSON },
    { "POST", "/break-glass/{patient}", "signed-in", dialog_post, "Open a record in an emergency",
      ROUTE_SLOW | ROUTE_PERSON },
    { "POST", "/break-glass/{patient}/end", "signed-in", end_post, "Give it up before its time",
      ROUTE_SLOW | ROUTE_PERSON },
    { "GET", "/privacy", "privacy.read", work_get, "Emergency accesses to review",
      ROUTE_SLOW | ROUTE_PERSON },
    { "GET", "/privacy/glass/{id}", "privacy.read", show_review, "One of them",
      ROUTE_SLOW | ROUTE_PERSON },
    { "POST", "/privacy/glass/{id}", "privacy.write", review_post, "Its review",
      ROUTE_SLOW | ROUTE_PERSON },
    { "GET", "/privacy/access", "privacy.read", privacy_access_get,
      "Who has looked, and what is unusual about it", ROUTE_SLOW | ROUTE_PERSON },
    { "GET", "/privacy/explain", "access.explain", privacy_why_get,
      "Why somebody may or may not see something", ROUTE_SLOW },
    { "GET", "/my/access", "app.access", privacy_mine_get, "Who has looked at my record",
      ROUTE_SLOW | ROUTE_PERSON },
    { "GET", "/seen/{patient}", "record.read", privacy_seen_get, "Who has seen this record",
      ROUTE_SLOW | ROUTE_PERSON },
    { 0 },
};
