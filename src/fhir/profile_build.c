/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/profile_in.h"

/*
 * A StructureDefinition becomes a tree: that of its base copied, then its differential laid on it
 * element by element. Source: hl7.org/fhir/R4/profiling.html, elementdefinition.html.
 */
static const char core[] = "http://hl7.org/fhir/StructureDefinition/";
enum { STEPS_MAX = 40 };

struct build {
    struct ctx *cx;             /* issues go here */
    struct profile_set *set;
    struct profile *profile;
    str parents[STEPS_MAX];     /* slice names on the way, for elements without id */
    str parents_path[STEPS_MAX];
};

static struct arena *memory(struct build *b) { return &b->set->arena; }

static str text_of(struct build *b, struct json object, str key)
{
    return json_string(memory(b), json_get(object, key));
}

static bool has_own_list(struct json definition, str which)
{
    return json_count(json_get(json_get(definition, which), S("element"))) > 0;
}

/* ---- Copying the base ---- */

static struct profile_node *copy_list(struct arena *arena, const struct profile_node *list);

static struct profile_node *copy_node(struct arena *arena, const struct profile_node *node)
{
    struct profile_node *copy = arena_alloc(arena, sizeof *copy);
    *copy = *node;
    copy->next = NULL;
    copy->children = copy_list(arena, node->children);
    copy->slices = copy_list(arena, node->slices);
    return copy;
}

static struct profile_node *copy_list(struct arena *arena, const struct profile_node *list)
{
    struct profile_node *first = NULL, **last = &first;
    for (; list; list = list->next) {
        *last = copy_node(arena, list);
        last = &(*last)->next;
    }
    return first;
}

/* ---- Finding a place in the tree ---- */

static struct profile_node *add_node(struct build *b, struct profile_node **list, str name,
                                     str slice)
{
    while (*list)
        list = &(*list)->next;
    struct profile_node *node = arena_zero(memory(b), sizeof *node);
    node->name = arena_copy(memory(b), name);
    node->slice = str_given(slice) ? arena_copy(memory(b), slice) : (str){ 0 };
    node->max = FHIR_MANY;
    *list = node;
    return node;
}

static struct profile_node *child_named(struct build *b, struct profile_node *parent, str name)
{
    for (struct profile_node *n = parent->children; n; n = n->next)
        if (str_eq(n->name, name))
            return n;
    return add_node(b, &parent->children, name, (str){ 0 });
}

/* "a/b" is slice b of slice a. */
static struct profile_node *slice_named(struct build *b, struct profile_node *node, str slice)
{
    str part;
    while (str_next(&slice, '/', &part)) {
        struct profile_node *found = node->slices;
        while (found && !str_eq(found->slice, part))
            found = found->next;
        node = found ? found : add_node(b, &node->slices, node->name, part);
    }
    return node;
}

static void restrict_to(struct build *b, struct profile_node *node, uint16_t type)
{
    if (node->types)
        return;
    node->types = arena_zero(memory(b), sizeof *node->types);
    node->types->type = type;
}

/* One step down: "identifier", "identifier:nhsNumber", "value[x]:valueQuantity", "valueQuantity".
 * *type is the FHIR type of the node, as far as it is known. */
static struct profile_node *step(struct build *b, struct profile_node *node, str segment,
                                 uint16_t *type)
{
    size_t colon = str_find_char(segment, ':');
    str name = str_slice(segment, 0, colon);
    str slice = colon == STR_NONE ? (str){ 0 } : str_slice(segment, colon + 1, segment.n);
    bool choice = str_ends(name, S("[x]"));
    if (choice)
        name = str_slice(name, 0, name.n - 3);
    const struct fhir_element *element =
        fhir_element_find(*type, choice && str_given(slice) ? slice : name);
    if (element && element->choice && !str_given(slice))
        slice = element->json_name; /* valueQuantity for value[x]:valueQuantity */
    struct profile_node *child = child_named(b, node, element ? element->name : name);
    if (str_given(slice))
        child = slice_named(b, child, slice);
    if (element && element->choice)
        restrict_to(b, child, element->type);
    bool single = !element && child->types && !child->types->next;
    *type = element ? element->type : single ? child->types->type : FHIR_NONE;
    return child;
}

static size_t count_dots(str text)
{
    size_t dots = 0;
    for (size_t i = 0; i < text.n; i++)
        dots += text.p[i] == '.';
    return dots;
}

/* An id made from path and slice names, for definitions that carry none. */
static str make_id(struct build *b, str path, str slice)
{
    str rest = path, segment, id = S("");
    size_t depth = 0, at = 0;
    while (depth < STEPS_MAX && str_next(&rest, '.', &segment)) {
        at += segment.n + (depth > 0);
        str here = str_slice(path, 0, at);
        if (at == path.n) {
            b->parents_path[depth] = here;
            b->parents[depth] = slice;
        } else if (!str_eq(b->parents_path[depth], here)) {
            b->parents_path[depth] = here;
            b->parents[depth] = (str){ 0 };
        }
        str name = b->parents[depth];
        id = arena_printf(memory(b), "%.*s%s%.*s%s%.*s", STR_ARG(id), depth ? "." : "",
                          STR_ARG(segment), str_given(name) ? ":" : "", STR_ARG(name));
        depth++;
    }
    return id;
}

static struct profile_node *node_for(struct build *b, struct json element)
{
    str id = text_of(b, element, S("id")), path = text_of(b, element, S("path")), segment;
    str made = make_id(b, path, text_of(b, element, S("sliceName")));
    if (!str_given(id) || count_dots(id) != count_dots(path))
        id = made;
    struct profile_node *node = b->profile->root;
    uint16_t type = b->profile->type;
    str_next(&id, '.', &segment);
    while (node && str_next(&id, '.', &segment))
        node = step(b, node, segment, &type);
    return node;
}

/* ---- What an element says ---- */

static uint16_t read_count(str text)
{
    uint64_t value = 0;
    if (str_eq(text, S("*")) || !str_to_u64(text, &value) || value >= FHIR_MANY)
        return FHIR_MANY;
    return (uint16_t)value;
}

static void note_missing(struct profile_set *set, str url)
{
    url = profile_without_version(url);
    bool core_type = str_starts(url, S(core)) &&
                     fhir_type_find(str_slice(url, sizeof core - 1, url.n)) != FHIR_NONE;
    if (core_type || profile_definition_find(set, url) ||
        !map_add(&set->missing_urls, url, 1, NULL))
        return;
    set->missing = arena_grow(&set->arena, set->missing, set->counts.not_loaded, &set->missing_cap,
                              sizeof *set->missing);
    set->missing[set->counts.not_loaded++] = url;
}

static str *read_urls(struct build *b, struct json array, size_t *count)
{
    str *urls = arena_array(memory(b), json_count(array) + 1, sizeof *urls);
    *count = 0;
    for (struct json_walk w = json_walk(array); json_next(&w); (*count)++) {
        urls[*count] = json_string(memory(b), w.value);
        note_missing(b->set, urls[*count]);
    }
    return urls;
}

static struct profile_type *read_types(struct build *b, struct json array)
{
    struct profile_type *first = NULL, **last = &first;
    for (struct json_walk w = json_walk(array); json_next(&w);) {
        struct profile_type *type = arena_zero(memory(b), sizeof *type);
        type->type = fhir_type_find(text_of(b, w.value, S("code")));
        type->profiles = read_urls(b, json_get(w.value, S("profile")), &type->profiles_count);
        type->targets = read_urls(b, json_get(w.value, S("targetProfile")), &type->targets_count);
        *last = type;
        last = &type->next;
    }
    return first;
}

static void read_slicing(struct build *b, struct json slicing, struct profile_slicing *out)
{
    static const char *const kinds[] = { "value", "exists", "type", "profile" };
    struct profile_discriminator **last = &out->by;
    *last = NULL;
    for (struct json_walk w = json_walk(json_get(slicing, S("discriminator"))); json_next(&w);) {
        struct profile_discriminator *by = arena_zero(memory(b), sizeof *by);
        str kind = text_of(b, w.value, S("type"));
        for (size_t i = 0; i < COUNT(kinds); i++)
            if (str_eq(kind, str_of(kinds[i])))
                by->kind = (enum profile_kind)i; /* "pattern" is a value */
        by->path = text_of(b, w.value, S("path"));
        *last = by;
        last = &by->next;
    }
    struct json rules = json_get(slicing, S("rules"));
    out->rest = json_string_is(rules, S("closed")) ? PROFILE_CLOSED
              : json_string_is(rules, S("openAtEnd")) ? PROFILE_OPEN_AT_END : PROFILE_OPEN;
    out->ordered = json_is(json_get(slicing, S("ordered")), JSON_TRUE);
}

static bool is_core_rule(struct build *b, str key)
{
    uint16_t type = b->profile->type;
    struct fhir_rule_range range = fhir_type_rules[type];
    for (uint16_t i = 0; i < range.count; i++)
        if (str_eq(fhir_rules[range.from + i].key, key))
            return true;
    return str_eq(key, S("ele-1")) || str_eq(key, S("ext-1"));
}

static void add_rule(struct build *b, struct profile_node *node, struct json constraint)
{
    str key = text_of(b, constraint, S("key"));
    str expression = text_of(b, constraint, S("expression"));
    if (!expression.n || is_core_rule(b, key))
        return; /* R4's own are checked with every resource */
    struct profile_rule *rule = arena_zero(memory(b), sizeof *rule);
    rule->key = key;
    rule->human = text_of(b, constraint, S("human"));
    rule->is_error = json_string_is(json_get(constraint, S("severity")), S("error"));
    struct ctx inner = ctx_make(memory(b));
    if (path_compile(&inner, expression, &rule->path) != ERR_OK) {
        issues_note(&b->cx->issues, (struct issue){
            .kind = ERR_RULE, .severity = ISSUE_WARNING, .code = "not-supported",
            .path = arena_copy(b->cx->arena, b->profile->url),
            .text = arena_printf(b->cx->arena, "rule %.*s is not FHIRPath and is left out: %.*s",
                                 STR_ARG(key), STR_ARG(expression)) });
        return;
    }
    rule->next = node->rules;
    node->rules = rule;
}

static void read_binding(struct build *b, struct json json, struct profile_binding *out)
{
    static const char *const strengths[] = { "example", "preferred", "extensible", "required" };
    str strength = text_of(b, json, S("strength"));
    str value_set = text_of(b, json, S("valueSet"));
    if (str_given(value_set)) {
        out->value_set = profile_without_version(value_set);
        note_missing(b->set, value_set);
    }
    for (size_t i = 0; i < COUNT(strengths); i++)
        if (str_eq(strength, str_of(strengths[i])))
            out->strength = (enum profile_strength)i;
}

/* minValueX, maxValueX, fixedX, patternX. */
static void read_value(struct profile_node *node, str key, struct json value)
{
    if (str_starts(key, S("fixed")))
        node->fixed = value;
    else if (str_starts(key, S("pattern")))
        node->pattern = value;
    else if (str_starts(key, S("minValue")))
        node->least = value;
    else if (str_starts(key, S("maxValue")))
        node->most = value;
}

static void read_member(struct build *b, struct profile_node *node, str key, struct json value)
{
    if (str_eq(key, S("min"))) {
        node->has_min = true;
        node->min = read_count(json_text(value));
    } else if (str_eq(key, S("max"))) {
        node->has_max = true;
        node->max = read_count(json_string(memory(b), value));
    } else if (str_eq(key, S("type"))) {
        node->types = read_types(b, value);
    } else if (str_eq(key, S("binding"))) {
        read_binding(b, value, &node->binding);
    } else if (str_eq(key, S("slicing"))) {
        read_slicing(b, value, &node->slicing);
    } else if (str_eq(key, S("maxLength"))) {
        uint64_t length = 0;
        if (str_to_u64(json_text(value), &length) && length < UINT32_MAX)
            node->length_max = (uint32_t)length;
    } else if (str_eq(key, S("constraint"))) {
        for (struct json_walk w = json_walk(value); json_next(&w);)
            add_rule(b, node, w.value);
    } else {
        read_value(node, key, value);
    }
}

static void read_element(struct build *b, struct json element)
{
    struct profile_node *node = node_for(b, element);
    for (struct json_walk w = json_walk(element); json_next(&w);)
        read_member(b, node, json_string(memory(b), w.key), w.value);
}

/* ---- What slices inherit ---- */

static struct profile_node *find_node(struct profile_node *list, str name, str slice)
{
    while (list && !(str_eq(list->name, name) && str_eq(list->slice, slice)))
        list = list->next;
    return list;
}

/* What the element in general says of itself, where the slice's own says nothing. */
static void inherit_self(struct profile_node *to, const struct profile_node *from)
{
    to->types = to->types ? to->types : from->types;
    to->fixed = to->fixed.doc ? to->fixed : from->fixed;
    to->pattern = to->pattern.doc ? to->pattern : from->pattern;
    if (!to->slicing.by)
        to->slicing = from->slicing;
}

static void inherit_children(struct arena *arena, struct profile_node *to,
                             const struct profile_node *from, bool all);

/* `all`: both are the same slice, so `to` takes what it does not mention, too. Elsewhere the
 * general node is checked by itself, and only what tells inner slices apart is needed here. */
static void inherit_list(struct arena *arena, struct profile_node **to,
                         const struct profile_node *from, bool all)
{
    for (; from; from = from->next) {
        struct profile_node *same = find_node(*to, from->name, from->slice);
        if (same) {
            inherit_self(same, from);
            inherit_children(arena, same, from, all || str_given(from->slice));
        } else if (all) {
            struct profile_node *copy = copy_node(arena, from);
            copy->next = *to;
            *to = copy;
        }
    }
}

static void inherit_children(struct arena *arena, struct profile_node *to,
                             const struct profile_node *from, bool all)
{
    inherit_list(arena, &to->children, from->children, all);
    inherit_list(arena, &to->slices, from->slices, all);
}

static void inherit(struct arena *arena, struct profile_node *node)
{
    for (struct profile_node *slice = node->slices; slice; slice = slice->next) {
        inherit_list(arena, &slice->children, node->children, false);
        inherit(arena, slice);
    }
    for (struct profile_node *child = node->children; child; child = child->next)
        inherit(arena, child);
}

/* ---- The whole ---- */

/* The tree to start from. ERR_RULE when the base is missing and there is no snapshot. */
static err start_from_base(struct build *b, struct json definition, bool *use_snapshot)
{
    struct profile *profile = b->profile;
    str base = text_of(b, definition, S("baseDefinition"));
    uint16_t type = str_starts(base, S(core))
        ? fhir_type_find(str_slice(base, sizeof core - 1, base.n)) : FHIR_NONE;
    if (type != FHIR_NONE) {
        *use_snapshot = !has_own_list(definition, S("differential"));
        return ERR_OK;
    }
    struct profile_definition *found = profile_definition_find(b->set, base);
    if (found && found->state == PROFILE_READING)
        return ctx_failf(b->cx, ERR_RULE, profile->url, "is built on itself through %.*s",
                         STR_ARG(base));
    if (found && found->state == PROFILE_UNREAD)
        TRY(profile_build(b->cx, b->set, found));
    if (found && found->state == PROFILE_READY) {
        profile->root = copy_node(memory(b), found->profile->root);
        *use_snapshot = !has_own_list(definition, S("differential"));
        return ERR_OK;
    }
    *use_snapshot = true;
    if (has_own_list(definition, S("snapshot")))
        return ERR_OK;
    return ctx_failf(b->cx, ERR_RULE, profile->url,
                     "its base %.*s is not loaded: add the package that has it first",
                     STR_ARG(base));
}

err profile_build(struct ctx *cx, struct profile_set *set, struct profile_definition *definition)
{
    if (!profile_definition_read(set, definition) ||
        !str_eq(definition->kind, S("StructureDefinition")))
        return ctx_failf(cx, ERR_RULE, definition->url, "is not a StructureDefinition");
    struct json json = definition->json;
    struct profile *profile = arena_zero(&set->arena, sizeof *profile);
    struct build b = { .cx = cx, .set = set, .profile = profile };
    str type = text_of(&b, json, S("type"));
    profile->url = definition->url;
    profile->name = text_of(&b, json, S("name"));
    profile->type = fhir_type_find(type);
    profile->is_extension = str_eq(type, S("Extension"));
    profile->context = json_get(json, S("context"));
    if (profile->type == FHIR_NONE)
        return ctx_failf(cx, ERR_RULE, definition->url, "is of type %.*s, which R4 does not have",
                         STR_ARG(type));
    profile->root = arena_zero(&set->arena, sizeof *profile->root);
    profile->root->name = type;
    profile->root->max = FHIR_MANY;
    definition->state = PROFILE_READING;
    bool snapshot = false;
    err got = start_from_base(&b, json, &snapshot);
    if (got != ERR_OK) {
        definition->state = PROFILE_FAILED;
        return got;
    }
    struct json list = json_get(json, snapshot ? S("snapshot") : S("differential"));
    for (struct json_walk w = json_walk(json_get(list, S("element"))); json_next(&w);)
        read_element(&b, w.value);
    inherit(&set->arena, profile->root);
    definition->profile = profile;
    definition->state = PROFILE_READY;
    return ERR_OK;
}
