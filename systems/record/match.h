/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * record_match: how near a patient is to what somebody typed: numbers, names as heard, dates as
 * written.
 *
 * Source   design of this project; distances after Damerau (a slip is one letter wrong, missing,
 *          too many, or two neighbours changed round).
 * Shapes   what was typed is taken apart into numbers, name words and a date of birth; a candidate
 *          is compared with accents and case off, in both orders of the names.
 * Units    dates as yyyy-mm-dd texts. A distance counts slips.
 * Missing  what was not typed is not compared. A candidate without a date of birth never matches in
 *          full by name.
 * Errors   ERR_INVALID: a date of birth that cannot be read, or is no day of the calendar.
 * Memory   cx's arena.
 * Limits   MATCH_WORDS words; MATCH_SLIPS_MAX slips a word, one in words under six letters.
 * Hazards  H-102 the wrong one of two people with nearly the same name.
 */
enum { MATCH_WORDS = 4, MATCH_DATES_MAX = 64, MATCH_SLIPS_MAX = 2, MATCH_VARIANTS_MAX = 960 };

struct match_ask {
    str nhs;                  /* ten digits; its check digit may be wrong */
    bool nhs_wrong;
    str hospital;             /* a word with letters and digits */
    str words[MATCH_WORDS];   /* folded names; family first where a comma said so */
    size_t words_count;
    bool family_first;
    str born;                 /* yyyy-mm-dd; empty: none */
};
err match_read(struct ctx *cx, str typed, str born, struct match_ask *out) MUST_USE;
/* A day as people write it (14/07/1945, 14-Jul-1945, 14.7.45, 1945-07-14, 14071945) as
 * yyyy-mm-dd; false when it is none. Two-digit years lie in the hundred years before `now_ms`. */
bool match_date(struct ctx *cx, str text, str *out);

/* A name for comparing: case, accents, apostrophes, hyphens and blanks off. */
str match_fold(struct ctx *cx, str name);
/* Slips between two folded words; more than `most` is most + 1. */
int match_distance(str a, str b, int most);
/* Other days that are one slip of the pen away: day and month changed round, neighbouring digits
 * changed round, one out in day, month or year. The day itself comes first. */
size_t match_dates(struct ctx *cx, str born, str out[MATCH_DATES_MAX]);
/* A word and the words one slip away, letters, apostrophe and hyphen. */
size_t match_variants(struct ctx *cx, str word, str out[MATCH_VARIANTS_MAX]);

struct match_person {
    str family, given, born, nhs, hospital; /* names folded */
};
struct match_score {
    int points;   /* 0: no match; more is nearer */
    bool full;    /* a number, or both names and the date of birth, letter by letter */
    str why;      /* in words: "NHS number", "surname one letter out; date of birth" */
};
struct match_score match_person(struct ctx *cx, const struct match_ask *ask,
                                const struct match_person *person);
/* Two people a tired reader could take for one another. */
bool match_alike(const struct match_person *a, const struct match_person *b);
