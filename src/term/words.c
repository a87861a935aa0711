/* SPDX-License-Identifier: Apache-2.0 */
#include "term/words.h"

struct term_word {
    str word;
    uint32_t from, count;    /* its run in concepts */
};
struct term_words {
    struct term_word *list;  /* by word */
    size_t count, cap;
    uint32_t *concepts;
};

/* A word met in a concept's names; order tells where it was first met. */
struct meeting {
    uint32_t word, concept;
};
struct gather {
    struct arena *arena;     /* of the index */
    struct arena scratch, folded;
    struct term_words *words;
    struct map places;       /* word -> place in list, until it is sorted */
    struct meeting *meetings;
    size_t count, cap;
};
#define GATHER_BYTES_MAX ((size_t)2 << 30)

static bool is_word_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80;
}

bool term_words_next(str *rest, str *word)
{
    size_t from = 0, to;
    while (from < rest->n && !is_word_byte(rest->p[from]))
        from++;
    for (to = from; to < rest->n && is_word_byte(rest->p[to]);)
        to++;
    *word = str_slice(*rest, from, to);
    *rest = str_slice(*rest, to, rest->n);
    return to > from;
}

/* ---- making ---- */

static uint32_t place_of(struct gather *g, str word)
{
    struct term_words *words = g->words;
    uint64_t place;
    if (map_get(&g->places, word, &place))
        return (uint32_t)place;
    word = arena_copy(g->arena, word);
    map_add(&g->places, word, words->count, NULL);
    words->list = arena_grow(g->arena, words->list, words->count, &words->cap, sizeof *words->list);
    words->list[words->count] = (struct term_word){ .word = word };
    return (uint32_t)words->count++;
}

static void add_name(struct gather *g, uint32_t concept, str name)
{
    str rest = term_fold(&g->folded, name), word;
    while (term_words_next(&rest, &word)) {
        g->meetings = arena_grow(&g->scratch, g->meetings, g->count, &g->cap, sizeof *g->meetings);
        g->meetings[g->count++] = (struct meeting){ place_of(g, word), concept };
    }
    arena_reset(&g->folded);
}

static bool is_number(str code)
{
    for (size_t i = 0; i < code.n; i++)
        if (code.p[i] < '0' || code.p[i] > '9')
            return false;
    return true;
}

static void add_concept(struct gather *g, const struct term_system *system, uint32_t n)
{
    const struct term_concept *concept = &system->concepts[n];
    if (!is_number(concept->code))
        add_name(g, n, concept->code);
    add_name(g, n, concept->display);
    for (uint32_t i = 0; i < concept->designations_count; i++)
        add_name(g, n, system->designations[concept->designations + i].value);
}

/* Meetings come by concept, so each run is ascending and a repeat stands next to its like. */
static void fill_runs(struct gather *g)
{
    struct term_words *words = g->words;
    uint32_t from = 0;
    for (size_t i = 0; i < g->count; i++)
        words->list[g->meetings[i].word].count++;
    for (size_t i = 0; i < words->count; i++) {
        words->list[i].from = from;
        from += words->list[i].count;
        words->list[i].count = 0;
    }
    words->concepts = arena_array(g->arena, from + 1, sizeof *words->concepts);
    for (size_t i = 0; i < g->count; i++) {
        struct term_word *word = &words->list[g->meetings[i].word];
        uint32_t *run = words->concepts + word->from;
        if (!word->count || run[word->count - 1] != g->meetings[i].concept)
            run[word->count++] = g->meetings[i].concept;
    }
}

static int by_word(const void *a, const void *b)
{
    return str_cmp(((const struct term_word *)a)->word, ((const struct term_word *)b)->word);
}

void term_words_make(struct arena *arena, struct term_system *system)
{
    if (system->count < TERM_WORDS_FROM)
        return;
    struct gather g = { .arena = arena, .scratch = arena_make(GATHER_BYTES_MAX),
                        .folded = arena_make(GATHER_BYTES_MAX),
                        .words = arena_zero(arena, sizeof *g.words) };
    g.places = map_make(&g.scratch);
    for (uint32_t n = 0; n < system->count; n++)
        add_concept(&g, system, n);
    fill_runs(&g);
    qsort(g.words->list, g.words->count, sizeof *g.words->list, by_word);
    arena_free(&g.scratch);
    arena_free(&g.folded);
    system->words = g.words;
}

/* ---- asking ---- */

static size_t first_from(const struct term_words *words, str word)
{
    size_t low = 0, high = words->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (str_cmp(words->list[middle].word, word) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The words that begin with one: places from, up to to; how many concepts they have together. */
struct span {
    size_t from, to;
    uint64_t concepts;
};

static struct span span_of(const struct term_words *words, str prefix)
{
    struct span span = { .from = first_from(words, prefix) };
    for (span.to = span.from; span.to < words->count &&
                              str_starts(words->list[span.to].word, prefix); span.to++)
        span.concepts += words->list[span.to].count;
    return span;
}

static void set_bits(const struct term_words *words, struct span span, struct term_bits *out)
{
    for (size_t i = span.from; i < span.to; i++)
        for (uint32_t k = 0; k < words->list[i].count; k++)
            term_bit_set(out, words->concepts[words->list[i].from + k]);
}

bool term_words_find(const struct term_system *system, str folded_filter, struct term_bits *out)
{
    const struct term_words *words = system->words;
    struct span rarest = { 0 };
    bool any = false;
    str word;
    while (words && term_words_next(&folded_filter, &word)) {
        struct span span = span_of(words, word);
        if (!any || span.concepts < rarest.concepts)
            rarest = span;
        any = true;
    }
    if (any)
        set_bits(words, rarest, out);
    return any;
}

bool term_words_add(const struct term_system *system, str folded_word, struct term_bits *out)
{
    const struct term_words *words = system->words;
    struct span span = words ? span_of(words, folded_word) : (struct span){ 0 };
    if (words)
        set_bits(words, span, out);
    return span.concepts > 0;
}
