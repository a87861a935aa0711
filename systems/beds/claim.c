/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/claim.h"
#include "fhir/validate.h"
#include "store/access.h"

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

static err claim_place(struct ctx *cx, struct store *store, struct json place, struct claim *out,
                       size_t *count)
{
    str text = json_string(cx->arena,
                           json_get(json_get(place, S("location")), S("reference")));
    struct validate_reference reference;
    struct json physical = json_get(place, S("physicalType"));
    bool is_bed = has_code(physical, S("bd"));
    if (!str_given(text) || !validate_read_reference(text, &reference) ||
        !str_given(reference.id) || !str_eq(reference.type, S("Location")))
        return ERR_OK;
    if (!is_bed && !str_given(reference.base))
        TRY(location_is_bed(cx, store, reference.id, &is_bed));
    if (!is_bed || *count == CLAIMS_MAX)
        return ERR_OK;
    str name = arena_printf(cx->arena, "%.*s%sLocation/%.*s", STR_ARG(reference.base),
                            reference.base.n ? "/" : "", STR_ARG(reference.id));
    out[(*count)++] = (struct claim){ .key = name };
    return ERR_OK;
}

static err claims(struct ctx *cx, struct store *store, struct json encounter, struct claim *out,
                  size_t *count)
{
    if (!is_open(encounter))
        return ERR_OK;
    for (struct json_walk w = json_walk(json_get(encounter, S("location"))); json_next(&w);)
        if (is_held(encounter, w.value))
            TRY(claim_place(cx, store, w.value, out, count));
    return ERR_OK;
}

static const struct claim_rule one_stay = {
    .kind = BEDS_ONE_STAY,
    .resource = "Encounter",
    .claims = claims,
    .refusal = "the bed %s is held by %s: choose another bed, or discharge or move that stay first",
};
const struct claim_rule *const beds_claims[] = { &one_stay, NULL };
