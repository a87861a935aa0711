/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/wrong.h"
#include "base/base64.h"
#include "fhir/validate.h"
#include "http/text.h"
#include "record_wrong.html.h"
#include "store/commit.h"
#include "systems/record/entry.h"
#include "systems/record/home.h"
#include "systems/record/match.h"
#include "systems/record/narrative.h"
#include "systems/record/note.h"
#include "ui/browse.h"

enum { REASON_MAX = 1000, CONTENT_BYTES = 1 << 20 };
#define ACTIVITY "https://frontline.example/CodeSystem/record-activity"

/* The members that say whose an entry is; the one it has is turned. */
static const char *const owners[] = { "subject", "patient", "for", "individual" };

static const char *owner_key(struct ctx *cx, struct json body)
{
    for (size_t i = 0; i < COUNT(owners); i++)
        if (record_reference_id(cx, body, owners[i], "Patient").n)
            return owners[i];
    return NULL;
}

/* The patient of an appointment stands among its participants. */
static bool takes_part(struct record_look *look, struct json appointment)
{
    struct ctx *cx = look->cx;
    for (struct json_walk w = json_walk(json_get(appointment, S("participant"))); json_next(&w);)
        if (str_eq(record_reference_id(cx, w.value, "actor", "Patient"), look->patient))
            return true;
    return false;
}

err wrong_read_item(struct record_look *look, struct record_item *item)
{
    struct ctx *cx = look->cx;
    str type = look->request->captures[1];
    if (fhir_resource_find(type) == FHIR_NONE)
        return ctx_failf(cx, ERR_NOT_FOUND, S(""), "FHIR R4 has no type %.*s", STR_ARG(type));
    TRY(record_read(cx, look->store, arena_cstr(cx->arena, type), look->request->captures[2],
                    item));
    const char *key = owner_key(cx, item->body);
    bool theirs = key ? str_eq(record_reference_id(cx, item->body, key, "Patient"), look->patient)
                      : str_eq(type, S("Appointment")) && takes_part(look, item->body);
    if (!theirs)
        return ctx_fail(cx, ERR_NOT_FOUND, S(""), S("this patient has no such entry: find it again "
                                                    "from their record"));
    return ERR_OK;
}

/* ---- the form ---- */

static struct wrong_form form_of(struct record_look *look, const struct record_item *item)
{
    struct ctx *cx = look->cx;
    struct home_line line = home_line_of(look, item);
    str body = look->request->body;
    return (struct wrong_form){
        .look = look, .type = fhir_resource_name(item->resource), .id = item->id,
        .what = line.text, .when = line.when, .vid = (uint64_t)item->vid,
        .chosen = http_query_value(cx->arena, body, S("how")),
        .reason = { .name = "reason", .label = "What is wrong with it?", .kind = UI_AREA,
                    .required = true, .value = http_query_value(cx->arena, body, S("reason")) },
        .number = { .name = "number", .label = "NHS or hospital number of the right patient",
                    .value = http_query_value(cx->arena, body, S("number")),
                    .autocomplete = "off" },
        .born = { .name = "born", .label = "Their date of birth", .autocomplete = "off",
                  .value = http_query_value(cx->arena, body, S("born")) },
    };
}

static err draw(struct wrong_form *form)
{
    struct ctx *cx = form->look->cx;
    struct ui_field *fields[] = { &form->reason, &form->number, &form->born };
    for (size_t i = 0; i < COUNT(fields); i++)
        ui_fields_blame(&cx->issues, fields[i], 1);
    record_look_head(form->look, NULL, S("Entered in error"));
    wrong_page(&form->look->out, form, &cx->issues);
    return record_look_send(form->look);
}

err wrong_get(struct http_request *request, struct http_response *response)
{
    struct record_look look;
    struct record_item item;
    TRY(record_look_open(request, response, &look));
    TRY(wrong_read_item(&look, &item));
    struct wrong_form form = form_of(&look, &item);
    return draw(&form);
}

/* ---- the other patient ---- */

static err find_other(struct wrong_form *form, str *out)
{
    struct ctx *cx = form->look->cx;
    struct match_ask ask;
    struct record_set set;
    str born;
    TRY(match_read(cx, form->number.value, S(""), &ask));
    str number = ask.nhs.n ? ask.nhs : ask.hospital;
    if (!number.n)
        return ctx_fail(cx, ERR_INVALID, S("number"), S("give the whole NHS or hospital number"));
    if (!match_date(cx, form->born.value, &born))
        return ctx_fail(cx, ERR_INVALID, S("born"), S("give their date of birth as day, month and "
                                                      "year"));
    struct buf query = buf_make(cx->arena, 4096);
    buf_add(&query, S("identifier="));
    http_encode(&query, number);
    buf_printf(&query, "&birthdate=%.*s", STR_ARG(born));
    TRY(record_find(cx, form->look->store, "Patient", buf_str(&query), 2, &set));
    if (set.count != 1)
        return ctx_fail(cx, ERR_RULE, S("number"), S("no patient you may open has this number and "
                                                     "this date of birth: check both"));
    if (str_eq(set.items[0].id, form->look->patient))
        return ctx_fail(cx, ERR_RULE, S("number"), S("that is the patient whose record this is"));
    *out = set.items[0].id;
    return ERR_OK;
}

/* ---- the commit ---- */

struct correction {
    struct wrong_form *form;
    str other;                /* id of the right patient; empty: only marked */
    struct commit_op ops[4 * WRONG_ENTRIES];
    size_t ops_count;
};

static struct commit_op *add_op(struct correction *c, enum commit_verb verb, const char *type)
{
    struct commit_op *op = &c->ops[c->ops_count++];
    *op = (struct commit_op){ .verb = verb, .resource = fhir_resource_find(str_of(type)) };
    return op;
}

/* A Provenance of one target: who, when, why, and which version it came from. */
static err add_trace(struct correction *c, const char *activity, str target, str source)
{
    struct ctx *cx = c->form->look->cx;
    struct entry_author author = entry_author(cx);
    struct commit_op *op = add_op(c, COMMIT_CREATE, "Provenance");
    str from = source.n ? arena_printf(cx->arena, ",\"entity\":[{\"role\":\"source\",\"what\":"
                                       "{\"reference\":\"%.*s\"}}]", STR_ARG(source))
                        : S("");
    str text = arena_printf(cx->arena,
        "{\"resourceType\":\"Provenance\",\"target\":[{\"reference\":\"%.*s\"}],\"recorded\":"
        "\"%.*s\",\"reason\":[{\"text\":%.*s}],\"activity\":{\"coding\":[{\"system\":\"" ACTIVITY
        "\",\"code\":\"%s\"}]},\"agent\":[{\"who\":%.*s}]%.*s}", STR_ARG(target),
        STR_ARG(entry_now(cx)), STR_ARG(record_json_text(cx, c->form->reason.value)), activity,
        STR_ARG(entry_person(cx, &author)), STR_ARG(from));
    TRY(json_parse(cx, text, &op->body));
    return validate_resource(cx, op->body);
}

static err add_mark(struct correction *c, const struct record_item *item)
{
    struct ctx *cx = c->form->look->cx;
    str type = fhir_resource_name(item->resource);
    struct entry_change change = { .cx = cx, .before = item->body };
    if (home_is_wrong(item->body))
        return ctx_fail(cx, ERR_RULE, S(""), S("this entry is marked as entered in error already"));
    if (!entry_mark_wrong(&change, type))
        return ctx_failf(cx, ERR_RULE, S(""), "a %.*s cannot be marked as entered in error here: "
                         "ask the records officer", STR_ARG(type));
    struct commit_op *op = add_op(c, COMMIT_UPDATE, arena_cstr(cx->arena, type));
    op->id = item->id;
    op->if_match_vid = item->vid;
    TRY(entry_made(&change, "", &op->body));
    TRY(validate_resource(cx, op->body));
    return add_trace(c, c->other.n ? "moved-away" : "entered-in-error",
                     arena_printf(cx->arena, "%.*s/%.*s", STR_ARG(type), STR_ARG(item->id)),
                     S(""));
}

/* The entry as it was, for the right patient; the stay it belonged to was the other one's. */
static err add_copy(struct correction *c, const struct record_item *item, str results)
{
    struct ctx *cx = c->form->look->cx;
    str type = fhir_resource_name(item->resource);
    struct entry_change change = { .cx = cx, .before = item->body };
    str url = arena_printf(cx->arena, "urn:uuid:00000000-0000-4000-8000-%012zu", c->ops_count);
    static const char *const dropped[] = { "id", "meta", "encounter", "context", "basedOn",
                                           "partOf" };
    for (size_t i = 0; i < COUNT(dropped); i++)
        entry_put(&change, dropped[i], (str){ 0 });
    entry_put(&change, owner_key(cx, item->body), entry_reference(cx, "Patient", c->other));
    if (results.n)
        entry_put(&change, "result", results);
    struct commit_op *op = add_op(c, COMMIT_CREATE, arena_cstr(cx->arena, type));
    op->full_url = url;
    TRY(entry_made(&change, "", &op->body));
    TRY(validate_resource(cx, op->body));
    return add_trace(c, "moved-here", url,
                     arena_printf(cx->arena, "%.*s/%.*s/_history/%lld", STR_ARG(type),
                                  STR_ARG(item->id), (long long)item->vid));
}

/* The results a report names go where it goes; *out is the new list of references. */
static err add_results(struct correction *c, struct json report, str *out)
{
    struct record_look *look = c->form->look;
    struct ctx *cx = look->cx;
    struct buf list = buf_make(cx->arena, 1 << 16);
    buf_char(&list, '[');
    for (struct json_walk w = json_walk(json_get(report, S("result"))); json_next(&w);) {
        struct record_item item;
        struct validate_reference parts;
        str text = record_text(cx, w.value, "reference");
        if (c->ops_count + 8 > COUNT(c->ops))
            return ctx_fail(cx, ERR_LIMIT, S(""), S("the report has too many results to be moved "
                                                    "at once"));
        if (!validate_read_reference(text, &parts) || !str_eq(parts.type, S("Observation")) ||
            record_read(cx, look->store, "Observation", parts.id, &item) != ERR_OK ||
            home_is_wrong(item.body))
            continue;
        TRY(add_mark(c, &item));
        buf_printf(&list, "%s{\"reference\":\"urn:uuid:00000000-0000-4000-8000-%012zu\"}",
                   list.n > 1 ? "," : "", c->ops_count);
        TRY(add_copy(c, &item, S("")));
    }
    buf_char(&list, ']');
    *out = list.n > 2 ? buf_str(&list) : S("");
    return ERR_OK;
}

static err correct(struct correction *c, const struct record_item *item)
{
    struct record_look *look = c->form->look;
    struct ctx *cx = look->cx;
    str results = S("");
    str drawn = http_query_value(cx->arena, look->request->body, S("version"));
    uint64_t vid = c->form->vid;
    if (drawn.n && (!str_to_u64(drawn, &vid) || vid != c->form->vid))
        return ctx_fail(cx, ERR_CONFLICT, S(""), S("somebody changed this entry after you opened "
                                                   "the page: read it again, then correct it"));
    if (str_trim(c->form->reason.value).n < 3)
        return ctx_fail(cx, ERR_RULE, S("reason"), S("say what is wrong with it"));
    if (c->form->reason.value.n > REASON_MAX)
        return ctx_fail(cx, ERR_LIMIT, S("reason"), S("say it in fewer words"));
    if (str_eq(c->form->chosen, S("move"))) {
        TRY(find_other(c->form, &c->other));
        if (!owner_key(cx, item->body))
            return ctx_fail(cx, ERR_RULE, S(""), S("this entry cannot be moved: mark it, and write "
                                                   "a new one for the right patient"));
        TRY(add_results(c, item->body, &results));
    }
    TRY(add_mark(c, item));
    if (c->other.n)
        TRY(add_copy(c, item, results));
    struct commit commit = { .ops = c->ops, .ops_count = c->ops_count, .cx = cx,
                             .who = entry_author(cx).display,
                             .why = c->other.n ? S("record: moved to another patient")
                                               : S("record: entered in error") };
    return commit_run(cx, look->store, &commit);
}

err wrong_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct record_look look;
    struct record_item item;
    TRY(record_look_open(request, response, &look));
    TRY(wrong_read_item(&look, &item));
    struct wrong_form form = form_of(&look, &item);
    struct correction *c = arena_zero(cx->arena, sizeof *c);
    c->form = &form;
    err wrong = correct(c, &item);
    if (wrong == ERR_RULE || wrong == ERR_INVALID) {
        response->status = 422;
        return draw(&form);
    }
    TRY(wrong);
    response->status = 303;
    http_put_header(response, S("Location"),
                    arena_printf(cx->arena, "/record/patient/%.*s?done=%s", STR_ARG(look.patient),
                                 c->other.n ? "moved" : "wrong"));
    return ERR_OK;
}

/* ---- an entry that is no form of ours ---- */

/* The sections of the Composition that a FHIR document begins with, a heading over each. */
static str document_text(struct ctx *cx, str json)
{
    struct json bundle;
    struct buf out = buf_make(cx->arena, CONTENT_BYTES);
    if (json_parse(cx, json, &bundle) != ERR_OK)
        return S("");
    struct json first = json_get(json_at(json_get(bundle, S("entry")), 0), S("resource"));
    for (struct json_walk w = json_walk(json_get(first, S("section"))); json_next(&w);) {
        str div = record_text(cx, json_get(w.value, S("text")), "div");
        buf_printf(&out, "%s%.*s\n%.*s", out.n ? "\n\n" : "",
                   STR_ARG(record_text(cx, w.value, "title")),
                   STR_ARG(narrative_read(cx->arena, div)));
    }
    return buf_str(&out);
}

/* What a filed document says, where it is text; empty: look at it in its own program. */
static str attachment_text(struct ctx *cx, struct json document)
{
    struct json content = json_at(json_get(document, S("content")), 0);
    struct json attachment = json_get(content, S("attachment"));
    str type = record_text(cx, attachment, "contentType"), text;
    size_t count = cx->issues.count, kept = cx->issues.kept;
    if (!base64_decode(cx->arena, record_text(cx, attachment, "data"), &text))
        return S("");
    if (str_starts(type, S("text/plain")))
        return text;
    text = str_eq(type, S("application/fhir+json")) ? document_text(cx, text) : S("");
    cx->issues.count = count;
    cx->issues.kept = kept;
    return text;
}

/* The values a report names, a line each. */
static str report_text(struct record_look *look, struct json report)
{
    struct ctx *cx = look->cx;
    struct buf out = buf_make(cx->arena, CONTENT_BYTES);
    size_t count = cx->issues.count, kept = cx->issues.kept;
    for (struct json_walk w = json_walk(json_get(report, S("result"))); json_next(&w);) {
        struct validate_reference parts;
        struct record_item item;
        if (!validate_read_reference(record_text(cx, w.value, "reference"), &parts) ||
            !str_eq(parts.type, S("Observation")) ||
            record_read(cx, look->store, "Observation", parts.id, &item) != ERR_OK)
            continue;
        struct home_line line = home_line_of(look, &item);
        struct json range = json_at(json_get(item.body, S("referenceRange")), 0);
        str low = json_text(json_get(json_get(range, S("low")), S("value")));
        str high = json_text(json_get(json_get(range, S("high")), S("value")));
        buf_printf(&out, "%s%.*s: %.*s", out.n ? "\n" : "", STR_ARG(line.text),
                   STR_ARG(line.more));
        if (low.n && high.n)
            buf_printf(&out, " (%.*s to %.*s)", STR_ARG(low), STR_ARG(high));
        if (home_is_wrong(item.body))
            buf_add(&out, S(" (entered in error)"));
    }
    cx->issues.count = count;
    cx->issues.kept = kept;
    return buf_str(&out);
}

err wrong_item_get(struct http_request *request, struct http_response *response)
{
    struct record_look look;
    struct record_item item;
    err opened = record_look_open(request, response, &look);
    if (opened == ERR_NOT_FOUND || opened == ERR_GONE)
        return record_look_refuse(request, response);
    TRY(opened);
    TRY(wrong_read_item(&look, &item));
    struct home_line line = home_line_of(&look, &item);
    str type = fhir_resource_name(item.resource);
    struct wrong_form form = form_of(&look, &item);
    struct ui_html json = { S("") };
    if (!note_is_anothers(request->cx, item.body))
        json = ui_json_html(request->cx, item.body);
    if (str_eq(type, S("DocumentReference")))
        form.content = attachment_text(request->cx, item.body);
    if (str_eq(type, S("DiagnosticReport")))
        form.content = report_text(&look, item.body);
    form.files = arena_array(request->cx->arena, FILE_MAX, sizeof *form.files);
    file_list(&look, &item, form.files, &form.files_count);
    record_look_head(&look, NULL, line.text);
    wrong_item_page(&look.out, &form, &line, json);
    return record_look_send(&look);
}
