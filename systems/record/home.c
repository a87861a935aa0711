/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/home.h"
#include "systems/record/file.h"
#include "http/text.h"
#include "record_home.html.h"
#include "systems/record/entry.h"
#include "systems/record/find.h"
#include "systems/record/medicine.h"
#include "systems/record/result.h"
#include "systems/record/timeline.h"
#include "ui/browse.h"
#include "ui_components.html.h"

/* ---- an entry as a line ---- */

bool home_is_wrong(struct json body)
{
    return json_string_is(json_get(body, S("status")), S("entered-in-error")) ||
           record_has_code(json_get(body, S("verificationStatus")), "entered-in-error");
}

str home_href(struct ctx *cx, str patient, const struct record_item *item)
{
    const struct entry_kind *kind = entry_kind_of(item->body);
    str type = fhir_resource_name(item->resource);
    if (!kind)
        return arena_printf(cx->arena, "/record/patient/%.*s/item/%.*s/%.*s", STR_ARG(patient),
                            STR_ARG(type), STR_ARG(item->id));
    return arena_printf(cx->arena, "/record/patient/%.*s/entry/%s/%.*s", STR_ARG(patient),
                        kind->name, STR_ARG(item->id));
}

/* The unit as a chart prints it: laboratories and devices send "millimeter of mercury". */
static str unit_of(struct ctx *cx, struct json quantity)
{
    static const struct { const char *code, *text; } units[] = {
        { "mm[Hg]", "mmHg" }, { "Cel", "\u00b0C" }, { "/min", "/min" }, { "%", "%" },
        { "kg", "kg" }, { "cm", "cm" }, { "kg/m2", "kg/m\u00b2" }, { "L/min", "L/min" },
        { "{score}", "" },
    };
    for (size_t i = 0; i < COUNT(units); i++)
        if (json_string_is(json_get(quantity, S("code")), str_of(units[i].code)))
            return str_of(units[i].text);
    return record_text(cx, quantity, "unit");
}

static struct json component_of(struct json body, const char *const codes[2])
{
    for (struct json_walk w = json_walk(json_get(body, S("component"))); json_next(&w);)
        for (size_t i = 0; i < 2; i++)
            if (record_has_code(json_get(w.value, S("code")), codes[i]))
                return json_get(w.value, S("valueQuantity"));
    return (struct json){ 0 };
}

static str number_and_unit(struct ctx *cx, struct json quantity)
{
    str number = json_text(json_get(quantity, S("value"))), unit = unit_of(cx, quantity);
    return number.n ? arena_printf(cx->arena, "%.*s%.*s%s%.*s",
                                   STR_ARG(record_text(cx, quantity, "comparator")),
                                   STR_ARG(number), unit.n ? " " : "", STR_ARG(unit))
                    : S("");
}

/* "120/80 mmHg" of a blood pressure, whichever part was sent first; of others the first part. */
static str components(struct ctx *cx, struct json body)
{
    static const char *const systolic[] = { "8480-6", "72313002" };
    static const char *const diastolic[] = { "8462-4", "1091811000000102" };
    struct json upper = component_of(body, systolic), lower = component_of(body, diastolic);
    str one = json_text(json_get(upper, S("value"))), two = json_text(json_get(lower, S("value")));
    if (one.n && two.n)
        return arena_printf(cx->arena, "%.*s/%.*s %.*s", STR_ARG(one), STR_ARG(two),
                            STR_ARG(unit_of(cx, upper)));
    struct json list = json_get(body, S("component"));
    str first = number_and_unit(cx, json_get(json_at(list, 0), S("valueQuantity")));
    return first.n && json_count(list) > 1 ? arena_printf(cx->arena, "%.*s and more",
                                                          STR_ARG(first)) : first;
}

static str quantity(struct ctx *cx, struct json body)
{
    struct json integer = json_get(body, S("valueInteger"));
    str number = number_and_unit(cx, json_get(body, S("valueQuantity")));
    if (number.n)
        return number;
    if (json_is(integer, JSON_NUMBER))
        return json_text(integer);
    str text = record_text(cx, body, "valueString");
    if (!text.n)
        text = record_concept(cx, body, "valueCodeableConcept");
    return text.n ? text : components(cx, body);
}

static str reaction(struct ctx *cx, struct json body)
{
    struct json first = json_at(json_get(body, S("reaction")), 0);
    str what = record_concept(cx, first, "manifestation");
    str severity = record_text(cx, first, "severity");
    return what.n && severity.n ? arena_printf(cx->arena, "%.*s, %.*s", STR_ARG(what),
                                               STR_ARG(severity))
                                : what;
}

static str dose(struct ctx *cx, struct json body)
{
    const char *key = json_count(json_get(body, S("dosageInstruction"))) ? "dosageInstruction"
                                                                         : "dosage";
    return record_text(cx, json_at(json_get(body, str_of(key)), 0), "text");
}

static str place_words(struct ctx *cx, struct json body)
{
    static const struct { const char *code, *text; } rows[] = {
        { "IMP", "Stay in hospital" }, { "EMER", "Emergency department" },
        { "AMB", "Outpatient clinic" }, { "VR", "Remote visit" }, { "HH", "Visit at home" },
    };
    str reason = record_concept(cx, body, "reasonCode"), text = S("Visit");
    for (size_t i = 0; i < COUNT(rows); i++)
        if (json_string_is(json_get(json_get(body, S("class")), S("code")), str_of(rows[i].code)))
            text = str_of(rows[i].text);
    return reason.n ? arena_printf(cx->arena, "%.*s: %.*s", STR_ARG(text), STR_ARG(reason)) : text;
}

/* "Ward task, Sister Ahmed, by 22 Nov, 13:38" */
static str task_words(struct ctx *cx, struct json body)
{
    str kind = record_concept(cx, body, "code");
    str owner = record_text(cx, json_get(body, S("owner")), "display");
    str due = record_text(cx, json_get(json_get(body, S("restriction")), S("period")), "end");
    return arena_printf(cx->arena, "%.*s%s%.*s%s%.*s", STR_ARG(kind), owner.n ? ", " : "",
                        STR_ARG(owner), due.n ? ", by " : "",
                        STR_ARG(due.n ? record_brief_when(cx, due) : S("")));
}

/* Of what kind, and by whom: ten letters of one name are told apart by it. */
static str document_words(struct ctx *cx, struct json body)
{
    str kind = file_kind(cx, body);
    str by = record_text(cx, json_at(json_get(body, S("author")), 0), "display");
    return arena_printf(cx->arena, "%.*s%s%.*s", STR_ARG(kind), kind.n && by.n ? ", " : "",
                        STR_ARG(by));
}

static str more_of(struct ctx *cx, struct json body, str type)
{
    str note = record_text(cx, json_at(json_get(body, S("note")), 0), "text");
    if (str_eq(type, S("Observation")))
        return quantity(cx, body);
    if (str_eq(type, S("AllergyIntolerance")))
        return reaction(cx, body);
    if (str_eq(type, S("MedicationRequest")) || str_eq(type, S("MedicationStatement")))
        return dose(cx, body);
    if (str_eq(type, S("Task")))
        return task_words(cx, body);
    if (str_eq(type, S("Composition")))
        return record_text(cx, json_at(json_get(body, S("author")), 0), "display");
    if (str_eq(type, S("DiagnosticReport")))
        return record_text(cx, body, "conclusion");
    if (str_eq(type, S("DocumentReference")))
        return document_words(cx, body);
    return note;
}

static str text_of(struct ctx *cx, struct json body, str type)
{
    static const char *const keys[] = { "description", "title" };
    str text = S("");
    if (str_eq(type, S("Encounter")))
        return place_words(cx, body);
    if (str_eq(type, S("Appointment")))
        return record_concept(cx, body, "specialty");
    for (size_t i = 0; i < COUNT(keys) && !text.n; i++)
        text = record_text(cx, body, keys[i]);
    if (!text.n)
        text = ui_resource_text(cx, body);
    if (str_eq(type, S("Observation"))) {
        str code = record_concept(cx, body, "code");
        text = code.n ? code : text;
    }
    return text.n ? text : type;
}

/* The state of an entry in a word, where it is not the usual one. */
static void add_chip(struct ctx *cx, struct json body, str type, struct home_line *line)
{
    static const struct { const char *status, *word; enum ui_tone tone; } rows[] = {
        { "entered-in-error", "Entered in error", UI_HIGH }, { "preliminary", "Draft", UI_LOW },
        { "amended", "Amended", UI_LOW }, { "corrected", "Corrected", UI_LOW },
        { "in-progress", "Now", UI_GOOD }, { "onleave", "On leave", UI_LOW },
        { "booked", "Booked", UI_GOOD }, { "noshow", "Did not attend", UI_MEDIUM },
        { "cancelled", "Cancelled", UI_MEDIUM }, { "stopped", "Stopped", UI_MEDIUM },
        { "on-hold", "On hold", UI_LOW }, { "requested", "To do", UI_LOW },
        { "superseded", "Replaced", UI_MEDIUM }, { "resolved", "Resolved", UI_PLAIN },
        { "inactive", "Not active", UI_PLAIN }, { "unconfirmed", "Not confirmed", UI_LOW },
        { "provisional", "Provisional", UI_LOW }, { "refuted", "Refuted", UI_MEDIUM },
    };
    str status = record_text(cx, body, "status");
    struct json ways[] = { json_get(body, S("clinicalStatus")),
                           json_get(body, S("verificationStatus")) };
    bool result = str_eq(type, S("DiagnosticReport")) && str_eq(status, S("in-progress"));
    for (size_t i = 0; i < COUNT(rows); i++) {
        bool is = str_eq(status, str_of(rows[i].status)) ||
                  record_has_code(ways[0], rows[i].status) ||
                  record_has_code(ways[1], rows[i].status);
        if (!is || result)
            continue;
        line->chip = str_of(rows[i].word);
        line->tone = rows[i].tone;
        return;
    }
}

struct home_line home_line_of(struct record_look *look, const struct record_item *item)
{
    struct ctx *cx = look->cx;
    str type = fhir_resource_name(item->resource), when = record_when(cx, item->body);
    struct home_line line = {
        .when = when.n ? record_brief_when(cx, when) : S("No date"),
        .text = text_of(cx, item->body, type), .more = more_of(cx, item->body, type),
        .href = home_href(cx, look->patient, item),
    };
    add_chip(cx, item->body, type, &line);
    if (str_eq(type, S("MedicationRequest")))
        medicine_mark(look, item, &line);
    if (str_eq(line.more, line.text))
        line.more = S("");
    return line;
}

/* ---- the cards ---- */

struct card_row {
    struct home_card card;
    const char *type, *query; /* after patient= */
};

/* clang-format off: one row a card. */
static const struct card_row rows[] = {
    { { "problems", "Problems", "No problem is recorded.", "Add a problem",
        "problem", NULL },
      "Condition", "&_sort=-onset-date" },
    { { "allergies", "Allergies", "Nobody has recorded whether there are allergies.",
        "Add an allergy", "allergy", NULL },
      "AllergyIntolerance", "&_sort=-date" },
    { { "medicines", "Medicines now", "No medicine is recorded.", "Add a medicine", "medicine",
        "medicines" },
      "MedicationRequest", "&status=active&_sort=-date" },
    { { "observations", "Latest observations", "No observations are recorded.", NULL, NULL, NULL },
      "Observation", "&category=vital-signs&_sort=-date" },
    { { "results", "Latest results", "No results are recorded.", NULL, NULL, "results" },
      "DiagnosticReport", "&_sort=-date" },
    { { "notes", "Notes", "No note is written.", "Write a note", "note", "notes" },
      "Composition", "&_sort=-date" },
    { { "tasks", "To do", "Nothing is to be done.", "Add a task", "task", "tasks" },
      "Task", "&status=requested,accepted,in-progress,on-hold&_sort=-authored-on" },
    { { "alerts", "Alerts", "No alert is recorded.", "Add an alert", "alert", NULL },
      "Flag", "&_sort=-date" },
    { { "encounters", "Stays and visits", "None is recorded.", NULL, NULL, "timeline" },
      "Encounter", "&_sort=-date" },
    { { "documents", "Documents", "No document is filed.", NULL, NULL, "documents" },
      "DocumentReference", "&_sort=-date" },
    { { "appointments", "Appointments", "None is booked.", NULL, NULL, "appointments" },
      "Appointment", "&_sort=-date" },
    { { "team", "Care team", "Nobody is named.", NULL, NULL, NULL }, "CareTeam", "" },
};
/* clang-format on */

static bool shown(const struct card_row *row, struct json body)
{
    bool over = record_has_code(json_get(body, S("clinicalStatus")), "resolved") ||
                record_has_code(json_get(body, S("clinicalStatus")), "inactive");
    bool flag = str_eq(str_of(row->type), S("Flag"));
    return !home_is_wrong(body) && !over &&
           (!flag || json_string_is(json_get(body, S("status")), S("active")));
}

/* Members of the team instead of its name. */
static void add_members(struct record_look *look, struct json team, struct home_card *card,
                        struct home_line *lines)
{
    for (struct json_walk w = json_walk(json_get(team, S("participant")));
         card->lines_count < HOME_LINES && json_next(&w);)
        lines[card->lines_count++] = (struct home_line){
            .text = record_person(look->cx, look->store, json_get(w.value, S("member"))),
            .more = record_text(look->cx, team, "name"),
        };
}

/* What is flagged, and whether anybody has seen it, stands beside a result. */
static err mark_results(struct record_look *look, const struct record_set *set,
                        struct home_line *lines, size_t count)
{
    struct result_list list = { 0 };
    size_t line = 0;
    TRY(result_reports(look->cx, look->store, look->patient, &list));
    for (size_t i = 0; i < set->count && line < count; i++) {
        if (home_is_wrong(set->items[i].body))
            continue;
        for (size_t k = 0; k < list.reports_count; k++) {
            const struct result_report *report = &list.reports[k];
            if (report->acknowledged || !str_eq(report->id, set->items[i].id))
                continue;
            lines[line].chip = report->level == RESULT_CRITICAL ? S("Critical, not acknowledged")
                                                                : S("Not acknowledged");
            lines[line].tone = report->level == RESULT_CRITICAL ? UI_HIGH : UI_MEDIUM;
            lines[line].more = report->flagged.n ? report->flagged : lines[line].more;
        }
        line++;
    }
    return ERR_OK;
}

/* The score before the values it was made of. */
static err add_score(struct record_look *look, struct home_card *card, struct home_line *lines)
{
    struct record_set set;
    TRY(record_find(look->cx, look->store, "Observation",
                    arena_printf(look->cx->arena, "patient=Patient/%.*s&code=http://snomed.info/"
                                 "sct|1104051000000101&status:not=entered-in-error&_sort=-date",
                                 STR_ARG(look->patient)), 1, &set));
    if (!set.count)
        return ERR_OK;
    lines[card->lines_count] = home_line_of(look, &set.items[0]);
    struct home_line *line = &lines[card->lines_count++];
    line->text = S("NEWS2");
    line->href = arena_printf(look->cx->arena, "/obs/patient/%.*s", STR_ARG(look->patient));
    line->more = line->more.n ? line->more : S("No total: the set is not complete");
    return ERR_OK;
}

static err fill_card(struct record_look *look, const struct card_row *row, struct home_card *card)
{
    struct ctx *cx = look->cx;
    struct home_line *lines = arena_array(cx->arena, HOME_LINES + 1, sizeof *lines);
    struct record_set set;
    bool team = str_eq(str_of(row->type), S("CareTeam"));
    *card = row->card;
    card->lines = lines;
    card->hidden = !record_may(cx, row->type, 'r');
    if (!record_may(cx, row->type, 'c'))
        card->add = NULL;
    TRY(record_find(cx, look->store, row->type,
                    arena_printf(cx->arena, "patient=Patient/%.*s%s", STR_ARG(look->patient),
                                 row->query), 4 * HOME_LINES, &set));
    if (str_eq(str_of(row->type), S("Observation")))
        TRY(add_score(look, card, lines));
    for (size_t i = 0; i < set.count; i++) {
        if (!shown(row, set.items[i].body))
            continue;
        if (team) {
            add_members(look, set.items[i].body, card, lines);
            continue;
        }
        card->more = card->more || card->lines_count == HOME_LINES || set.more;
        if (card->lines_count < HOME_LINES)
            lines[card->lines_count++] = home_line_of(look, &set.items[i]);
    }
    return str_eq(str_of(row->type), S("DiagnosticReport"))
               ? mark_results(look, &set, lines, card->lines_count) : ERR_OK;
}

static err draw_summary(struct record_look *look)
{
    struct home_card *cards = arena_array(look->cx->arena, COUNT(rows), sizeof *cards);
    struct home_summary summary = { .patient = look->patient, .cards = cards,
                                    .cards_count = COUNT(rows),
                                    .may_write = record_permits(look->cx, S("record.write")) };
    for (size_t i = 0; i < COUNT(rows); i++)
        TRY(fill_card(look, &rows[i], &cards[i]));
    home_summary_page(&look->out, &summary);
    return ERR_OK;
}

/* ---- lists of one subject ---- */

static err draw_list(struct record_look *look, const struct card_row *row)
{
    struct ctx *cx = look->cx;
    struct home_card card = row->card;
    struct record_set set;
    str query = arena_printf(cx->arena, "patient=Patient/%.*s%s", STR_ARG(look->patient),
                             row->query);
    TRY(record_find(cx, look->store, row->type, query, HOME_ALL, &set));
    struct home_line *lines = arena_array(cx->arena, set.count + 1, sizeof *lines);
    for (size_t i = 0; i < set.count; i++)
        lines[card.lines_count++] = home_line_of(look, &set.items[i]);
    card.lines = lines;
    card.more = set.more;
    card.hidden = !record_may(cx, row->type, 'r');
    if (!record_may(cx, row->type, 'c') || !record_permits(cx, S("record.write")))
        card.add = NULL;
    home_list_page(&look->out, look->patient, &card);
    return ERR_OK;
}

/* clang-format off: one row a list. */
static const struct card_row lists[] = {
    { { "notes", "Notes", "No note is written.", "Write a note", "note", NULL },
      "Composition", "&_sort=-date" },
    { { "documents", "Documents", "No document is filed.", NULL, NULL, NULL },
      "DocumentReference", "&_sort=-date" },
    { { "tasks", "Tasks", "Nothing is to be done.", "Add a task", "task", NULL },
      "Task", "&_sort=-authored-on" },
    { { "appointments", "Appointments", "None is booked.", NULL, NULL, NULL },
      "Appointment", "&_sort=-date" },
};
/* clang-format on */

static const struct {
    const char *tab, *title;
    err (*draw)(struct record_look *look);
} tabs[] = {
    { "timeline", "Timeline", timeline_draw },
    { "results", "Results", result_draw },
    { "medicines", "Medicines", medicine_draw },
};

static err open_look(struct http_request *request, struct http_response *response,
                     struct record_look *look, bool *refused)
{
    err opened = record_look_open(request, response, look);
    *refused = opened == ERR_NOT_FOUND || opened == ERR_GONE;
    return *refused ? record_look_refuse(request, response) : opened;
}

/* What was just done, by a word in the address: only words of this table are ever shown. */
static void draw_done(struct record_look *look)
{
    static const struct { const char *word, *text; } said[] = {
        { "allergy", "The allergy is saved." }, { "problem", "The problem is saved." },
        { "alert", "The alert is saved." }, { "medicine", "The medicine is saved." },
        { "seen", "The results are acknowledged." },
        { "asked", "They were asked to look; the report waits until it is acknowledged." },
        { "task", "The task is saved." }, { "merged", "The two records are one now." },
        { "unmerged", "They are two records again." },
        { "moved", "The entry was moved; both records keep a trace." },
        { "wrong", "The entry is marked as entered in error; it is kept, and no longer used." },
    };
    str word = http_query_value(look->cx->arena, look->request->query, S("done"));
    for (size_t i = 0; i < COUNT(said); i++)
        if (str_eq(word, str_of(said[i].word)))
            ui_done_draw(&look->out, &(struct ui_done){ .text = str_of(said[i].text) });
}

err home_get(struct http_request *request, struct http_response *response)
{
    struct record_look look;
    bool refused;
    TRY(open_look(request, response, &look, &refused));
    if (refused)
        return ERR_OK;
    find_remember(&look);
    record_look_head(&look, "", S("Summary"));
    draw_done(&look);
    TRY(draw_summary(&look));
    return record_look_send(&look);
}

err home_tab_get(struct http_request *request, struct http_response *response)
{
    struct record_look look;
    bool refused;
    str tab = request->captures[1];
    TRY(open_look(request, response, &look, &refused));
    if (refused)
        return ERR_OK;
    for (size_t i = 0; i < COUNT(tabs); i++)
        if (str_eq(tab, str_of(tabs[i].tab))) {
            record_look_head(&look, tabs[i].tab, str_of(tabs[i].title));
            draw_done(&look);
            TRY(tabs[i].draw(&look));
            return record_look_send(&look);
        }
    for (size_t i = 0; i < COUNT(lists); i++)
        if (str_eq(tab, str_of(lists[i].card.id))) {
            record_look_head(&look, lists[i].card.id, str_of(lists[i].card.title));
            TRY(draw_list(&look, &lists[i]));
            return record_look_send(&look);
        }
    return ctx_failf(request->cx, ERR_NOT_FOUND, S(""), "the record has no page %.*s",
                     STR_ARG(tab));
}
