/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/codes.h"
#include "http/text.h"
#include "json/write.h"
#include "store/terms.h"
#include "systems/record/codes_starter.h"
#include "systems/record/match.h"
#include "term/words.h"
#include <pthread.h>

enum { ANSWER_BYTES = 64 << 10, TYPED_MAX = 200, LENGTHS = 512, NEAR_FROM = 4,
       WORDS = 8 };
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

/* What a list holds; made when the system is first asked for, kept. */
struct list {
    const struct term_system *system; /* it was made from; NULL: not made */
    uint32_t *concepts;               /* in use and with a name, shortest name first */
    uint32_t count;
};
static struct {
    pthread_mutex_t lock;
    struct arena arena;
    struct list lists[COUNT(lists)];
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

static struct term_bits members(struct arena *arena, const struct list_row *row,
                                const struct term_system *system)
{
    struct term_bits bits = term_bits_make(arena, system);
    for (size_t i = 0; i < COUNT(row->tops) && row->tops[i]; i++) {
        uint32_t top = term_find(system, str_of(row->tops[i]));
        if (top != TERM_NONE)
            term_add_below(system, top, &bits);
    }
    for (uint32_t i = 0; !row->tops[0] && i < system->count; i++)
        term_bit_set(&bits, i);
    return bits;
}

static size_t length_of(const struct term_system *system, uint32_t concept)
{
    size_t n = system->concepts[concept].display.n;
    return n < LENGTHS ? n : LENGTHS - 1;
}

/* Sorted by counting how many there are of each length. */
static struct list make_list(struct arena *arena, struct arena *scratch, const struct list_row *row,
                             const struct term_system *system)
{
    struct term_bits in = members(scratch, row, system);
    uint32_t *from = arena_array(scratch, LENGTHS + 1, sizeof *from);
    struct list list = { .system = system };
    for (uint32_t n = 0; n < system->count; n++)
        if (term_bit(&in, n) && !system->concepts[n].inactive && system->concepts[n].display.n) {
            from[length_of(system, n) + 1]++;
            list.count++;
        }
    for (size_t i = 1; i <= LENGTHS; i++)
        from[i] += from[i - 1];
    list.concepts = arena_array(arena, list.count + 1, sizeof *list.concepts);
    for (uint32_t n = 0; n < system->count; n++)
        if (term_bit(&in, n) && !system->concepts[n].inactive && system->concepts[n].display.n)
            list.concepts[from[length_of(system, n)]++] = n;
    return list;
}

/* A list is read-only once made: only its making is under the lock. When release after release has
 * filled what is kept, it is made for this request alone. */
static struct list list_for(struct ctx *cx, size_t at, const struct term_system *system)
{
    pthread_mutex_lock(&kept.lock);
    ctx_defer(cx, unlock, &kept.lock);
    if (!kept.arena.cap_bytes)
        kept.arena = arena_make(CODES_BYTES);
    bool room = kept.arena.total_bytes + 8 * (size_t)system->count < CODES_BYTES;
    struct list list = kept.lists[at];
    if (list.system != system)
        list = make_list(room ? &kept.arena : cx->arena, cx->arena, &lists[at], system);
    if (room)
        kept.lists[at] = list;
    ctx_undefer(cx, unlock);
    return list;
}

/* ---- looking ---- */

static void add_hit(struct codes_found *out, str text, str code)
{
    if (out->hits_count < CODES_HITS)
        out->hits[out->hits_count++] = (struct codes_hit){ text, code };
}

/* What somebody types, over one list. */
struct look {
    struct ctx *cx;
    const struct list *list;
    str folded;             /* as runs of letters and digits, with blanks between */
    struct codes_found *out;
};

static void add_concept(const struct look *look, uint32_t concept)
{
    const struct term_system *system = look->list->system;
    const struct term_concept *c = &system->concepts[concept];
    add_hit(look->out, c->display, arena_printf(look->cx->arena, "%.*s|%.*s", STR_ARG(system->url),
                                                STR_ARG(c->code)));
}

/* The words of two of its names are no match: the name itself is compared. */
static bool name_matches(const struct look *look, uint32_t concept)
{
    const struct term_system *system = look->list->system;
    struct term_entry entry = { .from = system, .concept = concept,
                                .code = system->concepts[concept].code,
                                .display = system->concepts[concept].display };
    struct arena_mark mark = arena_mark(look->cx->arena);
    bool matches = term_entry_matches(look->cx->arena, &entry, look->folded);
    arena_rewind(look->cx->arena, mark);
    return matches;
}

/* Shortest first, so the first that match are the answer. `may` NULL: any of the list may. */
static void take_shortest(const struct look *look, const struct term_bits *may, bool compare)
{
    uint32_t compared = 0;
    for (uint32_t i = 0; i < look->list->count && look->out->hits_count < CODES_HITS; i++) {
        uint32_t concept = look->list->concepts[i];
        if (may && !term_bit(may, concept))
            continue;
        if (compare && compared++ == CODES_COMPARED)
            return;
        if (!compare || name_matches(look, concept))
            add_concept(look, concept);
    }
}

/* Concepts with a word one letter away from this one. */
static void add_near(const struct look *look, str word, struct term_bits *out)
{
    struct arena_mark mark = arena_mark(look->cx->arena);
    str *list = arena_array(look->cx->arena, MATCH_VARIANTS_MAX, sizeof *list);
    size_t count = word.n < NEAR_FROM ? 0 : match_variants(look->cx, word, list);
    for (size_t i = 0; i < count; i++)
        if (!str_starts(word, list[i])) /* cut short it would begin too many */
            term_words_add(look->list->system, list[i], out);
    arena_rewind(look->cx->arena, mark);
}

/* Concepts that have every word, up to WORDS of them; `near`: or one a letter away. */
static bool find_words(const struct look *look, bool near, struct term_bits *out)
{
    const struct term_system *system = look->list->system;
    str rest = look->folded, word;
    bool any = false, slipped = false;
    for (int n = 0; n < WORDS && system->words && term_words_next(&rest, &word); n++) {
        struct term_bits has = term_bits_make(look->cx->arena, system);
        if (!term_words_add(system, word, &has) && near) {
            add_near(look, word, &has);
            slipped = true;
        }
        for (uint32_t w = 0; any && w * 64 < system->count; w++)
            has.words[w] &= out->words[w];
        *out = has;
        any = true;
    }
    return near ? slipped : any;
}

static void look_in(const struct look *look)
{
    const struct term_system *system = look->list->system;
    struct term_bits may;
    uint32_t named = term_find(system, look->folded);
    if (named != TERM_NONE && system->concepts[named].display.n)
        add_concept(look, named);
    else if (!find_words(look, false, &may))
        take_shortest(look, NULL, true);
    else
        take_shortest(look, &may, true);
    if (look->out->hits_count || !find_words(look, true, &may))
        return;
    take_shortest(look, &may, false);
    look->out->near = look->out->hits_count > 0;
}

/* As runs of letters and digits: "x-ray" is looked for as "x ray", as names are. */
static str words_of(struct ctx *cx, str typed)
{
    str folded = term_fold(cx->arena, str_trim(str_slice(typed, 0, TYPED_MAX))), word;
    struct buf out = buf_make(cx->arena, 8 * TYPED_MAX);
    while (term_words_next(&folded, &word))
        buf_printf(&out, "%s%.*s", out.n ? " " : "", STR_ARG(word));
    return buf_str(&out);
}

static bool starter_matches(struct ctx *cx, const struct codes_starter *starter, str folded)
{
    struct term_entry entry = { .display = str_of(starter->text), .code = str_of(starter->code),
                                .concept = TERM_NONE };
    return term_entry_matches(cx->arena, &entry, folded);
}

static void look_in_starters(struct ctx *cx, str list, str folded, struct codes_found *out)
{
    for (const struct codes_starter *s = codes_starters; s->list && folded.n; s++)
        if (str_eq(list, str_of(s->list)) && starter_matches(cx, s, folded))
            add_hit(out, str_of(s->text), arena_printf(cx->arena, SNOMED "|%s", s->code));
}

err codes_search(struct ctx *cx, struct store *store, str list, str typed,
                 struct codes_found *out)
{
    size_t at = list_of(list);
    str folded = words_of(cx, typed);
    *out = (struct codes_found){ 0 };
    if (at == COUNT(lists))
        return ctx_failf(cx, ERR_NOT_FOUND, S("list"), "there is no list of codes %.*s",
                         STR_ARG(list));
    const struct term_system *system = loaded(cx, store, lists[at].system);
    out->starter = !system;
    if (!system) {
        look_in_starters(cx, list, folded, out);
        return ERR_OK;
    }
    struct list of = list_for(cx, at, system); /* a form asks without a word, to have it ready */
    if (folded.n)
        look_in(&(struct look){ cx, &of, folded, out });
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
    json_put_bool(&w, "near", found.near);
    json_close(&w, '}');
    response->content_type = S("application/json");
    response->body = buf_str(&buf);
    return ERR_OK;
}
