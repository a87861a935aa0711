/* SPDX-License-Identifier: Apache-2.0 */
#include "term/words.h"
#include <utf8proc.h>

/* ---- texts ---- */

static bool is_plain(str text)
{
    for (size_t i = 0; i < text.n; i++)
        if ((unsigned char)text.p[i] >= 0x80)
            return false;
    return true;
}

str term_fold(struct arena *arena, str text)
{
    if (is_plain(text)) {
        char *out = arena_alloc(arena, text.n + 1);
        for (size_t i = 0; i < text.n; i++)
            out[i] = text.p[i] >= 'A' && text.p[i] <= 'Z' ? (char)(text.p[i] + 32) : text.p[i];
        return (str){ out, text.n };
    }
    const utf8proc_option_t options = UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK |
                                      UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
    utf8proc_ssize_t room = (utf8proc_ssize_t)text.n * 4 + 16;
    utf8proc_int32_t *points = arena_array(arena, (size_t)room, sizeof *points);
    utf8proc_ssize_t n = utf8proc_decompose((const utf8proc_uint8_t *)text.p,
                                            (utf8proc_ssize_t)text.n, points, room, options);
    n = n < 0 || n > room ? -1 : utf8proc_reencode(points, n, options);
    return n < 0 ? arena_copy(arena, text) : (str){ (char *)points, (size_t)n };
}

/* ---- building ---- */

struct builder {
    struct ctx *cx;
    struct arena *arena;
    struct term_system *system;
    struct term_edge *edges;
    size_t cap, edges_count, edges_cap, designations_cap;
};

static str text(struct builder *b, struct json object, const char *key)
{
    return json_string(b->arena, json_get(object, str_of(key)));
}

static void add_edge(struct builder *b, uint32_t child, uint32_t parent)
{
    b->edges = arena_grow(b->arena, b->edges, b->edges_count, &b->edges_cap, sizeof *b->edges);
    b->edges[b->edges_count++] = (struct term_edge){ child, parent };
}

/* True where a boolean or code property of the concept says so ("inactive": true). */
static bool has_property(struct builder *b, struct json concept, const char *name,
                         const char *value)
{
    for (struct json_walk w = json_walk(json_get(concept, S("property"))); json_next(&w);) {
        if (!json_string_is(json_get(w.value, S("code")), str_of(name)))
            continue;
        struct json flag = json_get(w.value, S("valueBoolean"));
        if (json_is(flag, JSON_TRUE) ||
            str_eq(text(b, w.value, "valueCode"), str_of(value)))
            return true;
    }
    return false;
}

static const struct term_use *add_use(struct builder *b, struct json coding)
{
    if (!json_is(coding, JSON_OBJECT))
        return NULL;
    struct term_use *use = arena_zero(b->arena, sizeof *use);
    *use = (struct term_use){ text(b, coding, "system"), text(b, coding, "code"),
                              text(b, coding, "display") };
    return use;
}

static void add_designations(struct builder *b, struct json concept, struct term_concept *out)
{
    struct term_system *system = b->system;
    out->designations = (uint32_t)system->designations_count;
    for (struct json_walk w = json_walk(json_get(concept, S("designation"))); json_next(&w);) {
        system->designations = arena_grow(b->arena, system->designations,
                                          system->designations_count, &b->designations_cap,
                                          sizeof *system->designations);
        system->designations[system->designations_count++] = (struct term_designation){
            text(b, w.value, "language"), text(b, w.value, "value"),
            add_use(b, json_get(w.value, S("use"))) };
        out->designations_count++;
    }
}

static err add_concepts(struct builder *b, struct json list, uint32_t parent)
{
    struct term_system *system = b->system;
    for (struct json_walk w = json_walk(list); json_next(&w);) {
        if (system->count == TERM_CONCEPTS_MAX)
            return ctx_fail(b->cx, ERR_LIMIT, S("CodeSystem.concept"), S("too many concepts"));
        system->concepts = arena_grow(b->arena, system->concepts, system->count, &b->cap,
                                      sizeof *system->concepts);
        uint32_t self = system->count++;
        system->concepts[self] = (struct term_concept){
            .code = text(b, w.value, "code"),
            .display = text(b, w.value, "display"),
            .definition = text(b, w.value, "definition"),
            .inactive = has_property(b, w.value, "inactive", "true") ||
                        has_property(b, w.value, "status", "retired"),
            .abstract = has_property(b, w.value, "notSelectable", "true") ||
                        has_property(b, w.value, "abstract", "true"),
            .json = w.value,
        };
        add_designations(b, w.value, &system->concepts[self]);
        if (parent != TERM_NONE)
            add_edge(b, self, parent);
        TRY(add_concepts(b, json_get(w.value, S("concept")), self));
    }
    return ERR_OK;
}

/* Parents and children given as properties of concepts. */
static void add_property_edges(struct builder *b)
{
    struct term_system *system = b->system;
    for (uint32_t n = 0; n < system->count; n++) {
        struct json list = json_get(system->concepts[n].json, S("property"));
        for (struct json_walk w = json_walk(list); json_next(&w);) {
            str name = text(b, w.value, "code");
            bool up = str_eq(name, S("parent")) || str_eq(name, S("subsumedBy"));
            uint32_t other = up || str_eq(name, S("child"))
                                 ? term_find(system, text(b, w.value, "valueCode"))
                                 : TERM_NONE;
            if (other != TERM_NONE)
                add_edge(b, up ? n : other, up ? other : n);
        }
    }
}

err term_system_from_json(struct ctx *cx, struct arena *arena, struct json code_system,
                          struct term_system **out)
{
    struct term_system *system = arena_zero(arena, sizeof *system);
    struct builder b = { .cx = cx, .arena = arena, .system = system };
    system->url = text(&b, code_system, "url");
    system->version = text(&b, code_system, "version");
    system->name = text(&b, code_system, "name");
    system->case_sensitive = !json_is(json_get(code_system, S("caseSensitive")), JSON_FALSE);
    system->complete = str_eq(text(&b, code_system, "content"), S("complete"));
    system->declared = json_get(code_system, S("property"));
    TRY(add_concepts(&b, json_get(code_system, S("concept")), TERM_NONE));
    term_system_index(arena, system);
    add_property_edges(&b);
    term_system_link(arena, system, b.edges, b.edges_count);
    term_words_make(arena, system);
    *out = system;
    return ERR_OK;
}

void term_system_index(struct arena *arena, struct term_system *system)
{
    system->by_code = map_make(arena);
    for (uint32_t n = 0; n < system->count; n++) {
        str code = system->concepts[n].code;
        map_add(&system->by_code, system->case_sensitive ? code : term_fold(arena, code), n, NULL);
    }
}

static int by_child(const void *a, const void *b)
{
    const struct term_edge *x = a, *y = b;
    return x->child != y->child ? (x->child > y->child) - (x->child < y->child)
                                : (x->parent > y->parent) - (x->parent < y->parent);
}

static int by_parent(const void *a, const void *b)
{
    const struct term_edge *x = a, *y = b;
    return x->parent != y->parent ? (x->parent > y->parent) - (x->parent < y->parent)
                                  : (x->child > y->child) - (x->child < y->child);
}

static size_t without_repeats(struct term_edge *edges, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!kept || by_child(&edges[kept - 1], &edges[i]) != 0)
            edges[kept++] = edges[i];
    return kept;
}

void term_system_link(struct arena *arena, struct term_system *system, struct term_edge *edges,
                      size_t count)
{
    if (count)
        qsort(edges, count, sizeof *edges, by_child);
    count = without_repeats(edges, count);
    system->links = arena_array(arena, 2 * count + 1, sizeof *system->links);
    for (size_t i = count; i-- > 0;) {
        struct term_concept *child = &system->concepts[edges[i].child];
        system->links[i] = edges[i].parent;
        child->parents = (uint32_t)i;
        child->parents_count++;
    }
    if (count)
        qsort(edges, count, sizeof *edges, by_parent);
    for (size_t i = count; i-- > 0;) {
        struct term_concept *parent = &system->concepts[edges[i].parent];
        system->links[count + i] = edges[i].child;
        parent->children = (uint32_t)(count + i);
        parent->children_count++;
    }
}

/* ---- asking ---- */

uint32_t term_find(const struct term_system *system, str code)
{
    char memory[256];
    struct arena arena = arena_in(memory, sizeof memory, 1 << 20);
    uint64_t found;
    str key = system->case_sensitive ? code : term_fold(&arena, code);
    bool there = map_get(&system->by_code, key, &found);
    arena_free(&arena);
    return there ? (uint32_t)found : TERM_NONE;
}

static bool is_language(str have, str wanted)
{
    return str_eq_nocase(have, wanted) ||
           (have.n > wanted.n && have.p[wanted.n] == '-' &&
            str_eq_nocase(str_slice(have, 0, wanted.n), wanted));
}

str term_display(const struct term_system *system, uint32_t concept, str language)
{
    const struct term_concept *c = &system->concepts[concept];
    const struct term_designation *names = system->designations + c->designations;
    for (uint32_t i = 0; language.n && i < c->designations_count; i++)
        if (is_language(names[i].language, language))
            return names[i].value;
    return c->display;
}

bool term_is_called(struct arena *arena, const struct term_system *system, uint32_t concept,
                    str name)
{
    const struct term_concept *c = &system->concepts[concept];
    str folded = term_fold(arena, name);
    if (str_eq(folded, term_fold(arena, c->display)))
        return true;
    for (uint32_t i = 0; i < c->designations_count; i++)
        if (str_eq(folded, term_fold(arena, system->designations[c->designations + i].value)))
            return true;
    return false;
}

struct term_bits term_bits_make(struct arena *arena, const struct term_system *system)
{
    return (struct term_bits){ arena, arena_array(arena, system->count / 64 + 1, sizeof(uint64_t)),
                               system->count };
}

/* A walk with the set itself as memory of what was seen: a loop in the data ends it. The concepts
 * still to be walked from are kept in a list: a hierarchy may be as deep as it has concepts. */
static void spread(const struct term_system *system, uint32_t concept, bool down,
                   struct term_bits *bits)
{
    uint32_t *waiting = NULL;
    size_t count = 0, cap = 0;
    for (;;) {
        const struct term_concept *c = &system->concepts[concept];
        const uint32_t *next = system->links + (down ? c->children : c->parents);
        uint32_t links = down ? c->children_count : c->parents_count;
        for (uint32_t i = 0; i < links; i++) {
            if (term_bit(bits, next[i]))
                continue;
            term_bit_set(bits, next[i]);
            waiting = arena_grow(bits->arena, waiting, count, &cap, sizeof *waiting);
            waiting[count++] = next[i];
        }
        if (!count)
            return;
        concept = waiting[--count];
    }
}

void term_add_below(const struct term_system *system, uint32_t concept, struct term_bits *bits)
{
    spread(system, concept, true, bits);
}

void term_add_above(const struct term_system *system, uint32_t concept, struct term_bits *bits)
{
    spread(system, concept, false, bits);
}

bool term_is_below(const struct term_system *system, uint32_t concept, uint32_t ancestor)
{
    struct arena arena = arena_make((size_t)16 << 20);
    struct term_bits above = term_bits_make(&arena, system);
    term_add_above(system, concept, &above);
    bool below = term_bit(&above, ancestor) && concept != ancestor;
    arena_free(&arena);
    return below;
}
