/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/scope.h"

static const struct {
    const char letter;
    enum scope_action action;
} letters[] = {
    { 'c', SCOPE_CREATE }, { 'r', SCOPE_READ }, { 'u', SCOPE_UPDATE },
    { 'd', SCOPE_DELETE }, { 's', SCOPE_SEARCH },
};

static const struct {
    const char *word;
    unsigned actions;
} version1[] = {
    { "read", SCOPE_READ | SCOPE_SEARCH },
    { "write", SCOPE_CREATE | SCOPE_UPDATE | SCOPE_DELETE },
    { "*", SCOPE_CREATE | SCOPE_READ | SCOPE_UPDATE | SCOPE_DELETE | SCOPE_SEARCH },
};

static const char *const levels[] = {
    [SCOPE_PATIENT] = "patient/", [SCOPE_USER] = "user/", [SCOPE_SYSTEM] = "system/",
};

static const struct {
    const char *word;
    size_t flag;
} flags[] = {
    { "openid", offsetof(struct scope_set, openid) },
    { "fhirUser", offsetof(struct scope_set, fhir_user) },
    { "profile", offsetof(struct scope_set, profile) },
    { "offline_access", offsetof(struct scope_set, offline) },
    { "online_access", offsetof(struct scope_set, online) },
    { "launch", offsetof(struct scope_set, launch) },
    { "launch/patient", offsetof(struct scope_set, launch_patient) },
    { "launch/encounter", offsetof(struct scope_set, launch_encounter) },
};

/* The letters stand in the order c r u d s, each at most once; 0 when they do not. */
static unsigned actions_of(str text)
{
    for (size_t i = 0; i < COUNT(version1); i++)
        if (str_eq(text, str_of(version1[i].word)))
            return version1[i].actions;
    unsigned actions = 0;
    size_t at = 0;
    for (size_t i = 0; i < COUNT(letters); i++)
        if (at < text.n && text.p[at] == letters[i].letter) {
            actions |= letters[i].action;
            at++;
        }
    return at == text.n ? actions : 0;
}

static err refuse(struct ctx *cx, str word, const char *why)
{
    return ctx_failf(cx, ERR_INVALID, S("scope"), "the scope \"%.*s\" %s", STR_ARG(word), why);
}

static err parse_rule(struct ctx *cx, str word, enum scope_level level, struct scope_rule *out)
{
    str rest = str_slice(word, strlen(levels[level]), word.n);
    size_t mark = str_find_char(rest, '?');
    str query = mark == STR_NONE ? S("") : str_slice(rest, mark + 1, rest.n);
    rest = str_slice(rest, 0, mark);
    size_t dot = str_find_char(rest, '.');
    if (dot == STR_NONE)
        return refuse(cx, word, "names no action; write it as patient/Observation.rs");
    str type = str_slice(rest, 0, dot);
    unsigned actions = actions_of(str_slice(rest, dot + 1, rest.n));
    if (!actions)
        return refuse(cx, word, "has no actions of c, r, u, d, s in that order");
    uint16_t resource = str_eq(type, S("*")) ? FHIR_NONE : fhir_resource_find(type);
    if (resource == FHIR_NONE && !str_eq(type, S("*")))
        return refuse(cx, word, "names a resource type that FHIR R4 does not have");
    if (mark != STR_NONE && query.n == 0)
        return refuse(cx, word, "has a ? without parameters after it");
    *out = (struct scope_rule){ level, resource, actions, query };
    return ERR_OK;
}

static bool set_flag(struct scope_set *set, str word)
{
    for (size_t i = 0; i < COUNT(flags); i++)
        if (str_eq(word, str_of(flags[i].word))) {
            *(bool *)((char *)set + flags[i].flag) = true;
            return true;
        }
    return false;
}

static err parse_word(struct ctx *cx, str word, struct scope_set *set)
{
    if (set_flag(set, word))
        return ERR_OK;
    for (size_t level = 0; level < COUNT(levels); level++) {
        if (!str_starts(word, str_of(levels[level])))
            continue;
        if (set->rules_count == SCOPE_RULES_MAX)
            return ctx_fail(cx, ERR_LIMIT, S("scope"), S("too many scopes; ask for fewer types"));
        TRY(parse_rule(cx, word, (enum scope_level)level, &set->rules[set->rules_count]));
        set->rules_count++;
        return ERR_OK;
    }
    return refuse(cx, word, "is not one this server knows");
}

err scope_parse(struct ctx *cx, str text, struct scope_set *out)
{
    size_t words = 1;
    for (size_t i = 0; i < text.n; i++)
        words += text.p[i] == ' ';
    struct scope_set set = {
        .rules = arena_array(cx->arena, words < SCOPE_RULES_MAX ? words : SCOPE_RULES_MAX,
                             sizeof *set.rules),
    };
    str word;
    while (str_next(&text, ' ', &word))
        if (word.n)
            TRY(parse_word(cx, word, &set));
    *out = set;
    return ERR_OK;
}

static bool covers_type(const struct scope_rule *rule, uint16_t resource)
{
    return rule->resource == FHIR_NONE || rule->resource == resource;
}

/* In a patient's hands, or with one patient on screen, what the person may is the patient's part
 * of it: whoever asks narrows the reach to that patient. */
static bool serves(const struct scope_rule *rule, enum scope_level wanted)
{
    return rule->level == wanted || (wanted == SCOPE_PATIENT && rule->level == SCOPE_USER);
}

static bool allows(const struct scope_set *set, const struct scope_rule *wanted, bool in_part)
{
    unsigned missing = wanted->actions;
    for (size_t i = 0; i < set->rules_count; i++) {
        const struct scope_rule *rule = &set->rules[i];
        if (serves(rule, wanted->level) && (in_part || rule->query.n == 0) &&
            covers_type(rule, wanted->resource))
            missing &= ~rule->actions;
    }
    return missing == 0;
}

bool scope_allows(const struct scope_set *set, enum scope_level level, uint16_t resource,
                  unsigned actions)
{
    return allows(set, &(struct scope_rule){ level, resource, actions, S("") }, false);
}

bool scope_allows_part(const struct scope_set *set, enum scope_level level, uint16_t resource,
                       unsigned actions)
{
    return allows(set, &(struct scope_rule){ level, resource, actions, S("") }, true);
}

size_t scope_queries(struct arena *arena, const struct scope_set *set,
                     const struct scope_rule *wanted, const struct scope_rule ***out)
{
    const struct scope_rule **found = arena_array(arena, set->rules_count + 1, sizeof(void *));
    size_t count = 0;
    for (size_t i = 0; i < set->rules_count; i++) {
        const struct scope_rule *rule = &set->rules[i];
        if (serves(rule, wanted->level) && rule->query.n &&
            covers_type(rule, wanted->resource) && (wanted->actions & ~rule->actions) == 0)
            found[count++] = rule;
    }
    *out = found;
    return count;
}

static bool rule_within(const struct scope_rule *wanted, const struct scope_set *granted)
{
    unsigned missing = wanted->actions;
    for (size_t i = 0; i < granted->rules_count; i++) {
        const struct scope_rule *rule = &granted->rules[i];
        bool same_type = rule->resource == FHIR_NONE || rule->resource == wanted->resource;
        bool same_part = rule->query.n == 0 || str_eq(rule->query, wanted->query);
        if (rule->level == wanted->level && same_type && same_part)
            missing &= ~rule->actions;
    }
    return missing == 0;
}

bool scope_within(const struct scope_set *wanted, const struct scope_set *granted)
{
    for (size_t i = 0; i < wanted->rules_count; i++)
        if (!rule_within(&wanted->rules[i], granted))
            return false;
    for (size_t i = 0; i < COUNT(flags); i++)
        if (*((const bool *)((const char *)wanted + flags[i].flag)) &&
            !*((const bool *)((const char *)granted + flags[i].flag)))
            return false;
    return true;
}

str scope_actions_text(struct arena *arena, unsigned actions)
{
    char text[COUNT(letters)];
    size_t n = 0;
    for (size_t i = 0; i < COUNT(letters); i++)
        if (actions & letters[i].action)
            text[n++] = letters[i].letter;
    return arena_copy(arena, (str){ text, n });
}
