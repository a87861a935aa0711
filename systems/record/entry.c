/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/entry.h"
#include "auth/gate.h"
#include "clinical/london.h"
#include "systems/record/codes.h"

enum { BODY_BYTES = 1 << 20 };

const struct entry_kind *const entry_kinds[] = {
    &entry_allergy, &entry_problem, &entry_alert, &entry_medicine, &entry_task,
    &entry_note, &entry_handover, &entry_discharge, NULL,
};

const struct entry_kind *entry_kind_find(str name)
{
    for (size_t i = 0; entry_kinds[i]; i++)
        if (str_eq(name, str_of(entry_kinds[i]->name)))
            return entry_kinds[i];
    return NULL;
}

const struct entry_kind *entry_kind_of(struct json body)
{
    for (size_t i = 0; entry_kinds[i]; i++)
        if (json_string_is(json_get(body, S("resourceType")), str_of(entry_kinds[i]->type)) &&
            entry_kinds[i]->is(body))
            return entry_kinds[i];
    return NULL;
}

struct entry_author entry_author(struct ctx *cx)
{
    if (!cx->user)
        return (struct entry_author){ S(""), S("Nobody signed in (open demonstration)") };
    const struct people_user *person = &cx->user->person;
    str name = person->display.n ? person->display : person->name.n ? person->name
                                                                    : cx->user->client;
    return (struct entry_author){ person->who, name };
}

str entry_now(struct ctx *cx)
{
    char *text = arena_alloc(cx->arena, LONDON_TEXT);
    london_write(cx->now_ms, text);
    return (str){ text, LONDON_TEXT };
}

/* ---- pieces of JSON ---- */

str entry_reference(struct ctx *cx, const char *type, str id)
{
    return arena_printf(cx->arena, "{\"reference\":\"%s/%.*s\"}", type, STR_ARG(id));
}

str entry_person(struct ctx *cx, const struct entry_author *author)
{
    struct buf buf = buf_make(cx->arena, BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    if (author->reference.n)
        json_put_str(&w, "reference", author->reference);
    json_put_str(&w, "display", author->display);
    json_close(&w, '}');
    return buf_str(&buf);
}

void entry_put(struct entry_change *change, const char *key, str json)
{
    if (change->members_count < ENTRY_MEMBERS)
        change->members[change->members_count++] = (struct entry_member){ key, json };
}

void entry_put_text(struct entry_change *change, const char *key, str text)
{
    entry_put(change, key, text.n ? record_json_text(change->cx, text) : (str){ 0 });
}

str entry_concept(struct ctx *cx, const struct entry_value *value)
{
    struct buf buf = buf_make(cx->arena, BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    str code = value->code, system;
    if (!value->text.n && !code.n)
        return (str){ 0 };
    json_open(&w, '{');
    if (str_next(&code, '|', &system) && code.n) {
        json_key(&w, "coding");
        json_open(&w, '[');
        json_open(&w, '{');
        json_put_str(&w, "system", system);
        json_put_str(&w, "code", code);
        if (value->text.n)
            json_put_str(&w, "display", value->text);
        json_close(&w, '}');
        json_close(&w, ']');
    }
    if (value->text.n)
        json_put_str(&w, "text", value->text);
    json_close(&w, '}');
    return buf_str(&buf);
}

str entry_code(struct ctx *cx, const char *system, str code)
{
    return arena_printf(cx->arena, "{\"coding\":[{\"system\":\"%s\",\"code\":\"%.*s\"}]}", system,
                        STR_ARG(code));
}

struct entry_value entry_read_concept(struct ctx *cx, struct json concept)
{
    struct json coding = json_at(json_get(concept, S("coding")), 0);
    str system = record_text(cx, coding, "system"), code = record_text(cx, coding, "code");
    str text = record_text(cx, concept, "text");
    struct entry_value value = { .text = text.n ? text : record_text(cx, coding, "display") };
    if (code.n)
        value.code = arena_printf(cx->arena, "%.*s|%.*s", STR_ARG(system), STR_ARG(code));
    if (!value.text.n)
        value.text = code;
    return value;
}

/* ---- the whole resource ---- */

static const struct entry_member *member_for(const struct entry_change *change, struct json key)
{
    for (size_t i = 0; i < change->members_count; i++)
        if (json_string_is(key, str_of(change->members[i].key)))
            return &change->members[i];
    return NULL;
}

err entry_made(struct entry_change *change, const char *type, struct json *out)
{
    struct ctx *cx = change->cx;
    struct buf buf = buf_make(cx->arena, BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    if (!json_is(change->before, JSON_OBJECT))
        json_put_str(&w, "resourceType", str_of(type));
    for (struct json_walk walk = json_walk(change->before); json_next(&walk);) {
        const struct entry_member *member = member_for(change, walk.key);
        str value = member ? member->json : json_text(walk.value);
        if (!str_given(value))
            continue;
        json_key_str(&w, json_string(cx->arena, walk.key));
        json_raw(&w, value);
    }
    for (size_t i = 0; i < change->members_count; i++)
        if (str_given(change->members[i].json) &&
            json_is(json_get(change->before, str_of(change->members[i].key)), JSON_ABSENT))
            json_put_raw(&w, change->members[i].key, change->members[i].json);
    json_close(&w, '}');
    if (buf.full)
        return ctx_fail(cx, ERR_LIMIT, S(""), S("the entry would be too long: write less"));
    return json_parse(cx, buf_str(&buf), out);
}

bool entry_mark_wrong(struct entry_change *change, str type)
{
    static const char *const by_status[] = {
        "Observation", "Composition", "Task", "Flag", "MedicationStatement", "MedicationRequest",
        "DocumentReference", "DiagnosticReport", "Encounter", "Procedure", "Immunization",
        "ServiceRequest", "Appointment", "CarePlan", "CareTeam", "Goal", "Communication", "List",
        "MedicationAdministration", "ClinicalImpression", "DeviceUseStatement", "Media",
        "QuestionnaireResponse", "RiskAssessment",
    };
    static const struct { const char *type, *system; } by_verification[] = {
        { "Condition", "http://terminology.hl7.org/CodeSystem/condition-ver-status" },
        { "AllergyIntolerance",
          "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification" },
    };
    for (size_t i = 0; i < COUNT(by_status); i++)
        if (str_eq(type, str_of(by_status[i]))) {
            entry_put_text(change, "status", S("entered-in-error"));
            return true;
        }
    for (size_t i = 0; i < COUNT(by_verification); i++)
        if (str_eq(type, str_of(by_verification[i].type))) {
            entry_put(change, "verificationStatus",
                      entry_code(change->cx, by_verification[i].system, S("entered-in-error")));
            entry_put(change, "clinicalStatus", (str){ 0 }); /* the invariant asks for none */
            return true;
        }
    return false;
}
