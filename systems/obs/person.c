/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/person.h"
#include "clinical/decimal.h"
#include "ui/page.h"

enum { CONDITIONS_MAX = 100, DECISIONS_MAX = 20 };

/* Problems that take a person out of NEWS2. The list is a local choice: unconfirmed. */
static const struct { const char *code; bool pregnancy; } exclusions[] = {
    { "77386006", true },   /* pregnant */
    { "72892002", true },   /* normal pregnancy */
    { "47200007", true },   /* high-risk pregnancy */
    { "90584004", false },  /* spinal cord injury */
    { "11538006", false },  /* quadriplegia */
};

static bool is_active(struct json condition)
{
    struct json clinical = json_get(condition, S("clinicalStatus"));
    struct json verified = json_get(condition, S("verificationStatus"));
    static const char *const over[] = { "inactive", "remission", "resolved" };
    static const char *const wrong[] = { "refuted", "entered-in-error" };
    for (size_t i = 0; i < COUNT(over); i++)
        if (obs_has_code(clinical, "http://terminology.hl7.org/CodeSystem/condition-clinical",
                         over[i]))
            return false;
    for (size_t i = 0; i < COUNT(wrong); i++)
        if (obs_has_code(verified, "http://terminology.hl7.org/CodeSystem/condition-ver-status",
                         wrong[i]))
            return false;
    return true;
}

static err read_conditions(struct ctx *cx, struct store *store, struct obs_person *out)
{
    struct obs_found found;
    struct buf query = buf_make(cx->arena, 4096);
    buf_printf(&query, "patient=%.*s&code=", STR_ARG(out->id));
    for (size_t i = 0; i < COUNT(exclusions); i++)
        buf_printf(&query, "%s%s", i ? "," : "", exclusions[i].code);
    TRY(obs_search(cx, store, "Condition", buf_str(&query), CONDITIONS_MAX, &found));
    for (size_t i = 0; i < found.count; i++)
        for (size_t k = 0; k < COUNT(exclusions); k++)
            if (is_active(found.bodies[i]) &&
                obs_has_code(json_get(found.bodies[i], S("code")), OBS_SNOMED, exclusions[k].code))
                *(exclusions[k].pregnancy ? &out->pregnant : &out->spinal) = true;
    return ERR_OK;
}

static str bound_of(struct json decision, const char *side)
{
    struct json range = json_get(obs_extension(decision, "oxygen-target"), S("valueRange"));
    return json_text(json_get(json_get(range, str_of(side)), S("value")));
}

/* A decision is one of its stay: the next begins on scale 1 until somebody decides again. */
static err read_target(struct ctx *cx, struct store *store, struct obs_person *out)
{
    struct obs_found found;
    str earlier = { 0 };
    TRY(obs_search(cx, store, "MedicationRequest",
                   arena_printf(cx->arena, "patient=%.*s&status=active&code=24099007",
                                STR_ARG(out->id)), DECISIONS_MAX, &found));
    for (size_t i = 0; i < found.count; i++) {
        struct json body = found.bodies[i], author = json_get(body, S("requester"));
        struct obs_target target = {
            .id = json_string(cx->arena, json_get(body, S("id"))),
            .who = json_string(cx->arena, json_get(author, S("display"))),
            .at_ms = obs_read_instant(cx, json_get(body, S("authoredOn"))),
            .reason = json_string(cx->arena, json_get(json_at(json_get(body, S("reasonCode")), 0),
                                                      S("text"))),
        };
        if (!target.who.n)
            target.who = json_string(cx->arena, json_get(author, S("reference")));
        target.set = target.who.n && target.at_ms && target.at_ms <= cx->now_ms &&
                     str_eq(bound_of(body, "low"), S("88")) &&
                     str_eq(bound_of(body, "high"), S("92"));
        str stay = obs_reference(cx, json_get(body, S("encounter")), "Encounter");
        if (target.set && stay.n && !str_eq(stay, out->encounter))
            earlier = ui_time(cx, target.at_ms);
        else if (target.set && target.at_ms > out->target.at_ms)
            out->target = target;
    }
    if (!out->target.set)
        out->target.earlier = earlier;
    return ERR_OK;
}

static err read_weight(struct ctx *cx, struct store *store, struct obs_person *out)
{
    struct obs_found found;
    TRY(obs_search(cx, store, "Observation",
                   arena_printf(cx->arena, "patient=%.*s&code=29463-7,27113001&status=final,"
                                "corrected,amended&_sort=-date", STR_ARG(out->id)), 1, &found));
    if (!found.count)
        return ERR_OK;
    struct json quantity = json_get(found.bodies[0], S("valueQuantity"));
    str unit = json_string(cx->arena, json_get(quantity, S("code")));
    int64_t at_ms = obs_read_instant(cx, json_get(found.bodies[0], S("effectiveDateTime")));
    int64_t grams;
    if (!str_eq(unit, S("kg")) || !at_ms ||
        !decimal_scaled(json_text(json_get(quantity, S("value"))), 3, &grams))
        return ERR_OK;
    out->weight_g = grams;
    out->weight_ms = at_ms;
    out->weight = arena_printf(cx->arena, "%lld.%lld kg on %.*s", (long long)(grams / 1000),
                               (long long)(grams % 1000 / 100), STR_ARG(ui_time(cx, at_ms)));
    return ERR_OK;
}

static str why_excluded(struct ctx *cx, const struct obs_person *person)
{
    struct issues issues = { .arena = cx->arena };
    struct news2_person asked = { person->age_years, person->pregnant, person->spinal };
    return news2_check_person(&issues, asked) == ERR_OK ? (str){ 0 } : issues.list[0].text;
}

err obs_person_read(struct ctx *cx, struct store *store, str id, struct obs_person *out)
{
    *out = (struct obs_person){ .id = id };
    TRY(ui_banner_read(cx, store, id, &out->banner));
    out->encounter = out->banner.encounter;
    out->ward = out->banner.ward;
    out->age_years = ui_age_years(out->banner.who.birth_date, cx->now_ms);
    if (out->age_years < 0)
        out->age_years = NEWS2_MISSING;
    TRY(read_conditions(cx, store, out));
    TRY(read_target(cx, store, out));
    TRY(read_weight(cx, store, out));
    out->excluded = why_excluded(cx, out);
    return ERR_OK;
}

/* ---- the decision ---- */

err obs_target_op(struct ctx *cx, const struct obs_person *person, str reason,
                  struct commit_op *op)
{
    struct buf buf = buf_make(cx->arena, OBS_BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("MedicationRequest"));
    json_put_raw(&w, "extension", S("[{\"url\":\"" OBS_URL "oxygen-target\",\"valueRange\":"
        "{\"low\":{\"value\":88,\"unit\":\"%\",\"system\":\"http://unitsofmeasure.org\","
        "\"code\":\"%\"},\"high\":{\"value\":92,\"unit\":\"%\",\"system\":"
        "\"http://unitsofmeasure.org\",\"code\":\"%\"}}}]"));
    json_put_str(&w, "status", S("active"));
    json_put_str(&w, "intent", S("order"));
    obs_put_code(&w, "medicationCodeableConcept", &(struct obs_code){ "24099007", "Oxygen", NULL,
                                                                      NULL });
    obs_put_reference(cx, &w, "subject", "Patient", person->id);
    if (person->encounter.n)
        obs_put_reference(cx, &w, "encounter", "Encounter", person->encounter);
    json_put_str(&w, "authoredOn", obs_when(cx, cx->now_ms));
    json_key(&w, "requester");
    obs_put_author(cx, &w);
    json_key(&w, "reasonCode");
    json_open(&w, '[');
    json_open(&w, '{');
    json_put_str(&w, "text", reason);
    json_close(&w, '}');
    json_close(&w, ']');
    json_put_raw(&w, "dosageInstruction",
                 S("[{\"text\":\"Oxygen to a target saturation of 88-92 %\"}]"));
    json_close(&w, '}');
    return obs_fhir_op(cx, "MedicationRequest", S(""), 0, buf_str(&buf), op);
}

err obs_target_stop_op(struct ctx *cx, struct store *store, const struct obs_target *target,
                       str reason, struct commit_op *op)
{
    struct store_version version;
    struct json body;
    struct buf buf = buf_make(cx->arena, OBS_BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    TRY(obs_read(cx, store, "MedicationRequest", target->id, &version, &body));
    json_open(&w, '{');
    for (struct json_walk walk = json_walk(body); json_next(&walk);) {
        str key = json_string(cx->arena, walk.key);
        if (str_eq(key, S("meta")) || str_eq(key, S("statusReason")))
            continue;
        json_key_str(&w, key);
        json_raw(&w, str_eq(key, S("status")) ? S("\"stopped\"") : json_text(walk.value));
    }
    json_key(&w, "statusReason");
    json_open(&w, '{');
    json_put_str(&w, "text", arena_printf(cx->arena, "%.*s (%.*s)", STR_ARG(reason),
                                          STR_ARG(obs_author_name(cx))));
    json_close(&w, '}');
    json_close(&w, '}');
    return obs_fhir_op(cx, "MedicationRequest", target->id, version.vid, buf_str(&buf), op);
}
