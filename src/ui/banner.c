/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/banner.h"
#include "fhir/validate.h"
#include "store/access.h"
#include "store/search.h"
#include "term/system.h"
#include "ui/browse.h"

enum { TEXT_BYTES = 4096, PLACES_DEEP = 5 };

struct found {
    struct json *list;
    size_t count;
};

/* Finds and parses; an issue raised on the way is the caller's. */
static err find(struct ctx *cx, struct store *store, const char *type, str query,
                struct found *out)
{
    struct search_request search = { .resource = fhir_resource_find(str_of(type)),
                                     .query = query, .count_default = UI_BANNER_READ,
                                     .count_max = UI_BANNER_READ };
    struct search_page page = { 0 };
    out->count = 0;
    TRY(search_run(cx, store, &search, &page));
    if (str_given(page.next_query))
        return ctx_fail(cx, ERR_LIMIT, (str){ 0 }, S("more than the banner reads"));
    out->list = arena_array(cx->arena, page.entries_count + 1, sizeof *out->list);
    for (size_t i = 0; i < page.entries_count; i++)
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
        *fact = (struct ui_fact){ UI_FACT_HIDDEN, S("Not shown to your role"), { 0 } };
        return false;
    }
    if (find(cx, store, type, query, out) == ERR_OK)
        return true;
    cx->issues.count = issues;
    cx->issues.kept = kept;
    *fact = (struct ui_fact){ UI_FACT_FAILED, S("Could not be read"), { 0 } };
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

/* Keeps the newest date of those that are shown. */
static void keep_newer(str *newest, str date)
{
    if (date.n >= 4 && str_cmp(date, *newest) > 0)
        *newest = date;
}

static str when_text(struct ctx *cx, const char *word, str date)
{
    return date.n ? arena_printf(cx->arena, "%s %.*s", word, STR_ARG(ui_date(cx, date))) : date;
}

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
bool ui_allergy_stands(struct json allergy)
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
    struct found found = { 0 };
    struct names names = { buf_make(cx->arena, TEXT_BYTES), 0 };
    struct ui_fact fact;
    str when = { 0 }, none_when = { 0 };
    bool none = false;
    if (!part(cx, store, "AllergyIntolerance", for_patient(cx, "patient", patient, ""), &found,
              &fact)) {
        if (fact.state == UI_FACT_FAILED)
            fact.text = S("Could not be read: ask the patient");
        return fact;
    }
    for (size_t i = 0; i < found.count; i++) {
        struct json one = found.list[i];
        str date = json_string(cx->arena, json_get(one, S("recordedDate")));
        if (!ui_allergy_stands(one))
            continue;
        if (ui_is_no_known_allergy(one)) {
            none = true;
            keep_newer(&none_when, date);
            continue;
        }
        str name = ui_concept_text(cx, json_get(one, S("code")));
        add_name(&names, name.n ? name : S("an agent not named"), reaction_text(cx, one));
        keep_newer(&when, date);
    }
    if (names.count)
        return (struct ui_fact){ UI_FACT_THERE, names_text(&names),
                                 when_text(cx, names.count > 1 ? "latest" : "recorded", when) };
    return none ? (struct ui_fact){ UI_FACT_NONE, S("No known allergies"),
                                    when_text(cx, "recorded", none_when) }
                : (struct ui_fact){ UI_FACT_UNASKED, S("Not asked"), { 0 } };
}

/* ---- alerts and resuscitation ---- */

static bool is_about_resuscitation(struct ctx *cx, str text)
{
    static const char *const words[] = { "cpr", "dnar", "resuscit", "respect form",
                                         "respect plan", "respect:" };
    str folded = term_fold(cx->arena, text);
    for (size_t i = 0; i < COUNT(words); i++)
        if (str_find(folded, str_of(words[i])) != STR_NONE)
            return true;
    return str_find(text, S("ReSPECT")) != STR_NONE;
}

/* "19-Nov-2026"; "19-Nov-2026 to 25-Nov-2026" where an end is set. A decision without a date says
 * so: how old it is decides whether it is looked at again. */
static str decided(struct ctx *cx, struct json flag)
{
    struct json period = json_get(flag, S("period"));
    str start = json_string(cx->arena, json_get(period, S("start")));
    str end = json_string(cx->arena, json_get(period, S("end")));
    if (!start.n)
        return S("no date given");
    return end.n ? arena_printf(cx->arena, "%.*s to %.*s", STR_ARG(ui_date(cx, start)),
                                STR_ARG(ui_date(cx, end)))
                 : ui_date(cx, start);
}

static void read_flags(struct ctx *cx, struct store *store, str patient, struct ui_banner *out)
{
    struct found found = { 0 };
    struct names alerts = { buf_make(cx->arena, TEXT_BYTES), 0 };
    struct names decisions = { buf_make(cx->arena, TEXT_BYTES), 0 };
    str when = { 0 };
    if (!part(cx, store, "Flag", for_patient(cx, "patient", patient, ""), &found,
              &out->alerts)) {
        out->resuscitation = out->alerts;
        return;
    }
    for (size_t i = 0; i < found.count; i++) {
        struct json flag = found.list[i];
        str text = ui_concept_text(cx, json_get(flag, S("code")));
        if (!json_string_is(json_get(flag, S("status")), S("active")))
            continue;
        if (is_about_resuscitation(cx, text)) {
            add_name(&decisions, text, decided(cx, flag));
            continue;
        }
        add_name(&alerts, text, (str){ 0 });
        keep_newer(&when, json_string(cx->arena, json_get(json_get(flag, S("period")),
                                                          S("start"))));
    }
    out->alerts = (struct ui_fact){ UI_FACT_NONE, S("None recorded"), { 0 } };
    out->resuscitation = (struct ui_fact){ UI_FACT_NONE, S("Not known"), { 0 } };
    if (alerts.count)
        out->alerts = (struct ui_fact){ UI_FACT_THERE, names_text(&alerts),
                                        when_text(cx, alerts.count > 1 ? "latest" : "since",
                                                  when) };
    if (decisions.count)
        out->resuscitation = (struct ui_fact){ UI_FACT_THERE, names_text(&decisions), { 0 } };
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
    struct found found = { 0 };
    size_t issues = cx->issues.count, kept = cx->issues.kept;
    if (!part(cx, store, "Encounter",
              for_patient(cx, "patient", patient, "&status=in-progress,onleave&_sort=-date"),
              &found, &out->location))
        return;
    out->location = (struct ui_fact){ UI_FACT_NONE, S("Not in hospital"), { 0 } };
    for (size_t i = 0; i < found.count && out->location.state == UI_FACT_NONE; i++) {
        struct json place = json_get(place_now(found.list[i]), S("location"));
        str text = place_text(cx, store, reference_id(cx, place, "Location"), &out->ward);
        out->encounter = json_string(cx->arena, json_get(found.list[i], S("id")));
        if (text.n)
            out->location = (struct ui_fact){ UI_FACT_THERE, text, { 0 } };
    }
    if (out->encounter.n && out->location.state == UI_FACT_NONE)
        out->location = (struct ui_fact){ UI_FACT_THERE, S("In hospital, no bed given"),
                                          { 0 } };
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
