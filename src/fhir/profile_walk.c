/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/profile_in.h"

/*
 * The walk over a whole resource for what holds without a profile: R4's invariants, extensions by
 * their definitions, and the profiles each resource within claims in meta.profile.
 */

/* One level of the walk; levels live on the C stack. */
struct level {
    const struct level *up;
    const struct profile_item *item;
    const struct validate_place *place;
};

/* Rules that the base validation covers, or that are told from the tape more cheaply below. */
static bool is_covered(str key)
{
    static const char *const keys[] = { "ext-1", "ref-1", "dom-2", "dom-6", "txt-1", "txt-2" };
    for (size_t i = 0; i < COUNT(keys); i++)
        if (str_eq(key, str_of(keys[i])))
            return true;
    return false;
}

static bool concerns(const struct fhir_rule *rule, const struct profile_item *item)
{
    bool of_contained = str_starts(rule->expression, S("contained."));
    return !is_covered(rule->key) &&
           (!of_contained || json_get(item->value, S("contained")).doc);
}

static void check_rules(struct profile_check *c, uint16_t type, uint16_t order,
                        const struct level *level)
{
    struct fhir_rule_range range = fhir_type_rules[type];
    for (uint16_t i = range.from; i < range.from + range.count; i++) {
        const struct fhir_rule *core = &fhir_rules[i];
        if (core->order != order || !c->set->rules[i] || !concerns(core, level->item))
            continue;
        struct profile_rule rule = { core->key, core->human, core->is_error, c->set->rules[i],
                                     NULL };
        profile_check_rule(c, &rule, level->item, level->place);
    }
}

/* What R4 itself says about a coded element beyond the required sets the binary can expand. */
static void check_binding(struct profile_check *c, const struct level *level)
{
    const struct fhir_element *element = level->item->element;
    struct profile_binding binding = { .strength = PROFILE_EXTENSIBLE };
    if (element->advised != FHIR_NONE) {
        binding.value_set = fhir_advised_sets[element->advised];
    } else if (element->binding != FHIR_NONE &&
               fhir_value_sets[element->binding].codes_count == 0) {
        binding.value_set = fhir_value_sets[element->binding].url;
        binding.strength = PROFILE_REQUIRED;
    }
    profile_check_binding(c, &binding, level->item, level->place);
}

/* ---- Extensions ---- */

static bool has_scheme(str url)
{
    size_t colon = str_find_char(url, ':');
    return colon != STR_NONE && colon > 0 && str_find_char(url, '/') > colon;
}

/* "Patient.contact.name" of a level, as a definition would name it from the resource down. */
static str full_path(struct profile_check *c, const struct level *level)
{
    if (!level->up || fhir_types[level->item->type].kind == FHIR_RESOURCE)
        return fhir_types[level->item->type].name;
    str up = full_path(c, level->up);
    return arena_printf(c->cx->arena, "%.*s.%.*s", STR_ARG(up),
                        STR_ARG(level->item->element->name));
}

/* R4's own definitions use an extension one step above where it says it belongs. */
static str as_used(str expression)
{
    static const struct { const char *said, *used; } rows[] = {
        /* structuredefinition-fhir-type */
        { "ElementDefinition.type.code", "ElementDefinition.type" },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (str_eq(expression, str_of(rows[i].said)))
            return str_of(rows[i].used);
    return expression;
}

static bool path_fits(struct profile_check *c, const struct level *holder, str expression)
{
    if (str_ends(expression, S("[x]")))
        expression = str_slice(expression, 0, expression.n - 3);
    if (str_eq(full_path(c, holder), expression))
        return true;
    if (!holder->up || !holder->item->element)
        return false;
    str parent = fhir_types[holder->up->item->type].name;
    str own = arena_printf(c->cx->arena, "%.*s.%.*s", STR_ARG(parent),
                           STR_ARG(holder->item->element->name));
    return str_eq(own, expression);
}

static bool element_context_fits(struct profile_check *c, const struct level *holder,
                                 str expression)
{
    size_t hash = str_find_char(expression, '#'); /* a profile's element: hold its path alone */
    if (hash != STR_NONE)
        expression = str_slice(expression, hash + 1, expression.n);
    if (str_eq(expression, S("*")) || str_eq(expression, S("Element")))
        return true;
    uint16_t wanted = fhir_type_find(expression);
    if (wanted != FHIR_NONE && fhir_type_is(holder->item->type, wanted))
        return true;
    return path_fits(c, holder, expression) || path_fits(c, holder, as_used(expression));
}

static bool is_same(struct json a, struct json b)
{
    return a.doc && a.doc == b.doc && a.at == b.at;
}

/* Is the holder among what a query over the resource finds? A query that cannot be evaluated is not
 * held against anyone. */
static bool query_context_fits(struct profile_check *c, const struct level *holder, str expression)
{
    const struct profile_item *item = holder->item;
    const struct path *path;
    struct path_result found = { 0 };
    size_t kept = c->cx->issues.kept, count = c->cx->issues.count;
    err wrong = path_compile(c->cx, expression, &path);
    if (!wrong)
        wrong = path_eval_on(c->cx, path, c->resource, &found);
    c->cx->issues.kept = kept;
    c->cx->issues.count = count;
    for (size_t i = 0; i < found.count; i++)
        if (found.items[i].kind == PATH_NODE &&
            (is_same(found.items[i].node, item->value) ||
             is_same(found.items[i].extra, item->twin)))
            return true;
    return wrong != ERR_OK;
}

static bool context_fits(struct profile_check *c, const struct level *holder, struct json context)
{
    struct json type = json_get(context, S("type"));
    struct json node = json_get(context, S("expression"));
    str expression = json_string(c->cx->arena, node);
    if (json_string_is(type, S("fhirpath")))
        return query_context_fits(c, holder, expression);
    if (json_string_is(type, S("extension")))
        return json_string_is(json_get(holder->item->value, S("url")), expression);
    return element_context_fits(c, holder, expression);
}

static void check_context(struct profile_check *c, const struct profile *profile,
                          const struct level *level)
{
    bool any = false;
    for (struct json_walk w = json_walk(profile->context); json_next(&w); any = true)
        if (context_fits(c, level->up, w.value))
            return;
    if (!any)
        return;
    const struct profile *before = c->profile;
    c->profile = profile;
    profile_fault(c, level->place, "extension", "the extension may not be used here, at %.*s",
                  STR_ARG(full_path(c, level->up)));
    c->profile = before;
}

static bool has_value(struct json extension)
{
    for (struct json_walk w = json_walk(extension); json_next(&w);) {
        str key = json_text(w.key); /* with its quotes */
        if (str_starts(key, S("\"value")) || str_starts(key, S("\"_value")))
            return true;
    }
    return false;
}

static void check_extension(struct profile_check *c, const struct level *level)
{
    struct json value = level->item->value;
    bool inner = json_get(value, S("extension")).doc != NULL;
    if (inner == has_value(value))
        profile_fault(c, level->place, "invariant",
                      "breaks rule ext-1: Must have either extensions or value[x], not both");
    str url = json_string(c->cx->arena, json_get(value, S("url")));
    if (!has_scheme(url))
        return; /* a part of a complex extension: its definition is that one's */
    const struct profile *profile = profile_find(c->set, url);
    bool modifier = str_eq(level->item->element->name, S("modifierExtension"));
    if (!profile || !profile->is_extension) {
        if (modifier)
            profile_fault(c, level->place, "extension",
                          "%.*s changes the meaning of what it stands in and is not known here",
                          STR_ARG(url));
        else
            profile_warn(c, level->place, ISSUE_WARNING,
                         "not checked: no definition of extension %.*s is loaded", STR_ARG(url));
        return;
    }
    check_context(c, profile, level);
    profile_check_against(c, profile, level->item, level->place);
}

/* ---- Resources ---- */

static void check_claimed(struct profile_check *c, const struct profile_item *item,
                          const struct validate_place *place)
{
    struct json claimed = json_get(json_get(item->value, S("meta")), S("profile"));
    for (struct json_walk w = json_walk(claimed); json_next(&w);) {
        str url = json_string(c->cx->arena, w.value);
        const struct profile *profile = str_given(url) ? profile_find(c->set, url) : NULL;
        uint16_t core = str_given(url) ? profile_core_type(url) : FHIR_NONE;
        if (profile)
            profile_check_against(c, profile, item, place);
        else if (core != FHIR_NONE && !fhir_type_is(item->type, core))
            profile_fault(c, place, "structure", "is not a %.*s, which its meta.profile claims",
                          STR_ARG(fhir_types[core].name));
        else if (core == FHIR_NONE)
            profile_warn(c, place, ISSUE_WARNING,
                         "not checked: the profile %.*s it claims is not loaded", STR_ARG(url));
    }
}

static bool has_narrative(const struct profile_item *item)
{
    return json_get(json_get(item->value, S("text")), S("div")).doc != NULL;
}

static bool is_domain_resource(uint16_t type)
{
    return fhir_type_is(type, fhir_type_find(S("DomainResource")));
}

static void walk_level(struct profile_check *c, const struct level *level);

/* A resource within another starts %resource anew; what is contained keeps %rootResource. */
static void walk_resource(struct profile_check *c, const struct level *level)
{
    struct json resource = c->resource, root = c->root, bundle = c->bundle;
    bool contained = level->item->element && str_eq(level->item->element->name, S("contained"));
    if (json_string_is(json_get(c->resource, S("resourceType")), S("Bundle")) && !contained)
        c->bundle = c->resource;
    c->resource = level->item->value;
    if (!contained)
        c->root = level->item->value;
    if (!contained && is_domain_resource(level->item->type) && !has_narrative(level->item))
        profile_warn(c, level->place, ISSUE_INFORMATION,
                     "breaks rule dom-6: A resource should have narrative for robust management");
    check_claimed(c, level->item, level->place);
    walk_level(c, level);
    c->resource = resource;
    c->root = root;
    c->bundle = bundle;
}

/* ---- The walk ---- */

static void walk_item(struct profile_check *c, const struct level *up,
                      const struct profile_item *item)
{
    struct validate_place place = profile_place(up->place, item, item->element->json_name);
    struct level level = { up, item, &place };
    check_rules(c, up->item->type, item->element->order, &level);
    check_binding(c, &level);
    if (fhir_types[item->type].kind == FHIR_RESOURCE)
        walk_resource(c, &level);
    else if (fhir_types[item->type].kind != FHIR_PRIMITIVE || item->twin.doc)
        walk_level(c, &level);
}

static bool is_primitive(const struct fhir_element *element)
{
    return fhir_types[element->type].kind == FHIR_PRIMITIVE;
}

static bool has_element_rules(uint16_t type, uint16_t order)
{
    struct fhir_rule_range range = fhir_type_rules[type];
    for (uint16_t i = range.from; i < range.from + range.count; i++)
        if (fhir_rules[i].order == order)
            return true;
    return false;
}

static void walk_member(struct profile_check *c, const struct level *level,
                        const struct json_walk *member)
{
    str key = json_string(c->cx->arena, member->key);
    bool twin = key.n > 1 && key.p[0] == '_';
    str name = twin ? str_slice(key, 1, key.n) : key;
    uint16_t type = level->item->type;
    struct json object =
        fhir_types[type].kind == FHIR_PRIMITIVE ? level->item->twin : level->item->value;
    const struct fhir_element *element = fhir_element_find(type, name);
    if (!element || (twin && json_get(object, name).doc))
        return; /* a twin goes with its value */
    bool bound = element->advised != FHIR_NONE ||
                 (element->binding != FHIR_NONE &&
                  fhir_value_sets[element->binding].codes_count == 0);
    if (!twin && !bound && is_primitive(element) && !has_element_rules(type, element->order) &&
        !json_get(object, arena_printf(c->cx->arena, "_%.*s", STR_ARG(name))).doc)
        return; /* a plain primitive has nothing more to it */
    struct profile_items items = profile_children(c, level->item, name);
    if (element->choice)
        items = profile_children(c, level->item, element->name);
    for (size_t i = 0; i < items.count; i++)
        walk_item(c, level, &items.list[i]);
}

static void walk_level(struct profile_check *c, const struct level *level)
{
    uint16_t type = level->item->type;
    bool primitive = fhir_types[type].kind == FHIR_PRIMITIVE;
    check_rules(c, type, FHIR_NONE, level);
    if (str_eq(fhir_types[type].name, S("Extension")))
        check_extension(c, level);
    struct json object = primitive ? level->item->twin : level->item->value;
    for (struct json_walk w = json_walk(object); json_next(&w);)
        walk_member(c, level, &w);
}

void profile_walk(struct profile_check *c, struct json resource,
                  const struct validate_place *place)
{
    struct profile_item item = profile_item_of(resource, profile_type_of(c, resource));
    struct level level = { NULL, &item, place };
    walk_resource(c, &level);
}
