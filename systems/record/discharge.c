/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/discharge.h"
#include "base/base64.h"
#include "base/map.h"
#include "fhir/validate.h"
#include "http/text.h"
#include "store/commit.h"
#include "systems/record/home.h"
#include "systems/record/send.h"

enum { LINES_BYTES = ENTRY_TEXT, RECENT = 200 };

/* ---- what the record knows, as lines ---- */

struct lines {
    struct record_look *look;
    struct buf buf;
    struct map seen;
};

static struct lines lines_for(struct record_look *look)
{
    return (struct lines){ look, buf_make(look->cx->arena, LINES_BYTES),
                           map_make(look->cx->arena) };
}

static void add_line(struct lines *lines, str text, str more)
{
    uint64_t seen;
    str both = arena_printf(lines->look->cx->arena, "%.*s: %.*s", STR_ARG(text), STR_ARG(more));
    if (!text.n || !map_add(&lines->seen, both, 1, &seen))
        return; /* the same diagnosis of two stays is said once */
    buf_printf(&lines->buf, "%s%.*s", lines->buf.n ? "\n" : "", STR_ARG(text));
    if (more.n)
        buf_printf(&lines->buf, ": %.*s", STR_ARG(more));
}

static err add_found(struct lines *lines, const char *type, const char *query)
{
    struct record_look *look = lines->look;
    struct record_set set;
    TRY(record_find(look->cx, look->store, type,
                    arena_printf(look->cx->arena, "patient=Patient/%.*s%s", STR_ARG(look->patient),
                                 query), RECENT, &set));
    for (size_t i = 0; i < set.count; i++) {
        struct home_line line = home_line_of(look, &set.items[i]);
        if (!home_is_wrong(set.items[i].body))
            add_line(lines, line.text, line.more);
    }
    return ERR_OK;
}

static str found(struct record_look *look, const char *type, const char *query)
{
    struct lines lines = lines_for(look);
    return add_found(&lines, type, query) == ERR_OK ? buf_str(&lines.buf) : S("");
}

/* Prescribed, and not decided about: said apart from what was, never twice. */
static void add_prescribed(struct lines *lines, const struct map *decided)
{
    struct record_look *look = lines->look;
    struct ctx *cx = look->cx;
    struct record_set set;
    if (record_find(cx, look->store, "MedicationRequest",
                    arena_printf(cx->arena, "patient=Patient/%.*s&status=active",
                                 STR_ARG(look->patient)), RECENT, &set) != ERR_OK)
        return;
    for (size_t i = 0; i < set.count; i++) {
        struct home_line line = home_line_of(look, &set.items[i]);
        struct json category = json_at(json_get(set.items[i].body, S("category")), 0);
        uint64_t found;
        if (map_get(decided, set.items[i].id, &found))
            continue;
        add_line(lines, record_has_code(category, "community")
                 ? arena_printf(cx->arena, "Not decided: %.*s", STR_ARG(line.text)) : line.text,
                 line.more);
    }
}

static str medicines(struct record_look *look)
{
    static const struct { const char *status, *word; } rows[] = {
        { "active", "Continue" }, { "stopped", "Stopped" }, { "on-hold", "Paused" },
        { "not-taken", "Not taken" }, { "unknown", "Not known whether it goes on" },
    };
    struct ctx *cx = look->cx;
    struct lines lines = lines_for(look);
    struct map decided = map_make(cx->arena);
    struct record_set set;
    str patient = arena_printf(cx->arena, "patient=Patient/%.*s", STR_ARG(look->patient));
    if (record_find(cx, look->store, "MedicationStatement", patient, RECENT, &set) != ERR_OK)
        return S("");
    for (size_t i = 0; i < set.count; i++)
        for (size_t k = 0; k < COUNT(rows); k++) {
            struct json body = set.items[i].body;
            if (!json_string_is(json_get(body, S("status")), str_of(rows[k].status)))
                continue;
            str why = record_concept(cx, body, "statusReason");
            str dose = record_text(cx, json_at(json_get(body, S("dosage")), 0), "text");
            str about = record_reference_id(cx, body, "basedOn", "MedicationRequest");
            if (about.n)
                map_set(&decided, about, 1);
            add_line(&lines, arena_printf(cx->arena, "%s: %.*s, %.*s", rows[k].word,
                     STR_ARG(record_concept(cx, body, "medicationCodeableConcept")),
                     STR_ARG(dose)), why);
        }
    add_prescribed(&lines, &decided);
    return buf_str(&lines.buf);
}

static str practice(struct record_look *look)
{
    struct record_item item;
    if (record_read(look->cx, look->store, "Patient", look->patient, &item) != ERR_OK)
        return S("");
    struct json gp = json_at(json_get(item.body, S("generalPractitioner")), 0);
    return json_is(gp, JSON_OBJECT) ? record_person(look->cx, look->store, gp) : S("Not known");
}

static void stay_words(struct record_look *look, str *admission, str *discharge)
{
    struct ctx *cx = look->cx;
    struct record_set set;
    if (record_find(cx, look->store, "Encounter",
                    arena_printf(cx->arena, "patient=Patient/%.*s&class=IMP&_sort=-date",
                                 STR_ARG(look->patient)), 1, &set) != ERR_OK || !set.count)
        return;
    struct json body = set.items[0].body, period = json_get(body, S("period"));
    str end = record_text(cx, period, "end");
    *admission = arena_printf(cx->arena, "Admitted %.*s\nReason: %.*s",
                              STR_ARG(record_shown_when(cx, record_text(cx, period, "start"))),
                              STR_ARG(record_concept(cx, body, "reasonCode")));
    *discharge = end.n ? arena_printf(cx->arena, "Discharged %.*s",
                                      STR_ARG(record_shown_when(cx, end)))
                       : S("Still in hospital");
}

static void fill(struct entry_value *values, const char *heading, str text)
{
    for (size_t i = 0; i < entry_discharge.fields_count; i++)
        if (strcmp(entry_discharge.fields[i].name, heading) == 0)
            values[i].text = text;
}

err note_prefill_discharge(struct record_look *look, struct entry_value *values)
{
    str admission = S(""), discharge = S("");
    stay_words(look, &admission, &discharge);
    fill(values, "gp", practice(look));
    fill(values, "admission", admission);
    fill(values, "discharge", discharge);
    fill(values, "diagnoses", found(look, "Condition", "&clinical-status=active"));
    fill(values, "procedures", found(look, "Procedure", "&_sort=-date"));
    fill(values, "allergies", look->banner.allergies.text);
    fill(values, "medications", medicines(look));
    fill(values, "investigations", found(look, "Observation",
                                         "&category=laboratory&_sort=-date&_count=12"));
    fill(values, "person", entry_author(look->cx).display);
    return ERR_OK;
}

err note_prefill_handover(struct record_look *look, struct entry_value *values)
{
    struct ctx *cx = look->cx;
    struct record_set set;
    TRY(record_find(cx, look->store, "Composition",
                    arena_printf(cx->arena, "patient=Patient/%.*s&type=sbar-handover&_sort=-date",
                                 STR_ARG(look->patient)), 5, &set));
    for (size_t i = 0; i < set.count; i++)
        if (!home_is_wrong(set.items[i].body) && !note_is_anothers(cx, set.items[i].body)) {
            entry_handover.read(cx, set.items[i].body, values);
            return ERR_OK;
        }
    str admission = S(""), discharge = S("");
    stay_words(look, &admission, &discharge);
    values[0].text = arena_printf(cx->arena, "%.*s", STR_ARG(look->banner.location.text));
    values[1].text = admission;
    return ERR_OK;
}

/* ---- the document ---- */

static void add_entry(struct record_look *look, struct buf *out, const char *type, str id, str body)
{
    buf_printf(out, "%s{\"fullUrl\":\"%.*s/fhir/%s/%.*s\",\"resource\":", out->p[out->n - 1] == '['
               ? "" : ",", STR_ARG(look->request->base_url), type, STR_ARG(id));
    buf_add(out, body);
    buf_char(out, '}');
}

static void add_read(struct record_look *look, struct buf *out, const char *type, str id)
{
    struct record_item item;
    size_t count = look->cx->issues.count, kept = look->cx->issues.kept;
    if (id.n && record_read(look->cx, look->store, type, id, &item) == ERR_OK)
        add_entry(look, out, type, item.id, json_text(item.body));
    look->cx->issues.count = count;
    look->cx->issues.kept = kept;
}

static str practice_id(struct record_look *look, struct record_item *patient)
{
    if (record_read(look->cx, look->store, "Patient", look->patient, patient) != ERR_OK)
        return S("");
    return record_reference_id(look->cx, patient->body, "generalPractitioner", "Organization");
}

static str document(struct record_look *look, const struct record_item *note, str gp)
{
    struct ctx *cx = look->cx;
    struct buf out = buf_make(cx->arena, DISCHARGE_BYTES);
    buf_printf(&out, "{\"resourceType\":\"Bundle\",\"identifier\":{\"system\":\"%.*s/fhir/"
               "Composition\",\"value\":\"%.*s-%lld\"},\"type\":\"document\",\"timestamp\":"
               "\"%.*s\",\"entry\":[", STR_ARG(look->request->base_url), STR_ARG(note->id),
               (long long)note->vid, STR_ARG(entry_now(cx)));
    add_entry(look, &out, "Composition", note->id, json_text(note->body));
    add_read(look, &out, "Patient", look->patient);
    add_read(look, &out, "Practitioner", record_reference_id(cx, note->body, "author",
                                                             "Practitioner"));
    add_read(look, &out, "Encounter", record_reference_id(cx, note->body, "encounter",
                                                          "Encounter"));
    add_read(look, &out, "Organization", gp);
    buf_add(&out, S("]}"));
    return buf_str(&out);
}

/* `before`: the version of the note that was sent last, 0 for none; its document is replaced. */
static err reference_body(struct record_look *look, const struct record_item *note, str bundle,
                          int64_t before, struct json *out)
{
    struct ctx *cx = look->cx;
    str last = entry_reference(cx, "DocumentReference", send_id(cx, note, before));
    str replaces = before ? arena_printf(cx->arena, ",\"relatesTo\":[{\"code\":\"replaces\","
                                         "\"target\":%.*s}]", STR_ARG(last))
                          : S("");
    struct entry_author author = entry_author(cx);
    str id = send_id(cx, note, note->vid);
    str text = arena_printf(cx->arena,
        "{\"resourceType\":\"DocumentReference\",\"id\":\"%.*s\",\"status\":\"current\","
        "\"docStatus\":\"final\",\"type\":{\"coding\":[{\"system\":\"http://snomed.info/sct\","
        "\"code\":\"373942005\",\"display\":\"Discharge summary\"}]},\"subject\":%.*s,\"date\":"
        "\"%.*s\",\"author\":[%.*s],\"description\":\"Discharge summary as sent\",\"content\":"
        "[{\"attachment\":{\"contentType\":\"application/fhir+json\",\"data\":\"%.*s\",\"title\":"
        "\"Discharge summary\",\"creation\":\"%.*s\"}}],\"context\":{\"related\":[%.*s]}%.*s}",
        STR_ARG(id), STR_ARG(entry_reference(cx, "Patient", look->patient)),
        STR_ARG(entry_now(cx)), STR_ARG(entry_person(cx, &author)),
        STR_ARG(base64_encode(cx->arena, bundle)), STR_ARG(entry_now(cx)),
        STR_ARG(entry_reference(cx, "Composition", note->id)), STR_ARG(replaces));
    return json_parse(cx, text, out);
}

static err communication_body(struct record_look *look, const struct record_item *note, str gp,
                              struct json *out)
{
    struct ctx *cx = look->cx;
    struct entry_author author = entry_author(cx);
    str id = send_id(cx, note, note->vid);
    str to = gp.n ? arena_printf(cx->arena, ",\"recipient\":[%.*s]",
                                 STR_ARG(entry_reference(cx, "Organization", gp)))
                  : S("");
    str text = arena_printf(cx->arena,
        "{\"resourceType\":\"Communication\",\"id\":\"%.*s\",\"status\":\"in-progress\","
        "\"category\":[{\"text\":\"Discharge summary to the GP\"}],\"subject\":%.*s%.*s,"
        "\"sender\":%.*s,\"payload\":[{\"contentReference\":%.*s}]}",
        STR_ARG(id), STR_ARG(entry_reference(cx, "Patient", look->patient)),
        STR_ARG(to), STR_ARG(author.reference.n ? entry_person(cx, &author)
                                                : S("{\"display\":\"The hospital\"}")),
        STR_ARG(entry_reference(cx, "DocumentReference", id)));
    return json_parse(cx, text, out);
}

static err supersede(struct record_look *look, str id, struct commit_op *op)
{
    struct record_item old;
    struct entry_change change = { .cx = look->cx };
    TRY(record_read(look->cx, look->store, "DocumentReference", id, &old));
    change.before = old.body;
    entry_put_text(&change, "status", S("superseded"));
    *op = (struct commit_op){ .verb = COMMIT_UPDATE, .resource = old.resource, .id = id,
                              .if_match_vid = old.vid };
    return entry_made(&change, "", &op->body);
}

/* One document a version of the note: sending it twice makes no second one. */
static err send(struct record_look *look, const struct record_item *note)
{
    struct ctx *cx = look->cx;
    struct record_item patient;
    struct send_view how;
    str gp = practice_id(look, &patient);
    TRY(send_look(look, note, &how));
    if (!how.may_send && !how.url.n)
        return ctx_failf(cx, ERR_RULE, S(""), "this server knows no address for %.*s: print the "
                         "summary and send it by hand", STR_ARG(how.practice));
    if (how.again)
        return send_again(cx, look->store, send_id(cx, note, note->vid));
    struct commit_op ops[] = {
        { .verb = COMMIT_CREATE, .resource = fhir_resource_find(S("DocumentReference")),
          .id = send_id(cx, note, note->vid), .skip_unchanged = true },
        { .verb = COMMIT_CREATE, .resource = fhir_resource_find(S("Communication")),
          .id = send_id(cx, note, note->vid), .skip_unchanged = true },
        { 0 },
    };
    struct commit commit = { .ops = ops, .ops_count = how.before ? 3 : 2, .cx = cx,
                             .who = entry_author(cx).display, .why = S("record: discharge sent") };
    TRY(reference_body(look, note, document(look, note, gp), how.before, &ops[0].body));
    if (how.before)
        TRY(supersede(look, send_id(cx, note, how.before), &ops[2]));
    TRY(communication_body(look, note, gp, &ops[1].body));
    for (size_t i = 0; i < commit.ops_count; i++)
        TRY(validate_resource(cx, ops[i].body));
    return commit_run(cx, look->store, &commit);
}

err discharge_send_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct record_look look;
    struct record_item note;
    uint64_t vid;
    TRY(record_look_open(request, response, &look));
    TRY(record_read(cx, request->store, "Composition", request->captures[1], &note));
    str owner = record_reference_id(cx, note.body, "subject", "Patient");
    if (!str_eq(owner, look.patient) || !entry_discharge.is(note.body))
        return ctx_fail(cx, ERR_NOT_FOUND, S(""), S("this patient has no such discharge summary"));
    if (note_is_draft(note.body) || home_is_wrong(note.body))
        return ctx_fail(cx, ERR_RULE, S(""), S("sign the discharge summary first: a draft is not "
                                               "sent"));
    if (!str_to_u64(http_query_value(cx->arena, request->body, S("version")), &vid) ||
        (int64_t)vid != note.vid)
        return ctx_fail(cx, ERR_CONFLICT, S(""), S("the summary has changed since you read it: go "
                                                   "back and read it again"));
    TRY(send(&look, &note));
    response->status = 303;
    http_put_header(response, S("Location"),
                    arena_printf(cx->arena, "/record/patient/%.*s/entry/discharge/%.*s",
                                 STR_ARG(look.patient), STR_ARG(note.id)));
    return ERR_OK;
}
