/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/random.h"
#include "rest/structure.h"
#include "rest/terminology.h"
#include "term/words.h"

/*
 * ValueSet $expand.
 *
 * Source   hl7.org/fhir/R4/valueset-operation-expand.html.
 * Limits   EXPAND_COUNT_MAX codes in one answer; a larger set needs count and offset.
 */
enum { EXPAND_COUNT_MAX = 10000, NEST_MAX = 60 };

struct expand {
    const struct operation_ask *ask;
    const struct term_set *set;
    str filter;              /* folded; empty: none */
    str exclude_system, language;
    bool active_only, designations, definitions, nested, for_people;
    size_t offset, count, total;
    struct json_writer *w;
    uint8_t *kept;           /* one an entry */
    const struct term_system *maybe_of; /* what maybe holds bits of; NULL: nothing yet */
    struct term_bits maybe;
    bool maybe_all;          /* the filter says nothing of maybe_of's words: look at each */
};

/* Which of a system's concepts may match the filter: made once for each system in the set. */
static const struct term_bits *maybe(struct expand *x, const struct term_system *system)
{
    struct arena *arena = x->ask->call->cx->arena;
    if (system != x->maybe_of) {
        x->maybe_of = system;
        x->maybe = term_bits_make(arena, system);
        x->maybe_all = !term_words_find(system, x->filter, &x->maybe);
        uint32_t numbered = term_find(system, x->filter);
        if (numbered != TERM_NONE)
            term_bit_set(&x->maybe, numbered);
    }
    return x->maybe_all ? NULL : &x->maybe;
}

static bool matches(struct expand *x, const struct term_entry *entry)
{
    const struct term_bits *may = entry->from && entry->concept != TERM_NONE && !entry->listed.doc
                                      ? maybe(x, entry->from) : NULL;
    if (may && !term_bit(may, entry->concept))
        return false;
    struct arena_mark mark = arena_mark(x->ask->call->cx->arena);
    bool matches = term_entry_matches(x->ask->call->cx->arena, entry, x->filter);
    arena_rewind(x->ask->call->cx->arena, mark);
    return matches;
}

static bool passes(struct expand *x, const struct term_entry *entry)
{
    const struct term_concept *concept = term_entry_concept(entry);
    if ((x->active_only && concept && concept->inactive) ||
        (x->for_people && concept && concept->abstract))
        return false;
    if (x->exclude_system.n && str_eq(entry->system, x->exclude_system))
        return false;
    return !x->filter.n || matches(x, entry);
}

static void put_designations(struct expand *x, const struct term_entry *entry)
{
    const struct term_concept *concept = term_entry_concept(entry);
    struct json said = json_get(entry->listed, S("designation"));
    if (json_is(said, JSON_ARRAY)) {
        json_put_raw(x->w, "designation", json_text(said));
        return;
    }
    if (!concept || !concept->designations_count)
        return;
    json_key(x->w, "designation");
    json_open(x->w, '[');
    for (uint32_t i = 0; i < concept->designations_count; i++) {
        const struct term_designation *d = &entry->from->designations[concept->designations + i];
        json_open(x->w, '{');
        if (d->language.n)
            json_put_str(x->w, "language", d->language);
        if (d->use) {
            json_key(x->w, "use");
            terminology_write_use(x->w, d->use);
        }
        json_put_str(x->w, "value", d->value);
        json_close(x->w, '}');
    }
    json_close(x->w, ']');
}

/* R4 has no element for it: the extension R5 names for use in R4. */
static void put_definition(struct expand *x, str definition)
{
    json_key(x->w, "extension");
    json_open(x->w, '[');
    json_open(x->w, '{');
    json_put_str(x->w, "url", S("http://hl7.org/fhir/StructureDefinition/valueset-concept-"
                                "definition"));
    json_put_str(x->w, "valueString", definition);
    json_close(x->w, '}');
    json_close(x->w, ']');
}

static void put_entry(struct expand *x, const struct term_entry *entry)
{
    const struct term_concept *concept = term_entry_concept(entry);
    str display = concept && x->language.n
                      ? term_display(entry->from, entry->concept, x->language) : entry->display;
    json_put_str(x->w, "system", entry->system);
    if (concept && concept->abstract)
        json_put_bool(x->w, "abstract", true);
    if (concept && concept->inactive)
        json_put_bool(x->w, "inactive", true);
    if (entry->version.n)
        json_put_str(x->w, "version", entry->version);
    json_put_str(x->w, "code", entry->code);
    if (display.n)
        json_put_str(x->w, "display", display);
    if (x->designations)
        put_designations(x, entry);
    if (x->definitions && concept && concept->definition.n)
        put_definition(x, concept->definition);
}

/* What was typed, first: names that are it, then those that begin with it, short before long. */
struct ranked {
    uint32_t place, length;
    uint8_t rank;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    if (x->length != y->length)
        return x->length < y->length ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

static uint8_t rank_of(struct expand *x, const struct term_entry *entry)
{
    struct arena *arena = x->ask->call->cx->arena;
    struct arena_mark mark = arena_mark(arena);
    str display = term_fold(arena, entry->display);
    uint8_t rank = str_eq(display, x->filter) || str_eq(entry->code, x->filter) ? 0
                   : str_starts(display, x->filter) ? 1 : 2;
    arena_rewind(arena, mark);
    return rank;
}

static void put_ranked(struct expand *x)
{
    struct ranked *list = arena_array(x->ask->call->cx->arena, x->total + 1, sizeof *list);
    size_t count = 0;
    for (size_t i = 0; i < x->set->count; i++)
        if (x->kept[i])
            list[count++] = (struct ranked){ (uint32_t)i, (uint32_t)x->set->entries[i].display.n,
                                             rank_of(x, &x->set->entries[i]) };
    qsort(list, count, sizeof *list, by_rank);
    for (size_t i = x->offset; i < count && i - x->offset < x->count; i++) {
        json_open(x->w, '{');
        put_entry(x, &x->set->entries[list[i].place]);
        json_close(x->w, '}');
    }
}

static void put_flat(struct expand *x)
{
    size_t seen = 0;
    for (size_t i = 0; i < x->set->count; i++) {
        if (!x->kept[i] || seen++ < x->offset || seen > x->offset + x->count)
            continue;
        json_open(x->w, '{');
        put_entry(x, &x->set->entries[i]);
        json_close(x->w, '}');
    }
}

/* The kept entry of a concept, or count when it is not in the set. */
static size_t place_of(struct expand *x, const struct term_system *system, uint32_t concept)
{
    const struct term_entry *found = term_set_find(x->set, system->url,
                                                   system->concepts[concept].code);
    size_t place = found ? (size_t)(found - x->set->entries) : x->set->count;
    return place < x->set->count && x->kept[place] ? place : x->set->count;
}

static void put_nested(struct expand *x, size_t place, int depth)
{
    const struct term_entry *entry = &x->set->entries[place];
    const struct term_concept *concept = term_entry_concept(entry);
    x->kept[place] = 2; /* written: a concept of two parents stands under the first */
    json_open(x->w, '{');
    put_entry(x, entry);
    bool any = false;
    for (uint32_t i = 0; concept && depth < NEST_MAX && i < concept->children_count; i++) {
        size_t child = place_of(x, entry->from, entry->from->links[concept->children + i]);
        if (child == x->set->count || x->kept[child] == 2)
            continue;
        if (!any) {
            json_key(x->w, "contains");
            json_open(x->w, '[');
        }
        any = true;
        put_nested(x, child, depth + 1);
    }
    if (any)
        json_close(x->w, ']');
    json_close(x->w, '}');
}

static bool has_parent(struct expand *x, const struct term_entry *entry)
{
    const struct term_concept *concept = term_entry_concept(entry);
    for (uint32_t i = 0; concept && i < concept->parents_count; i++)
        if (place_of(x, entry->from, entry->from->links[concept->parents + i]) != x->set->count)
            return true;
    return false;
}

static void put_tree(struct expand *x)
{
    for (size_t i = 0; i < x->set->count; i++)
        if (x->kept[i] == 1 && !has_parent(x, &x->set->entries[i]))
            put_nested(x, i, 0);
    for (size_t i = 0; i < x->set->count; i++)
        if (x->kept[i] == 1) /* deeper than NEST_MAX, or in a loop */
            put_nested(x, i, NEST_MAX);
}

static void put_parameter(struct json_writer *w, const char *name, const char *type, str value)
{
    if (!value.n)
        return;
    json_open(w, '{');
    json_put_str(w, "name", str_of(name));
    json_put_str(w, type, value);
    json_close(w, '}');
}

/* Which versions were used, and what was asked: so that the answer can be understood later. */
static void put_parameters(struct expand *x)
{
    struct arena *arena = x->ask->call->cx->arena;
    struct map seen = map_make(arena);
    str last = { 0 };
    json_key(x->w, "parameter");
    json_open(x->w, '[');
    put_parameter(x->w, "filter", "valueString", operation_text(x->ask, "filter"));
    for (size_t i = 0; i < x->set->count; i++) {
        const struct term_entry *entry = &x->set->entries[i];
        if (entry->system.p == last.p)
            continue;
        last = entry->system;
        if (!map_add(&seen, entry->system, 1, NULL))
            continue;
        put_parameter(x->w, "used-codesystem", "valueUri",
                      entry->version.n ? arena_printf(arena, "%.*s|%.*s", STR_ARG(entry->system),
                                                      STR_ARG(entry->version)) : entry->system);
    }
    for (size_t i = 0; i < x->set->open_count; i++)
        put_parameter(x->w, "not-loaded", "valueUri", x->set->open[i]);
    json_open(x->w, '{');
    json_put_str(x->w, "name", S("offset"));
    json_put_u64(x->w, "valueInteger", x->offset);
    json_close(x->w, '}');
    json_close(x->w, ']');
}

static str identifier(struct ctx *cx)
{
    uint64_t a = random_next(cx->random), b = random_next(cx->random);
    return arena_printf(cx->arena, "urn:uuid:%08x-%04x-4%03x-%04x-%012llx", (unsigned)(a >> 32),
                        (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff),
                        (unsigned)(0x8000 | (b >> 48 & 0x3fff)),
                        (unsigned long long)(b & 0xffffffffffff));
}

static void put_expansion(struct expand *x)
{
    char now[CLOCK_TEXT];
    clock_write(x->ask->call->cx->now_ms, now);
    json_key(x->w, "expansion");
    json_open(x->w, '{');
    json_put_str(x->w, "identifier", identifier(x->ask->call->cx));
    json_put_str(x->w, "timestamp", (str){ now, CLOCK_TEXT });
    json_put_u64(x->w, "total", x->total);
    json_put_u64(x->w, "offset", x->offset);
    put_parameters(x);
    if (x->total > x->offset && x->count) {
        json_key(x->w, "contains");
        json_open(x->w, '[');
        if (x->nested)
            put_tree(x);
        else if (x->filter.n)
            put_ranked(x);
        else
            put_flat(x);
        json_close(x->w, ']');
    }
    json_close(x->w, '}');
}

static err write_answer(struct expand *x, struct operation_answer *out)
{
    struct buf buf = buf_make(x->ask->call->cx->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    x->w = &w;
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("ValueSet"));
    const struct { const char *key; str value; } head[] = {
        { "url", x->set->url }, { "version", x->set->version }, { "name", x->set->name },
        { "title", x->set->title },
    };
    for (size_t i = 0; i < COUNT(head); i++)
        if (head[i].value.n)
            json_put_str(&w, head[i].key, head[i].value);
    json_put_str(&w, "status", S("active"));
    put_expansion(x);
    json_close(&w, '}');
    out->body = buf_str(&buf);
    return ERR_OK;
}

/* The text of the set asked for: in the body, stored here, or by url; not given: an implicit
 * one. */
static err find_text(const struct operation_ask *ask, str url, str *out)
{
    struct ctx *cx = ask->call->cx;
    struct json given = operation_resource(ask, "valueSet");
    bool bare = json_string_is(json_get(ask->parameters, S("resourceType")), S("ValueSet"));
    *out = (str){ 0 };
    if (json_is(given, JSON_OBJECT) || bare) {
        *out = json_text(bare ? ask->parameters : given);
        return ERR_OK;
    }
    if (str_given(ask->id)) {
        struct store_version stored;
        TRY(store_read(cx, ask->call->store, ask->resource, ask->id, &stored));
        *out = stored.body;
        return ERR_OK;
    }
    if (!url.n)
        return ctx_fail(cx, ERR_INVALID, S("url"),
                        S("say which value set: url, valueSet in the body, or /ValueSet/ID"));
    if (str_find(url, S("?fhir_vs")) != STR_NONE)
        return ERR_OK;
    return term_get_text(cx, terminology_term(), TERM_VALUE_SET, url, out);
}

static err find_set(const struct operation_ask *ask, const struct term_set **out)
{
    struct ctx *cx = ask->call->cx;
    str url = operation_text(ask, "url"), version = operation_text(ask, "valueSetVersion"), text;
    str context = operation_text(ask, "context");
    if (context.n && !url.n)
        TRY(structure_binding(cx, ask->call->store, context, &url));
    if (url.n && version.n)
        url = arena_printf(cx->arena, "%.*s|%.*s", STR_ARG(url), STR_ARG(version));
    TRY(find_text(ask, url, &text));
    if (!text.n)
        return term_get_set(cx, terminology_term(), url, out);
    TRY(expand_pin(ask, &text));
    return term_make_set(cx, terminology_term(), text, out);
}

static err read_ask(struct expand *x)
{
    const struct operation_ask *ask = x->ask;
    bool exclude_nested = true, as_they_are;
    TRY(terminology_date(ask));
    TRY(operation_flag(ask, "excludeNotForUI", false, &x->for_people));
    TRY(operation_flag(ask, "excludePostCoordinated", false, &as_they_are)); /* never added here */
    TRY(operation_flag(ask, "includeDefinition", false, &x->definitions));
    TRY(find_set(ask, &x->set));
    TRY(operation_count(ask, "offset", 0, &x->offset));
    TRY(operation_count(ask, "count", SIZE_MAX, &x->count));
    TRY(operation_flag(ask, "activeOnly", false, &x->active_only));
    TRY(operation_flag(ask, "includeDesignations", false, &x->designations));
    TRY(operation_flag(ask, "excludeNested", true, &exclude_nested));
    x->filter = term_fold(ask->call->cx->arena, str_trim(operation_text(ask, "filter")));
    x->language = operation_text(ask, "displayLanguage");
    x->exclude_system = operation_text(ask, "exclude-system");
    bool paged = x->offset || x->count != SIZE_MAX || x->filter.n;
    x->nested = !exclude_nested && !paged;
    return ERR_OK;
}

err op_expand(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct expand x = { .ask = ask };
    TRY(read_ask(&x));
    x.kept = arena_array(cx->arena, x.set->count + 1, 1);
    for (size_t i = 0; i < x.set->count; i++) {
        x.kept[i] = passes(&x, &x.set->entries[i]);
        x.total += x.kept[i];
    }
    size_t left = x.total > x.offset ? x.total - x.offset : 0;
    if (left > EXPAND_COUNT_MAX && x.count > EXPAND_COUNT_MAX)
        return ctx_failf(cx, ERR_LIMIT, S("count"),
                         "the value set has %zu codes; ask for pages of at most %d by count and "
                         "offset, or narrow it by filter", x.total, (int)EXPAND_COUNT_MAX);
    if (x.set->open_count && !x.set->count)
        return ctx_failf(cx, ERR_RULE, S("ValueSet.compose.include.system"),
                         "the value set takes codes of %.*s, which is not loaded here",
                         STR_ARG(x.set->open[0]));
    return write_answer(&x, out);
}
