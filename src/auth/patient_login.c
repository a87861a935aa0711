/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/patient_login.h"
#include "base/clock.h"
#include "clinical/nhsno.h"
#include "json/json.h"
#include "store/search.h"

#define NHS_LOGIN "patient-app 1.1, NHS login"

/* clang-format off */
const struct patient_level patient_levels[] = {
    { "P9", "[\"P9.Cp.Cd\",\"P9.Cp.Ck\",\"P9.Cm\"]", "patient",  true,  NHS_LOGIN, "2026-11-01" },
    { "P5", "[\"P5.Cp.Cd\",\"P5.Cp.Ck\",\"P5.Cm\"]", "claimant", false, NHS_LOGIN, "2026-11-01" },
    { "P0", "[\"P0.Cp.Cd\",\"P0.Cp.Ck\",\"P0.Cm\"]", NULL,       false, NHS_LOGIN, "2026-11-01" },
};
/* clang-format on */
const size_t patient_levels_count = COUNT(patient_levels);

const struct patient_level *patient_level_find(str name)
{
    for (size_t i = 0; i < patient_levels_count; i++)
        if (str_eq(name, str_of(patient_levels[i].name)))
            return &patient_levels[i];
    return NULL;
}

static err refuse(struct ctx *cx, err kind, const char *why)
{
    return ctx_failf(cx, kind, (str){ 0 }, "you are not signed in: %s", why);
}

static str text_of(struct ctx *cx, struct json of, const char *name)
{
    str text = json_string(cx->arena, json_get(of, str_of(name)));
    return str_given(text) ? text : S("");
}

/* The level asked for, if what was reached is one of its vectors. */
static err check_vector(struct ctx *cx, const struct provider_person *person,
                        const struct patient_level **out)
{
    const struct patient_level *level = patient_level_find(person->wanted);
    struct json claims, asked;
    TRY(json_parse(cx, person->claims, &claims));
    struct json vot = json_get(claims, S("vot"));
    if (!level || !text_of(cx, claims, "vtm").n)
        return refuse(cx, ERR_LOGIN, "the provider does not say how surely it knows you");
    TRY(json_parse(cx, str_of(level->vtr), &asked));
    for (struct json_walk w = json_walk(asked); json_next(&w);)
        if (json_is(vot, JSON_STRING) && json_string_is(w.value, json_string(cx->arena, vot))) {
            *out = level;
            return ERR_OK;
        }
    return refuse(cx, ERR_LOGIN, "the provider does not know you as surely as this needs; prove "
                                 "your identity there, then try again");
}

static bool is_verified(struct json identifier)
{
    struct json list = json_get(identifier, S("extension"));
    for (struct json_walk w = json_walk(list); json_next(&w);) {
        struct json value = json_get(w.value, S("valueCodeableConcept"));
        struct json coding = json_at(json_get(value, S("coding")), 0);
        if (json_string_is(json_get(w.value, S("url")),
                           S("https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-"
                             "NHSNumberVerificationStatus")) &&
            json_string_is(json_get(coding, S("code")), S("01")))
            return true;
    }
    return false;
}

bool patient_login_verified(struct json patient, str nhs_number)
{
    struct json list = json_get(patient, S("identifier"));
    for (struct json_walk w = json_walk(list); json_next(&w);)
        if (json_string_is(json_get(w.value, S("system")),
                           S("https://fhir.nhs.uk/Id/nhs-number")) &&
            json_string_is(json_get(w.value, S("value")), nhs_number) &&
            !json_string_is(json_get(w.value, S("use")), S("old")) && is_verified(w.value))
            return true;
    return false;
}

/* "2013-11-22" plus years, as texts compare. */
static bool is_younger(str birth_date, int years, int64_t now_ms)
{
    struct clock_civil now = clock_to_civil(now_ms);
    char limit[40];
    snprintf(limit, sizeof limit, "%04d-%02d-%02d", now.year - years, now.month, now.day);
    return str_cmp(birth_date, str_of(limit)) > 0;
}

static bool out_of_use(struct json patient)
{
    bool dead = json_is(json_get(patient, S("deceasedBoolean")), JSON_TRUE) ||
                json_is(json_get(patient, S("deceasedDateTime")), JSON_STRING);
    return dead || json_is(json_get(patient, S("active")), JSON_FALSE);
}

static err find_patient(struct ctx *cx, struct store *store, str birth_date,
                        struct patient_match *match)
{
    int64_t rids[2], found = 0;
    struct search_rids hits = { .rids = rids, .max = COUNT(rids) };
    uint16_t type = fhir_resource_find(S("Patient"));
    str query = arena_printf(cx->arena, "identifier=https://fhir.nhs.uk/Id/nhs-number%%7C%.*s",
                             STR_ARG(match->nhs_number));
    TRY(search_condition(cx, store, type, query, &hits));
    for (size_t i = 0; i < hits.count && i < COUNT(rids); i++) {
        struct store_version version;
        struct json patient;
        TRY(store_read_rid(cx, store, rids[i], &version));
        TRY(json_parse(cx, version.body, &patient));
        if (!patient_login_verified(patient, match->nhs_number) || out_of_use(patient))
            continue;
        if (!json_string_is(json_get(patient, S("birthDate")), birth_date))
            return refuse(cx, ERR_FORBIDDEN, "your date of birth differs from our record; ask us "
                                             "to put it right before you sign in");
        match->who = arena_printf(cx->arena, "Patient/%.*s", STR_ARG(version.id));
        found++;
    }
    if (found > 1)
        return refuse(cx, ERR_FORBIDDEN, "more than one record here has your NHS number; ask us to "
                                         "put it right before you sign in");
    return ERR_OK;
}

err patient_login_match(struct ctx *cx, struct store *store, const struct provider_person *person,
                        struct patient_match *out)
{
    struct json said;
    struct patient_match match = { .who = S(""), .nhs_number = S("") };
    TRY(check_vector(cx, person, &match.level));
    TRY(json_parse(cx, person->userinfo, &said));
    str proofed = text_of(cx, said, "identity_proofing_level");
    if (proofed.n && !str_eq(proofed, str_of(match.level->name)))
        return refuse(cx, ERR_LOGIN, "the provider contradicts itself about how surely it knows "
                                     "you; begin again");
    str given = text_of(cx, said, "given_name"), family = text_of(cx, said, "family_name");
    match.name = family.n ? arena_printf(cx->arena, "%.*s%s%.*s", STR_ARG(given),
                                         given.n ? " " : "", STR_ARG(family)) : S("Patient");
    if (match.level->reads_record) {
        str birth_date = text_of(cx, said, "birthdate");
        if (nhsno_parse(cx, text_of(cx, said, "nhs_number"), &match.nhs_number) != ERR_OK ||
            birth_date.n != 10)
            return refuse(cx, ERR_FORBIDDEN, "the provider did not send your NHS number and date "
                                             "of birth; ask them to");
        if (is_younger(birth_date, PATIENT_LOGIN_AGE_MIN, cx->now_ms))
            return refuse(cx, ERR_FORBIDDEN, "this service is for people of 13 and over; a parent "
                                             "or carer can ask to act for you");
        TRY(find_patient(cx, store, birth_date, &match));
    }
    *out = match;
    return ERR_OK;
}
