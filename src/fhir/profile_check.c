/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/datetime.h"
#include "fhir/decimal.h"
#include "fhir/profile_in.h"

/* ---- Values ---- */

static bool array_fits(struct json pattern, struct json value)
{
    for (struct json_walk p = json_walk(pattern); json_next(&p);) {
        bool found = false;
        for (struct json_walk v = json_walk(value); !found && json_next(&v);)
            found = profile_pattern_fits(p.value, v.value);
        if (!found)
            return false;
    }
    return true;
}

/* What the pattern says is in the value; the value may say more. */
bool profile_pattern_fits(struct json pattern, struct json value)
{
    if (json_is(pattern, JSON_ARRAY))
        return json_is(value, JSON_ARRAY) && array_fits(pattern, value);
    if (!json_is(pattern, JSON_OBJECT))
        return value.doc && json_same(pattern, value, false);
    if (!json_is(value, JSON_OBJECT))
        return false;
    char key[128];
    for (struct json_walk p = json_walk(pattern); json_next(&p);) {
        str name = json_text(p.key); /* with its quotes; definitions need no escapes in names */
        if (name.n < 2 || name.n > sizeof key)
            return false;
        memcpy(key, name.p + 1, name.n - 2);
        if (!profile_pattern_fits(p.value, json_get(value, (str){ key, name.n - 2 })))
            return false;
    }
    return true;
}

static str shown(struct json value)
{
    return str_slice(json_text(value), 0, 200);
}

/* Code points: what does not continue one begins one. */
static size_t characters(str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.n; i++)
        count += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    return count;
}

/* Numbers, dates and times, and quantities of one unit. What cannot be compared is not before. */
static bool is_before(struct profile_check *c, struct json a, struct json b)
{
    struct decimal left, right;
    struct datetime from, to;
    if (json_is(a, JSON_OBJECT) && json_is(b, JSON_OBJECT)) {
        str unit = json_string(c->cx->arena, json_get(a, S("code")));
        return json_string_is(json_get(b, S("code")), unit) &&
               is_before(c, json_get(a, S("value")), json_get(b, S("value")));
    }
    if (json_is(a, JSON_NUMBER) && json_is(b, JSON_NUMBER))
        return decimal_parse(json_text(a), &left) && decimal_parse(json_text(b), &right) &&
               decimal_cmp(left, right) < 0;
    str first = json_string(c->cx->arena, a), second = json_string(c->cx->arena, b);
    if (datetime_parse(first, DATETIME_AS_DATE_TIME, &from) &&
        datetime_parse(second, DATETIME_AS_DATE_TIME, &to))
        return from.high_ms < to.low_ms;
    return json_is(a, JSON_STRING) && json_is(b, JSON_STRING) && str_cmp(first, second) < 0;
}

static void check_values(struct profile_check *c, const struct profile_node *node,
                         const struct profile_item *item, const struct validate_place *place)
{
    if (node->fixed.doc && !(item->value.doc && json_same(node->fixed, item->value, false)))
        profile_fault(c, place, "value", "must be exactly %.*s", STR_ARG(shown(node->fixed)));
    if (node->pattern.doc && !profile_pattern_fits(node->pattern, item->value))
        profile_fault(c, place, "value", "must hold at least %.*s", STR_ARG(shown(node->pattern)));
    if (node->length_max && json_is(item->value, JSON_STRING) &&
        characters(json_string(c->cx->arena, item->value)) > node->length_max)
        profile_fault(c, place, "too-long", "is longer than %u characters (maxLength)",
                      node->length_max);
    if (node->least.doc && is_before(c, item->value, node->least))
        profile_fault(c, place, "value", "must be %.*s or more (minValue)",
                      STR_ARG(shown(node->least)));
    if (node->most.doc && is_before(c, node->most, item->value))
        profile_fault(c, place, "value", "must be %.*s or less (maxValue)",
                      STR_ARG(shown(node->most)));
}

/* ---- Types ---- */

static const struct profile_type *type_for(const struct profile_node *node, uint16_t type)
{
    for (const struct profile_type *t = node->types; t; t = t->next)
        if (t->type == FHIR_NONE || fhir_type_is(type, t->type))
            return t;
    return NULL;
}

static str list_types(struct profile_check *c, const struct profile_type *types)
{
    str out = S("");
    for (; types; types = types->next)
        out = arena_printf(c->cx->arena, "%.*s%s%.*s", STR_ARG(out), out.n ? " or " : "",
                           STR_ARG(fhir_types[types->type].name));
    return out;
}

static str list_urls(struct profile_check *c, const str *urls, size_t count)
{
    str out = S("");
    for (size_t i = 0; i < count; i++)
        out = arena_printf(c->cx->arena, "%.*s%s%.*s", STR_ARG(out), i ? " or " : "",
                           STR_ARG(urls[i]));
    return out;
}

/* The type a reference leads to, as its text or its target tells. */
static uint16_t referred_type(struct profile_check *c, struct json reference, struct json target)
{
    struct validate_reference read;
    if (target.doc)
        return profile_type_of(c, target);
    str text = json_string(c->cx->arena, json_get(reference, S("reference")));
    str type = json_string(c->cx->arena, json_get(reference, S("type")));
    if (str_given(text) && validate_read_reference(text, &read) && read.resource != FHIR_NONE)
        return fhir_resources[read.resource];
    return str_given(type) ? fhir_type_find(type) : FHIR_NONE;
}

/* True when the target may be what `url` asks for. */
static bool target_fits(struct profile_check *c, str url, uint16_t type, struct json target)
{
    uint16_t wanted = profile_core_type(url);
    const struct profile *profile = wanted == FHIR_NONE ? profile_find(c->set, url) : NULL;
    if (profile)
        wanted = profile->type;
    if (wanted == FHIR_NONE)
        return true; /* the profile is not loaded */
    if (!fhir_type_is(type, wanted))
        return false;
    struct profile_item item = profile_item_of(target, type);
    return !profile || !target.doc || c->following || profile_conforms(c, profile, &item);
}

static void check_target(struct profile_check *c, const struct profile_type *wanted,
                         const struct profile_item *item, const struct validate_place *place)
{
    str text = json_string(c->cx->arena, json_get(item->value, S("reference")));
    struct json target =
        text.n && !c->following ? profile_resolve(c, text) : (struct json){ 0 };
    uint16_t type = referred_type(c, item->value, target);
    if (type == FHIR_NONE)
        return; /* a urn or url that tells no type */
    for (size_t i = 0; i < wanted->targets_count; i++)
        if (target_fits(c, wanted->targets[i], type, target))
            return;
    profile_fault(c, place, "structure", "refers to a %.*s that is not a %.*s",
                  STR_ARG(fhir_types[type].name),
                  STR_ARG(list_urls(c, wanted->targets, wanted->targets_count)));
}

/* An extension is held to its definition wherever it stands, so not again here. */
static bool is_checked_by_walk(struct profile_check *c, const struct profile_item *item, str url)
{
    return !c->quiet && str_eq(fhir_types[item->type].name, S("Extension")) &&
           json_string_is(json_get(item->value, S("url")), profile_without_version(url));
}

static void check_profiles(struct profile_check *c, const struct profile_type *wanted,
                           const struct profile_item *item, const struct validate_place *place)
{
    const struct profile *only =
        wanted->profiles_count == 1 ? profile_find(c->set, wanted->profiles[0]) : NULL;
    if (only && !is_checked_by_walk(c, item, wanted->profiles[0]))
        profile_check_against(c, only, item, place);
    if (only)
        return;
    for (size_t i = 0; i < wanted->profiles_count; i++)
        if (is_checked_by_walk(c, item, wanted->profiles[i]) ||
            profile_fits(c, wanted->profiles[i], item) != PROFILE_NO)
            return; /* what is not loaded cannot be held against it */
    profile_fault(c, place, "structure", "conforms to none of %.*s",
                  STR_ARG(list_urls(c, wanted->profiles, wanted->profiles_count)));
}

void profile_check_types(struct profile_check *c, const struct profile_node *node,
                         const struct profile_item *item, const struct validate_place *place)
{
    if (!node->types)
        return;
    const struct profile_type *type = type_for(node, item->type);
    if (!type) {
        profile_fault(c, place, "structure", "must be a %.*s, not a %.*s",
                      STR_ARG(list_types(c, node->types)), STR_ARG(fhir_types[item->type].name));
        return;
    }
    if (type->profiles_count)
        check_profiles(c, type, item, place);
    if (type->targets_count && str_eq(fhir_types[item->type].name, S("Reference")))
        check_target(c, type, item, place);
}

/* ---- Elements ---- */

static struct validate_place place_of(const struct validate_place *up, str name)
{
    return (struct validate_place){ up, name, NULL, VALIDATE_NO_INDEX };
}

void profile_check_count(struct profile_check *c, const struct profile_node *node, size_t count,
                         const struct validate_place *up)
{
    struct validate_place place = place_of(up, node->name);
    bool sliced = str_given(node->slice);
    str slice = sliced ? arena_printf(c->cx->arena, "slice %.*s ", STR_ARG(node->slice)) : S("");
    if (node->has_min && count < node->min)
        profile_fault(c, &place, "required", "%.*sis required %u times and there %zu (min)",
                      STR_ARG(slice), node->min, count);
    if (node->has_max && node->max != FHIR_MANY && count > node->max)
        profile_fault(c, &place, "structure", "%.*sis allowed %u times and there %zu (max)",
                      STR_ARG(slice), node->max, count);
}

static void check_child(struct profile_check *c, const struct profile_node *node,
                        const struct profile_item *parent, const struct validate_place *up)
{
    struct profile_items items = profile_children(c, parent, node->name);
    profile_check_count(c, node, items.count, up);
    for (size_t i = 0; i < items.count; i++) {
        struct validate_place place = profile_place(up, &items.list[i], node->name);
        profile_check_item(c, node, &items.list[i], &place);
    }
    if (node->slices)
        profile_check_slices(c, node, items, up);
}

/* Sections within sections, items within items: an element whose content is that of the one around
 * it (ElementDefinition.contentReference) is held to the same node, unless the profile names it. */
static void check_same_within(struct profile_check *c, const struct profile_node *node,
                              const struct profile_item *item, const struct validate_place *up)
{
    const struct fhir_type *type = &fhir_types[item->type];
    for (uint16_t i = 0; type->kind == FHIR_BACKBONE && i < type->elements_count; i++) {
        const struct fhir_element *element = &type->elements[i];
        if (element->type != item->type || profile_child_named(node, element->name))
            continue;
        struct profile_items items = profile_children(c, item, element->name);
        for (size_t k = 0; k < items.count; k++) {
            struct validate_place place = profile_place(up, &items.list[k], element->name);
            profile_check_item(c, node, &items.list[k], &place);
        }
    }
}

void profile_check_item(struct profile_check *c, const struct profile_node *node,
                        const struct profile_item *item, const struct validate_place *place)
{
    if ((c->quiet && c->faults) || ++*c->steps > PROFILE_STEPS_MAX)
        return;
    profile_check_types(c, node, item, place);
    check_values(c, node, item, place);
    profile_check_binding(c, &node->binding, item, place);
    for (const struct profile_rule *rule = node->rules; rule; rule = rule->next)
        profile_check_rule(c, rule, item, place);
    for (const struct profile_node *child = node->children; child; child = child->next)
        check_child(c, child, item, place);
    if (item->element && !str_given(node->slice))
        check_same_within(c, node, item, place);
}

const struct profile_node *profile_child_named(const struct profile_node *node, str name)
{
    const struct profile_node *child = node->children;
    while (child && !str_eq(child->name, name))
        child = child->next;
    return child;
}

/* ---- Profiles ---- */

void profile_check_against(struct profile_check *c, const struct profile *profile,
                           const struct profile_item *item, const struct validate_place *place)
{
    const struct profile *before = c->profile;
    if (c->depth >= PROFILE_DEPTH_MAX)
        return;
    c->depth++;
    c->profile = profile;
    if (!fhir_type_is(item->type, profile->type))
        profile_fault(c, place, "structure", "is a %.*s, the profile is for %.*s",
                      STR_ARG(fhir_types[item->type].name),
                      STR_ARG(fhir_types[profile->type].name));
    else
        profile_check_item(c, profile->root, item, place);
    c->profile = before;
    c->depth--;
}

/* A check that only counts. */
static struct profile_check quietly(const struct profile_check *c)
{
    struct profile_check inner = *c;
    inner.quiet = true;
    inner.faults = 0;
    return inner;
}

/* %resource and %rootResource change with the resource looked at. References of a resource that a
 * reference led to are not followed: in a Bundle they would lead round and round. */
static void enter_resource(struct profile_check *c, const struct profile_item *item)
{
    if (fhir_types[item->type].kind != FHIR_RESOURCE)
        return;
    c->following = true;
    c->resource = item->value;
    if (json_get(item->value, S("contained")).doc)
        c->root = item->value;
}

bool profile_conforms(struct profile_check *c, const struct profile *profile,
                      const struct profile_item *item)
{
    struct profile_check inner = quietly(c);
    struct validate_place place = place_of(NULL, fhir_types[item->type].name);
    enter_resource(&inner, item);
    profile_check_against(&inner, profile, item, &place);
    return inner.faults == 0;
}

enum profile_answer profile_fits(struct profile_check *c, str url,
                                 const struct profile_item *item)
{
    uint16_t type = profile_core_type(url);
    if (type != FHIR_NONE)
        return fhir_type_is(item->type, type) ? PROFILE_YES : PROFILE_NO;
    const struct profile *profile = profile_find(c->set, url);
    if (!profile)
        return PROFILE_UNKNOWN;
    return profile_conforms(c, profile, item) ? PROFILE_YES : PROFILE_NO;
}

bool profile_accepts(struct profile_check *c, const struct profile_node *node,
                     const struct profile_item *item)
{
    struct profile_check inner = quietly(c);
    struct validate_place place = place_of(NULL, node->name);
    profile_check_item(&inner, node, item, &place);
    if (inner.faults == 0 && node->slices)
        profile_check_slices(&inner, node, (struct profile_items){ (struct profile_item *)item, 1 },
                             &place);
    return inner.faults == 0;
}
