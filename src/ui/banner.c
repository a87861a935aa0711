/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/banner.h"
#include "fhir/validate.h"
#include "store/access.h"
#include "store/search.h"
#include "ui/browse.h"

enum { TEXT_BYTES = 4096, PLACES_DEEP = 5, RESULTS = 100 };

struct found {
    struct json list[RESULTS];
    size_t count;
};

/* Finds and parses; an issue raised on the way is the caller's. */
static err find(struct ctx *cx, struct store *store, const char *type, str query,
                struct found *out)
{
    struct search_request search = { .resource = fhir_resource_find(str_of(type)),
                                     .query = query, .count_default = RESULTS,
                                     .count_max = RESULTS };
    struct search_page page = { 0 };
    out->count = 0;
    TRY(search_run(cx, store, &search, &page));
    for (size_t i = 0; i < page.entries_count && out->count < RESULTS; i++)
        if (page.entries[i].mode == SEARCH_MATCH)
            TRY(json_parse(cx, page.entries[i].version.body, &out->list[out->count++]));
    return ERR_OK;
}

/* The same for one part of the banner: what goes wrong stays in the part. */
static bool part(struct ctx *cx, struct store *store, const char *type, str query,
                 struct found *out, struct ui_fact *fact)
{
    size_t issues = cx->issues.count, kept = cx->issues.kept;
    if (!access_type(cx->access, fhir_resource_find(str_of(type)))) {
        *fact = (struct ui_fact){ UI_FACT_HIDDEN, S("Not shown to your role") };
        return false;
    }
    if (find(cx, store, type, query, out) == ERR_OK)
        return true;
    cx->issues.count = issues;
    cx->issues.kept = kept;
    *fact = (struct ui_fact){ UI_FACT_FAILED, S("Could not be read") };
    return false;
}

static str for_patient(struct ctx *cx, const char *parameter, str patient, const char *more)
{
    return arena_printf(cx->arena, "%s=Patient/%.*s%s", parameter, STR_ARG(patient), more);
}

static bool has_code(struct json concept, const char *code)
{
    for (struct json_walk w = json_walk(json_get(concept, S("coding"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("code")), str_of(code)))
            return true;
    return false;
}

/* Names joined by commas; more than the banner holds are counted, never dropped in silence. */
struct names {
    struct buf buf;
    size_t count;
};

static void add_name(struct names *names, str text, str more)
{
    if (names->count++ >= UI_BANNER_ITEMS || !text.n)
        return;
    buf_printf(&names->buf, "%s%.*s", names->count > 1 ? "; " : "", STR_ARG(text));
    if (more.n)
        buf_printf(&names->buf, " (%.*s)", STR_ARG(more));
}

static str names_text(struct names *names)
{
    if (names->count > UI_BANNER_ITEMS)
        buf_printf(&names->buf, "; and %zu more", names->count - UI_BANNER_ITEMS);
    return buf_str(&names->buf);
}

/* ---- allergies ---- */

bool ui_is_no_known_allergy(struct json allergy)
{
    static const char *const codes[] = { "716186003", "409137002", "no-known-allergies" };
    for (size_t i = 0; i < COUNT(codes); i++)
        if (has_code(json_get(allergy, S("code")), codes[i]))
            return true;
    return false;
}

/* What counts now: not refuted, not entered in error, not over. */
static bool allergy_stands(struct json allergy)
{
    static const char *const gone[] = { "entered-in-error", "refuted" };
    for (size_t i = 0; i < COUNT(gone); i++)
        if (has_code(json_get(allergy, S("verificationStatus")), gone[i]))
            return false;
    return !has_code(json_get(allergy, S("clinicalStatus")), "resolved") &&
           !has_code(json_get(allergy, S("clinicalStatus")), "inactive");
}

static str reaction_text(struct ctx *cx, struct json allergy)
{
    struct json reaction = json_at(json_get(allergy, S("reaction")), 0);
    str what = ui_concept_text(cx, json_at(json_get(reaction, S("manifestation")), 0));
    str severity = json_string(cx->arena, json_get(reaction, S("severity")));
    if (!severity.n && json_string_is(json_get(allergy, S("criticality")), S("high")))
        severity = S("high risk");
    if (!what.n || !severity.n)
        return what.n ? what : severity;
    return arena_printf(cx->arena, "%.*s, %.*s", STR_ARG(what), STR_ARG(severity));
}

struct ui_fact ui_banner_allergies(struct ctx *cx, struct store *store, str patient)
{
    struct found *found = arena_zero(cx->arena, sizeof *found);
    const struct json *list = found->list;
    struct names names = { buf_make(cx->arena, TEXT_BYTES), 0 };
    struct ui_fact fact;
    bool none = false;
    if (!part(cx, store, "AllergyIntolerance", for_patient(cx, "patient", patient, ""), found,
              &fact)) {
        if (fact.state == UI_FACT_FAILED)
            fact.text = S("Could not be read: ask the patient");
        return fact;
    }
    for (size_t i = 0; i < found->count; i++) {
        if (!allergy_stands(list[i]))
            continue;
        if (ui_is_no_known_allergy(list[i])) {
            none = true;
            continue;
        }
        str name = ui_concept_text(cx, json_get(list[i], S("code")));
        add_name(&names, name.n ? name : S("an agent not named"), reaction_text(cx, list[i]));
    }
    if (names.count)
        return (struct ui_fact){ UI_FACT_THERE, names_text(&names) };
    return none ? (struct ui_fact){ UI_FACT_NONE, S("No known allergies") }
                : (struct ui_fact){ UI_FACT_UNASKED, S("Not asked") };
}

/* ---- alerts and resuscitation ---- */

static bool is_about_resuscitation(str text)
{
    static const char *const words[] = { "DNACPR", "CPR", "esuscit", "ReSPECT" };
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_find(text, str_of(words[i])) != STR_NONE)
            return true;
    return false;
}

static void read_flags(struct ctx *cx, struct store *store, str patient, struct ui_banner *out)
{
    struct found *found = arena_zero(cx->arena, sizeof *found);
    const struct json *list = found->list;
    struct names alerts = { buf_make(cx->arena, TEXT_BYTES), 0 };
    struct names decisions = { buf_make(cx->arena, TEXT_BYTES), 0 };
    if (!part(cx, store, "Flag", for_patient(cx, "patient", patient, ""), found,
              &out->alerts)) {
        out->resuscitation = out->alerts;
        return;
    }
    for (size_t i = 0; i < found->count; i++) {
        str text = ui_concept_text(cx, json_get(list[i], S("code")));
        if (!json_string_is(json_get(list[i], S("status")), S("active")))
            continue;
        add_name(is_about_resuscitation(text) ? &decisions : &alerts, text, (str){ 0 });
    }
    out->alerts = alerts.count ? (struct ui_fact){ UI_FACT_THERE, names_text(&alerts) }
                               : (struct ui_fact){ UI_FACT_NONE, S("None recorded") };
    out->resuscitation = decisions.count
                             ? (struct ui_fact){ UI_FACT_THERE, names_text(&decisions) }
                             : (struct ui_fact){ UI_FACT_NONE, S("Not known") };
}

/* ---- where they lie ---- */

static str reference_id(struct ctx *cx, struct json element, const char *type)
{
    struct validate_reference reference;
    str text = json_string(cx->arena, json_get(element, S("reference")));
    if (!str_given(text) || !validate_read_reference(text, &reference) ||
        !str_eq(reference.type, str_of(type)))
        return (str){ 0 };
    return reference.id;
}

/* "Bed 4, Bay A, Ward 7": from the bed up to its ward. */
static str place_text(struct ctx *cx, struct store *store, str id, str *ward)
{
    struct names names = { buf_make(cx->arena, TEXT_BYTES), 0 };
    uint16_t type = fhir_resource_find(S("Location"));
    for (int deep = 0; id.n && deep < PLACES_DEEP; deep++) {
        struct store_version version;
        struct json place;
        if (store_read(cx, store, type, id, &version) != ERR_OK ||
            json_parse(cx, version.body, &place) != ERR_OK)
            break;
        str name = json_string(cx->arena, json_get(place, S("name")));
        if (names.count)
            buf_add(&names.buf, S(", "));
        buf_add(&names.buf, name.n ? name : id);
        names.count++;
        if (has_code(json_get(place, S("physicalType")), "wa")) {
            *ward = version.id;
            break;
        }
        id = reference_id(cx, json_get(place, S("partOf")), "Location");
    }
    return buf_str(&names.buf);
}

static struct json place_now(struct json encounter)
{
    for (struct json_walk w = json_walk(json_get(encounter, S("location"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("status")), S("active")))
            return w.value;
    return (struct json){ 0 };
}

static void read_location(struct ctx *cx, struct store *store, str patient, struct ui_banner *out)
{
    struct found *found = arena_zero(cx->arena, sizeof *found);
    const struct json *list = found->list;
    size_t issues = cx->issues.count, kept = cx->issues.kept;
    if (!part(cx, store, "Encounter",
              for_patient(cx, "patient", patient, "&status=in-progress,onleave&_sort=-date"), found,
              &out->location))
        return;
    out->location = (struct ui_fact){ UI_FACT_NONE, S("Not in hospital") };
    for (size_t i = 0; i < found->count && out->location.state == UI_FACT_NONE; i++) {
        struct json place = json_get(place_now(list[i]), S("location"));
        str text = place_text(cx, store, reference_id(cx, place, "Location"), &out->ward);
        out->encounter = json_string(cx->arena, json_get(list[i], S("id")));
        if (text.n)
            out->location = (struct ui_fact){ UI_FACT_THERE, text };
    }
    if (out->encounter.n && out->location.state == UI_FACT_NONE)
        out->location = (struct ui_fact){ UI_FACT_THERE, S("In hospital, no bed given") };
    cx->issues.count = issues;
    cx->issues.kept = kept;
}

/* ---- all of it ---- */

static str replaced_by(struct ctx *cx, struct json patient)
{
    for (struct json_walk w = json_walk(json_get(patient, S("link"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("type")), S("replaced-by")))
            return reference_id(cx, json_get(w.value, S("other")), "Patient");
    return (str){ 0 };
}

err ui_banner_read(struct ctx *cx, struct store *store, str patient, struct ui_banner *out)
{
    struct store_version version;
    struct json body;
    TRY(store_read(cx, store, fhir_resource_find(S("Patient")), patient, &version));
    TRY(json_parse(cx, version.body, &body));
    *out = (struct ui_banner){ .who = ui_patient_of(cx, body), .as_of = ui_time(cx, cx->now_ms),
                               .replaced_by = replaced_by(cx, body),
                               .inactive = json_is(json_get(body, S("active")), JSON_FALSE) };
    out->allergies = ui_banner_allergies(cx, store, patient);
    read_flags(cx, store, patient, out);
    read_location(cx, store, patient, out);
    return ERR_OK;
}
