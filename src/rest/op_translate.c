/* SPDX-License-Identifier: Apache-2.0 */
#include "rest/terminology.h"
#include "store/commit.h"
#include "store/search.h"

/*
 * ConceptMap $translate, and $closure.
 *
 * Source   hl7.org/fhir/R4/conceptmap-operation-translate.html, conceptmap-operation-closure.html.
 * Shapes   the state of a closure table is a Basic resource named after it: the codes that were
 *          given, in order; its version is the number of codes, so "since version" is a place in
 *          the list.
 * Limits   CLOSURE_CODES_MAX codes a table.
 */
enum { CODINGS_MAX = 64, CLOSURE_CODES_MAX = 10000, MAPS_MAX = 5000 };

/* ---- $translate ---- */

struct translate {
    const struct operation_ask *ask;
    struct arena *arena;
    struct terminology_coding codings[CODINGS_MAX];
    size_t codings_count;
    str target_system;
    bool reverse, result;
    struct terminology_answer a;
};

static str text(struct translate *t, struct json object, const char *key)
{
    return json_string(t->arena, json_get(object, str_of(key)));
}

static bool is_match(str equivalence)
{
    return !str_eq(equivalence, S("unmatched")) && !str_eq(equivalence, S("disjoint"));
}

/* The contrary of a relationship, for reverse translation. */
static str turned(str equivalence)
{
    static const struct { const char *is, *becomes; } pairs[] = {
        { "wider", "narrower" }, { "narrower", "wider" },
        { "subsumes", "specializes" }, { "specializes", "subsumes" },
    };
    for (size_t i = 0; i < COUNT(pairs); i++)
        if (str_eq(equivalence, str_of(pairs[i].is)))
            return str_of(pairs[i].becomes);
    return equivalence;
}

static void put_match(struct translate *t, str system, struct json concept, str equivalence,
                      str map_url)
{
    t->result |= is_match(equivalence);
    terminology_open_part(&t->a, "match");
    terminology_put(&t->a, "equivalence", "valueCode", equivalence);
    json_open(&t->a.w, '{');
    json_put_str(&t->a.w, "name", S("concept"));
    json_key(&t->a.w, "valueCoding");
    json_open(&t->a.w, '{');
    if (system.n)
        json_put_str(&t->a.w, "system", system);
    json_put_str(&t->a.w, "code", text(t, concept, "code"));
    str display = text(t, concept, "display");
    if (display.n)
        json_put_str(&t->a.w, "display", display);
    json_close(&t->a.w, '}');
    json_close(&t->a.w, '}');
    terminology_put(&t->a, "source", "valueUri", map_url);
    terminology_close_part(&t->a);
}

static bool asked_for(const struct translate *t, str system, str code)
{
    for (size_t i = 0; i < t->codings_count; i++)
        if (str_eq(t->codings[i].code, code) &&
            (!t->codings[i].system.n || str_eq(t->codings[i].system, system)))
            return true;
    return false;
}

static void read_element(struct translate *t, struct json group, struct json element, str map_url)
{
    str source = text(t, group, "source"), target = text(t, group, "target");
    bool forward = !t->reverse && asked_for(t, source, text(t, element, "code"));
    for (struct json_walk w = json_walk(json_get(element, S("target"))); json_next(&w);) {
        str equivalence = text(t, w.value, "equivalence");
        if (forward)
            put_match(t, target, w.value, equivalence, map_url);
        else if (t->reverse && asked_for(t, target, text(t, w.value, "code")))
            put_match(t, source, element, turned(equivalence), map_url);
    }
}

static bool group_has(struct translate *t, struct json group, str code)
{
    for (struct json_walk w = json_walk(json_get(group, S("element"))); json_next(&w);)
        if (str_eq(text(t, w.value, "code"), code))
            return true;
    return false;
}

/* What the group says of codes it does not list: as they are, or one fixed code. */
static void read_unmapped(struct translate *t, struct json group, str map_url)
{
    struct json unmapped = json_get(group, S("unmapped"));
    str mode = text(t, unmapped, "mode"), source = text(t, group, "source");
    for (size_t i = 0; i < t->codings_count && !t->reverse && mode.n; i++) {
        const struct terminology_coding *c = &t->codings[i];
        if ((c->system.n && !str_eq(c->system, source)) || group_has(t, group, c->code))
            continue;
        struct json concept = unmapped;
        if (str_eq(mode, S("provided"))) {
            str json = arena_printf(t->arena, "{\"code\":\"%.*s\"}", STR_ARG(c->code));
            if (json_parse(t->ask->call->cx, json, &concept) != ERR_OK)
                continue;
        } else if (!str_eq(mode, S("fixed"))) {
            continue;
        }
        put_match(t, text(t, group, "target"), concept, S("inexact"), map_url);
    }
}

static void read_map(struct translate *t, struct json map)
{
    str url = text(t, map, "url");
    for (struct json_walk g = json_walk(json_get(map, S("group"))); json_next(&g);) {
        const char *far_end = t->reverse ? "source" : "target";
        if (t->target_system.n && !str_eq(text(t, g.value, far_end), t->target_system))
            continue;
        struct json elements = json_get(g.value, S("element"));
        for (struct json_walk e = json_walk(elements); json_next(&e);)
            read_element(t, g.value, e.value, url);
        read_unmapped(t, g.value, url);
    }
}

static err find_map(const struct operation_ask *ask, str url, struct json *out)
{
    struct ctx *cx = ask->call->cx;
    struct json given = operation_resource(ask, "conceptMap");
    str version = operation_text(ask, "conceptMapVersion"), found;
    if (json_is(given, JSON_OBJECT)) {
        *out = given;
        return ERR_OK;
    }
    if (str_given(ask->id)) {
        struct store_version stored;
        TRY(store_read(cx, ask->call->store, ask->resource, ask->id, &stored));
        return json_parse(cx, stored.body, out);
    }
    if (version.n)
        url = arena_printf(cx->arena, "%.*s|%.*s", STR_ARG(url), STR_ARG(version));
    TRY(term_get_text(cx, terminology_term(), TERM_CONCEPT_MAP, url, &found));
    return json_parse(cx, found, out);
}

/* Is the map from and to the value sets the caller names? */
static bool joins_sets(struct translate *t, struct json map)
{
    static const char *const ends[] = { "source", "target" };
    for (size_t i = 0; i < COUNT(ends); i++) {
        str wanted = operation_text(t->ask, ends[i]), bare = { 0 };
        str uri = text(t, map, arena_cstr(t->arena, arena_printf(t->arena, "%sUri", ends[i])));
        str canonical = text(t, map, arena_cstr(t->arena, arena_printf(t->arena, "%sCanonical",
                                                                       ends[i])));
        str_next(&canonical, '|', &bare);
        if (wanted.n && !str_eq(wanted, uri) && !str_eq(wanted, bare))
            return false;
    }
    return true;
}

/* One of all the maps there are; those seen under the same url came first. */
static void try_map(struct translate *t, str map_text, struct map *seen)
{
    struct json map;
    bool concerns = str_find(map_text, S("\"ConceptMap\"")) != STR_NONE;
    for (size_t i = 0; i < t->codings_count && concerns; i++)
        concerns = str_find(map_text, t->codings[i].system) != STR_NONE;
    if (!concerns || json_parse(t->ask->call->cx, map_text, &map) != ERR_OK ||
        !json_string_is(json_get(map, S("resourceType")), S("ConceptMap")) ||
        !joins_sets(t, map))
        return;
    str url = text(t, map, "url");
    if (!url.n || map_add(seen, url, 1, NULL))
        read_map(t, map);
}

/* Without a map's name: what was posted, then the packages, then R4's own. */
static err read_all_maps(struct translate *t)
{
    struct ctx *cx = t->ask->call->cx;
    struct map seen = map_make(t->arena);
    int64_t *rids = arena_array(t->arena, MAPS_MAX, sizeof *rids);
    struct search_rids found = { rids, MAPS_MAX, 0 };
    uint16_t resource = fhir_resource_find(S("ConceptMap"));
    TRY(search_condition(cx, t->ask->call->store, resource, S("status=active,draft,unknown"),
                         &found));
    for (size_t i = 0; i < found.count && i < MAPS_MAX; i++) {
        struct store_version version;
        TRY(store_read_rid(cx, t->ask->call->store, rids[i], &version));
        try_map(t, version.body, &seen);
    }
    struct profile_set *set = terminology_profiles(cx);
    for (size_t i = 0; set; i++) {
        str text = profile_set_definition_at(set, i);
        if (!str_given(text))
            break;
        try_map(t, text, &seen);
    }
    return ERR_OK;
}

static err read_maps(struct translate *t)
{
    const struct operation_ask *ask = t->ask;
    struct ctx *cx = ask->call->cx;
    str url = operation_text(ask, "url");
    struct json map, given = operation_resource(ask, "conceptMap");
    if (url.n || str_given(ask->id) || json_is(given, JSON_OBJECT)) {
        TRY(find_map(ask, url, &map));
        if (joins_sets(t, map))
            read_map(t, map);
        return ERR_OK;
    }
    for (size_t i = 0; i < t->codings_count; i++)
        if (!t->codings[i].system.n)
            return ctx_fail(cx, ERR_INVALID, S("url"),
                            S("say which map: url, conceptMap in the body, or /ConceptMap/ID; or "
                              "give the code's system, and every map is looked at"));
    return read_all_maps(t);
}

err op_translate(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct translate t = { .ask = ask, .arena = cx->arena,
                           .target_system = operation_text(ask, "targetsystem") };
    t.codings_count = terminology_codings(ask, t.codings, CODINGS_MAX);
    if (!t.codings_count)
        return ctx_fail(cx, ERR_INVALID, S("code"), S("the parameter code is missing"));
    TRY(operation_flag(ask, "reverse", false, &t.reverse));
    struct translate rows = t; /* result comes first and is known last */
    terminology_begin(&rows.a, ask);
    size_t from = rows.a.buf.n;
    rows.a.w.buf = &rows.a.buf;
    TRY(read_maps(&rows));
    str matches = str_slice(buf_str(&rows.a.buf), from, rows.a.buf.n);
    terminology_begin(&t.a, ask);
    terminology_put_flag(&t.a, "result", rows.result);
    if (!rows.result)
        terminology_put(&t.a, "message", "valueString",
                        S("no map says anything of this code that it stands for"));
    if (matches.n) {
        buf_char(&t.a.buf, ',');
        buf_add(&t.a.buf, matches);
    }
    return terminology_end(&t.a, out);
}

/* ---- $closure ---- */

#define CLOSURE_URL "https://frontline.example/fhir/StructureDefinition/closure-code"

struct closure {
    const struct operation_ask *ask;
    struct arena *arena;
    str id, name;
    int64_t vid;
    struct terminology_coding codes[CLOSURE_CODES_MAX];
    size_t count, known; /* the first `known` were there before */
};

static err closure_name(struct closure *c)
{
    c->name = operation_text(c->ask, "name");
    c->id = arena_printf(c->arena, "closure-%.*s", STR_ARG(c->name));
    if (!c->name.n)
        return ctx_fail(c->ask->call->cx, ERR_INVALID, S("name"),
                        S("say which closure table: name"));
    return rest_check_id(c->ask->call->cx, c->id);
}

static err closure_load(struct closure *c)
{
    struct ctx *cx = c->ask->call->cx;
    struct store_version stored;
    struct json body;
    err found = store_read(cx, c->ask->call->store, fhir_resource_find(S("Basic")), c->id, &stored);
    if (found == ERR_NOT_FOUND || found == ERR_GONE) {
        cx->issues.kept = cx->issues.count = 0;
        return ERR_OK;
    }
    TRY(found);
    TRY(json_parse(cx, stored.body, &body));
    c->vid = stored.vid;
    for (struct json_walk w = json_walk(json_get(body, S("extension"))); json_next(&w);) {
        struct json coding = json_get(w.value, S("valueCoding"));
        if (c->count < CLOSURE_CODES_MAX)
            c->codes[c->count++] = (struct terminology_coding){
                .system = json_string(c->arena, json_get(coding, S("system"))),
                .code = json_string(c->arena, json_get(coding, S("code"))),
            };
    }
    c->known = c->count;
    return ERR_OK;
}

static bool closure_has(const struct closure *c, const struct terminology_coding *code)
{
    for (size_t i = 0; i < c->count; i++)
        if (str_eq(c->codes[i].code, code->code) && str_eq(c->codes[i].system, code->system))
            return true;
    return false;
}

/* Every `concept` parameter; a code its system does not have is refused before anything is kept. */
static err closure_take(struct closure *c)
{
    struct ctx *cx = c->ask->call->cx;
    struct json list = json_get(c->ask->parameters, S("parameter"));
    for (struct json_walk w = json_walk(list); json_next(&w);) {
        struct json coding = json_get(w.value, S("valueCoding"));
        const struct term_system *system;
        if (!json_string_is(json_get(w.value, S("name")), S("concept")))
            continue;
        struct terminology_coding code = {
            .system = json_string(c->arena, json_get(coding, S("system"))),
            .code = json_string(c->arena, json_get(coding, S("code"))),
        };
        TRY(term_get_system(cx, terminology_term(), code.system, &system));
        if (term_find(system, code.code) == TERM_NONE)
            return ctx_failf(cx, ERR_NOT_FOUND, S("concept"), "%.*s has no code %.*s",
                             STR_ARG(code.system), STR_ARG(code.code));
        if (closure_has(c, &code))
            continue;
        if (c->count == CLOSURE_CODES_MAX)
            return ctx_fail(cx, ERR_LIMIT, S("concept"), S("the closure table is full"));
        c->codes[c->count++] = code;
    }
    return ERR_OK;
}

static err closure_save(struct closure *c)
{
    struct ctx *cx = c->ask->call->cx;
    struct buf buf = buf_make(c->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("Basic"));
    json_put_str(&w, "id", c->id);
    for (size_t i = 0; i < c->count; i++) {
        if (i == 0) {
            json_key(&w, "extension");
            json_open(&w, '[');
        }
        json_open(&w, '{');
        json_put_str(&w, "url", S(CLOSURE_URL));
        json_key(&w, "valueCoding");
        json_open(&w, '{');
        json_put_str(&w, "system", c->codes[i].system);
        json_put_str(&w, "code", c->codes[i].code);
        json_close(&w, '}');
        json_close(&w, '}');
    }
    if (c->count)
        json_close(&w, ']');
    json_put_raw(&w, "code", S("{\"text\":\"closure table\"}"));
    json_close(&w, '}');
    struct commit_op op = { .verb = COMMIT_UPDATE, .resource = fhir_resource_find(S("Basic")),
                            .id = c->id, .if_match_vid = c->vid };
    struct commit commit = { .ops = &op, .ops_count = 1 };
    TRY(json_parse(cx, buf_str(&buf), &op.body));
    return commit_run(cx, c->ask->call->store, &commit);
}

static err closure_relation(struct closure *c, size_t a, size_t b, bool *below)
{
    const struct term_system *system;
    *below = false;
    if (!str_eq(c->codes[a].system, c->codes[b].system))
        return ERR_OK;
    TRY(term_get_system(c->ask->call->cx, terminology_term(), c->codes[a].system, &system));
    uint32_t x = term_find(system, c->codes[a].code), y = term_find(system, c->codes[b].code);
    *below = x != TERM_NONE && y != TERM_NONE && term_is_below(system, x, y);
    return ERR_OK;
}

static void put_group(struct json_writer *w, const struct closure *c, size_t a, size_t b)
{
    json_open(w, '{');
    json_put_str(w, "source", c->codes[a].system);
    json_put_str(w, "target", c->codes[b].system);
    json_key(w, "element");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "code", c->codes[a].code);
    json_key(w, "target");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "code", c->codes[b].code);
    json_put_str(w, "equivalence", S("subsumes")); /* the target is the wider one */
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
    json_close(w, ']');
    json_close(w, '}');
}

/* The relations in which at least one code came after `since`. */
static err closure_answer(struct closure *c, size_t since, struct operation_answer *out)
{
    struct buf buf = buf_make(c->arena, REST_TEXT_MAX);
    struct json_writer w = json_writer(&buf);
    bool any = false, below;
    json_open(&w, '{');
    json_put_str(&w, "resourceType", S("ConceptMap"));
    json_put_str(&w, "version", arena_printf(c->arena, "%zu", c->count));
    json_put_str(&w, "name", c->name);
    json_put_str(&w, "status", S("active"));
    for (size_t a = 0; a < c->count; a++)
        for (size_t b = 0; b < c->count; b++) {
            if (a == b || (a < since && b < since))
                continue;
            TRY(closure_relation(c, a, b, &below));
            if (!below)
                continue;
            if (!any) {
                json_key(&w, "group");
                json_open(&w, '[');
            }
            any = true;
            put_group(&w, c, a, b);
        }
    if (any)
        json_close(&w, ']');
    json_close(&w, '}');
    out->body = buf_str(&buf);
    return ERR_OK;
}

err op_closure(const struct operation_ask *ask, struct operation_answer *out)
{
    struct ctx *cx = ask->call->cx;
    struct closure *c = arena_zero(cx->arena, sizeof *c);
    str version = operation_text(ask, "version");
    uint64_t since;
    c->ask = ask;
    c->arena = cx->arena;
    TRY(closure_name(c));
    TRY(closure_load(c));
    TRY(closure_take(c));
    bool begins = c->count == c->known && !version.n; /* the name alone empties the table */
    if (begins)
        c->count = c->known = 0;
    since = c->known;
    if (version.n && (!str_to_u64(version, &since) || since > c->count))
        return ctx_fail(cx, ERR_INVALID, S("version"), S("this table never had that version"));
    if (begins || c->count != c->known)
        TRY(closure_save(c));
    return closure_answer(c, (size_t)since, out);
}
