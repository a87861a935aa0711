/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * record_match: how near a patient is to what somebody typed: numbers, names as heard, dates as
 * written.
 *
 * Source   design of this project; distances after Damerau (a slip is one letter wrong, missing,
 *          too many, or two neighbours changed round).
 * Shapes   what was typed is taken apart into numbers, name words and a date of birth, in any
 *          order; titles and labels ("Mrs", "NHS No.") are left out. A candidate is compared with
 *          accents, case and marks off, in both orders of the names, name by name: maiden names
 *          and nicknames count, and a part of a name of several words.
 * Units    dates as yyyy-mm-dd texts. A distance counts slips.
 * Missing  what was not typed is not compared. A candidate without a date of birth never matches in
 *          full by name.
 * Errors   ERR_INVALID: a date of birth that cannot be read, or is no day of the calendar.
 * Memory   cx's arena.
 * Limits   MATCH_WORDS words; MATCH_SLIPS_MAX slips a word, one in words under six letters.
 * Hazards  H-102 the wrong one of two people with nearly the same name.
 */
enum { MATCH_WORDS = 4, MATCH_DATES_MAX = 64, MATCH_SLIPS_MAX = 2, MATCH_VARIANTS_MAX = 960,
       MATCH_SPLITS_MAX = 8, MATCH_SPELLINGS_MAX = 40 };

struct match_ask {
    str nhs;                  /* ten digits; its check digit may be wrong */
    bool nhs_wrong;
    str hospital;             /* a word with letters and digits, or digits alone */
    bool or_date;             /* the digits may as well be the date in `born` */
    str words[MATCH_WORDS];   /* folded names */
    size_t words_count;
    size_t family_words;      /* a comma stood after so many; 0: none did */
    str born;                 /* yyyy-mm-dd; empty: none */
};
err match_read(struct ctx *cx, str typed, str born, struct match_ask *out) MUST_USE;
/* A day as people write it (14/07/1945, 14-Jul-1945, 1st July 45, 14.7.45, 1945-07-14, 14071945,
 * 140745, 19450714) as yyyy-mm-dd; false when it is none. Two-digit years lie in the hundred
 * years before `now_ms`. */
bool match_date(struct ctx *cx, str text, str *out);

/* The ways in which the words may be surname and first name, likeliest first. */
struct match_names {
    str family, given;        /* words with blanks between them; empty: not typed */
};
size_t match_splits(struct ctx *cx, const struct match_ask *ask,
                    struct match_names out[MATCH_SPLITS_MAX]);

/* A name for comparing: case, accents, apostrophes, hyphens and blanks off. */
str match_fold(struct ctx *cx, str name);
/* Typographic apostrophes, hyphens and blanks as the plain ones. */
str match_plain(struct ctx *cx, str text);
/* How a record may spell the name: O'Neill for oneill, Smith-Jones for smith jones, MacKay for
 * mckay. Folded, as the index holds them; the name as typed comes first. */
size_t match_spellings(struct ctx *cx, str name, str out[MATCH_SPELLINGS_MAX]);
/* Slips between two folded words; more than `most` is most + 1. */
int match_distance(str a, str b, int most);
/* Other days that are one slip of the pen away: day and month changed round, neighbouring digits
 * changed round, one out in day, month or year. The day itself comes first. */
size_t match_dates(struct ctx *cx, str born, str out[MATCH_DATES_MAX]);
/* A word and the words one slip away, letters, apostrophe and hyphen. */
size_t match_variants(struct ctx *cx, str word, str out[MATCH_VARIANTS_MAX]);

struct match_person {
    str family, given, born, nhs, hospital; /* names folded */
    str surname, forenames;   /* the same with their blanks and hyphens, all first names */
};
struct match_score {
    int points;   /* 0: no match; more is nearer */
    bool full;    /* a number, or both names and the date of birth, letter by letter */
    str why;      /* in words: "NHS number", "surname one letter out; date of birth" */
};
struct match_score match_person(struct ctx *cx, const struct match_ask *ask,
                                const struct match_person *person);
/* Two people a tired reader could take for one another in one place: the same surname is enough. */
bool match_alike(const struct match_person *a, const struct match_person *b);
/* The same among people found by that surname: first name or date of birth is near, too. */
bool match_confusable(struct ctx *cx, const struct match_person *a, const struct match_person *b);
