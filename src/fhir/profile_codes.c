/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/profile_in.h"

/*
 * Value sets as far as the loaded code systems tell. Source: hl7.org/fhir/R4/valueset.html.
 * Systems nobody here has (SNOMED CT, LOINC whole) stay "open": their codes are neither in nor out.
 */
enum { CODES_MAX = 200000, IMPORTS_DEEP_MAX = 12 };

struct gather {
    struct profile_set *set;
    struct fhir_code *codes;
    size_t count, cap;
    str *open;
    size_t open_count, open_cap;
    bool unknown;
    int deep;
};

static struct arena *memory(struct gather *g) { return &g->set->arena; }

static str text_of(struct gather *g, struct json object, str key)
{
    return json_string(memory(g), json_get(object, key));
}

static void add_code(struct gather *g, str system, str code)
{
    if (!code.n || g->count >= CODES_MAX)
        return;
    g->codes = arena_grow(memory(g), g->codes, g->count, &g->cap, sizeof *g->codes);
    g->codes[g->count++] = (struct fhir_code){ code, system };
}

static void add_open(struct gather *g, str system)
{
    g->open = arena_grow(memory(g), g->open, g->open_count, &g->open_cap, sizeof *g->open);
    g->open[g->open_count++] = system;
}

static int by_code(const void *a, const void *b)
{
    const struct fhir_code *left = a, *right = b;
    int order = str_cmp(left->code, right->code);
    return order ? order : str_cmp(left->system, right->system);
}

/* ---- Code systems ---- */

/* One concept on the way down a code system; `up` is its parent in the nesting. */
struct concept {
    const struct concept *up;
    str code;
    struct json json;
};

static bool property_is(struct gather *g, struct json concept, str property, str value)
{
    for (struct json_walk w = json_walk(json_get(concept, S("property"))); json_next(&w);) {
        if (!json_string_is(json_get(w.value, S("code")), property))
            continue;
        for (struct json_walk m = json_walk(w.value); json_next(&m);)
            if (!json_string_is(m.key, S("code")) &&
                str_eq(json_string(memory(g), m.value), value))
                return true;
    }
    return false;
}

static bool is_below(struct gather *g, const struct concept *c, str ancestor)
{
    for (const struct concept *up = c->up; up; up = up->up)
        if (str_eq(up->code, ancestor))
            return true;
    return property_is(g, c->json, S("parent"), ancestor) ||
           property_is(g, c->json, S("subsumedBy"), ancestor);
}

static bool listed(str list, str code)
{
    str one;
    while (str_next(&list, ',', &one))
        if (str_eq(str_trim(one), code))
            return true;
    return false;
}

static bool filter_is_known(struct gather *g, struct json filter)
{
    static const char *const known[] = { "is-a", "descendent-of", "is-not-a", "=", "in", "not-in",
                                         "exists" };
    str op = text_of(g, filter, S("op"));
    for (size_t i = 0; i < COUNT(known); i++)
        if (str_eq(op, str_of(known[i])))
            return true;
    return false;
}

static bool has_property(struct json concept, str property)
{
    for (struct json_walk w = json_walk(json_get(concept, S("property"))); json_next(&w);)
        if (json_string_is(json_get(w.value, S("code")), property))
            return true;
    return false;
}

static bool passes(struct gather *g, const struct concept *c, struct json filter)
{
    str op = text_of(g, filter, S("op")), value = text_of(g, filter, S("value"));
    str property = text_of(g, filter, S("property"));
    bool below = is_below(g, c, value), same = str_eq(c->code, value);
    if (str_eq(op, S("is-a")))
        return same || below;
    if (str_eq(op, S("descendent-of")))
        return below;
    if (str_eq(op, S("is-not-a")))
        return !same && !below;
    if (str_eq(op, S("=")))
        return property_is(g, c->json, property, value) ||
               (str_eq(property, S("code")) && same);
    if (str_eq(op, S("exists")))
        return has_property(c->json, property) == str_eq(value, S("true"));
    return listed(value, c->code) == str_eq(op, S("in"));
}

static void take_concepts(struct gather *g, struct json list, const struct concept *up, str system,
                          struct json filters)
{
    for (struct json_walk w = json_walk(list); json_next(&w);) {
        struct concept c = { up, text_of(g, w.value, S("code")), w.value };
        bool wanted = true;
        for (struct json_walk f = json_walk(filters); wanted && json_next(&f);)
            wanted = passes(g, &c, f.value);
        if (wanted)
            add_code(g, system, c.code);
        take_concepts(g, json_get(w.value, S("concept")), &c, system, filters);
    }
}

static void take_system(struct gather *g, str system, struct json filters)
{
    struct profile_definition *found = profile_definition_find(g->set, system);
    bool whole = found && profile_definition_read(g->set, found) &&
                 str_eq(found->kind, S("CodeSystem")) &&
                 json_string_is(json_get(found->json, S("content")), S("complete"));
    for (struct json_walk f = json_walk(filters); whole && json_next(&f);)
        whole = filter_is_known(g, f.value);
    if (whole)
        take_concepts(g, json_get(found->json, S("concept")), NULL, system, filters);
    else
        add_open(g, system);
}

/* ---- Value sets ---- */

static void take_value_set(struct gather *g, str url);

static void take_include(struct gather *g, struct json include)
{
    str system = text_of(g, include, S("system"));
    struct json concepts = json_get(include, S("concept"));
    struct json imports = json_get(include, S("valueSet"));
    if (str_given(system) && json_count(concepts))
        for (struct json_walk w = json_walk(concepts); json_next(&w);)
            add_code(g, system, text_of(g, w.value, S("code")));
    else if (str_given(system))
        take_system(g, system, json_get(include, S("filter")));
    else
        for (struct json_walk w = json_walk(imports); json_next(&w);)
            take_value_set(g, json_string(memory(g), w.value));
}

static struct gather gather_more(const struct gather *g)
{
    return (struct gather){ .set = g->set, .deep = g->deep + 1 };
}

/* Excluded codes go; of a system not known here nothing can be said, so it becomes open. */
static void take_away(struct gather *g, struct json exclude)
{
    struct gather out = gather_more(g);
    take_include(&out, exclude);
    if (out.count)
        qsort(out.codes, out.count, sizeof *out.codes, by_code);
    size_t kept = 0;
    for (size_t i = 0; out.count && i < g->count; i++)
        if (!bsearch(&g->codes[i], out.codes, out.count, sizeof *out.codes, by_code))
            g->codes[kept++] = g->codes[i];
    if (out.count)
        g->count = kept;
    for (size_t i = 0; i < out.open_count; i++)
        add_open(g, out.open[i]);
}

static void take_expansion(struct gather *g, struct json list)
{
    for (struct json_walk w = json_walk(list); json_next(&w);) {
        if (!json_is(json_get(w.value, S("abstract")), JSON_TRUE))
            add_code(g, text_of(g, w.value, S("system")), text_of(g, w.value, S("code")));
        take_expansion(g, json_get(w.value, S("contains")));
    }
}

static void take_value_set(struct gather *g, str url)
{
    struct profile_definition *found = profile_definition_find(g->set, url);
    if (!found || g->deep > IMPORTS_DEEP_MAX || !profile_definition_read(g->set, found) ||
        !str_eq(found->kind, S("ValueSet"))) {
        g->unknown = true;
        return;
    }
    struct json compose = json_get(found->json, S("compose"));
    struct json expansion = json_get(json_get(found->json, S("expansion")), S("contains"));
    g->deep++;
    if (json_count(expansion))
        take_expansion(g, expansion);
    else
        for (struct json_walk w = json_walk(json_get(compose, S("include"))); json_next(&w);)
            take_include(g, w.value);
    for (struct json_walk w = json_walk(json_get(compose, S("exclude"))); json_next(&w);)
        take_away(g, w.value);
    g->deep--;
}

const struct profile_codes *profile_codes_of(struct profile_set *set, str value_set)
{
    pthread_mutex_lock(&set->lock);
    struct profile_definition *found = profile_definition_find(set, value_set);
    if (found && !found->codes) {
        struct gather g = { .set = set };
        take_value_set(&g, value_set);
        if (g.count)
            qsort(g.codes, g.count, sizeof *g.codes, by_code);
        struct profile_codes *codes = arena_alloc(&set->arena, sizeof *codes);
        *codes = (struct profile_codes){ g.codes, g.count, g.open, g.open_count, g.unknown };
        found->codes = codes;
    }
    const struct profile_codes *codes = found ? found->codes : NULL;
    pthread_mutex_unlock(&set->lock);
    return codes;
}

/* ---- Asking ---- */

/* Systems defined by a grammar: whether the code can be one at all. */
static bool may_be_code_of(str system, str code)
{
    if (str_eq(system, S("urn:ietf:bcp:13"))) {
        size_t slash = str_find_char(code, '/');
        return slash != STR_NONE && slash > 0 && slash + 1 < code.n;
    }
    if (!str_eq(system, S("urn:ietf:bcp:47")))
        return true;
    str tag, rest = code;
    for (bool first = true; str_next(&rest, '-', &tag); first = false)
        if (tag.n < 1 || tag.n > 8 || (first && tag.n < 2))
            return false;
    return code.n > 0;
}

static bool has_code(const struct profile_codes *codes, str system, str code)
{
    size_t low = 0, high = codes->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (str_cmp(codes->codes[middle].code, code) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < codes->count && str_eq(codes->codes[low].code, code); low++)
        if (!str_given(system) || str_eq(codes->codes[low].system, system))
            return true;
    return false;
}

enum profile_answer profile_value_set_has(struct profile_set *set, str value_set, str system,
                                          str code)
{
    const struct profile_codes *codes = profile_codes_of(set, value_set);
    if (!codes)
        return PROFILE_UNKNOWN;
    if (has_code(codes, system, code))
        return PROFILE_YES;
    for (size_t i = 0; i < codes->open_count; i++)
        if ((!str_given(system) || str_eq(codes->open[i], system)) &&
            may_be_code_of(codes->open[i], code))
            return PROFILE_UNKNOWN;
    return codes->unknown ? PROFILE_UNKNOWN : PROFILE_NO;
}

/* The set's own answer, else that of the terminology service the caller named. */
static enum profile_answer ask(struct profile_check *c, str value_set, str system, str code)
{
    enum profile_answer answer = profile_value_set_has(c->set, value_set, system, code);
    const struct profile_request *request = c->request;
    if (answer == PROFILE_UNKNOWN && request && request->coded)
        return request->coded(c->cx, request->coded_self, value_set, system, code);
    return answer;
}

static enum profile_answer coding_in(struct profile_check *c, str value_set, struct json coding)
{
    str code = json_string(c->cx->arena, json_get(coding, S("code")));
    str system = json_string(c->cx->arena, json_get(coding, S("system")));
    return code.n ? ask(c, value_set, system, code) : PROFILE_NO;
}

enum profile_answer profile_item_in(struct profile_check *c, str value_set,
                                    const struct profile_item *item)
{
    str type = fhir_types[item->type].name;
    if (json_is(item->value, JSON_STRING))
        return ask(c, value_set, (str){ 0 }, json_string(c->cx->arena, item->value));
    if (!str_eq(type, S("CodeableConcept")))
        return coding_in(c, value_set, item->value);
    enum profile_answer best = PROFILE_NO;
    for (struct json_walk w = json_walk(json_get(item->value, S("coding"))); json_next(&w);) {
        enum profile_answer answer = coding_in(c, value_set, w.value);
        if (answer == PROFILE_YES)
            return PROFILE_YES;
        best = answer == PROFILE_UNKNOWN ? PROFILE_UNKNOWN : best;
    }
    return best;
}

static bool has_code_to_check(const struct profile_item *item)
{
    str type = fhir_types[item->type].name;
    if (str_eq(type, S("CodeableConcept")))
        return json_count(json_get(item->value, S("coding"))) > 0;
    return json_is(item->value, JSON_STRING) || json_get(item->value, S("code")).doc;
}

static bool is_coded(const struct profile_item *item)
{
    static const char *const types[] = { "code", "Coding", "CodeableConcept", "Quantity", "string",
                                         "uri" };
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_eq(fhir_types[item->type].name, str_of(types[i])))
            return json_is(item->value, JSON_STRING) || json_is(item->value, JSON_OBJECT);
    return false;
}

void profile_check_binding(struct profile_check *c, const struct profile_binding *binding,
                           const struct profile_item *item, const struct validate_place *place)
{
    if (!str_given(binding->value_set) || binding->strength == PROFILE_EXAMPLE || !is_coded(item))
        return;
    bool required = binding->strength == PROFILE_REQUIRED;
    if (!required && (c->quiet || !has_code_to_check(item)))
        return;
    enum profile_answer answer = profile_item_in(c, binding->value_set, item);
    if (answer == PROFILE_YES)
        return;
    if (answer == PROFILE_UNKNOWN)
        profile_warn(c, place,
                     binding->strength == PROFILE_PREFERRED ? ISSUE_INFORMATION : ISSUE_WARNING,
                     "not checked: the codes of %.*s are not all loaded here",
                     STR_ARG(binding->value_set));
    else if (required)
        profile_fault(c, place, "code-invalid", "holds no code of %.*s, from which one is required",
                      STR_ARG(binding->value_set));
    else
        profile_warn(c, place,
                     binding->strength == PROFILE_EXTENSIBLE ? ISSUE_WARNING : ISSUE_INFORMATION,
                     "holds no code of %.*s, %s", STR_ARG(binding->value_set),
                     binding->strength == PROFILE_EXTENSIBLE
                         ? "which is right only if none of its codes fits" : "which is preferred");
}
