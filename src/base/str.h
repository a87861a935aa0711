/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * str: a piece of text as pointer and length, passed by value.
 *
 * Missing  { NULL, 0 } is "not given"; { "", 0 } is "given and empty". str_given tells them apart.
 * Memory   never owned, not NUL-terminated; it lives as long as what it points into.
 */
typedef struct str {
    const char *p;
    size_t n;
} str;

#define S(literal) ((str){ (literal), sizeof(literal) - 1 })
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* For printf: printf("%.*s", STR_ARG(text)). */
#define STR_ARG(s) (int)(s).n, (s).p ? (s).p : ""

str str_of(const char *c_text);
static inline bool str_given(str s) { return s.p != NULL; }
bool str_eq(str a, str b);
bool str_eq_nocase(str a, str b); /* ASCII letters only */
int str_cmp(str a, str b);        /* bytes, shorter first on a tie */
bool str_starts(str s, str prefix);
bool str_ends(str s, str suffix);
str str_slice(str s, size_t from, size_t to); /* clamped to s */
str str_trim(str s);                          /* ASCII white space at both ends */

#define STR_NONE ((size_t)-1)
size_t str_find(str s, str what);        /* STR_NONE when absent */
size_t str_find_char(str s, char what);  /* STR_NONE when absent */

/* Splits at the first `mark`: *head before it, the rest after it; false when s is used up. */
bool str_next(str *s, char mark, str *head);

/* Decimal digits only, whole of s, no sign for unsigned; false leaves *out untouched. */
bool str_to_u64(str s, uint64_t *out);
bool str_to_i64(str s, int64_t *out);

uint64_t str_hash(str s); /* not for hostile keys across processes; stable within one build */
