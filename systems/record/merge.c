/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/merge.h"
#include "auth/gate.h"
#include "http/text.h"
#include "record_merge.html.h"
#include "rest/op.h"
#include "ui_page.html.h"

enum { BODY_BYTES = 4096 };

static str sent(const struct http_request *request, const char *name)
{
    str from = request->method == HTTP_POST ? request->body : request->query;
    return str_trim(http_query_value(request->cx->arena, from, str_of(name)));
}

/* Either an id, or a whole NHS or hospital number. */
static err find_one(struct http_request *request, const char *name, str typed, str *out)
{
    struct ctx *cx = request->cx;
    struct match_ask ask;
    struct record_item item;
    struct record_set set;
    size_t count = cx->issues.count, kept = cx->issues.kept;
    if (record_read(cx, request->store, "Patient", typed, &item) == ERR_OK) {
        *out = item.id;
        return ERR_OK;
    }
    cx->issues.count = count;
    cx->issues.kept = kept;
    TRY(match_read(cx, typed, S(""), &ask));
    struct buf query = buf_make(cx->arena, BODY_BYTES);
    buf_add(&query, S("identifier="));
    http_encode(&query, ask.nhs.n ? ask.nhs : ask.hospital);
    if (ask.nhs.n || ask.hospital.n) {
        TRY(record_find(cx, request->store, "Patient", buf_str(&query), 2, &set));
        if (set.count == 1) {
            *out = set.items[0].id;
            return ERR_OK;
        }
    }
    return ctx_fail(cx, ERR_INVALID, str_of(name),
                    S("no one record has this number: give the whole NHS or hospital number"));
}

/* Runs $merge or $unmerge; with `preview` nothing is written. */
static err run(struct http_request *request, struct http_response *response,
               struct merge_page *page, bool preview)
{
    struct ctx *cx = request->cx;
    struct operation_ask ask = { .resource = fhir_resource_find(S("Patient")) };
    struct operation_answer answer = { 0 };
    str body = arena_printf(cx->arena,
        "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"source-patient\","
        "\"valueReference\":{\"reference\":\"Patient/%.*s\"}},{\"name\":\"target-patient\","
        "\"valueReference\":{\"reference\":\"Patient/%.*s\"}},{\"name\":\"preview\","
        "\"valueBoolean\":%s}]}", STR_ARG(page->source.who.id), STR_ARG(page->target.who.id),
        preview ? "true" : "false");
    struct rest_call *call = arena_zero(cx->arena, sizeof *call);
    *call = (struct rest_call){ .request = request, .response = response, .cx = cx,
                                .store = request->store,
                                .base = arena_printf(cx->arena, "%.*s/fhir",
                                                     STR_ARG(request->base_url)) };
    ask.call = call;
    ask.body_text = body;
    TRY(json_parse(cx, body, &ask.parameters));
    return page->undo ? op_unmerge(&ask, &answer) : op_merge(&ask, &answer);
}

/* What the operation noted: its sentence, and each conflict it warns of. */
static void take_notes(struct ctx *cx, struct merge_page *page)
{
    struct merge_warning *list = arena_array(cx->arena, cx->issues.kept + 1, sizeof *list);
    for (size_t i = 0; i < cx->issues.kept; i++) {
        const struct issue *issue = &cx->issues.list[i];
        if (issue->severity == ISSUE_WARNING)
            list[page->warnings_count++].text = issue->text;
        else if (issue->severity == ISSUE_INFORMATION)
            page->summary = issue->text;
    }
    page->warnings = list;
}

static err compare(struct http_request *request, struct http_response *response,
                   struct merge_page *page)
{
    struct ctx *cx = request->cx;
    str ids[2];
    for (size_t i = 0; i < COUNT(ids); i++)
        TRY(find_one(request, page->fields[i].name, page->fields[i].value, &ids[i]));
    TRY(ui_banner_read(cx, request->store, ids[0], &page->source));
    TRY(ui_banner_read(cx, request->store, ids[1], &page->target));
    TRY(run(request, response, page, true));
    take_notes(cx, page);
    cx->issues.count = cx->issues.kept = 0;
    page->compared = true;
    return ERR_OK;
}

static struct merge_page page_of(struct http_request *request)
{
    return (struct merge_page){
        .undo = sent(request, "undo").n > 0, .issues = &request->cx->issues,
        .fields = { { .name = "source", .label = "Record to be retired", .required = true,
                      .hint = "NHS number, hospital number or id", .autocomplete = "off",
                      .value = sent(request, "source") },
                    { .name = "target", .label = "Record to be kept", .required = true,
                      .hint = "Everything is found here afterwards", .autocomplete = "off",
                      .value = sent(request, "target") } },
    };
}

static err draw(struct http_request *request, struct http_response *response,
                struct merge_page *merge)
{
    struct ui_page page = ui_page_for(request, merge->undo ? S("Take a merge back")
                                                           : S("Merge two records"));
    struct buf out = ui_page_buf(request);
    page.section = "/record";
    page.back_href = S("/record");
    page.back_text = S("Patients");
    ui_fields_blame(&request->cx->issues, merge->fields, COUNT(merge->fields));
    ui_page_open(&out, &page);
    merge_compare(&out, request->cx, merge);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}

static bool can_show(err wrong)
{
    return wrong == ERR_INVALID || wrong == ERR_RULE || wrong == ERR_NOT_FOUND ||
           wrong == ERR_CONFLICT;
}

err merge_get(struct http_request *request, struct http_response *response)
{
    struct merge_page page = page_of(request);
    TRY(store_reader(request->cx, request->store));
    if (page.fields[0].value.n || page.fields[1].value.n) {
        err wrong = compare(request, response, &page);
        if (wrong != ERR_OK && !can_show(wrong))
            return wrong;
        response->status = wrong == ERR_OK ? 200 : err_http_status(wrong);
    }
    return draw(request, response, &page);
}

err merge_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct merge_page page = page_of(request);
    TRY(store_reader(cx, request->store));
    err wrong = compare(request, response, &page);
    if (wrong == ERR_OK && page.warnings_count && !page.undo && !sent(request, "confirm").n)
        wrong = ctx_fail(cx, ERR_RULE, S("confirm"), S("these records conflict: look at each "
                                                       "point, then tick that you did"));
    if (wrong == ERR_OK)
        wrong = run(request, response, &page, false);
    if (wrong != ERR_OK) {
        if (!can_show(wrong))
            return wrong;
        response->status = err_http_status(wrong);
        return draw(request, response, &page);
    }
    cx->issues.count = cx->issues.kept = 0;
    response->status = 303;
    http_put_header(response, S("Location"),
                    arena_printf(cx->arena, "/record/patient/%.*s?done=%s",
                                 STR_ARG(page.target.who.id), page.undo ? "unmerged" : "merged"));
    return ERR_OK;
}
