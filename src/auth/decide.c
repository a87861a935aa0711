/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/decide.h"

/* clang-format off */
static const struct { char letter; unsigned scope; } acts[] = {
    [DECIDE_READ]   = { 'r', SCOPE_READ },
    [DECIDE_SEARCH] = { 'r', SCOPE_SEARCH },
    [DECIDE_CREATE] = { 'c', SCOPE_CREATE },
    [DECIDE_UPDATE] = { 'u', SCOPE_UPDATE },
    [DECIDE_DELETE] = { 'd', SCOPE_DELETE },
};
static const char *const rule_texts[DECIDE_RULES] = {
    [DECIDE_ALLOWED]     = "allowed",
    [DECIDE_NO_SCOPE]    = "the app was not granted this; ask for the scope and sign in again",
    [DECIDE_NO_TYPE]     = "your role does not include this; ask whoever looks after roles",
    [DECIDE_NOT_OWN]     = "this is not your record, nor one you may act for",
    [DECIDE_NOT_RELATED] = "you have no recorded relationship with this patient",
    [DECIDE_DISSENT]     = "the patient has asked that this is not shown to you",
    [DECIDE_LABEL]       = "this entry is restricted",
};
/* Breaking the glass lifts these labels, and no others. */
static const char *const lifted[] = { "R", "STD", "EMP", "NOPAT" };
/* clang-format on */

const char *decide_rule_text(enum decide_rule rule)
{
    return rule_texts[rule];
}

unsigned decide_scope_action(enum decide_act act)
{
    return acts[act].scope;
}

bool decide_is_narrowed(const struct decide_asker *asker, enum decide_act act, uint16_t resource)
{
    return asker->scopes &&
           !scope_allows(asker->scopes, asker->level, resource, acts[act].scope) &&
           scope_allows_part(asker->scopes, asker->level, resource, acts[act].scope);
}

static bool scope_ok(const struct decide_asker *asker, enum decide_act act, uint16_t resource,
                     bool outside)
{
    return !asker->scopes ||
           scope_allows(asker->scopes, asker->level, resource, acts[act].scope) ||
           (!outside &&
            scope_allows_part(asker->scopes, asker->level, resource, acts[act].scope));
}

static bool is_lifted(const struct role_label *label)
{
    for (size_t i = 0; i < COUNT(lifted); i++)
        if (str_eq(str_of(label->name), str_of(lifted[i])))
            return true;
    return false;
}

static const struct role_label *hiding_label(const struct role *role,
                                             const struct decide_thing *thing)
{
    for (size_t i = 0; i < role_labels_count; i++) {
        const struct role_label *label = &role_labels[i];
        bool lifts = thing->glass_broken && is_lifted(label);
        if ((thing->labels >> i & 1) && !lifts && !role_sees_label(role, label))
            return label;
    }
    return NULL;
}

/* Why this patient's record is closed to the asker; DECIDE_ALLOWED when it is open. */
static enum decide_rule reach(const struct role *role, const struct decide_thing *thing)
{
    if (thing->alone && role->reach == ROLE_OWN && role_keeps_close(thing->resource))
        return DECIDE_NOT_OWN;
    if (!thing->in_compartment || role->reach == ROLE_EVERYONE)
        return DECIDE_ALLOWED;
    if (role->reach == ROLE_OWN)
        return thing->own ? DECIDE_ALLOWED : DECIDE_NOT_OWN;
    return thing->related || thing->glass_broken ? DECIDE_ALLOWED : DECIDE_NOT_RELATED;
}

/* A patient cannot be kept from their own record by their own dissent. */
static bool dissent_holds(const struct role *role, const struct decide_thing *thing)
{
    return thing->dissented && thing->in_compartment && role->reach != ROLE_OWN &&
           !thing->glass_broken;
}

static struct decide_answer refuse(enum decide_rule rule)
{
    return (struct decide_answer){ .rule = rule };
}

struct decide_answer decide(const struct decide_asker *asker, enum decide_act act,
                            const struct decide_thing *thing)
{
    const struct role *role = asker->role;
    if (!scope_ok(asker, act, thing->resource, thing->outside_scope))
        return refuse(DECIDE_NO_SCOPE);
    if (!role_may(role, thing->resource, acts[act].letter))
        return refuse(DECIDE_NO_TYPE);
    enum decide_rule closed = reach(role, thing);
    if (closed != DECIDE_ALLOWED) {
        struct decide_answer answer = refuse(closed);
        answer.may_break_glass = closed == DECIDE_NOT_RELATED && role->may_break_glass;
        return answer;
    }
    if (dissent_holds(role, thing)) {
        struct decide_answer answer = refuse(DECIDE_DISSENT);
        answer.may_break_glass = role->may_break_glass;
        return answer;
    }
    const struct role_label *label = hiding_label(role, thing);
    if (label) {
        struct decide_answer answer = refuse(DECIDE_LABEL);
        answer.label = label;
        answer.may_break_glass = role->may_break_glass && is_lifted(label) && !thing->glass_broken;
        return answer;
    }
    return (struct decide_answer){ .allowed = true };
}

static struct access_label *hidden_labels(struct arena *arena, const struct role *role,
                                          size_t *count)
{
    struct access_label *hidden = arena_array(arena, role_labels_count, sizeof *hidden);
    *count = 0;
    for (size_t i = 0; i < role_labels_count; i++)
        if (!role_sees_label(role, &role_labels[i]))
            hidden[(*count)++] = (struct access_label){ str_of(role_labels[i].system),
                                                        str_of(role_labels[i].code),
                                                        is_lifted(&role_labels[i]) };
    return hidden;
}

/* The types some rule of the scopes allows, in whole or in part. */
static void scope_types(const struct decide_asker *asker, enum decide_act act,
                        uint64_t out[ACCESS_TYPES_WORDS])
{
    for (uint16_t i = 0; i < fhir_resources_count; i++)
        if (scope_ok(asker, act, i, false))
            out[i / 64] |= (uint64_t)1 << (i % 64);
}

static void filter_types(const struct decide_asker *asker, enum decide_act act,
                         uint64_t out[ACCESS_TYPES_WORDS])
{
    uint64_t granted[ACCESS_TYPES_WORDS] = { 0 };
    role_types(asker->role, acts[act].letter, out);
    if (!asker->scopes || scope_allows(asker->scopes, asker->level, FHIR_NONE, acts[act].scope))
        return;
    scope_types(asker, act, granted);
    for (size_t i = 0; i < ACCESS_TYPES_WORDS; i++)
        out[i] &= granted[i];
}

struct store_access decide_filter(struct arena *arena, const struct decide_asker *asker,
                                  enum decide_act act, const struct decide_patients *patients)
{
    bool own = asker->role->reach == ROLE_OWN;
    struct store_access access = {
        .any_patient = asker->role->reach == ROLE_EVERYONE,
        .pids = patients->pids,
        .pids_count = patients->pids_count,
        .lifted = patients->lifted,
        .lifted_count = patients->lifted_count,
        .dissents = patients->dissents,
        .dissents_count = own ? 0 : patients->dissents_count,
    };
    filter_types(asker, act, access.types);
    for (uint16_t i = 0; own && i < fhir_resources_count; i++)
        if (role_keeps_close(i))
            access.alone[i / 64] |= (uint64_t)1 << (i % 64);
    access.hidden = hidden_labels(arena, asker->role, &access.hidden_count);
    return access;
}

static uint32_t label_bit(struct json coding)
{
    for (size_t i = 0; i < role_labels_count; i++)
        if (json_string_is(json_get(coding, S("code")), str_of(role_labels[i].code)) &&
            json_string_is(json_get(coding, S("system")), str_of(role_labels[i].system)))
            return (uint32_t)1 << i;
    return 0;
}

uint32_t decide_labels(struct json resource)
{
    uint32_t labels = 0;
    struct json security = json_get(json_get(resource, S("meta")), S("security"));
    for (struct json_walk w = json_walk(security); json_next(&w);)
        labels |= label_bit(w.value);
    return labels;
}
