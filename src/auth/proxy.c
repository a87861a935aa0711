/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/proxy.h"
#include "base/clock.h"
#include "fhir/def.h"
#include "json/json.h"
#include "store/search.h"

#define VIEWED(type) "patient/" type ".rs "

/* clang-format off */
const struct proxy_function proxy_functions[] = {
    { "view", "see the record",
      VIEWED("Patient") VIEWED("Observation") VIEWED("Condition") VIEWED("AllergyIntolerance")
      VIEWED("MedicationRequest") VIEWED("MedicationStatement") VIEWED("Immunization")
      VIEWED("DiagnosticReport") VIEWED("Procedure") VIEWED("CarePlan") VIEWED("Encounter")
      VIEWED("Appointment") VIEWED("DocumentReference") },
    { "book", "see and change appointments",
      VIEWED("Patient") VIEWED("Appointment") VIEWED("Slot") VIEWED("Schedule") },
    { "order", "order repeat medicines",
      VIEWED("Patient") VIEWED("MedicationRequest") VIEWED("Medication") },
    { "message", "write and read messages",
      VIEWED("Patient") VIEWED("Communication") },
    { 0 },
};
const struct proxy_review proxy_reviews[] = {
    { 11, "RCGP toolkit, patient-app 1.4, unconfirmed", "2026-11-01" },
    { 13, "RCGP toolkit, patient-app 1.4, unconfirmed", "2026-11-01" },
    { 16, "RCGP toolkit, patient-app 1.4, unconfirmed", "2026-11-01" },
};
/* clang-format on */
const size_t proxy_reviews_count = COUNT(proxy_reviews);

static err refuse(struct ctx *cx)
{
    return ctx_fail(cx, ERR_FORBIDDEN, (str){ 0 },
                    S("you may not act for this person, or not any more; ask the practice"));
}

/* ---- when a consent stands ---- */

enum { DATE_ROOM = 40 };

static str date_of(int64_t at_ms, char out[DATE_ROOM])
{
    struct clock_civil at = clock_to_civil(at_ms);
    snprintf(out, DATE_ROOM, "%04d-%02d-%02d", at.year, at.month, at.day);
    return str_of(out);
}

bool proxy_consent_stands(str born, str made, int64_t now_ms)
{
    uint64_t year;
    char now[DATE_ROOM];
    str today = date_of(now_ms, now);
    bool stands = born.n == 10 && made.n >= 10 && str_to_u64(str_slice(born, 0, 4), &year);
    for (size_t i = 0; stands && i < proxy_reviews_count; i++) {
        char birthday[DATE_ROOM];
        snprintf(birthday, sizeof birthday, "%04d%.6s",
                 (int)year + proxy_reviews[i].age_years, born.p + 4);
        bool passed = str_cmp(str_of(birthday), today) <= 0;
        bool since = str_cmp(str_slice(made, 0, 10), str_of(birthday)) < 0;
        stands = !(passed && since);
    }
    return stands;
}

/* Inside a FHIR period by whole days; open ends are open. */
static bool is_now(struct arena *arena, struct json period, int64_t now_ms)
{
    char now[DATE_ROOM];
    str today = date_of(now_ms, now);
    str start = json_string(arena, json_get(period, S("start")));
    str end = json_string(arena, json_get(period, S("end")));
    return (!start.n || str_cmp(str_slice(start, 0, 10), today) <= 0) &&
           (!end.n || str_cmp(str_slice(end, 0, 10), today) >= 0);
}

/* ---- what the record says ---- */

static bool names_actor(struct arena *arena, struct json provision, str related)
{
    str wanted = arena_printf(arena, "RelatedPerson/%.*s", STR_ARG(related));
    struct json actors = json_get(provision, S("actor"));
    for (struct json_walk w = json_walk(actors); json_next(&w);)
        if (json_string_is(json_get(json_get(w.value, S("reference")), S("reference")), wanted))
            return true;
    return false;
}

static bool allows(struct json provision, const struct proxy_function *function)
{
    struct json codes = json_get(provision, S("code"));
    for (struct json_walk w = json_walk(codes); json_next(&w);) {
        struct json codings = json_get(w.value, S("coding"));
        for (struct json_walk c = json_walk(codings); json_next(&c);)
            if (json_string_is(json_get(c.value, S("code")), str_of(function->code)) &&
                json_string_is(json_get(c.value, S("system")), S(PROXY_FUNCTION_SYSTEM)))
                return true;
    }
    return false;
}

static bool is_privacy(struct json consent)
{
    struct json codings = json_get(json_get(consent, S("scope")), S("coding"));
    for (struct json_walk w = json_walk(codings); json_next(&w);)
        if (json_string_is(json_get(w.value, S("code")), S("patient-privacy")))
            return true;
    return false;
}

static void add_functions(struct ctx *cx, struct json provision, struct proxy *proxy)
{
    for (size_t i = 0; proxy_functions[i].code; i++) {
        const struct proxy_function *function = &proxy_functions[i];
        if (!allows(provision, function))
            continue;
        proxy->functions = arena_printf(cx->arena, "%.*s%s%s", STR_ARG(proxy->functions),
                                        proxy->functions.n ? " " : "", function->code);
        proxy->scopes = arena_printf(cx->arena, "%.*s%s", STR_ARG(proxy->scopes),
                                     function->scopes);
    }
}

static err read_body(struct ctx *cx, struct store *store, int64_t rid, str *id, struct json *out)
{
    struct store_version version;
    TRY(store_read_rid(cx, store, rid, &version));
    *id = arena_copy(cx->arena, version.id);
    return json_parse(cx, arena_copy(cx->arena, version.body), out);
}

static err read_consents(struct ctx *cx, struct store *store, str born, struct proxy *proxy)
{
    int64_t rids[PROXIES_MAX];
    struct search_rids hits = { .rids = rids, .max = COUNT(rids) };
    str query = arena_printf(cx->arena, "status=active&patient=Patient/%.*s&actor=RelatedPerson/"
                             "%.*s", STR_ARG(proxy->patient), STR_ARG(proxy->related));
    TRY(search_condition(cx, store, fhir_resource_find(S("Consent")), query, &hits));
    for (size_t i = 0; i < hits.count && i < COUNT(rids); i++) {
        struct json consent;
        str id;
        TRY(read_body(cx, store, rids[i], &id, &consent));
        struct json provision = json_get(consent, S("provision"));
        str made = json_string(cx->arena, json_get(consent, S("dateTime")));
        bool stands = is_privacy(consent) && names_actor(cx->arena, provision, proxy->related) &&
                      json_string_is(json_get(provision, S("type")), S("permit")) &&
                      is_now(cx->arena, json_get(provision, S("period")), cx->now_ms) &&
                      proxy_consent_stands(born, made, cx->now_ms);
        if (stands)
            add_functions(cx, provision, proxy);
    }
    return ERR_OK;
}

static str name_of(struct ctx *cx, struct json patient)
{
    struct json name = json_at(json_get(patient, S("name")), 0);
    str given = json_string(cx->arena, json_at(json_get(name, S("given")), 0));
    str family = json_string(cx->arena, json_get(name, S("family")));
    return arena_printf(cx->arena, "%.*s %.*s", STR_ARG(given), STR_ARG(family));
}

/* A RelatedPerson in use and its patient; `functions` stays empty when no consent stands. */
static err read_proxy(struct ctx *cx, struct store *store, int64_t rid, struct proxy *out)
{
    struct json related, patient;
    struct proxy proxy = { .functions = S(""), .scopes = S("") };
    TRY(read_body(cx, store, rid, &proxy.related, &related));
    str reference = json_string(cx->arena, json_get(json_get(related, S("patient")),
                                                    S("reference")));
    bool in_use = !json_is(json_get(related, S("active")), JSON_FALSE) &&
                  is_now(cx->arena, json_get(related, S("period")), cx->now_ms);
    *out = proxy;
    if (!in_use || !str_starts(reference, S("Patient/")))
        return ERR_OK;
    proxy.patient = str_slice(reference, 8, reference.n);
    struct store_version version;
    if (store_read(cx, store, fhir_resource_find(S("Patient")), proxy.patient, &version) != ERR_OK)
        return ERR_OK;
    TRY(json_parse(cx, arena_copy(cx->arena, version.body), &patient));
    proxy.name = name_of(cx, patient);
    TRY(read_consents(cx, store,
                      json_string(cx->arena, json_get(patient, S("birthDate"))), &proxy));
    *out = proxy;
    return ERR_OK;
}

static err list(struct ctx *cx, struct store *store, str nhs_number, struct proxy *out,
                size_t *count)
{
    int64_t rids[PROXIES_MAX];
    struct search_rids hits = { .rids = rids, .max = COUNT(rids) };
    *count = 0;
    if (!nhs_number.n)
        return ERR_OK;
    str query = arena_printf(cx->arena, "identifier=https://fhir.nhs.uk/Id/nhs-number%%7C%.*s",
                             STR_ARG(nhs_number));
    TRY(search_condition(cx, store, fhir_resource_find(S("RelatedPerson")), query, &hits));
    for (size_t i = 0; i < hits.count && i < COUNT(rids); i++) {
        TRY(read_proxy(cx, store, rids[i], &out[*count]));
        *count += out[*count].functions.n > 0;
    }
    return ERR_OK;
}

/* The program asks, to find out what the person may ask. */
err proxy_list(struct ctx *cx, struct store *store, str nhs_number, struct proxy *out,
               size_t *count)
{
    const struct store_access *before = cx->access;
    cx->access = NULL;
    err result = list(cx, store, nhs_number, out, count);
    cx->access = before;
    return result;
}

err proxy_find(struct ctx *cx, struct store *store, str nhs_number, str related,
               struct proxy *out)
{
    struct proxy all[PROXIES_MAX];
    size_t count = 0;
    TRY(proxy_list(cx, store, nhs_number, all, &count));
    for (size_t i = 0; i < count; i++)
        if (str_eq(all[i].related, related)) {
            *out = all[i];
            return ERR_OK;
        }
    return refuse(cx);
}
