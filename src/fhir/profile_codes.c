/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/profile_in.h"
#include "fhir/ucum.h"

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

/* ISO 639-1: two letters a language. */
static const char languages[] =
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy "
    "da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu "
    "hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb "
    "lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om "
    "or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw "
    "ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu ";

/* BCP 47: subtags of 1 to 8 letters and digits; the first is the language. Three-letter languages
 * are a list of thousands that is not held here. */
static enum profile_answer language_answer(str code)
{
    str tag, rest = code, first = { 0 };
    while (str_next(&rest, '-', &tag)) {
        if (tag.n < 1 || tag.n > 8 || (!str_given(first) && tag.n < 2))
            return PROFILE_NO;
        first = str_given(first) ? first : tag;
    }
    for (size_t i = 0; first.n == 2 && i + 2 < sizeof languages; i += 3)
        if (memcmp(languages + i, first.p, 2) == 0)
            return PROFILE_YES;
    return first.n == 2 ? PROFILE_NO : PROFILE_UNKNOWN;
}

/* BCP 13: type/subtype, registered or not; and the short names R4 itself uses for its formats. */
static enum profile_answer media_answer(str code)
{
    static const char *const formats[] = { "json", "xml", "ttl" };
    for (size_t i = 0; i < COUNT(formats); i++)
        if (str_eq(code, str_of(formats[i])))
            return PROFILE_YES;
    size_t slash = str_find_char(code, '/');
    return slash != STR_NONE && slash > 0 && slash + 1 < code.n ? PROFILE_YES : PROFILE_NO;
}

/* Systems that are a grammar rather than a list. UCUM knows more units than we do, so one that is
 * not understood may still be right. */
static enum profile_answer open_answer(str system, str code)
{
    struct ucum unit;
    if (str_eq(system, S("urn:ietf:bcp:47")))
        return language_answer(code);
    if (str_eq(system, S("urn:ietf:bcp:13")))
        return media_answer(code);
    if (str_eq(system, S("http://unitsofmeasure.org")) && ucum_parse(code, &unit))
        return PROFILE_YES;
    return PROFILE_UNKNOWN;
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
    enum profile_answer best = codes->unknown ? PROFILE_UNKNOWN : PROFILE_NO;
    for (size_t i = 0; i < codes->open_count && best != PROFILE_YES; i++) {
        if (str_given(system) && !str_eq(codes->open[i], system))
            continue;
        enum profile_answer answer = open_answer(codes->open[i], code);
        best = answer == PROFILE_NO ? best : answer;
    }
    return best;
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
