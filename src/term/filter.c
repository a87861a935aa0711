/* SPDX-License-Identifier: Apache-2.0 */
#include "term/filter.h"
#include "term/ecl.h"
#include <regex.h>

struct filter {
    struct ctx *cx;
    struct arena *arena;
    const struct term_system *system;
    str property, op, value;
    regex_t regex;
    struct term_bits near;   /* the hierarchy filters' set */
};

/* ---- properties ---- */

static str json_value(struct arena *arena, struct json property)
{
    for (struct json_walk w = json_walk(property); json_next(&w);) {
        str key = json_string(arena, w.key);
        if (!str_starts(key, S("value")))
            continue;
        return json_is(w.value, JSON_OBJECT) ? json_string(arena, json_get(w.value, S("code")))
                                             : json_string(arena, w.value);
    }
    return (str){ 0 };
}

static bool nth_linked(const struct term_system *system, uint32_t from, uint32_t count, size_t n,
                       str *value)
{
    if (n >= count)
        return false;
    *value = system->concepts[system->links[from + n]].code;
    return true;
}

static bool nth_said(struct arena *arena, const struct term_concept *concept, str property,
                     size_t n, str *value)
{
    for (struct json_walk w = json_walk(json_get(concept->json, S("property"))); json_next(&w);) {
        if (!json_string_is(json_get(w.value, S("code")), property) || n-- > 0)
            continue;
        *value = json_value(arena, w.value);
        return true;
    }
    return false;
}

static size_t first_attribute(const struct term_system *system, uint32_t concept)
{
    size_t low = 0, high = system->attributes_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (system->attributes[middle].source < concept)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool nth_attribute(const struct term_system *system, uint32_t concept, str property,
                          size_t n, str *value)
{
    for (size_t i = first_attribute(system, concept);
         i < system->attributes_count && system->attributes[i].source == concept; i++) {
        const struct term_attribute *a = &system->attributes[i];
        if (!str_eq(system->concepts[a->type].code, property) || n-- > 0)
            continue;
        *value = system->concepts[a->target].code;
        return true;
    }
    return false;
}

bool term_property(struct arena *arena, const struct term_system *system, uint32_t concept,
                   str property, size_t *at, str *value)
{
    const struct term_concept *c = &system->concepts[concept];
    size_t n = (*at)++;
    if (str_eq(property, S("parent")))
        return nth_linked(system, c->parents, c->parents_count, n, value);
    if (str_eq(property, S("child")))
        return nth_linked(system, c->children, c->children_count, n, value);
    const struct { const char *name; str value; } own[] = {
        { "code", c->code }, { "concept", c->code }, { "display", c->display },
        { "inactive", c->inactive ? S("true") : S("false") },
    };
    for (size_t i = 0; i < COUNT(own); i++)
        if (str_eq(property, str_of(own[i].name))) {
            *value = own[i].value;
            return n == 0;
        }
    return system->attributes_count ? nth_attribute(system, concept, property, n, value)
                                    : nth_said(arena, c, property, n, value);
}

/* ---- operators ---- */

static bool any_value(const struct filter *f, uint32_t n,
                      bool (*test)(const struct filter *f, str value))
{
    size_t at = 0;
    str value;
    while (term_property(f->arena, f->system, n, f->property, &at, &value))
        if (test(f, value))
            return true;
    return false;
}

static bool equals(const struct filter *f, str value)
{
    return str_eq(value, f->value);
}

static bool listed(const struct filter *f, str value)
{
    str rest = f->value, one;
    while (str_next(&rest, ',', &one))
        if (str_eq(str_trim(one), value))
            return true;
    return false;
}

static bool matches(const struct filter *f, str value)
{
    return regexec(&f->regex, arena_cstr(f->arena, value), 0, NULL, 0) == 0;
}

static bool is_there(const struct filter *f, str value)
{
    (void)f, (void)value;
    return true;
}

static bool pass_equal(const struct filter *f, uint32_t n) { return any_value(f, n, equals); }
static bool pass_in(const struct filter *f, uint32_t n) { return any_value(f, n, listed); }
static bool pass_not_in(const struct filter *f, uint32_t n) { return !any_value(f, n, listed); }
static bool pass_regex(const struct filter *f, uint32_t n) { return any_value(f, n, matches); }
static bool pass_near(const struct filter *f, uint32_t n) { return term_bit(&f->near, n); }
static bool pass_far(const struct filter *f, uint32_t n) { return !term_bit(&f->near, n); }
static bool pass_exists(const struct filter *f, uint32_t n)
{
    return any_value(f, n, is_there) == str_eq(f->value, S("true"));
}

static void take_root(struct filter *f, bool self, bool down)
{
    uint32_t root = term_find(f->system, f->value);
    f->near = term_bits_make(f->arena, f->system);
    if (root == TERM_NONE)
        return;
    if (down)
        term_add_below(f->system, root, &f->near);
    else
        term_add_above(f->system, root, &f->near);
    if (self)
        term_bit_set(&f->near, root);
}

static err ready_below(struct filter *f) { return take_root(f, false, true), ERR_OK; }
static err ready_is_a(struct filter *f) { return take_root(f, true, true), ERR_OK; }
static err ready_above(struct filter *f) { return take_root(f, true, false), ERR_OK; }

/* The whole value must match, as FHIR's regular expressions are anchored. */
static err ready_regex(struct filter *f)
{
    str whole = arena_printf(f->arena, "^(%.*s)$%c", STR_ARG(f->value), 0);
    if (regcomp(&f->regex, whole.p, REG_EXTENDED | REG_NOSUB) != 0)
        return ctx_failf(f->cx, ERR_RULE, S("ValueSet.compose.include.filter"),
                         "\"%.*s\" is not a regular expression", STR_ARG(f->value));
    return ERR_OK;
}

static err ready_equal(struct filter *f)
{
    bool constraint = str_eq(f->property, S("constraint")) || str_eq(f->property, S("expression"));
    if (!constraint)
        return ERR_OK;
    f->near = term_bits_make(f->arena, f->system);
    return term_ecl(f->cx, f->arena, f->system, f->value, &f->near);
}

static bool pass_equal_or_constraint(const struct filter *f, uint32_t n)
{
    return f->near.words ? term_bit(&f->near, n) : pass_equal(f, n);
}

static const struct {
    const char *op;
    err (*ready)(struct filter *f);
    bool (*pass)(const struct filter *f, uint32_t n);
} operators[] = {
    { "=", ready_equal, pass_equal_or_constraint },
    { "is-a", ready_is_a, pass_near },
    { "descendent-of", ready_below, pass_near },
    { "is-not-a", ready_is_a, pass_far },
    { "generalizes", ready_above, pass_near },
    { "regex", ready_regex, pass_regex },
    { "in", NULL, pass_in },
    { "not-in", NULL, pass_not_in },
    { "exists", NULL, pass_exists },
};

/* A property nobody declared would quietly find nothing. */
static bool is_property(const struct filter *f)
{
    static const char *const standard[] = { "concept", "code", "display", "parent", "child",
        "inactive", "constraint", "expression", "expressions", "status", "notSelectable" };
    for (size_t i = 0; i < COUNT(standard); i++)
        if (str_eq(f->property, str_of(standard[i])))
            return true;
    if (f->system->attributes_count)
        return true; /* SNOMED CT: any concept that is an attribute */
    for (struct json_walk w = json_walk(f->system->declared); json_next(&w);)
        if (json_string_is(json_get(w.value, S("code")), f->property))
            return true;
    size_t at = 0;
    str value;
    for (uint32_t n = 0; n < f->system->count; n++, at = 0)
        if (term_property(f->arena, f->system, n, f->property, &at, &value))
            return true;
    return false;
}

static err check_filter(struct ctx *cx, const struct filter *f)
{
    bool near = str_eq(f->op, S("is-a")) || str_eq(f->op, S("descendent-of")) ||
                str_eq(f->op, S("is-not-a")) || str_eq(f->op, S("generalizes"));
    if (near || is_property(f))
        return ERR_OK;
    return ctx_failf(cx, ERR_RULE, S("ValueSet.compose.include.filter.property"),
                     "no code of %.*s has a property \"%.*s\"", STR_ARG(f->system->url),
                     STR_ARG(f->property));
}

static err filter_one(struct ctx *cx, struct arena *arena, const struct term_system *system,
                      struct json filter, struct term_bits *kept)
{
    struct filter f = {
        .cx = cx, .arena = arena, .system = system,
        .property = json_string(arena, json_get(filter, S("property"))),
        .op = json_string(arena, json_get(filter, S("op"))),
        .value = json_string(arena, json_get(filter, S("value"))),
    };
    for (size_t i = 0; i < COUNT(operators); i++) {
        if (!str_eq(f.op, str_of(operators[i].op)))
            continue;
        TRY(check_filter(cx, &f));
        if (operators[i].ready)
            TRY(operators[i].ready(&f));
        for (uint32_t n = 0; n < system->count; n++)
            if (term_bit(kept, n) && !operators[i].pass(&f, n))
                kept->words[n / 64] &= ~((uint64_t)1 << (n % 64));
        if (operators[i].pass == pass_regex)
            regfree(&f.regex);
        return ERR_OK;
    }
    return ctx_failf(cx, ERR_RULE, S("ValueSet.compose.include.filter.op"),
                     "\"%.*s\" is not a filter operator", STR_ARG(f.op));
}

err term_filter_all(struct ctx *cx, struct arena *arena, const struct term_system *system,
                    struct json filters, struct term_bits *out)
{
    for (uint32_t n = 0; n < system->count; n++)
        term_bit_set(out, n);
    for (struct json_walk w = json_walk(filters); json_next(&w);)
        TRY(filter_one(cx, arena, system, w.value, out));
    return ERR_OK;
}
