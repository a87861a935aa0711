/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/profile_in.h"

/*
 * Which slice an item belongs to. Source: hl7.org/fhir/R4/profiling.html#discriminator. The path of
 * a discriminator is followed in the item and in the slice's tree together; what the tree says at
 * its end decides.
 */
#define NO_SLICE ((size_t)-1)

/* Where a discriminator's path has led: items of the instance, a node of the slice. */
struct trail {
    struct profile_items items;
    const struct profile_node *node;    /* NULL: the slice says nothing there */
    const struct profile_type *targets; /* behind resolve(): what it must lead to */
};

/* A child of the node, of one of its slices, or of the profile its type names. */
static const struct profile_node *node_below(struct profile_check *c,
                                             const struct profile_node *node, str name)
{
    const struct profile_node *found = profile_child_named(node, name);
    for (const struct profile_node *s = node->slices; s && !found; s = s->next)
        found = profile_child_named(s, name);
    for (const struct profile_type *t = node->types; t && !found; t = t->next)
        for (size_t i = 0; i < t->profiles_count && !found; i++) {
            const struct profile *profile = profile_find(c->set, t->profiles[i]);
            found = profile ? profile_child_named(profile->root, name) : NULL;
        }
    return found;
}

static void add(struct profile_check *c, struct profile_items *list, size_t *cap,
                struct profile_item item)
{
    list->list = arena_grow(c->cx->arena, list->list, list->count, cap, sizeof *list->list);
    list->list[list->count++] = item;
}

static void follow_name(struct profile_check *c, struct trail *trail, str name)
{
    struct profile_items out = { 0 };
    size_t cap = 0;
    for (size_t i = 0; i < trail->items.count; i++) {
        struct profile_items found = profile_children(c, &trail->items.list[i], name);
        for (size_t k = 0; k < found.count; k++)
            add(c, &out, &cap, found.list[k]);
    }
    trail->items = out;
    trail->node = trail->node ? node_below(c, trail->node, name) : NULL;
}

static void follow_reference(struct profile_check *c, struct trail *trail)
{
    struct profile_items out = { 0 };
    size_t cap = 0;
    for (size_t i = 0; i < trail->items.count; i++) {
        struct json node = json_get(trail->items.list[i].value, S("reference"));
        str text = json_string(c->cx->arena, node);
        struct json target = text.n ? profile_resolve(c, text) : (struct json){ 0 };
        uint16_t type = profile_type_of(c, target);
        if (type != FHIR_NONE)
            add(c, &out, &cap, profile_item_of(target, type));
    }
    trail->items = out;
    trail->targets = trail->node ? trail->node->types : NULL;
    trail->node = NULL;
    for (const struct profile_type *t = trail->targets; t; t = t->next)
        for (size_t i = 0; i < t->targets_count && !trail->node; i++) {
            const struct profile *profile = profile_find(c->set, t->targets[i]);
            trail->node = profile ? profile->root : NULL;
        }
}

/* extension('url') */
static void follow_extension(struct profile_check *c, struct trail *trail, str url)
{
    follow_name(c, trail, S("extension"));
    size_t kept = 0;
    for (size_t i = 0; i < trail->items.count; i++)
        if (json_string_is(json_get(trail->items.list[i].value, S("url")), url))
            trail->items.list[kept++] = trail->items.list[i];
    trail->items.count = kept;
    const struct profile_node *slice = trail->node ? trail->node->slices : NULL;
    for (trail->node = NULL; slice && !trail->node; slice = slice->next)
        if (slice->types && slice->types->profiles_count &&
            str_eq(profile_without_version(slice->types->profiles[0]), url))
            trail->node = slice;
}

static void follow_type(struct trail *trail, str type)
{
    uint16_t wanted = fhir_type_find(type);
    size_t kept = 0;
    for (size_t i = 0; i < trail->items.count; i++)
        if (fhir_type_is(trail->items.list[i].type, wanted))
            trail->items.list[kept++] = trail->items.list[i];
    trail->items.count = kept;
}

/* What stands between the brackets, without quotes. */
static str argument(str step)
{
    str inside = str_slice(step, str_find_char(step, '(') + 1, step.n - 1);
    bool quoted = inside.n >= 2 && (inside.p[0] == '\'' || inside.p[0] == '"');
    return quoted ? str_slice(inside, 1, inside.n - 1) : inside;
}

/* The first step of a path; dots within brackets belong to it. */
static bool next_step(str *path, str *step)
{
    size_t at = 0;
    int open = 0;
    if (path->n == 0)
        return false;
    for (; at < path->n && (open || path->p[at] != '.'); at++)
        open += path->p[at] == '(' ? 1 : path->p[at] == ')' ? -1 : 0;
    *step = str_slice(*path, 0, at);
    *path = str_slice(*path, at + 1, path->n);
    return true;
}

static struct trail follow(struct profile_check *c, const struct profile_node *slice,
                           const struct profile_item *item, str path)
{
    struct profile_item *copy = arena_alloc(c->cx->arena, sizeof *copy);
    *copy = *item;
    struct trail trail = { .items = { copy, 1 }, .node = slice };
    str step;
    while (next_step(&path, &step)) {
        if (str_eq(step, S("$this")))
            continue;
        if (str_starts(step, S("resolve(")))
            follow_reference(c, &trail);
        else if (str_starts(step, S("extension(")))
            follow_extension(c, &trail, argument(step));
        else if (str_starts(step, S("ofType(")))
            follow_type(&trail, argument(step));
        else
            follow_name(c, &trail, step);
    }
    return trail;
}

/* ---- What decides ---- */

/* Whether the node, or anything below it, says what a value must be. */
static bool decides(const struct profile_node *node)
{
    if (node->fixed.doc || node->pattern.doc ||
        (str_given(node->binding.value_set) && node->binding.strength == PROFILE_REQUIRED))
        return true;
    for (const struct profile_node *n = node->children; n; n = n->next)
        if (decides(n))
            return true;
    for (const struct profile_node *n = node->slices; n; n = n->next)
        if (decides(n))
            return true;
    return false;
}

static bool by_value(struct profile_check *c, const struct trail *trail)
{
    if (!trail->node)
        return false;
    if (trail->items.count == 0)
        return trail->node->has_max && trail->node->max == 0;
    if (!decides(trail->node))
        return false;
    for (size_t i = 0; i < trail->items.count; i++)
        if (profile_accepts(c, trail->node, &trail->items.list[i]))
            return true;
    return false;
}

static bool by_exists(const struct trail *trail)
{
    bool forbidden = trail->node && trail->node->has_max && trail->node->max == 0;
    return forbidden ? trail->items.count == 0 : trail->items.count > 0;
}

static bool target_is(struct profile_check *c, const struct profile_type *types,
                      const struct profile_item *item, bool whole)
{
    for (; types; types = types->next)
        for (size_t i = 0; i < types->targets_count; i++) {
            str url = types->targets[i];
            uint16_t type = profile_core_type(url);
            const struct profile *profile = type == FHIR_NONE ? profile_find(c->set, url) : NULL;
            if (profile)
                type = profile->type;
            if (type != FHIR_NONE && fhir_type_is(item->type, type) &&
                (!whole || !profile || profile_conforms(c, profile, item)))
                return true;
        }
    return false;
}

static bool type_is(struct profile_check *c, const struct profile_type *type,
                    const struct profile_item *item, bool whole)
{
    if (type->type != FHIR_NONE && !fhir_type_is(item->type, type->type))
        return false;
    for (size_t i = 0; whole && i < type->profiles_count; i++)
        if (profile_fits(c, type->profiles[i], item) == PROFILE_YES)
            return true;
    return !whole || type->profiles_count == 0;
}

static bool by_type(struct profile_check *c, const struct trail *trail, bool whole)
{
    if (trail->items.count == 0)
        return false;
    const struct profile_item *item = &trail->items.list[0];
    if (trail->targets)
        return target_is(c, trail->targets, item, whole);
    for (const struct profile_type *t = trail->node ? trail->node->types : NULL; t; t = t->next)
        if (type_is(c, t, item, whole))
            return true;
    return false;
}

/* Extensions are told apart by url, whether a profile says so or not. */
static bool is_extension_slice(const struct profile_node *slice)
{
    return str_eq(slice->name, S("extension")) || str_eq(slice->name, S("modifierExtension"));
}

static bool by_url(const struct profile_node *slice, const struct profile_item *item)
{
    struct json url = json_get(item->value, S("url"));
    if (slice->types && slice->types->profiles_count)
        return json_string_is(url, profile_without_version(slice->types->profiles[0]));
    const struct profile_node *fixed = profile_child_named(slice, S("url"));
    if (fixed && fixed->fixed.doc)
        return json_same(fixed->fixed, url, false);
    return json_string_is(url, slice->slice);
}

static bool belongs(struct profile_check *c, const struct profile_node *parent,
                    const struct profile_node *slice, const struct profile_item *item)
{
    if (is_extension_slice(slice))
        return by_url(slice, item);
    const struct profile_discriminator *by = parent->slicing.by;
    if (!by && slice->types && item->element && item->element->choice) {
        struct trail self = { .items = { (struct profile_item *)item, 1 }, .node = slice };
        return by_type(c, &self, false); /* value[x]:valueQuantity needs no more words */
    }
    if (!by)
        return false;
    for (; by; by = by->next) {
        struct trail trail = follow(c, slice, item, by->path);
        bool fits = by->kind == PROFILE_BY_VALUE    ? by_value(c, &trail)
                    : by->kind == PROFILE_BY_EXISTS ? by_exists(&trail)
                                                    : by_type(c, &trail,
                                                              by->kind == PROFILE_BY_PROFILE);
        if (!fits)
            return false;
    }
    return true;
}

/* ---- Slices ---- */

/* Position of the first slice the item belongs to; NO_SLICE when it belongs to none. */
static size_t find_slice(struct profile_check *c, const struct profile_node *node,
                         const struct profile_item *item)
{
    size_t at = 0;
    for (const struct profile_node *s = node->slices; s; s = s->next, at++)
        if (belongs(c, node, s, item))
            return at;
    return NO_SLICE;
}

static void check_order(struct profile_check *c, const struct profile_node *node,
                        const struct validate_place *place, size_t slice, size_t *last)
{
    bool none = slice == NO_SLICE;
    if (none && node->slicing.rest == PROFILE_CLOSED)
        profile_fault(c, place, "structure", "belongs to none of the slices, and no other is "
                                             "allowed (closed)");
    else if (!none && *last == NO_SLICE && node->slicing.rest == PROFILE_OPEN_AT_END)
        profile_fault(c, place, "structure", "stands after items of no slice (openAtEnd)");
    else if (!none && node->slicing.ordered && *last != NO_SLICE && slice < *last)
        profile_fault(c, place, "structure", "is out of the order of the slices (ordered)");
    *last = none && node->slicing.rest == PROFILE_OPEN ? *last : slice;
}

void profile_check_slices(struct profile_check *c, const struct profile_node *node,
                          struct profile_items items, const struct validate_place *up)
{
    size_t *of = arena_array(c->cx->arena, items.count + 1, sizeof *of), last = 0;
    for (size_t i = 0; i < items.count; i++) {
        struct validate_place place = profile_place(up, &items.list[i], node->name);
        of[i] = find_slice(c, node, &items.list[i]);
        check_order(c, node, &place, of[i], &last);
    }
    size_t at = 0;
    for (const struct profile_node *s = node->slices; s; s = s->next, at++) {
        struct profile_items mine = { arena_array(c->cx->arena, items.count + 1,
                                                  sizeof *mine.list), 0 };
        for (size_t i = 0; i < items.count; i++) {
            if (of[i] != at)
                continue;
            struct validate_place place = profile_place(up, &items.list[i], node->name);
            mine.list[mine.count++] = items.list[i];
            profile_check_item(c, s, &items.list[i], &place);
        }
        profile_check_count(c, s, mine.count, up);
        if (s->slices)
            profile_check_slices(c, s, mine, up);
    }
}
