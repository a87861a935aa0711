/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/claim.h"
#include "fhir/validate.h"
#include "store/access.h"
#include "systems/beds/worklist.h"

static bool has_code(struct json concept, str code)
{
    for (struct json_walk w = json_walk(json_get(concept, S("coding"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("code")), code))
            return true;
    return false;
}

/* The system's own question, whoever asks: what the user may see does not change what a bed is. */
static err location_is_bed(struct ctx *cx, struct store *store, str id, bool *out)
{
    const struct store_access *access = cx->access;
    size_t count = cx->issues.count, kept = cx->issues.kept;
    struct store_version version;
    struct json body;
    cx->access = NULL;
    err found = store_read(cx, store, fhir_resource_find(S("Location")), id, &version);
    cx->access = access;
    *out = false;
    if (found == ERR_NOT_FOUND || found == ERR_GONE) {
        cx->issues.count = count;
        cx->issues.kept = kept;
        return ERR_OK;
    }
    TRY(found);
    TRY(json_parse(cx, version.body, &body));
    *out = has_code(json_get(body, S("physicalType")), S("bd"));
    return ERR_OK;
}

static bool is_open(struct json encounter)
{
    static const char *const open[] = { "planned", "arrived", "triaged", "in-progress", "onleave" };
    for (size_t i = 0; i < COUNT(open); i++)
        if (json_string_is(json_get(encounter, S("status")), str_of(open[i])))
            return true;
    return false;
}

/* R4 lets the status be left out: then a place that was not left is where the patient is, once
 * the patient is here at all. */
static bool is_held(struct json encounter, struct json place)
{
    struct json status = json_get(place, S("status"));
    bool here = json_string_is(json_get(encounter, S("status")), S("in-progress"));
    if (json_is(status, JSON_ABSENT))
        return here && json_is(json_get(json_get(place, S("period")), S("end")), JSON_ABSENT);
    return json_string_is(status, S("active")) || json_string_is(status, S("reserved"));
}

/* The name of a place that is a bed; not given: it is none. */
static err name_bed(struct ctx *cx, struct store *store, struct json place, str *out)
{
    str text = json_string(cx->arena,
                           json_get(json_get(place, S("location")), S("reference")));
    struct validate_reference reference;
    bool is_bed = has_code(json_get(place, S("physicalType")), S("bd"));
    *out = (str){ 0 };
    if (!str_given(text) || !validate_read_reference(text, &reference) ||
        !str_given(reference.id) || !str_eq(reference.type, S("Location")))
        return ERR_OK;
    if (!is_bed && !str_given(reference.base))
        TRY(location_is_bed(cx, store, reference.id, &is_bed));
    if (is_bed)
        *out = arena_printf(cx->arena, "%.*s%sLocation/%.*s", STR_ARG(reference.base),
                            reference.base.n ? "/" : "", STR_ARG(reference.id));
    return ERR_OK;
}

static err claim_beds(struct ctx *cx, struct store *store, struct json encounter,
                      struct claim *out, size_t *count)
{
    str lying_in = { 0 };
    if (!is_open(encounter))
        return ERR_OK;
    for (struct json_walk w = json_walk(json_get(encounter, S("location"))); json_next(&w);) {
        str bed;
        if (!is_held(encounter, w.value))
            continue;
        TRY(name_bed(cx, store, w.value, &bed));
        if (!str_given(bed) || *count == CLAIMS_MAX)
            continue;
        bool kept = json_string_is(json_get(w.value, S("status")), S("reserved"));
        if (!kept && lying_in.n && !str_eq(lying_in, bed))
            return ctx_failf(cx, ERR_CONFLICT, S("Encounter.location"), "a stay is in one bed at "
                             "a time, not in %.*s and %.*s (rule: " BEDS_ONE_BED "): complete the "
                             "place that was left", STR_ARG(lying_in), STR_ARG(bed));
        lying_in = kept ? lying_in : bed;
        out[(*count)++] = (struct claim){ .key = bed };
    }
    return ERR_OK;
}

/* An inpatient who is here, not one who is expected or sits in the emergency department. */
static bool is_inpatient(struct json encounter)
{
    static const char *const classes[] = { "IMP", "ACUTE", "NONAC" };
    struct json status = json_get(encounter, S("status"));
    struct json code = json_get(json_get(encounter, S("class")), S("code"));
    if (!json_string_is(status, S("in-progress")) && !json_string_is(status, S("onleave")))
        return false;
    for (size_t i = 0; i < COUNT(classes); i++)
        if (json_string_is(code, str_of(classes[i])))
            return true;
    return false;
}

static err claim_patient(struct ctx *cx, struct store *store, struct json encounter,
                         struct claim *out, size_t *count)
{
    str bed = { 0 };
    str text = json_string(cx->arena,
                           json_get(json_get(encounter, S("subject")), S("reference")));
    struct validate_reference patient;
    if (!is_inpatient(encounter) || !str_given(text) ||
        !validate_read_reference(text, &patient) || !str_given(patient.id))
        return ERR_OK;
    for (struct json_walk w = json_walk(json_get(encounter, S("location"))); json_next(&w);)
        if (!str_given(bed) && is_held(encounter, w.value) &&
            !json_string_is(json_get(w.value, S("status")), S("reserved")))
            TRY(name_bed(cx, store, w.value, &bed));
    if (str_given(bed))
        out[(*count)++] = (struct claim){
            .key = arena_printf(cx->arena, "%.*s%s%.*s/%.*s", STR_ARG(patient.base),
                                patient.base.n ? "/" : "", STR_ARG(patient.type),
                                STR_ARG(patient.id)) };
    return ERR_OK;
}

/* The stay lay in this bed before it left it, or ended. */
static bool lay_in(struct ctx *cx, struct json encounter, str bed)
{
    for (struct json_walk w = json_walk(json_get(encounter, S("location"))); json_next(&w);) {
        str place = json_string(cx->arena, json_get(json_get(w.value, S("location")),
                                                    S("reference")));
        if (str_given(place) && place.n && str_ends(place, bed))
            return true;
    }
    return false;
}

/* A stay that is opened again in the bed it left finds it taken: the same trouble as a cancelled
 * discharge, and as much somebody's work. Moves and messages say so themselves, with a why. */
static err not_given_back(struct ctx *cx, struct db *db, const struct claim_refused *refused)
{
    if (str_given(refused->commit->why) || !lay_in(cx, refused->before, refused->claim->key))
        return ERR_OK;
    str what = cx->issues.kept ? cx->issues.list[cx->issues.kept - 1].text : S("");
    return beds_worklist_note(cx, db, refused->id, refused->vid, what);
}

static const struct claim_rule one_stay = {
    .kind = BEDS_ONE_STAY,
    .resource = "Encounter",
    .claims = claim_beds,
    .refused = not_given_back,
    .refusal = "the bed %s is held by %s: choose another bed, or discharge or move that stay first",
};
static const struct claim_rule one_bed = {
    .kind = BEDS_ONE_BED,
    .resource = "Encounter",
    .claims = claim_patient,
    .refusal = "%s lies in a bed already, in the stay %s: transfer or discharge that stay first",
};
const struct claim_rule *const beds_claims[] = { &one_stay, &one_bed, NULL };
