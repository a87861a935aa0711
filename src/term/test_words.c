/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE words
#include "base/buf.h"
#include "base/random.h"
#include "base/test.h"
#include "term/set.h"
#include "term/words.h"

/* A system of made-up names, some with a second one, large enough to have words. */
enum { CONCEPTS = TERM_WORDS_FROM + 500, SYLLABLES = 8 };
static const char *const syllables[SYLLABLES] = { "fra", "cture", "os", "teo", "my", "itis", "Ä",
                                                  "b12" };

static str made_name(struct ctx *cx, struct random *random)
{
    struct buf buf = buf_make(cx->arena, 400);
    for (uint64_t words = 1 + random_below(random, 4); words; words--) {
        for (uint64_t n = 1 + random_below(random, 3); n; n--)
            buf_add(&buf, str_of(syllables[random_below(random, SYLLABLES)]));
        if (words > 1)
            buf_add(&buf, random_below(random, 6) ? S(" ") : S(" ("));
    }
    return buf_str(&buf);
}

static struct term_system *made_system(struct ctx *cx, struct random *random)
{
    struct term_system *system = arena_zero(cx->arena, sizeof *system);
    system->case_sensitive = system->complete = true;
    system->concepts = arena_array(cx->arena, CONCEPTS, sizeof *system->concepts);
    system->designations = arena_array(cx->arena, CONCEPTS, sizeof *system->designations);
    for (uint32_t n = 0; n < CONCEPTS; n++) {
        struct term_concept *c = &system->concepts[n];
        c->code = arena_printf(cx->arena, n % 2 ? "%u" : "S%u.4", n + 1000);
        c->display = made_name(cx, random);
        c->designations = (uint32_t)system->designations_count;
        if (n % 3 == 0) {
            system->designations[system->designations_count++].value = made_name(cx, random);
            c->designations_count = 1;
        }
    }
    system->count = CONCEPTS;
    term_system_index(cx->arena, system);
    term_words_make(cx->arena, system);
    return system;
}

static bool matches(struct ctx *cx, const struct term_system *system, uint32_t n, str filter)
{
    struct term_entry entry = { .code = system->concepts[n].code, .from = system, .concept = n,
                                .display = system->concepts[n].display };
    return term_entry_matches(cx->arena, &entry, filter);
}

/* Whatever is typed, no concept that matches is missed, and the words do narrow. */
TEST(words_miss_no_concept_that_matches)
{
    struct random random = random_seeded(7);
    struct term_system *system = made_system(cx, &random);
    size_t narrowed = 0;
    for (int round = 0; round < 300; round++) {
        str name = made_name(cx, &random);
        str cut = str_slice(name, 0, 1 + random_below(&random, name.n));
        str filter = term_fold(cx->arena, str_trim(cut));
        struct term_bits bits = term_bits_make(cx->arena, system);
        bool known = term_words_find(system, filter, &bits);
        size_t kept = 0;
        for (uint32_t n = 0; n < CONCEPTS; n++) {
            bool match = matches(cx, system, n, filter);
            EXPECT(arena_cstr(cx->arena, filter), !match || !known || term_bit(&bits, n));
            kept += known && term_bit(&bits, n);
        }
        narrowed += known && kept < CONCEPTS / 2;
    }
    EXPECT("most filters leave less than half", narrowed > 200);
}

TEST(words_find_codes_with_letters_and_say_when_they_cannot_tell)
{
    struct random random = random_seeded(8);
    struct term_system *system = made_system(cx, &random);
    struct term_bits bits = term_bits_make(cx->arena, system);
    EXPECT("a code", term_words_find(system, S("s1002.4"), &bits) && term_bit(&bits, 2));
    EXPECT("only marks", !term_words_find(system, S("(-"), &bits));
    EXPECT("nothing", !term_words_find(system, S(""), &bits));
    struct term_bits none = term_bits_make(cx->arena, system);
    EXPECT("a word nobody has", term_words_find(system, S("zebra"), &none));
    for (uint32_t n = 0; n < CONCEPTS; n++)
        EXPECT("no bit", !term_bit(&none, n));
    struct term_system small = { .count = TERM_WORDS_FROM - 1 };
    term_words_make(cx->arena, &small);
    EXPECT("a small system has none", small.words == NULL);
}
