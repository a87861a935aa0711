/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/codes.h"
#include "http/text.h"
#include "json/write.h"
#include "store/terms.h"
#include "systems/record/codes_starter.h"
#include "term/words.h"
#include <pthread.h>

enum { ANSWER_BYTES = 64 << 10, TYPED_MAX = 200 };
#define SNOMED "http://snomed.info/sct"
#define DMD "https://dmd.nhs.uk"

/* What each list holds: everything below these concepts. */
static const struct list_row {
    const char *name, *system;
    const char *tops[4]; /* none: the whole system */
} lists[] = {
    /* finding, situation, event */
    { "problem", SNOMED, { "404684003", "243796009", "272379006" } },
    /* substance, product, propensity to react */
    { "agent", SNOMED, { "105590001", "373873005", "418038007" } },
    { "reaction", SNOMED, { "404684003" } },
    { "medicine", DMD, { NULL } },
};

/* What a list holds, a bit a concept; made when the system is first asked for, kept. */
static struct {
    pthread_mutex_t lock;
    struct arena arena;
    struct kept_list {
        const struct term_system *system; /* it was made from; NULL: not made */
        struct term_bits bits;
    } lists[COUNT(lists)];
} kept = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void unlock(void *lock)
{
    pthread_mutex_unlock(lock);
}

static size_t list_of(str name)
{
    size_t at = 0;
    while (at < COUNT(lists) && !str_eq(name, str_of(lists[at].name)))
        at++;
    return at;
}

/* The loaded system; NULL when there is none, which is no fault here. */
static const struct term_system *loaded(struct ctx *cx, struct store *store, const char *url)
{
    const struct term_system *system = NULL;
    size_t count = cx->issues.count, noted = cx->issues.kept;
    if (term_get_system(cx, store_terms(store), str_of(url), &system) != ERR_OK)
        system = NULL;
    cx->issues.count = count;
    cx->issues.kept = noted;
    return system && system->complete ? system : NULL; /* a fragment is no terminology to type in */
}

static struct term_bits make_bits(const struct list_row *row, const struct term_system *system)
{
    if (!kept.arena.cap_bytes)
        kept.arena = arena_make(CODES_BYTES);
    struct term_bits bits = term_bits_make(&kept.arena, system);
    for (size_t i = 0; i < COUNT(row->tops) && row->tops[i]; i++) {
        uint32_t top = term_find(system, str_of(row->tops[i]));
        if (top != TERM_NONE)
            term_add_below(system, top, &bits);
    }
    for (uint32_t i = 0; !row->tops[0] && i < system->count; i++)
        term_bit_set(&bits, i);
    return bits;
}

/* The bits of a list are read-only once made: only their making is under the lock. */
static struct term_bits bits_of(struct ctx *cx, size_t at, const struct term_system *system)
{
    pthread_mutex_lock(&kept.lock);
    ctx_defer(cx, unlock, &kept.lock);
    if (kept.lists[at].system != system)
        kept.lists[at] = (struct kept_list){ system, make_bits(&lists[at], system) };
    struct term_bits bits = kept.lists[at].bits;
    ctx_undefer(cx, unlock);
    return bits;
}

/* ---- looking ---- */

static void add_hit(struct codes_found *out, str text, str code)
{
    if (out->hits_count < CODES_HITS)
        out->hits[out->hits_count++] = (struct codes_hit){ text, code };
}

/* The shortest terms that match so far, shortest first. */
struct best {
    uint32_t concepts[CODES_HITS];
    size_t count;
};

static void keep_best(struct best *best, const struct term_system *system, uint32_t concept)
{
    size_t at = best->count < CODES_HITS ? best->count++ : CODES_HITS - 1;
    size_t n = system->concepts[concept].display.n;
    for (; at > 0 && system->concepts[best->concepts[at - 1]].display.n > n; at--)
        best->concepts[at] = best->concepts[at - 1];
    best->concepts[at] = concept;
}

/* A longer term than the worst kept is not even compared: few are, however many match. */
static bool may_help(const struct best *best, const struct term_system *system, uint32_t concept)
{
    const struct term_concept *c = &system->concepts[concept];
    return !c->inactive && c->display.n &&
           (best->count < CODES_HITS ||
            c->display.n < system->concepts[best->concepts[best->count - 1]].display.n);
}

static void look_in(struct ctx *cx, const struct term_system *system, const struct term_bits *in,
                    str folded, struct codes_found *out)
{
    struct term_bits may = term_bits_make(cx->arena, system);
    bool narrowed = term_words_find(system, folded, &may);
    struct best best = { .count = 0 };
    for (uint32_t word = 0; word * 64 < system->count; word++) {
        uint64_t left = narrowed ? in->words[word] & may.words[word] : in->words[word];
        for (; left; left &= left - 1) {
            uint32_t concept = word * 64 + (uint32_t)__builtin_ctzll(left);
            struct term_entry entry = { .from = system, .concept = concept,
                                        .code = system->concepts[concept].code,
                                        .display = system->concepts[concept].display };
            struct arena_mark mark = arena_mark(cx->arena);
            if (may_help(&best, system, concept) &&
                term_entry_matches(cx->arena, &entry, folded))
                keep_best(&best, system, concept);
            arena_rewind(cx->arena, mark);
        }
    }
    for (size_t i = 0; i < best.count; i++) {
        const struct term_concept *c = &system->concepts[best.concepts[i]];
        add_hit(out, c->display, arena_printf(cx->arena, "%.*s|%.*s", STR_ARG(system->url),
                                              STR_ARG(c->code)));
    }
}

static bool starter_matches(struct ctx *cx, const struct codes_starter *starter, str folded)
{
    struct term_entry entry = { .display = str_of(starter->text), .code = str_of(starter->code),
                                .concept = TERM_NONE };
    return term_entry_matches(cx->arena, &entry, folded);
}

static void look_in_starters(struct ctx *cx, str list, str folded, struct codes_found *out)
{
    out->starter = true;
    for (const struct codes_starter *s = codes_starters; s->list; s++)
        if (str_eq(list, str_of(s->list)) && starter_matches(cx, s, folded))
            add_hit(out, str_of(s->text), arena_printf(cx->arena, SNOMED "|%s", s->code));
}

err codes_search(struct ctx *cx, struct store *store, str list, str typed,
                 struct codes_found *out)
{
    size_t at = list_of(list);
    str folded = term_fold(cx->arena, str_trim(str_slice(typed, 0, TYPED_MAX)));
    *out = (struct codes_found){ 0 };
    if (at == COUNT(lists))
        return ctx_failf(cx, ERR_NOT_FOUND, S("list"), "there is no list of codes %.*s",
                         STR_ARG(list));
    const struct term_system *system = loaded(cx, store, lists[at].system);
    if (!folded.n)
        return ERR_OK;
    if (!system) {
        look_in_starters(cx, list, folded, out);
        return ERR_OK;
    }
    struct term_bits bits = bits_of(cx, at, system);
    look_in(cx, system, &bits, folded, out);
    return ERR_OK;
}

str codes_name(struct ctx *cx, struct store *store, str code)
{
    str system;
    if (!str_next(&code, '|', &system))
        return (str){ 0 };
    const struct term_system *found = loaded(cx, store, arena_cstr(cx->arena, system));
    uint32_t concept = found ? term_find(found, code) : TERM_NONE;
    if (concept != TERM_NONE)
        return found->concepts[concept].display;
    for (const struct codes_starter *s = codes_starters; s->list; s++)
        if (str_eq(system, S(SNOMED)) && str_eq(code, str_of(s->code)))
            return str_of(s->text);
    return (str){ 0 };
}

err codes_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct codes_found found;
    struct buf buf = buf_make(cx->arena, ANSWER_BYTES);
    struct json_writer w = json_writer(&buf);
    TRY(codes_search(cx, request->store, http_query_value(cx->arena, request->query, S("list")),
                     http_query_value(cx->arena, request->query, S("q")), &found));
    json_open(&w, '{');
    json_key(&w, "hits");
    json_open(&w, '[');
    for (size_t i = 0; i < found.hits_count; i++) {
        json_open(&w, '{');
        json_put_str(&w, "code", arena_printf(cx->arena, "%.*s|%.*s",
                                              STR_ARG(found.hits[i].code),
                                              STR_ARG(found.hits[i].text)));
        json_put_str(&w, "text", found.hits[i].text);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_put_bool(&w, "starter", found.starter);
    json_close(&w, '}');
    response->content_type = S("application/json");
    response->body = buf_str(&buf);
    return ERR_OK;
}
