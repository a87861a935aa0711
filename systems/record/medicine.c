/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/medicine.h"
#include "fhir/validate.h"
#include "http/text.h"
#include "record_medicine.html.h"
#include "store/commit.h"
#include "systems/record/entry.h"
#include "systems/record/home.h"

enum { WHY_MAX = 300 };

/* What may be decided, and the status it is kept as. */
static const struct {
    const char *word, *status, *text;
    bool why, dose; /* asked for */
} decisions[] = {
    { "active", "active", "Continues", false, false },
    { "changed", "active", "Continues, changed", true, true },
    { "on-hold", "on-hold", "Paused", true, false },
    { "stopped", "stopped", "Stopped", true, false },
    { "not-taken", "not-taken", "Not taken", true, false },
    { "unknown", "unknown", "Not known yet", true, false },
};

static str decision_id(struct ctx *cx, str request)
{
    return arena_printf(cx->arena, "rec-%.*s", STR_ARG(str_slice(request, 0, 58)));
}

static str decision_text(str status)
{
    for (size_t i = 0; i < COUNT(decisions); i++)
        if (str_eq(status, str_of(decisions[i].status)))
            return str_of(decisions[i].text);
    return status;
}

static str dose_of(struct ctx *cx, struct json body, const char *key)
{
    return record_text(cx, json_at(json_get(body, str_of(key)), 0), "text");
}

/* Decided, unless the medicine itself is another one since. */
static void show_decision(struct record_look *look, struct json body, struct medicine_row *row)
{
    struct ctx *cx = look->cx;
    struct json note = json_at(json_get(body, S("note")), 0);
    str status = record_text(cx, body, "status"), dose = dose_of(cx, body, "dosage");
    str from = record_text(cx, json_at(json_get(body, S("derivedFrom")), 0), "reference");
    str read = arena_printf(cx->arena, "/_history/%llu", (unsigned long long)row->drawn);
    bool changed = str_eq(status, S("active")) && dose.n && !str_eq(dose, row->dose);
    row->goes_on = str_eq(status, S("active"));
    row->outdated = from.n && !str_ends(from, read);
    row->decided = !home_is_wrong(body) && !row->outdated && !str_eq(status, S("unknown"));
    row->decision = decision_text(status);
    if (changed)
        row->decision = arena_printf(cx->arena, "Continues, changed: %.*s", STR_ARG(dose));
    row->why = record_concept(cx, body, "statusReason");
    row->by = arena_printf(cx->arena, "%.*s, %.*s", STR_ARG(record_text(cx, note, "authorString")),
                           STR_ARG(record_brief_when(cx, record_text(cx, note, "time"))));
}

static void read_decision(struct record_look *look, struct medicine_row *row)
{
    struct ctx *cx = look->cx;
    struct record_item item;
    size_t count = cx->issues.count, kept = cx->issues.kept;
    if (record_read(cx, look->store, "MedicationStatement", decision_id(cx, row->id), &item) ==
        ERR_OK) {
        row->vid = (uint64_t)item.vid;
        show_decision(look, item.body, row);
    }
    cx->issues.count = count;
    cx->issues.kept = kept;
}

static bool is_from_before(struct json request)
{
    for (struct json_walk w = json_walk(json_get(request, S("category"))); json_next(&w);)
        if (record_has_code(w.value, "community"))
            return true;
    return false;
}

void medicine_mark(struct record_look *look, const struct record_item *item, struct home_line *line)
{
    struct medicine_row row = { .id = item->id, .dose = line->more, .drawn = (uint64_t)item->vid };
    bool active = json_string_is(json_get(item->body, S("status")), S("active"));
    if (!active || !is_from_before(item->body) ||
        !record_may(look->cx, "MedicationStatement", 'r'))
        return;
    read_decision(look, &row);
    line->chip = row.vid && !row.outdated ? row.decision : S("Not decided");
    line->tone = row.decided && row.goes_on ? UI_GOOD : UI_MEDIUM;
}

static err read_requests(struct record_look *look, struct medicine_list *list)
{
    struct ctx *cx = look->cx;
    struct record_set set;
    TRY(record_find(cx, look->store, "MedicationRequest",
                    arena_printf(cx->arena, "patient=Patient/%.*s&status=active&_sort=-authoredon",
                                 STR_ARG(look->patient)), MEDICINE_MAX, &set));
    list->rows = arena_array(cx->arena, set.count + 1, sizeof *list->rows);
    for (size_t i = 0; i < set.count; i++) {
        struct home_line line = home_line_of(look, &set.items[i]);
        struct medicine_row *row = &list->rows[list->rows_count++];
        *row = (struct medicine_row){ .id = set.items[i].id, .name = line.text,
                                      .dose = dose_of(cx, set.items[i].body, "dosageInstruction"),
                                      .since = line.when, .href = line.href,
                                      .drawn = (uint64_t)set.items[i].vid,
                                      .before = is_from_before(set.items[i].body) };
        if (row->before)
            read_decision(look, row);
        list->open += row->before && !row->decided;
        list->here += !row->before;
    }
    return ERR_OK;
}

/* Medicines known from somebody's words alone. */
static err read_told(struct record_look *look, struct medicine_list *list)
{
    struct ctx *cx = look->cx;
    struct record_set set;
    TRY(record_find(cx, look->store, "MedicationStatement",
                    arena_printf(cx->arena, "patient=Patient/%.*s&_sort=-effective",
                                 STR_ARG(look->patient)), MEDICINE_MAX, &set));
    list->told = arena_array(cx->arena, set.count + 1, sizeof *list->told);
    for (size_t i = 0; i < set.count; i++) {
        struct json body = set.items[i].body;
        if (json_count(json_get(body, S("basedOn"))) || home_is_wrong(body))
            continue;
        struct home_line line = home_line_of(look, &set.items[i]);
        list->told[list->told_count++] = (struct medicine_row){
            .id = set.items[i].id, .name = line.text, .dose = line.more, .href = line.href,
            .decision = decision_text(record_text(cx, body, "status")),
            .why = record_concept(cx, body, "statusReason"),
            .category = record_text(cx, json_get(body, S("informationSource")), "display"),
        };
    }
    return ERR_OK;
}

/* Those still to be decided come first. */
static int open_first(const void *a, const void *b)
{
    const struct medicine_row *x = a, *y = b;
    int open_x = x->before && !x->decided, open_y = y->before && !y->decided;
    if (open_x != open_y)
        return open_y - open_x;
    if (x->before != y->before)
        return y->before - x->before;
    return str_cmp(x->name, y->name);
}

err medicine_draw(struct record_look *look)
{
    struct medicine_list list = { .patient = look->patient };
    list.may_write = record_permits(look->cx, S("record.write")) &&
                     record_may(look->cx, "MedicationStatement", 'c');
    TRY(read_requests(look, &list));
    TRY(read_told(look, &list));
    qsort(list.rows, list.rows_count, sizeof *list.rows, open_first);
    medicine_page(&look->out, &list);
    return ERR_OK;
}

/* ---- a decision ---- */

struct decision {
    str status, why, dose; /* dose: the new one, where it changes */
    struct record_item request;
};

static err decision_body(struct record_look *look, const struct decision *d, struct json *out)
{
    struct ctx *cx = look->cx;
    struct entry_author author = entry_author(cx);
    struct entry_change change = { .cx = cx };
    struct json body = d->request.body;
    str dose = d->dose.n ? d->dose : dose_of(cx, body, "dosageInstruction");
    entry_put_text(&change, "id", decision_id(cx, d->request.id));
    entry_put(&change, "basedOn", arena_printf(cx->arena, "[%.*s]", STR_ARG(
              entry_reference(cx, "MedicationRequest", d->request.id))));
    entry_put_text(&change, "status", d->status);
    if (d->why.n)
        entry_put(&change, "statusReason", arena_printf(cx->arena, "[{\"text\":%.*s}]",
                                                        STR_ARG(record_json_text(cx, d->why))));
    entry_put(&change, "medicationCodeableConcept",
              json_text(json_get(body, S("medicationCodeableConcept"))));
    entry_put(&change, "subject", entry_reference(cx, "Patient", look->patient));
    entry_put_text(&change, "dateAsserted", entry_now(cx));
    entry_put(&change, "note", arena_printf(cx->arena,
              "[{\"authorString\":%.*s,\"time\":\"%.*s\",\"text\":\"Medicines reconciliation\"}]",
              STR_ARG(record_json_text(cx, author.display)), STR_ARG(entry_now(cx))));
    entry_put(&change, "derivedFrom", arena_printf(cx->arena, "[{\"reference\":\"MedicationRequest/"
              "%.*s/_history/%lld\"}]", STR_ARG(d->request.id), (long long)d->request.vid));
    if (dose.n)
        entry_put(&change, "dosage", arena_printf(cx->arena, "[{\"text\":%.*s}]",
                                                  STR_ARG(record_json_text(cx, dose))));
    TRY(entry_made(&change, "MedicationStatement", out));
    return validate_resource(cx, *out);
}

static err read_sent(struct record_look *look, struct decision *d, uint64_t *vid)
{
    struct ctx *cx = look->cx;
    str body = look->request->body, word = http_query_value(cx->arena, body, S("decision"));
    str drawn = http_query_value(cx->arena, body, S("medicine"));
    uint64_t medicine = (uint64_t)d->request.vid;
    size_t row = 0;
    d->why = str_slice(str_trim(http_query_value(cx->arena, body, S("why"))), 0, WHY_MAX);
    d->dose = str_slice(str_trim(http_query_value(cx->arena, body, S("dose"))), 0, WHY_MAX);
    while (row < COUNT(decisions) && !str_eq(word, str_of(decisions[row].word)))
        row++;
    if (row == COUNT(decisions) ||
        !str_to_u64(http_query_value(cx->arena, body, S("version")), vid))
        return ctx_fail(cx, ERR_INVALID, S("decision"), S("choose what happens to this medicine"));
    if (drawn.n && (!str_to_u64(drawn, &medicine) || (int64_t)medicine != d->request.vid))
        return ctx_fail(cx, ERR_CONFLICT, S(""), S("the medicine itself was changed after you "
                                                   "opened the page: go back and look again"));
    if (decisions[row].why && d->why.n < 3)
        return ctx_fail(cx, ERR_RULE, S("why"), S("say why it does not go on as it was: go back "
                                                  "and write it beside the choice"));
    if (decisions[row].dose != (d->dose.n > 0))
        return ctx_fail(cx, ERR_RULE, S("dose"), decisions[row].dose
                        ? S("say the new dose: go back and write it beside the choice")
                        : S("a new dose goes with \"Continues, changed\": go back and choose it, "
                            "or clear the dose"));
    d->status = str_of(decisions[row].status);
    return ERR_OK;
}

err medicine_decide_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct record_look look;
    struct decision decision;
    uint64_t vid;
    TRY(record_look_open(request, response, &look));
    TRY(record_read(cx, request->store, "MedicationRequest", request->captures[1],
                    &decision.request));
    if (!str_eq(record_reference_id(cx, decision.request.body, "subject", "Patient"),
                look.patient))
        return ctx_fail(cx, ERR_NOT_FOUND, S(""), S("this patient has no such medicine"));
    TRY(read_sent(&look, &decision, &vid));
    struct commit_op op = { .verb = COMMIT_UPDATE, .if_match_vid = (int64_t)vid,
                            .if_none_match = vid == 0, .id = decision_id(cx, decision.request.id),
                            .resource = fhir_resource_find(S("MedicationStatement")) };
    struct commit commit = { .ops = &op, .ops_count = 1, .cx = cx, .who = entry_author(cx).display,
                             .why = S("record: medicine reconciled") };
    TRY(decision_body(&look, &decision, &op.body));
    err made = commit_run(cx, request->store, &commit);
    if (made == ERR_PRECONDITION) {
        cx->issues.count = cx->issues.kept = 0;
        return ctx_fail(cx, ERR_CONFLICT, S(""), S("somebody decided about this medicine after you "
                                                   "opened the page: go back and look again"));
    }
    TRY(made);
    response->status = 303;
    http_put_header(response, S("Location"),
                    arena_printf(cx->arena, "/record/patient/%.*s/medicines",
                                 STR_ARG(look.patient)));
    return ERR_OK;
}
