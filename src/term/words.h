/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "term/system.h"

/*
 * term_words: which concepts have a word in one of their names: what makes typing ahead fast in a
 * code system of half a million concepts.
 *
 * Shapes   a word is a run of letters and digits, folded (term_fold). Words are sorted; each has a
 *          run of concept numbers, ascending. Codes that hold a letter or a mark count as names;
 *          one of digits alone is found by its number (term_find).
 * Memory   some 60 bytes a concept, in the arena given; read-only afterwards: thread-safe.
 * Limits   systems of fewer than TERM_WORDS_FROM concepts have none: looking at each is as fast.
 */
enum { TERM_WORDS_FROM = 2000 };

void term_words_make(struct arena *arena, struct term_system *system);

/* Sets the bits of all concepts that may match a folded filter: each of its words begins a word of
 * theirs. A few that do not match may be among them (two names share the words). False: the system
 * has no words, or the filter holds none; any concept may match. */
bool term_words_find(const struct term_system *system, str folded_filter, struct term_bits *out);
/* The next run of letters and digits of a folded text; false when there is none. */
bool term_words_next(str *rest, str *word);
/* Sets the bits of all concepts with a word that begins so; false: no word of the system does. */
bool term_words_add(const struct term_system *system, str folded_word, struct term_bits *out);
