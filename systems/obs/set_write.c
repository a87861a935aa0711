/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/set.h"

/* The values of a set, one Observation each: which fields it holds and how it is called. */
enum raw_kind { RAW_NUMBER, RAW_PRESSURE, RAW_ACVPU, RAW_OXYGEN };
static const struct raw {
    const char *suffix;
    enum raw_kind kind;
    enum obs_vital vital; /* of a number */
    struct obs_code code; /* of the others */
} raws[] = {
    { "resp", RAW_NUMBER, OBS_RESP, { 0 } },
    { "spo2", RAW_NUMBER, OBS_SPO2, { 0 } },
    { "oxygen", RAW_OXYGEN, OBS_VITALS, { "371825009", "Patient on oxygen", NULL, NULL } },
    { "bp", RAW_PRESSURE, OBS_VITALS, { "75367002", "Blood pressure", "85354-9", NULL } },
    { "pulse", RAW_NUMBER, OBS_PULSE, { 0 } },
    { "acvpu", RAW_ACVPU, OBS_VITALS,
      { "1104441000000107", "ACVPU (Alert Confusion Voice Pain Unresponsive) scale score", NULL,
        NULL } },
    { "temp", RAW_NUMBER, OBS_TEMP, { 0 } },
};
static const struct obs_code on_air = { "722742002", "Breathing room air", NULL, NULL };

static str raw_id(struct ctx *cx, str key, const struct raw *raw)
{
    return arena_printf(cx->arena, "%.*s-%s", STR_ARG(key), raw->suffix);
}

static bool has_raw(const struct obs_set *set, const struct raw *raw)
{
    switch (raw->kind) {
    case RAW_NUMBER: return set->values[raw->vital] != OBS_NONE;
    case RAW_PRESSURE: return set->values[OBS_SYSTOLIC] != OBS_NONE ||
                              set->values[OBS_DIASTOLIC] != OBS_NONE;
    case RAW_ACVPU: return set->acvpu != 0;
    case RAW_OXYGEN: break;
    }
    return set->on_oxygen != OBS_NONE;
}

static bool same_raw(const struct obs_set *a, const struct obs_set *b, const struct raw *raw)
{
    if (a->at_ms != b->at_ms)
        return false;
    switch (raw->kind) {
    case RAW_NUMBER: return a->values[raw->vital] == b->values[raw->vital];
    case RAW_PRESSURE: return a->values[OBS_SYSTOLIC] == b->values[OBS_SYSTOLIC] &&
                              a->values[OBS_DIASTOLIC] == b->values[OBS_DIASTOLIC];
    case RAW_ACVPU: return a->acvpu == b->acvpu;
    case RAW_OXYGEN: break;
    }
    return a->on_oxygen == b->on_oxygen && a->values[OBS_FLOW] == b->values[OBS_FLOW] &&
           a->values[OBS_FIO2] == b->values[OBS_FIO2] && str_eq(a->device, b->device);
}

/* ---- what every one of them says ---- */

static void put_category(struct json_writer *w, const char *code)
{
    json_key(w, "category");
    json_raw(w, str_eq(str_of(code), S("survey"))
        ? S("[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
            "observation-category\",\"code\":\"survey\"}]}]")
        : S("[{\"coding\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/"
            "observation-category\",\"code\":\"vital-signs\"}]}]"));
}

static void put_note(struct ctx *cx, struct json_writer *w, str text)
{
    if (!text.n)
        return;
    json_key(w, "note");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "authorString", obs_author_name(cx));
    json_put_str(w, "time", obs_when(cx, cx->now_ms));
    json_put_str(w, "text", text);
    json_close(w, '}');
    json_close(w, ']');
}

static void put_head(struct ctx *cx, struct json_writer *w, const struct obs_writing *what, str id,
                     const struct obs_code *code, const char *category)
{
    json_open(w, '{');
    json_put_str(w, "resourceType", S("Observation"));
    json_put_str(w, "id", id);
    json_put_str(w, "status", what->before ? S("corrected") : S("final"));
    put_category(w, category);
    obs_put_code(w, "code", code);
    obs_put_reference(cx, w, "subject", "Patient", what->patient);
    if (what->encounter.n)
        obs_put_reference(cx, w, "encounter", "Encounter", what->encounter);
    json_put_str(w, "effectiveDateTime", obs_when(cx, what->set->at_ms));
    json_put_str(w, "issued", obs_when(cx, what->before && what->before->issued_ms
                                               ? what->before->issued_ms : cx->now_ms));
    json_key(w, "performer");
    json_open(w, '[');
    obs_put_author(cx, w);
    json_close(w, ']');
    put_note(cx, w, what->reason);
}

static void put_value(struct ctx *cx, struct json_writer *w, enum obs_vital vital, int value)
{
    obs_put_quantity(w, "valueQuantity", obs_vital_text(cx, vital, value), obs_vitals[vital].unit,
                     obs_vitals[vital].ucum);
}

static void put_components(struct ctx *cx, struct json_writer *w, const struct obs_set *set,
                           const enum obs_vital *vitals, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++)
        any |= set->values[vitals[i]] != OBS_NONE;
    if (!any)
        return;
    json_key(w, "component");
    json_open(w, '[');
    for (size_t i = 0; i < count; i++) {
        if (set->values[vitals[i]] == OBS_NONE)
            continue;
        json_open(w, '{');
        obs_put_code(w, "code", &obs_vitals[vitals[i]].code);
        put_value(cx, w, vitals[i], set->values[vitals[i]]);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static str raw_text(struct ctx *cx, const struct obs_writing *what, const struct raw *raw)
{
    static const enum obs_vital pressures[] = { OBS_SYSTOLIC, OBS_DIASTOLIC };
    static const enum obs_vital gases[] = { OBS_FLOW, OBS_FIO2 };
    const struct obs_set *set = what->set;
    struct buf buf = buf_make(cx->arena, OBS_BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    const struct obs_code *code = raw->kind == RAW_NUMBER ? &obs_vitals[raw->vital].code
        : raw->kind == RAW_OXYGEN && set->on_oxygen == 0 ? &on_air : &raw->code;
    put_head(cx, &w, what, raw_id(cx, what->key, raw), code, "vital-signs");
    if (raw->kind == RAW_NUMBER)
        put_value(cx, &w, raw->vital, set->values[raw->vital]);
    if (raw->kind == RAW_PRESSURE)
        put_components(cx, &w, set, pressures, COUNT(pressures));
    if (raw->kind == RAW_ACVPU)
        obs_put_code(&w, "valueCodeableConcept", &obs_acvpu_find(set->acvpu)->code);
    if (raw->kind == RAW_OXYGEN && set->on_oxygen == 1) {
        json_put_raw(&w, "valueBoolean", S("true"));
        if (set->device.n) {
            json_key(&w, "method");
            json_open(&w, '{');
            json_put_str(&w, "text", set->device);
            json_close(&w, '}');
        }
        put_components(cx, &w, set, gases, COUNT(gases));
    }
    json_close(&w, '}');
    return buf_str(&buf);
}

/* ---- the score ---- */

static void put_extension(struct json_writer *w, const char *name, const char *type, str raw)
{
    json_open(w, '{');
    json_key(w, "url");
    char url[128];
    int n = snprintf(url, sizeof url, OBS_URL "%s", name);
    json_str(w, (str){ url, (size_t)n });
    json_put_raw(w, type, raw);
    json_close(w, '}');
}

static void put_extensions(struct ctx *cx, struct json_writer *w, const struct obs_writing *what,
                           const struct obs_result *result)
{
    json_key(w, "extension");
    json_open(w, '[');
    put_extension(w, "news2-table", "valueString",
                  arena_printf(cx->arena, "\"%s\"", news2_table));
    put_extension(w, "spo2-scale", "valueInteger", what->set->scale2 ? S("2") : S("1"));
    if (what->set->scale2 && what->target.n)
        put_extension(w, "oxygen-target-decision", "valueReference",
                      arena_printf(cx->arena, "{\"reference\":\"MedicationRequest/%.*s\"}",
                                   STR_ARG(what->target)));
    if (!result->complete && !result->excluded) {
        put_extension(w, "news2-partial-minimum", "valueInteger",
                      arena_printf(cx->arena, "%d", result->total));
        put_extension(w, "news2-partial-red", "valueBoolean",
                      result->highest == 3 ? S("true") : S("false"));
    }
    json_close(w, ']');
}

static void put_absent(struct json_writer *w, const char *code, str text)
{
    json_key(w, "dataAbsentReason");
    json_open(w, '{');
    json_key(w, "coding");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "system", S("http://terminology.hl7.org/CodeSystem/data-absent-reason"));
    json_put_str(w, "code", str_of(code));
    json_close(w, '}');
    json_close(w, ']');
    json_put_str(w, "text", text);
    json_close(w, '}');
}

static void put_parts(struct ctx *cx, struct json_writer *w, const struct obs_set *set,
                      const struct obs_result *result)
{
    json_key(w, "component");
    json_open(w, '[');
    for (size_t i = 0; i < NEWS2_PARTS; i++) {
        const char *code = i == NEWS2_SPO2 && set->scale2 ? OBS_SPO2_SCALE2 : news2_names[i].snomed;
        json_open(w, '{');
        obs_put_code(w, "code", &(struct obs_code){ .snomed = code,
                                                    .display = news2_names[i].title });
        if (result->parts[i] == OBS_NONE)
            put_absent(w, "not-performed", S("not recorded"));
        else
            obs_put_quantity(w, "valueQuantity",
                             arena_printf(cx->arena, "%d", result->parts[i]), "score", "{score}");
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void put_sources(struct ctx *cx, struct json_writer *w, const struct obs_writing *what)
{
    if (obs_set_result(what->set).none)
        return;
    json_key(w, "derivedFrom");
    json_open(w, '[');
    for (size_t i = 0; i < COUNT(raws); i++)
        if (has_raw(what->set, &raws[i]))
            obs_put_reference(cx, w, NULL, "Observation", raw_id(cx, what->key, &raws[i]));
    json_close(w, ']');
}

static str score_text(struct ctx *cx, const struct obs_writing *what)
{
    static const struct obs_code score = {
        OBS_SCORE, "Royal College of Physicians NEWS2 (National Early Warning Score 2) total score",
        NULL, NULL };
    struct obs_result result = obs_set_result(what->set);
    struct buf buf = buf_make(cx->arena, OBS_BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    put_head(cx, &w, what, what->key, &score, "survey");
    put_extensions(cx, &w, what, &result);
    if (result.complete) {
        obs_put_quantity(&w, "valueQuantity", arena_printf(cx->arena, "%d", result.total),
                         "score", "{score}");
        json_put_raw(&w, "interpretation", arena_printf(cx->arena, "[{\"text\":\"%s\"}]",
                                                        result.text));
    } else if (result.excluded) {
        put_absent(&w, "not-applicable", what->set->excluded);
    } else {
        put_absent(&w, "not-performed", arena_printf(cx->arena,
            "incomplete: %zu of 7 not recorded; at least %d", result.missing, result.total));
    }
    put_sources(cx, &w, what);
    if (!result.excluded)
        put_parts(cx, &w, what->set, &result);
    json_close(&w, '}');
    return buf_str(&buf);
}

/* ---- operations ---- */

/* The resource as it is, with another status and a note; meta is the store's. */
static str restated(struct ctx *cx, struct json body, const char *status, str reason)
{
    struct buf buf = buf_make(cx->arena, OBS_BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    for (struct json_walk walk = json_walk(body); json_next(&walk);) {
        str key = json_string(cx->arena, walk.key);
        if (str_eq(key, S("status")))
            json_put_str(&w, "status", str_of(status));
        else if (!str_eq(key, S("meta")) && !str_eq(key, S("note"))) {
            json_key_str(&w, key);
            json_raw(&w, json_text(walk.value));
        }
    }
    put_note(cx, &w, reason);
    json_close(&w, '}');
    return buf_str(&buf);
}

err obs_error_op(struct ctx *cx, struct store *store, str id, str reason,
                 struct commit_op *op)
{
    struct store_version version;
    struct json body;
    TRY(obs_read(cx, store, "Observation", id, &version, &body));
    return obs_fhir_op(cx, "Observation", id, version.vid,
                       restated(cx, body, "entered-in-error", reason), op);
}

static err current_vid(struct ctx *cx, struct store *store, str id, int64_t *vid)
{
    struct store_version version;
    uint16_t type = fhir_resource_find(S("Observation"));
    err found = store_read(cx, store, type, id, &version);
    *vid = found == ERR_OK ? version.vid : 0;
    return found == ERR_NOT_FOUND || found == ERR_GONE ? ERR_OK : found;
}

static err raw_op(struct ctx *cx, struct store *store, const struct obs_writing *what,
                  const struct raw *raw, struct commit_op *ops, size_t *count)
{
    str id = raw_id(cx, what->key, raw);
    bool was = what->before && has_raw(what->before, raw), is = has_raw(what->set, raw);
    int64_t vid = 0;
    if ((!was && !is) || (was && is && same_raw(what->before, what->set, raw)))
        return ERR_OK;
    if (!is)
        return obs_error_op(cx, store, id, what->reason, &ops[(*count)++]);
    if (what->before)
        TRY(current_vid(cx, store, id, &vid));
    return obs_fhir_op(cx, "Observation", id, vid, raw_text(cx, what, raw), &ops[(*count)++]);
}

err obs_set_ops(struct ctx *cx, struct store *store, const struct obs_writing *what,
                struct commit_op *ops, size_t *count)
{
    for (size_t i = 0; i < COUNT(raws); i++)
        TRY(raw_op(cx, store, what, &raws[i], ops, count));
    return obs_fhir_op(cx, "Observation", what->key, what->before ? what->before->vid : 0,
                       score_text(cx, what), &ops[(*count)++]);
}

err obs_set_error_ops(struct ctx *cx, struct store *store, str id, str reason,
                      struct commit_op *ops, size_t *count)
{
    struct store_version version;
    struct json body;
    TRY(obs_read(cx, store, "Observation", id, &version, &body));
    for (struct json_walk w = json_walk(json_get(body, S("derivedFrom"))); json_next(&w);) {
        str part = obs_reference(cx, w.value, "Observation");
        if (str_given(part) && *count < OBS_OPS_MAX - 1)
            TRY(obs_error_op(cx, store, part, reason, &ops[(*count)++]));
    }
    return obs_error_op(cx, store, id, reason, &ops[(*count)++]);
}

err obs_set_rescore(struct ctx *cx, struct store *store, str id, struct commit_op *op,
                    bool *changed)
{
    struct obs_set set;
    str patient;
    struct store_version version;
    struct json body;
    *changed = false;
    TRY(obs_set_read(cx, store, id, &patient, &set));
    struct obs_result now = obs_set_result(&set);
    bool same = now.complete ? set.sent_total == now.total : set.sent_total == OBS_NONE;
    for (size_t i = 0; i < NEWS2_PARTS; i++)
        same &= set.sent_parts[i] == now.parts[i];
    if (!set.own || set.in_error || set.excluded.n || same)
        return ERR_OK;
    TRY(obs_read(cx, store, "Observation", id, &version, &body));
    struct obs_writing what = {
        .set = &set, .before = &set, .patient = patient, .key = id,
        .encounter = obs_reference(cx, json_get(body, S("encounter")), "Encounter"),
        .target = obs_reference(cx, json_get(obs_extension(body, "oxygen-target-decision"),
                                             S("valueReference")), "MedicationRequest"),
        .reason = S("scored anew: a value of this set was changed") };
    *changed = true;
    return obs_fhir_op(cx, "Observation", id, version.vid, score_text(cx, &what), op);
}
