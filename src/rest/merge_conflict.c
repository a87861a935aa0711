/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/merge_conflict.h"
#include "rest/op.h"
#include "term/system.h"

/* One thing a record says: by code where it has one, else by its words. */
struct fact {
    str key, words;
};
struct facts {
    struct fact *list;
    size_t count, cap;
};

static bool has_key(const struct facts *facts, str key)
{
    for (size_t i = 0; i < facts->count; i++)
        if (str_eq(facts->list[i].key, key))
            return true;
    return false;
}

static void add_concept(struct ctx *cx, struct facts *facts, struct json concept)
{
    struct json coding = json_at(json_get(concept, S("coding")), 0);
    str words = json_string(cx->arena, json_get(concept, S("text")));
    str code = json_string(cx->arena, json_get(coding, S("code")));
    if (!words.n)
        words = json_string(cx->arena, json_get(coding, S("display")));
    str key = code.n ? code : term_fold(cx->arena, words);
    if (!key.n || has_key(facts, key))
        return;
    facts->list = arena_grow(cx->arena, facts->list, facts->count, &facts->cap,
                             sizeof *facts->list);
    facts->list[facts->count++] = (struct fact){ key, words.n ? words : code };
}

static bool any_code(struct ctx *cx, struct json concept, const char *const *codes)
{
    for (struct json_walk w = json_walk(json_get(concept, S("coding"))); json_next(&w);)
        for (const char *const *code = codes; *code; code++)
            if (str_eq(json_string(cx->arena, json_get(w.value, S("code"))), str_of(*code)))
                return true;
    return false;
}

/* ---- what each record says ---- */

/* SNOMED CT: no known allergy, no known drug, food, environmental allergy. */
static const char *const none_known[] = { "716186003", "409137002", "429625007", "428607008",
                                          NULL };

struct allergies {
    struct facts known;
    bool none_known;
};

static bool still_holds(struct ctx *cx, struct json allergy)
{
    static const char *const over[] = { "resolved", "inactive", "entered-in-error", "refuted",
                                        NULL };
    return !any_code(cx, json_get(allergy, S("clinicalStatus")), over) &&
           !any_code(cx, json_get(allergy, S("verificationStatus")), over);
}

static void take_allergy(struct ctx *cx, struct json body, void *self)
{
    struct allergies *all = self;
    struct json code = json_get(body, S("code"));
    if (!still_holds(cx, body))
        return;
    if (any_code(cx, code, none_known))
        all->none_known = true;
    else
        add_concept(cx, &all->known, code);
}

/* LOINC ABO and Rh, ABO, Rh; SNOMED CT ABO and rhesus, ABO group, rhesus group. */
static const char *const blood_group[] = { "882-1", "883-9", "10331-7", "365637002", "112143006",
                                           "115758001", NULL };

static void take_blood_group(struct ctx *cx, struct json body, void *self)
{
    static const char *const wrong[] = { "entered-in-error", "cancelled" };
    str status = json_string(cx->arena, json_get(body, S("status")));
    bool holds = !str_eq(status, str_of(wrong[0])) && !str_eq(status, str_of(wrong[1]));
    if (holds && any_code(cx, json_get(body, S("code")), blood_group))
        add_concept(cx, self, json_get(body, S("valueCodeableConcept")));
}

struct reading {
    const struct operation_ask *ask;
    const char *type, *query;
    void (*take)(struct ctx *cx, struct json body, void *self);
};

static err read_all(const struct reading *reading, str patient, void *self)
{
    struct rest_call *call = reading->ask->call;
    struct search_request request = {
        .resource = fhir_resource_find(str_of(reading->type)), .count_default = 1000,
        .count_max = 1000, .query = arena_printf(call->cx->arena, "patient=%.*s&%s",
                                                 STR_ARG(patient), reading->query),
    };
    while (str_given(request.query)) {
        struct search_page page = { 0 };
        TRY(search_run(call->cx, call->store, &request, &page));
        for (size_t i = 0; i < page.entries_count; i++) {
            struct json body;
            TRY(json_parse(call->cx, page.entries[i].version.body, &body));
            reading->take(call->cx, body, self);
        }
        request.query = page.next_query;
    }
    return ERR_OK;
}

/* ---- what differs ---- */

static void warn(struct ctx *cx, str text)
{
    issues_note(&cx->issues, (struct issue){ .severity = ISSUE_WARNING, .code = "conflict",
                                             .text = text });
}

static str words_of(struct ctx *cx, const struct facts *facts)
{
    struct buf buf = buf_make(cx->arena, 4096);
    for (size_t i = 0; i < facts->count && !buf.full; i++) {
        buf_add(&buf, i ? S(", ") : S(""));
        buf_add(&buf, facts->list[i].words);
    }
    return buf_str(&buf);
}

static err compare_allergies(const struct operation_ask *ask, str source, str target)
{
    struct ctx *cx = ask->call->cx;
    struct reading reading = { ask, "AllergyIntolerance", "", take_allergy };
    struct allergies both[2] = { 0 };
    str names[2] = { source, target };
    for (size_t i = 0; i < COUNT(both); i++)
        TRY(read_all(&reading, names[i], &both[i]));
    for (size_t i = 0; i < COUNT(both); i++) {
        const struct allergies *one = &both[i], *other = &both[1 - i];
        if (one->none_known && other->known.count)
            warn(cx, arena_printf(cx->arena, "allergies conflict: %.*s says none are known, %.*s "
                                  "has %.*s", STR_ARG(names[i]), STR_ARG(names[1 - i]),
                                  STR_ARG(words_of(cx, &other->known))));
    }
    for (size_t i = 0; i < COUNT(both); i++)
        for (size_t k = 0; k < both[i].known.count; k++)
            if (!has_key(&both[1 - i].known, both[i].known.list[k].key))
                warn(cx, arena_printf(cx->arena, "only %.*s has an allergy to %.*s",
                                      STR_ARG(names[i]), STR_ARG(both[i].known.list[k].words)));
    return ERR_OK;
}

static err compare_blood_groups(const struct operation_ask *ask, str source, str target)
{
    struct ctx *cx = ask->call->cx;
    struct reading reading = { ask, "Observation",
                               "code=882-1,883-9,10331-7,365637002,112143006,115758001",
                               take_blood_group };
    struct facts one = { 0 }, other = { 0 };
    TRY(read_all(&reading, source, &one));
    TRY(read_all(&reading, target, &other));
    bool same = one.count == other.count;
    for (size_t i = 0; i < one.count; i++)
        same = same && has_key(&other, one.list[i].key);
    if (one.count && other.count && !same)
        warn(cx, arena_printf(cx->arena, "blood groups conflict: %.*s has %.*s, %.*s has %.*s",
                              STR_ARG(source), STR_ARG(words_of(cx, &one)), STR_ARG(target),
                              STR_ARG(words_of(cx, &other))));
    return ERR_OK;
}

static str nhs_number(struct ctx *cx, struct json patient)
{
    for (struct json_walk w = json_walk(json_get(patient, S("identifier"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("system")),
                           S("https://fhir.nhs.uk/Id/nhs-number")))
            return json_string(cx->arena, json_get(w.value, S("value")));
    return S("");
}

static void compare_text(struct ctx *cx, const char *what, str one, str other)
{
    if (one.n && other.n && !str_eq(one, other))
        warn(cx, arena_printf(cx->arena, "%s differ: %.*s and %.*s", what, STR_ARG(one),
                              STR_ARG(other)));
}

err merge_conflicts(const struct operation_ask *ask, const struct store_version *source,
                    const struct store_version *target)
{
    struct ctx *cx = ask->call->cx;
    struct json one, other;
    static const struct { const char *element, *what; } rows[] = {
        { "birthDate", "the dates of birth" }, { "gender", "the genders" },
    };
    TRY(json_parse(cx, source->body, &one));
    TRY(json_parse(cx, target->body, &other));
    compare_text(cx, "the NHS numbers", nhs_number(cx, one), nhs_number(cx, other));
    for (size_t i = 0; i < COUNT(rows); i++)
        compare_text(cx, rows[i].what,
                     json_string(cx->arena, json_get(one, str_of(rows[i].element))),
                     json_string(cx->arena, json_get(other, str_of(rows[i].element))));
    str names[2];
    const struct store_version *versions[2] = { source, target };
    for (size_t i = 0; i < COUNT(names); i++)
        names[i] = arena_printf(cx->arena, "Patient/%.*s", STR_ARG(versions[i]->id));
    TRY(compare_allergies(ask, names[0], names[1]));
    return compare_blood_groups(ask, names[0], names[1]);
}
