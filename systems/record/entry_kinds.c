/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/entry.h"
#include "ui/banner.h"

#define HL7 "http://terminology.hl7.org/CodeSystem/"
#define SNOMED "http://snomed.info/sct"
#define NO_KNOWN_ALLERGY SNOMED "|716186003"

enum { NOTES_BYTES = 1 << 20 };

static bool always(struct json body)
{
    (void)body;
    return true;
}

/* A status given as one coding, empty when it is not one of the options. */
static str read_code(struct ctx *cx, struct json body, const char *key)
{
    struct json coding = json_at(json_get(json_get(body, str_of(key)), S("coding")), 0);
    return record_text(cx, coding, "code");
}

/* The first note as changed, and those of others as they were. */
static str note_json(struct entry_change *c, str text)
{
    struct json notes = json_get(c->before, S("note"));
    struct buf buf = buf_make(c->cx->arena, NOTES_BYTES);
    if (!text.n && json_count(notes) < 2)
        return (str){ 0 };
    buf_char(&buf, '[');
    if (text.n)
        buf_printf(&buf, "{\"text\":%.*s}", STR_ARG(record_json_text(c->cx, text)));
    for (size_t i = 1; i < json_count(notes); i++)
        buf_printf(&buf, "%s%.*s", buf.n > 1 ? "," : "", STR_ARG(json_text(json_at(notes, i))));
    buf_char(&buf, ']');
    return buf_str(&buf);
}

static str read_note(struct ctx *cx, struct json body)
{
    return record_text(cx, json_at(json_get(body, S("note")), 0), "text");
}

static str day_of(str date_time)
{
    return str_slice(date_time, 0, 10);
}

/* Who and when of a new entry, under the names this type has for them. */
static void put_new(struct entry_change *c, const char *subject, const char *recorder,
                    const char *recorded)
{
    if (json_is(c->before, JSON_OBJECT))
        return;
    entry_put(c, subject, entry_reference(c->cx, "Patient", c->patient));
    if (c->encounter.n)
        entry_put(c, "encounter", entry_reference(c->cx, "Encounter", c->encounter));
    entry_put(c, recorder, entry_person(c->cx, &c->author));
    entry_put_text(c, recorded, entry_now(c->cx));
}

/* ---- allergy ---- */

enum { A_NONE, A_AGENT, A_REACTION, A_SEVERITY, A_CERTAINTY, A_DATE, A_SOURCE, A_NOTE, A_FIELDS };

static const struct entry_option severities[] = {
    { "", "Not known" }, { "mild", "Mild" }, { "moderate", "Moderate" }, { "severe", "Severe" },
    { 0 },
};
static const struct entry_option certainties[] = {
    { "", "Not recorded" },
    { "confirmed", "Confirmed" }, { "unconfirmed", "Reported, not confirmed" },
    { "refuted", "Refuted: tested and not allergic" }, { 0 },
};
static const struct entry_option sources[] = {
    { "", "Not recorded" }, { "The patient", "The patient" },
    { "A relative or carer", "A relative or carer" }, { "GP record", "GP record" },
    { "Earlier hospital notes", "Earlier hospital notes" }, { "Seen by us", "Seen by us" }, { 0 },
};
static const struct entry_option none_options[] = {
    { "", "An allergy or intolerance" },
    { "none", "No known allergies: the patient, carer or record was asked" }, { 0 },
};
static const struct entry_field allergy_fields[A_FIELDS] = {
    [A_NONE] = { "none", "What do you record?", NULL, UI_RADIOS, NULL, NULL, none_options, false },
    [A_AGENT] = { "agent", "What are they allergic to?", "Medicine, food or substance", UI_TEXT,
                  NULL, "agent", NULL, false },
    [A_REACTION] = { "reaction", "What happens?", "For example rash, anaphylaxis", UI_TEXT, NULL,
                     "reaction", NULL, false },
    [A_SEVERITY] = { "severity", "How bad?", NULL, UI_SELECT, NULL, NULL, severities, false },
    [A_CERTAINTY] = { "certainty", "How sure?", NULL, UI_SELECT, NULL, NULL, certainties, false },
    [A_DATE] = { "date", "When did it happen?", "Leave empty when not known", UI_TEXT, "date",
                 NULL, NULL, false },
    [A_SOURCE] = { "source", "Who says so?", NULL, UI_SELECT, NULL, NULL, sources, false },
    [A_NOTE] = { "note", "More", NULL, UI_AREA, NULL, NULL, NULL, false },
};

static void allergy_read(struct ctx *cx, struct json body, struct entry_value *v)
{
    struct json reaction = json_at(json_get(body, S("reaction")), 0);
    bool none = ui_is_no_known_allergy(body);
    v[A_NONE].text = none ? S("none") : S("");
    if (!none)
        v[A_AGENT] = entry_read_concept(cx, json_get(body, S("code")));
    v[A_REACTION] = entry_read_concept(cx, json_at(json_get(reaction, S("manifestation")), 0));
    v[A_SEVERITY].text = record_text(cx, reaction, "severity");
    v[A_CERTAINTY].text = read_code(cx, body, "verificationStatus");
    v[A_DATE].text = day_of(record_text(cx, body, "onsetDateTime"));
    v[A_SOURCE].text = record_text(cx, json_get(body, S("asserter")), "display");
    v[A_NOTE].text = read_note(cx, body);
}

/* The first reaction as changed, and the others as they were. */
static str reactions(struct entry_change *c)
{
    struct json list = json_get(c->before, S("reaction")), first = json_at(list, 0);
    struct entry_change inner = { .cx = c->cx, .before = first };
    struct json made;
    str manifestation = entry_concept(c->cx, &c->values[A_REACTION]);
    if (!str_given(manifestation))
        return (str){ 0 };
    entry_put(&inner, "manifestation", arena_printf(c->cx->arena, "[%.*s]",
                                                    STR_ARG(manifestation)));
    entry_put_text(&inner, "severity", c->values[A_SEVERITY].text);
    struct buf buf = buf_make(c->cx->arena, ENTRY_TEXT * 4);
    if (!json_is(first, JSON_OBJECT)) {
        struct json empty;
        if (json_parse(c->cx, S("{}"), &empty) != ERR_OK)
            return (str){ 0 };
        inner.before = empty;
    }
    if (entry_made(&inner, "", &made) != ERR_OK)
        return (str){ 0 };
    buf_printf(&buf, "[%.*s", STR_ARG(json_text(made)));
    for (size_t i = 1; i < json_count(list); i++)
        buf_printf(&buf, ",%.*s", STR_ARG(json_text(json_at(list, i))));
    buf_char(&buf, ']');
    return buf_str(&buf);
}

static err allergy_write(struct entry_change *c)
{
    const struct entry_value *v = c->values;
    bool none = str_eq(v[A_NONE].text, S("none"));
    struct entry_value agent = none ? (struct entry_value){ S("No known allergies"),
                                                            S(NO_KNOWN_ALLERGY) }
                                    : v[A_AGENT];
    str certainty = none && !v[A_CERTAINTY].text.n ? S("confirmed") : v[A_CERTAINTY].text;
    if (none && (v[A_AGENT].text.n || v[A_REACTION].text.n))
        return ctx_fail(c->cx, ERR_RULE, S("agent"),
                        S("no known allergies and an allergy cannot both be so: clear one"));
    if (!agent.text.n)
        return ctx_fail(c->cx, ERR_RULE, S("agent"), S("say what they are allergic to"));
    if (v[A_SEVERITY].text.n && !v[A_REACTION].text.n)
        return ctx_fail(c->cx, ERR_RULE, S("reaction"), S("say what happens, if it is known how "
                                                          "bad it is"));
    put_new(c, "patient", "recorder", "recordedDate");
    entry_put(c, "code", entry_concept(c->cx, &agent));
    entry_put(c, "clinicalStatus", entry_code(c->cx, HL7 "allergyintolerance-clinical",
                                              str_eq(certainty, S("refuted")) ? S("inactive")
                                                                              : S("active")));
    entry_put(c, "verificationStatus", certainty.n
              ? entry_code(c->cx, HL7 "allergyintolerance-verification", certainty) : (str){ 0 });
    entry_put(c, "reaction", reactions(c));
    entry_put_text(c, "onsetDateTime", v[A_DATE].text);
    entry_put(c, "asserter", v[A_SOURCE].text.n
              ? arena_printf(c->cx->arena, "{\"display\":%.*s}",
                             STR_ARG(record_json_text(c->cx, v[A_SOURCE].text)))
              : (str){ 0 });
    entry_put(c, "note", note_json(c, v[A_NOTE].text));
    return ERR_OK;
}

void entry_end_allergy(struct entry_change *c)
{
    entry_put(c, "clinicalStatus", entry_code(c->cx, HL7 "allergyintolerance-clinical",
                                              S("resolved")));
}

const struct entry_kind entry_allergy = {
    .name = "allergy", .title = "Allergy", .type = "AllergyIntolerance",
    .permission = "record.write", .fields = allergy_fields, .fields_count = A_FIELDS,
    .is = always, .read = allergy_read, .write = allergy_write,
};

/* ---- problem ---- */

enum { P_CODE, P_STATUS, P_SURE, P_ONSET, P_END, P_CATEGORY, P_NOTE, P_FIELDS };

static const struct entry_option problem_states[] = {
    { "active", "Active" }, { "inactive", "Not active now" }, { "remission", "In remission" },
    { "resolved", "Resolved" }, { 0 },
};
static const struct entry_option problem_sure[] = {
    { "confirmed", "Confirmed" }, { "provisional", "Provisional" },
    { "differential", "One of several possible" }, { "refuted", "Ruled out" }, { 0 },
};
static const struct entry_option problem_kinds[] = {
    { "problem-list-item", "Problem list: lasts beyond this stay" },
    { "encounter-diagnosis", "Diagnosis of this stay" }, { 0 },
};
static const struct entry_field problem_fields[P_FIELDS] = {
    [P_CODE] = { "code", "Problem or diagnosis", "Type the first letters of each word", UI_TEXT,
                 NULL, "problem", NULL, true },
    [P_STATUS] = { "status", "State", NULL, UI_SELECT, NULL, NULL, problem_states, false },
    [P_SURE] = { "sure", "How sure?", NULL, UI_SELECT, NULL, NULL, problem_sure, false },
    [P_ONSET] = { "onset", "Since", "Leave empty when not known", UI_TEXT, "date", NULL, NULL,
                  false },
    [P_END] = { "end", "Ended", NULL, UI_TEXT, "date", NULL, NULL, false },
    [P_CATEGORY] = { "category", "Where it belongs", NULL, UI_RADIOS, NULL, NULL, problem_kinds,
                     false },
    [P_NOTE] = { "note", "More", NULL, UI_AREA, NULL, NULL, NULL, false },
};

static void problem_read(struct ctx *cx, struct json body, struct entry_value *v)
{
    str category = record_text(cx, json_at(json_get(json_at(json_get(body, S("category")), 0),
                                                    S("coding")), 0), "code");
    v[P_CODE] = entry_read_concept(cx, json_get(body, S("code")));
    v[P_STATUS].text = read_code(cx, body, "clinicalStatus");
    v[P_SURE].text = read_code(cx, body, "verificationStatus");
    v[P_ONSET].text = day_of(record_text(cx, body, "onsetDateTime"));
    v[P_END].text = day_of(record_text(cx, body, "abatementDateTime"));
    v[P_CATEGORY].text = category;
    v[P_NOTE].text = read_note(cx, body);
}

static err problem_write(struct entry_change *c)
{
    const struct entry_value *v = c->values;
    str status = v[P_STATUS].text.n ? v[P_STATUS].text : S("active");
    str sure = v[P_SURE].text.n ? v[P_SURE].text : S("confirmed");
    str category = v[P_CATEGORY].text.n ? v[P_CATEGORY].text : S("problem-list-item");
    if (!v[P_CODE].text.n)
        return ctx_fail(c->cx, ERR_RULE, S("code"), S("say which problem or diagnosis it is"));
    if (v[P_END].text.n && str_eq(status, S("active")))
        return ctx_fail(c->cx, ERR_RULE, S("end"),
                        S("an active problem has no end: change its state or clear the date"));
    if (v[P_END].text.n && v[P_ONSET].text.n && str_cmp(v[P_END].text, v[P_ONSET].text) < 0)
        return ctx_fail(c->cx, ERR_RULE, S("end"), S("it cannot end before it began"));
    put_new(c, "subject", "recorder", "recordedDate");
    entry_put(c, "code", entry_concept(c->cx, &v[P_CODE]));
    entry_put(c, "clinicalStatus", entry_code(c->cx, HL7 "condition-clinical", status));
    entry_put(c, "verificationStatus", entry_code(c->cx, HL7 "condition-ver-status", sure));
    entry_put(c, "category", arena_printf(c->cx->arena, "[%.*s]",
              STR_ARG(entry_code(c->cx, HL7 "condition-category", category))));
    entry_put_text(c, "onsetDateTime", v[P_ONSET].text);
    entry_put_text(c, "abatementDateTime", v[P_END].text);
    entry_put(c, "note", note_json(c, v[P_NOTE].text));
    return ERR_OK;
}

const struct entry_kind entry_problem = {
    .name = "problem", .title = "Problem or diagnosis", .type = "Condition",
    .permission = "record.write", .fields = problem_fields, .fields_count = P_FIELDS,
    .is = always, .read = problem_read, .write = problem_write,
};

/* ---- alert, with the decision about resuscitation ---- */

enum { F_TEXT, F_CATEGORY, F_STATUS, F_UNTIL, F_FIELDS };

static const struct entry_option alert_kinds[] = {
    { "Clinical", "Clinical" }, { "Safety", "Safety" }, { "Infection", "Infection" },
    { "Resuscitation", "Resuscitation decision" }, { 0 },
};
static const struct entry_option alert_states[] = {
    { "active", "Holds now" }, { "inactive", "No longer holds" }, { 0 },
};
static const struct entry_field alert_fields[F_FIELDS] = {
    [F_TEXT] = { "text", "Alert", "As the banner shall say it: DNACPR decision recorded, risk of "
                 "falls, isolation needed", UI_TEXT, NULL, NULL, NULL, true },
    [F_CATEGORY] = { "category", "Kind", NULL, UI_SELECT, NULL, NULL, alert_kinds, false },
    [F_STATUS] = { "status", "State", NULL, UI_SELECT, NULL, NULL, alert_states, false },
    [F_UNTIL] = { "until", "Review by", NULL, UI_TEXT, "date", NULL, NULL, false },
};

static void alert_read(struct ctx *cx, struct json body, struct entry_value *v)
{
    v[F_TEXT].text = record_concept(cx, body, "code");
    v[F_CATEGORY].text = record_concept(cx, body, "category");
    v[F_STATUS].text = record_text(cx, body, "status");
    v[F_UNTIL].text = day_of(record_text(cx, json_get(body, S("period")), "end"));
}

static err alert_write(struct entry_change *c)
{
    struct ctx *cx = c->cx;
    const struct entry_value *v = c->values;
    str kind = v[F_CATEGORY].text.n ? v[F_CATEGORY].text : S("Clinical");
    str start = record_text(cx, json_get(c->before, S("period")), "start");
    if (!v[F_TEXT].text.n)
        return ctx_fail(cx, ERR_RULE, S("text"), S("say what others must know"));
    if (!json_is(c->before, JSON_OBJECT)) {
        entry_put(c, "subject", entry_reference(cx, "Patient", c->patient));
        entry_put(c, "author", entry_person(cx, &c->author));
        if (c->encounter.n)
            entry_put(c, "encounter", entry_reference(cx, "Encounter", c->encounter));
    }
    start = start.n ? start : entry_now(cx);
    entry_put_text(c, "status", v[F_STATUS].text.n ? v[F_STATUS].text : S("active"));
    entry_put(c, "category", arena_printf(cx->arena, "[{\"text\":%.*s}]",
                                          STR_ARG(record_json_text(cx, kind))));
    entry_put(c, "code", arena_printf(cx->arena, "{\"text\":%.*s}",
                                      STR_ARG(record_json_text(cx, v[F_TEXT].text))));
    entry_put(c, "period", v[F_UNTIL].text.n
              ? arena_printf(cx->arena, "{\"start\":\"%.*s\",\"end\":\"%.*s\"}", STR_ARG(start),
                             STR_ARG(v[F_UNTIL].text))
              : arena_printf(cx->arena, "{\"start\":\"%.*s\"}", STR_ARG(start)));
    return ERR_OK;
}

const struct entry_kind entry_alert = {
    .name = "alert", .title = "Alert", .type = "Flag", .permission = "record.write",
    .fields = alert_fields, .fields_count = F_FIELDS,
    .is = always, .read = alert_read, .write = alert_write,
};

/* ---- medicine, as the patient takes it ---- */

enum { M_NAME, M_DOSE, M_DECISION, M_WHY, M_SOURCE, M_FIELDS };

static const struct entry_option medicine_decisions[] = {
    { "unknown", "Not decided yet" }, { "active", "Continues" }, { "on-hold", "Paused" },
    { "stopped", "Stopped" }, { "not-taken", "Not taken by the patient" }, { 0 },
};
static const struct entry_field medicine_fields[M_FIELDS] = {
    [M_NAME] = { "name", "Medicine", "Name, strength and form", UI_TEXT, NULL, "medicine", NULL,
                 true },
    [M_DOSE] = { "dose", "Dose, route and how often", NULL, UI_TEXT, NULL, NULL, NULL, true },
    [M_DECISION] = { "decision", "On this stay", NULL, UI_SELECT, NULL, NULL, medicine_decisions,
                     false },
    [M_WHY] = { "why", "Why", "Needed when it is paused, stopped or not taken", UI_TEXT, NULL, NULL,
                NULL, false },
    [M_SOURCE] = { "source", "Where this is known from", NULL, UI_SELECT, NULL, NULL, sources,
                   false },
};

static void medicine_read(struct ctx *cx, struct json body, struct entry_value *v)
{
    v[M_NAME] = entry_read_concept(cx, json_get(body, S("medicationCodeableConcept")));
    v[M_DOSE].text = record_text(cx, json_at(json_get(body, S("dosage")), 0), "text");
    v[M_DECISION].text = record_text(cx, body, "status");
    v[M_WHY].text = record_concept(cx, body, "statusReason");
    v[M_SOURCE].text = record_text(cx, json_get(body, S("informationSource")), "display");
}

static err medicine_write(struct entry_change *c)
{
    struct ctx *cx = c->cx;
    const struct entry_value *v = c->values;
    str decision = v[M_DECISION].text.n ? v[M_DECISION].text : S("unknown");
    bool goes_on = str_eq(decision, S("active")) || str_eq(decision, S("unknown"));
    if (!v[M_NAME].text.n)
        return ctx_fail(cx, ERR_RULE, S("name"), S("say which medicine it is"));
    if (!v[M_DOSE].text.n)
        return ctx_fail(cx, ERR_RULE, S("dose"), S("give dose, route and how often, or write that "
                                                   "they are not known"));
    if (!goes_on && !v[M_WHY].text.n)
        return ctx_fail(cx, ERR_RULE, S("why"), S("say why it does not go on"));
    if (!json_is(c->before, JSON_OBJECT)) {
        entry_put(c, "subject", entry_reference(cx, "Patient", c->patient));
        if (c->encounter.n)
            entry_put(c, "context", entry_reference(cx, "Encounter", c->encounter));
    }
    entry_put_text(c, "status", decision);
    entry_put(c, "statusReason", v[M_WHY].text.n
              ? arena_printf(cx->arena, "[{\"text\":%.*s}]",
                             STR_ARG(record_json_text(cx, v[M_WHY].text)))
              : (str){ 0 });
    entry_put(c, "medicationCodeableConcept", entry_concept(cx, &v[M_NAME]));
    entry_put(c, "dosage", arena_printf(cx->arena, "[{\"text\":%.*s}]",
                                        STR_ARG(record_json_text(cx, v[M_DOSE].text))));
    entry_put_text(c, "dateAsserted", entry_now(cx));
    entry_put(c, "informationSource", v[M_SOURCE].text.n
              ? arena_printf(cx->arena, "{\"display\":%.*s}",
                             STR_ARG(record_json_text(cx, v[M_SOURCE].text)))
              : (str){ 0 });
    return ERR_OK;
}

const struct entry_kind entry_medicine = {
    .name = "medicine", .title = "Medicine", .type = "MedicationStatement",
    .permission = "record.write", .fields = medicine_fields, .fields_count = M_FIELDS,
    .is = always, .read = medicine_read, .write = medicine_write,
};

/* ---- task ---- */

enum { T_TEXT, T_KIND, T_PRIORITY, T_DUE, T_STATUS, T_OWNER, T_FIELDS };

static const struct entry_option task_kinds[] = {
    { "Ward task", "Ward task" }, { "Discharge task", "Discharge task" },
    { "Investigation", "Investigation" }, { "Review", "Review" }, { "Referral", "Referral" }, { 0 },
};
static const struct entry_option priorities[] = {
    { "routine", "Routine" }, { "urgent", "Urgent" }, { "asap", "As soon as possible" },
    { "stat", "Now" }, { 0 },
};
static const struct entry_option task_states[] = {
    { "requested", "To do" }, { "accepted", "Somebody has it" }, { "in-progress", "Under way" },
    { "on-hold", "Waits" }, { "completed", "Done" }, { "cancelled", "Not needed" }, { 0 },
};
static const struct entry_field task_fields[T_FIELDS] = {
    [T_TEXT] = { "text", "What is to be done?", NULL, UI_AREA, NULL, NULL, NULL, true },
    [T_KIND] = { "kind", "Kind", NULL, UI_SELECT, NULL, NULL, task_kinds, false },
    [T_PRIORITY] = { "priority", "How soon?", NULL, UI_SELECT, NULL, NULL, priorities, false },
    [T_DUE] = { "due", "By", NULL, UI_TEXT, "date", NULL, NULL, false },
    [T_STATUS] = { "status", "State", NULL, UI_SELECT, NULL, NULL, task_states, false },
    [T_OWNER] = { "owner", "Who does it?", "A name, a role or a team", UI_TEXT, NULL, NULL, NULL,
                  false },
};

static void task_read(struct ctx *cx, struct json body, struct entry_value *v)
{
    struct json owner = json_get(body, S("owner"));
    v[T_TEXT].text = record_text(cx, body, "description");
    v[T_KIND].text = record_concept(cx, body, "code");
    v[T_PRIORITY].text = record_text(cx, body, "priority");
    v[T_DUE].text = day_of(record_text(cx, json_get(json_get(body, S("restriction")),
                                                    S("period")), "end"));
    v[T_STATUS].text = record_text(cx, body, "status");
    v[T_OWNER].text = record_text(cx, owner, "display");
}

static err task_write(struct entry_change *c)
{
    struct ctx *cx = c->cx;
    const struct entry_value *v = c->values;
    str kind = v[T_KIND].text.n ? v[T_KIND].text : S("Ward task");
    str old_owner = record_text(cx, json_get(c->before, S("owner")), "display");
    if (!v[T_TEXT].text.n)
        return ctx_fail(cx, ERR_RULE, S("text"), S("say what is to be done"));
    if (!json_is(c->before, JSON_OBJECT)) {
        entry_put_text(c, "intent", S("order"));
        entry_put(c, "for", entry_reference(cx, "Patient", c->patient));
        if (c->encounter.n)
            entry_put(c, "encounter", entry_reference(cx, "Encounter", c->encounter));
        entry_put(c, "requester", entry_person(cx, &c->author));
        entry_put_text(c, "authoredOn", entry_now(cx));
    }
    entry_put_text(c, "status", v[T_STATUS].text.n ? v[T_STATUS].text : S("requested"));
    entry_put_text(c, "priority", v[T_PRIORITY].text.n ? v[T_PRIORITY].text : S("routine"));
    entry_put_text(c, "description", v[T_TEXT].text);
    entry_put(c, "code", arena_printf(cx->arena, "{\"text\":%.*s}",
                                      STR_ARG(record_json_text(cx, kind))));
    entry_put_text(c, "lastModified", entry_now(cx));
    if (!str_eq(old_owner, v[T_OWNER].text))
        entry_put(c, "owner", v[T_OWNER].text.n
                  ? arena_printf(cx->arena, "{\"display\":%.*s}",
                                 STR_ARG(record_json_text(cx, v[T_OWNER].text)))
                  : (str){ 0 });
    entry_put(c, "restriction", v[T_DUE].text.n
              ? arena_printf(cx->arena, "{\"period\":{\"end\":\"%.*s\"}}", STR_ARG(v[T_DUE].text))
              : (str){ 0 });
    return ERR_OK;
}

static bool is_task(struct json body) /* acknowledgements of results are Tasks too, not these */
{
    return !record_has_code(json_get(body, S("code")), "result-acknowledged");
}

const struct entry_kind entry_task = {
    .name = "task", .title = "Task", .type = "Task", .permission = "record.write",
    .fields = task_fields, .fields_count = T_FIELDS,
    .is = is_task, .read = task_read, .write = task_write,
};
