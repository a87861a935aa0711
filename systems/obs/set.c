/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/set.h"

/* Every code under which a part of a set may arrive; a bare code matches in any system. */
#define CODES                                                                                      \
    "1104051000000101,86290005,9279-1,431314004,103228002,2708-6,59408-5,75367002,85354-9,"        \
    "72313002,271649006,8480-6,78564009,364075005,8867-4,276885007,386725007,8310-5,"              \
    CONSCIOUS "," ON_AIR "," ON_OXYGEN ",3151-8,3150-6,"                                           \
    "1104301000000104,1104311000000102,1104321000000108,1104331000000105,1104341000000101,"        \
    "1104351000000103,1104361000000100,1104371000000107"
#define CONSCIOUS "1104441000000107"
#define ON_AIR "722742002"
#define ON_OXYGEN "371825009"
enum { BODIES_MAX = OBS_SETS_MAX * 9, SAME_LOOK_BACK = 4 };

struct news2_obs obs_set_news2(const struct obs_set *set)
{
    return (struct news2_obs){
        .resp_per_min = set->values[OBS_RESP], .spo2_pct = set->values[OBS_SPO2],
        .pulse_per_min = set->values[OBS_PULSE], .systolic_mmhg = set->values[OBS_SYSTOLIC],
        .temp_tenth_c = set->values[OBS_TEMP], .on_oxygen = set->on_oxygen,
        .alert = set->acvpu == 0 ? NEWS2_MISSING : set->acvpu == 'A' || set->acvpu == 'K',
        .spo2_scale2 = set->scale2,
    };
}

static const bool *known_parts(const struct news2_obs *o, bool known[NEWS2_PARTS])
{
    known[NEWS2_RESP] = o->resp_per_min != NEWS2_MISSING;
    known[NEWS2_SPO2] = o->spo2_pct != NEWS2_MISSING &&
                        !(o->spo2_scale2 && o->on_oxygen == NEWS2_MISSING && o->spo2_pct > 92);
    known[NEWS2_OXYGEN] = o->on_oxygen != NEWS2_MISSING;
    known[NEWS2_SYSTOLIC] = o->systolic_mmhg != NEWS2_MISSING;
    known[NEWS2_PULSE] = o->pulse_per_min != NEWS2_MISSING;
    known[NEWS2_ALERT] = o->alert != NEWS2_MISSING;
    known[NEWS2_TEMP] = o->temp_tenth_c != NEWS2_MISSING;
    return known;
}

struct obs_result obs_set_result(const struct obs_set *set)
{
    struct news2_obs obs = obs_set_news2(set);
    struct news2_score score;
    struct obs_result out = { .excluded = set->excluded.n > 0 };
    bool known[NEWS2_PARTS];
    known_parts(&obs, known);
    news2_add_up(&news2_chart, &obs, &score);
    out.total = news2_floor(&obs, &out.missing);
    out.complete = out.missing == 0 && !out.excluded;
    out.none = out.missing == NEWS2_PARTS;
    for (size_t i = 0; i < NEWS2_PARTS; i++) {
        out.parts[i] = known[i] ? score.parts[i] : OBS_NONE;
        out.highest = known[i] && score.parts[i] > out.highest ? score.parts[i] : out.highest;
    }
    out.risk = out.total >= 7 ? NEWS2_HIGH : out.total >= 5 ? NEWS2_MEDIUM
               : out.highest == 3 ? NEWS2_LOW_MEDIUM : NEWS2_LOW;
    out.text = news2_risk_name(out.risk);
    return out;
}

str obs_set_disagreement(struct ctx *cx, const struct obs_set *set)
{
    struct obs_result own = obs_set_result(set);
    int sum = 0;
    bool whole = true;
    if (set->sent_total == OBS_NONE)
        return (str){ 0 };
    for (size_t i = 0; i < NEWS2_PARTS; i++) {
        whole &= set->sent_parts[i] != OBS_NONE;
        sum += set->sent_parts[i] == OBS_NONE ? 0 : set->sent_parts[i];
        if (own.parts[i] != OBS_NONE && set->sent_parts[i] != OBS_NONE &&
            own.parts[i] != set->sent_parts[i])
            return arena_printf(cx->arena, "%s was sent as %d points; its value gives %d",
                                news2_names[i].title, set->sent_parts[i], own.parts[i]);
    }
    if (whole && sum != set->sent_total)
        return arena_printf(cx->arena, "a total of %d was sent; its own parts add up to %d",
                            set->sent_total, sum);
    if (own.missing == 0 && own.total != set->sent_total)
        return arena_printf(cx->arena, "a total of %d was sent; the values give %d",
                            set->sent_total, own.total);
    if (own.total > set->sent_total)
        return arena_printf(cx->arena, "a total of %d was sent; the values that are there give at "
                            "least %d", set->sent_total, own.total);
    return (str){ 0 };
}

bool obs_set_is_late(const struct obs_set *set)
{
    return set->issued_ms - set->at_ms > (int64_t)OBS_LATE_MIN * 60000;
}

const struct obs_set *obs_sets_latest(const struct obs_sets *sets)
{
    for (size_t i = 0; i < sets->count; i++)
        if (!sets->list[i].in_error)
            return &sets->list[i];
    return NULL;
}

/* ---- reading ---- */

static struct obs_set empty_set(int64_t at_ms)
{
    struct obs_set set = { .at_ms = at_ms, .on_oxygen = OBS_NONE, .sent_total = OBS_NONE };
    for (size_t i = 0; i < OBS_VITALS; i++)
        set.values[i] = OBS_NONE;
    for (size_t i = 0; i < NEWS2_PARTS; i++)
        set.sent_parts[i] = OBS_NONE;
    return set;
}

int64_t obs_taken_at(struct ctx *cx, struct json body)
{
    static const char *const names[] = { "effectiveDateTime", "effectiveInstant" };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct json at = json_get(body, str_of(names[i]));
        if (json_is(at, JSON_STRING))
            return obs_read_instant(cx, at);
    }
    return obs_read_instant(cx, json_get(json_get(body, S("effectivePeriod")), S("start")));
}

/* Of an Observation or component: a quantity, or an integer as some send it. */
static int points_of(struct json holder)
{
    uint64_t points;
    struct json value = json_get(json_get(holder, S("valueQuantity")), S("value"));
    if (json_is(value, JSON_ABSENT))
        value = json_get(holder, S("valueInteger"));
    return str_to_u64(json_text(value), &points) && points < 100 ? (int)points : OBS_NONE;
}

/* Points of one part: a component of the score, or an Observation of its own, as UK Core has it. */
static void read_part(struct obs_set *set, struct json holder)
{
    struct json code = json_get(holder, S("code"));
    int points = points_of(holder);
    bool scale2 = obs_has_code(code, OBS_SNOMED, OBS_SPO2_SCALE2);
    set->scale2 |= scale2;
    for (size_t i = 0; i < NEWS2_PARTS; i++)
        if (obs_has_code(code, OBS_SNOMED, news2_names[i].snomed) || (i == NEWS2_SPO2 && scale2))
            set->sent_parts[i] = points;
}

bool obs_is_of_set(struct json body)
{
    struct obs_set set = empty_set(0);
    struct json code = json_get(body, S("code"));
    read_part(&set, body);
    for (size_t i = 0; i < NEWS2_PARTS; i++)
        if (set.sent_parts[i] != OBS_NONE)
            return true;
    return obs_vital_of(code) != OBS_VITALS || obs_has_code(code, OBS_SNOMED, "75367002") ||
           obs_has_code(code, OBS_LOINC, "85354-9") || obs_has_code(code, OBS_SNOMED, CONSCIOUS) ||
           obs_has_code(code, OBS_SNOMED, ON_AIR) || obs_has_code(code, OBS_SNOMED, ON_OXYGEN);
}

static str first_text(struct ctx *cx, struct json body, const char *list, const char *element)
{
    return json_string(cx->arena, json_get(json_at(json_get(body, str_of(list)), 0),
                                           str_of(element)));
}

static void read_score(struct ctx *cx, struct obs_set *set, struct json body)
{
    struct json absent = json_get(body, S("dataAbsentReason"));
    set->id = json_string(cx->arena, json_get(body, S("id")));
    set->status = json_string(cx->arena, json_get(body, S("status")));
    set->who = first_text(cx, body, "performer", "display");
    if (!set->who.n)
        set->who = first_text(cx, body, "performer", "reference");
    set->note = first_text(cx, body, "note", "text");
    set->issued_ms = obs_read_instant(cx, json_get(body, S("issued")));
    set->own = json_kind(obs_extension(body, "news2-table")) != JSON_ABSENT;
    set->in_error = str_eq(set->status, S("entered-in-error"));
    set->amended = str_eq(set->status, S("corrected")) || str_eq(set->status, S("amended"));
    set->sent_total = points_of(body);
    if (obs_has_code(absent, "http://terminology.hl7.org/CodeSystem/data-absent-reason",
                     "not-applicable"))
        set->excluded = json_string(cx->arena, json_get(absent, S("text")));
    for (struct json_walk w = json_walk(json_get(body, S("component"))); json_next(&w);)
        read_part(set, w.value);
}

static void read_consciousness(struct obs_set *set, struct json body)
{
    struct json value = json_get(body, S("valueCodeableConcept"));
    for (size_t i = 0; i < obs_acvpus_count; i++) {
        const struct obs_code *code = &obs_acvpus[i].code;
        if (code->snomed ? obs_has_code(value, OBS_SNOMED, code->snomed)
                         : obs_has_code(value, OBS_CODES "obs", code->own))
            set->acvpu = obs_acvpus[i].letter;
    }
}

static void read_value(struct ctx *cx, struct obs_set *set, struct json holder)
{
    enum obs_vital vital = obs_vital_of(json_get(holder, S("code")));
    struct json quantity = json_get(holder, S("valueQuantity"));
    if (vital != OBS_VITALS && json_is(quantity, JSON_OBJECT))
        set->values[vital] = obs_vital_value(cx, vital, quantity);
}

static void read_oxygen(struct ctx *cx, struct obs_set *set, struct json body, bool on)
{
    struct json quantity = json_get(body, S("valueQuantity"));
    set->on_oxygen = on;
    set->device = json_string(cx->arena, json_get(json_get(body, S("method")), S("text")));
    if (on && json_is(quantity, JSON_OBJECT))
        set->values[OBS_FLOW] = obs_vital_value(cx, OBS_FLOW, quantity);
}

/* One Observation into the set it belongs to. What is in error counts for nothing. */
static void take(struct ctx *cx, struct obs_set *set, struct json body)
{
    struct json code = json_get(body, S("code"));
    if (obs_has_code(code, OBS_SNOMED, OBS_SCORE)) {
        read_score(cx, set, body);
        return;
    }
    if (json_string_is(json_get(body, S("status")), S("entered-in-error")) ||
        json_string_is(json_get(body, S("status")), S("cancelled")))
        return;
    if (obs_has_code(code, OBS_SNOMED, CONSCIOUS))
        read_consciousness(set, body);
    else if (obs_has_code(code, OBS_SNOMED, ON_AIR))
        read_oxygen(cx, set, body, false);
    else if (obs_has_code(code, OBS_SNOMED, ON_OXYGEN))
        read_oxygen(cx, set, body, true);
    read_value(cx, set, body);
    read_part(set, body);
    for (struct json_walk w = json_walk(json_get(body, S("component"))); json_next(&w);)
        read_value(cx, set, w.value);
}

struct obs_set obs_set_of(struct ctx *cx, struct json score)
{
    struct obs_set set = empty_set(obs_taken_at(cx, score));
    take(cx, &set, score);
    return set;
}

static struct obs_set *set_at(struct obs_sets *sets, int64_t at_ms)
{
    for (size_t back = 0; back < SAME_LOOK_BACK && back < sets->count; back++)
        if (sets->list[sets->count - 1 - back].at_ms == at_ms)
            return &sets->list[sets->count - 1 - back];
    if (sets->count == OBS_SETS_MAX) {
        sets->more = true;
        return NULL;
    }
    sets->list[sets->count] = empty_set(at_ms);
    return &sets->list[sets->count++];
}

err obs_sets_read(struct ctx *cx, struct store *store, str patient, int64_t from_ms,
                  struct obs_sets *out)
{
    struct obs_found found;
    struct obs_sets sets = { .list = arena_array(cx->arena, OBS_SETS_MAX, sizeof *sets.list) };
    str since = from_ms ? arena_printf(cx->arena, "&date=ge%.*s",
                                       STR_ARG(obs_instant(cx, from_ms))) : S("");
    TRY(obs_search(cx, store, "Observation",
                   arena_printf(cx->arena, "patient=%.*s&code=" CODES "%.*s&_sort=-date",
                                STR_ARG(patient), STR_ARG(since)), BODIES_MAX, &found));
    for (size_t i = 0; i < found.count; i++) {
        int64_t at_ms = obs_taken_at(cx, found.bodies[i]);
        struct obs_set *set = at_ms ? set_at(&sets, at_ms) : NULL;
        if (set)
            take(cx, set, found.bodies[i]);
    }
    sets.more |= found.count == BODIES_MAX;
    *out = sets;
    return ERR_OK;
}

err obs_set_read(struct ctx *cx, struct store *store, str id, str *patient, struct obs_set *out)
{
    struct store_version version;
    struct json body, value;
    TRY(obs_read(cx, store, "Observation", id, &version, &body));
    if (!obs_has_code(json_get(body, S("code")), OBS_SNOMED, OBS_SCORE))
        return ctx_failf(cx, ERR_NOT_FOUND, S(""), "%.*s is no set of observations", STR_ARG(id));
    struct obs_set set = empty_set(obs_taken_at(cx, body));
    take(cx, &set, body);
    set.vid = version.vid;
    *patient = obs_reference(cx, json_get(body, S("subject")), "Patient");
    for (struct json_walk w = json_walk(json_get(body, S("derivedFrom"))); json_next(&w);) {
        struct store_version part;
        str part_id = obs_reference(cx, w.value, "Observation");
        if (!str_given(part_id) ||
            obs_read(cx, store, "Observation", part_id, &part, &value) != ERR_OK)
            continue;
        take(cx, &set, value);
    }
    *out = set;
    return ERR_OK;
}
