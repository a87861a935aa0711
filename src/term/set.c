/* SPDX-License-Identifier: Apache-2.0 */
#include "term/set.h"
#include "term/filter.h"

/* A system or set built from one text, found again by what it was built from. */
struct term {
    struct arena *arena;          /* everything built */
    const struct term_source *source;
    pthread_mutex_t lock;         /* over arena, systems and sets: recursive, sets include sets */
    struct map systems, sets;     /* text hash and length -> pointer */
};

enum { MEMORY_BYTES = 1 << 30 };
#define BUILDING UINT64_C(0)
#define FAILED UINT64_MAX

/* ---- the engine ---- */

struct term *term_make(struct arena *arena, const struct term_source *source)
{
    struct term *term = arena_zero(arena, sizeof *term);
    struct arena *own = arena_zero(arena, sizeof *own);
    pthread_mutexattr_t attributes;
    *own = arena_make((size_t)MEMORY_BYTES);
    term->arena = own;
    term->source = source;
    term->systems = map_make(own);
    term->sets = map_make(own);
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&term->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    return term;
}

void term_free(struct term *term)
{
    if (term)
        arena_free(term->arena);
}

static str key_of(struct arena *arena, str text)
{
    return arena_printf(arena, "%zu %016llx", text.n, (unsigned long long)str_hash(text));
}

static void split_canonical(str canonical, str *url, str *version)
{
    size_t bar = str_find_char(canonical, '|');
    *url = str_slice(canonical, 0, bar);
    *version = bar == STR_NONE ? (str){ 0 } : str_slice(canonical, bar + 1, canonical.n);
}

err term_get_text(struct ctx *cx, struct term *term, enum term_kind kind, str canonical, str *out)
{
    static const char *const names[] = { "code system", "value set", "concept map" };
    str url, version;
    split_canonical(canonical, &url, &version);
    err found = term->source->find(cx, term->source, kind, url, version, out);
    if (found != ERR_NOT_FOUND)
        return found;
    return ctx_failf(cx, ERR_NOT_FOUND, S("url"), "this server has no %s %.*s", names[kind],
                     STR_ARG(canonical));
}

static err parse_kept(struct ctx *cx, struct term *term, str text, struct json *out)
{
    struct ctx own = ctx_make(term->arena);
    err wrong = json_parse(&own, arena_copy(term->arena, text), out);
    return wrong ? ctx_fail(cx, wrong, (str){ 0 }, S("a stored definition is no JSON")) : ERR_OK;
}

static err build_system(struct ctx *cx, struct term *term, str text,
                        const struct term_system **out)
{
    str key = key_of(cx->arena, text);
    uint64_t found;
    struct json json;
    struct term_system *system;
    if (map_get(&term->systems, key, &found)) {
        *out = (const struct term_system *)(uintptr_t)found;
        return ERR_OK;
    }
    TRY(parse_kept(cx, term, text, &json));
    TRY(term_system_from_json(cx, term->arena, json, &system));
    map_set(&term->systems, arena_copy(term->arena, key), (uint64_t)(uintptr_t)system);
    *out = system;
    return ERR_OK;
}

err term_get_system(struct ctx *cx, struct term *term, str canonical,
                    const struct term_system **out)
{
    str url, version, text;
    split_canonical(canonical, &url, &version);
    const struct term_system *loaded = term->source->loaded
        ? term->source->loaded(cx, term->source, url, version) : NULL;
    if (loaded) {
        *out = loaded;
        return ERR_OK;
    }
    TRY(term_get_text(cx, term, TERM_CODE_SYSTEM, canonical, &text));
    pthread_mutex_lock(&term->lock);
    err result = build_system(cx, term, text, out);
    pthread_mutex_unlock(&term->lock);
    return result;
}

/* ---- one set ---- */

struct builder {
    struct ctx *cx;
    struct term *term;
    struct arena *arena;
    struct term_set *set;
    int deep;
};

static str text_of(struct builder *b, struct json object, const char *key)
{
    return json_string(b->arena, json_get(object, str_of(key)));
}

static str place_key(struct arena *arena, str system, str code)
{
    return arena_printf(arena, "%.*s\n%.*s", STR_ARG(system), STR_ARG(code));
}

static err add_entry(struct builder *b, struct term_set *set, struct term_entry entry)
{
    if (set->count == TERM_SET_MAX)
        return ctx_fail(b->cx, ERR_LIMIT, S("ValueSet"), S("the value set holds too many codes"));
    str key = place_key(b->arena, entry.system, entry.code);
    if (!map_add(&set->places, key, set->count, NULL))
        return ERR_OK;
    set->entries = arena_grow(b->arena, set->entries, set->count, &set->cap, sizeof entry);
    set->entries[set->count++] = entry;
    return ERR_OK;
}

static struct term_set *new_set(struct builder *b)
{
    struct term_set *set = arena_zero(b->arena, sizeof *set);
    set->places = map_make(b->arena);
    return set;
}

static void add_open(struct builder *b, struct term_set *set, str system)
{
    set->open = arena_grow(b->arena, set->open, set->open_count, &set->open_cap, sizeof *set->open);
    set->open[set->open_count++] = system;
}

static struct term_entry entry_of(const struct term_system *system, uint32_t n)
{
    const struct term_concept *concept = &system->concepts[n];
    return (struct term_entry){ .system = system->url, .version = system->version,
                                .code = concept->code, .display = concept->display,
                                .from = system, .concept = n };
}

/* The concepts the compose lists, with its own display where it gives one. */
static err add_listed(struct builder *b, struct term_set *set, struct json include,
                      const struct term_system *system)
{
    str url = text_of(b, include, "system"), version = text_of(b, include, "version");
    for (struct json_walk w = json_walk(json_get(include, S("concept"))); json_next(&w);) {
        str code = text_of(b, w.value, "code"), display = text_of(b, w.value, "display");
        uint32_t n = system ? term_find(system, code) : TERM_NONE;
        if (n == TERM_NONE && system && system->complete)
            continue; /* the list names a code the system does not have */
        struct term_entry entry = { .system = url, .version = version, .code = code,
                                    .from = system, .concept = n };
        if (n != TERM_NONE)
            entry = entry_of(system, n);
        if (display.n)
            entry.display = display;
        entry.listed = w.value;
        TRY(add_entry(b, set, entry));
    }
    return ERR_OK;
}

static err add_filtered(struct builder *b, struct term_set *set, struct json filters,
                        const struct term_system *system)
{
    struct term_bits kept = term_bits_make(b->arena, system);
    TRY(term_filter_all(b->cx, b->arena, system, filters, &kept));
    for (uint32_t n = 0; n < system->count; n++)
        if (term_bit(&kept, n))
            TRY(add_entry(b, set, entry_of(system, n)));
    return ERR_OK;
}

/* The system, or NULL when nobody has it: that is no fault of the value set's. */
static err system_or_none(struct builder *b, struct json include, const struct term_system **out)
{
    str url = text_of(b, include, "system"), version = text_of(b, include, "version");
    size_t kept = b->cx->issues.kept, count = b->cx->issues.count;
    str canonical = version.n ? arena_printf(b->arena, "%.*s|%.*s", STR_ARG(url), STR_ARG(version))
                              : url;
    err found = term_get_system(b->cx, b->term, canonical, out);
    if (found != ERR_NOT_FOUND)
        return found;
    b->cx->issues.kept = kept;
    b->cx->issues.count = count;
    *out = NULL;
    return ERR_OK;
}

static err add_system_part(struct builder *b, struct term_set *set, struct json include)
{
    const struct term_system *system;
    struct json listed = json_get(include, S("concept")), filters = json_get(include, S("filter"));
    TRY(system_or_none(b, include, &system));
    if (json_is(listed, JSON_ARRAY))
        return add_listed(b, set, include, system);
    if (!system || !system->complete)
        add_open(b, set, text_of(b, include, "system"));
    return system ? add_filtered(b, set, filters, system) : ERR_OK;
}

static err import_sets(struct builder *b, struct json include, const struct term_set ***out,
                       size_t *count)
{
    struct json imports = json_get(include, S("valueSet"));
    const struct term_set **sets = arena_array(b->arena, json_count(imports) + 1, sizeof(void *));
    *count = 0;
    for (struct json_walk w = json_walk(imports); json_next(&w);)
        TRY(term_get_set(b->cx, b->term, json_string(b->arena, w.value), &sets[(*count)++]));
    *out = sets;
    return ERR_OK;
}

static bool in_all(const struct term_set *const *sets, size_t count, const struct term_entry *entry)
{
    for (size_t i = 0; i < count; i++)
        if (!term_set_find(sets[i], entry->system, entry->code))
            return false;
    return true;
}

/* One include: what its system part and every imported set have in common. */
static err read_part(struct builder *b, struct json include, struct term_set *part)
{
    const struct term_set **imports;
    size_t count;
    bool has_system = json_is(json_get(include, S("system")), JSON_STRING);
    struct term_set *whole = new_set(b);
    TRY(import_sets(b, include, &imports, &count));
    if (!has_system && !count)
        return ctx_fail(b->cx, ERR_RULE, S("ValueSet.compose.include"),
                        S("an include needs a system or a valueSet"));
    if (has_system)
        TRY(add_system_part(b, whole, include));
    const struct term_set *base = has_system ? whole : imports[0];
    for (size_t i = 0; i < base->count; i++)
        if (in_all(imports, count, &base->entries[i]))
            TRY(add_entry(b, part, base->entries[i]));
    for (size_t i = 0; i < base->open_count; i++)
        add_open(b, part, base->open[i]);
    return ERR_OK;
}

static err read_expansion(struct builder *b, struct json contains)
{
    for (struct json_walk w = json_walk(contains); json_next(&w);) {
        struct term_entry entry = { .system = text_of(b, w.value, "system"),
                                    .code = text_of(b, w.value, "code"),
                                    .display = text_of(b, w.value, "display"),
                                    .concept = TERM_NONE, .listed = w.value };
        if (entry.code.n)
            TRY(add_entry(b, b->set, entry));
        TRY(read_expansion(b, json_get(w.value, S("contains"))));
    }
    return ERR_OK;
}

static err read_compose(struct builder *b, struct json compose)
{
    struct term_set *without = new_set(b), *all = new_set(b);
    for (struct json_walk w = json_walk(json_get(compose, S("include"))); json_next(&w);)
        TRY(read_part(b, w.value, all));
    for (struct json_walk w = json_walk(json_get(compose, S("exclude"))); json_next(&w);)
        TRY(read_part(b, w.value, without));
    for (size_t i = 0; i < all->count; i++)
        if (!term_set_find(without, all->entries[i].system, all->entries[i].code))
            TRY(add_entry(b, b->set, all->entries[i]));
    b->set->open = all->open;
    b->set->open_count = all->open_count;
    return ERR_OK;
}

static err build(struct builder *b, struct json value_set)
{
    struct json compose = json_get(value_set, S("compose"));
    b->set->url = text_of(b, value_set, "url");
    b->set->version = text_of(b, value_set, "version");
    b->set->name = text_of(b, value_set, "name");
    b->set->title = text_of(b, value_set, "title");
    if (!json_is(compose, JSON_OBJECT))
        return read_expansion(b, json_get(json_get(value_set, S("expansion")), S("contains")));
    return read_compose(b, compose);
}

static err make_set_locked(struct ctx *cx, struct term *term, str text,
                           const struct term_set **out)
{
    str key = key_of(cx->arena, text);
    uint64_t found;
    struct json json;
    if (map_get(&term->sets, key, &found) && found != FAILED) {
        if (found == BUILDING)
            return ctx_fail(cx, ERR_RULE, S("ValueSet.compose"),
                            S("the value set includes itself"));
        *out = (const struct term_set *)(uintptr_t)found;
        return ERR_OK;
    }
    TRY(parse_kept(cx, term, text, &json));
    struct builder b = { .cx = cx, .term = term, .arena = term->arena };
    b.set = new_set(&b);
    str kept = arena_copy(term->arena, key);
    map_set(&term->sets, kept, BUILDING); /* meeting it again is a loop */
    err wrong = build(&b, json);
    if (wrong) {
        map_set(&term->sets, kept, FAILED);
        return wrong;
    }
    map_set(&term->sets, kept, (uint64_t)(uintptr_t)b.set);
    *out = b.set;
    return ERR_OK;
}

err term_make_set(struct ctx *cx, struct term *term, str value_set_json,
                  const struct term_set **out)
{
    pthread_mutex_lock(&term->lock);
    err result = make_set_locked(cx, term, value_set_json, out);
    pthread_mutex_unlock(&term->lock);
    return result;
}
