/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/index.h"

/*
 * value: reads dates, numbers and words the same way for the index and for a search.
 *
 * Source   hl7.org/fhir/R4/search.html: date, number, string.
 * Units    UTC ms, both ends inclusive: "2020-02" is all of that month.
 * Errors   false: not a date or number; *out untouched.
 */
struct value_span {
    int64_t lo, hi;
    enum index_at precision;
};
bool value_date(str text, struct value_span *out);
int64_t value_at(struct value_span span); /* its at-key */
int value_span_class(int64_t lo, int64_t hi);
int64_t value_class_ms(int span_class); /* longest span of a class; the last has no limit */

/* A decimal and the range its written digits stand for: 5.40 is [5.395, 5.405). */
struct value_number {
    double value, lo, hi;
};
bool value_number(str text, struct value_number *out);

/* Lower case, no accents, compatibility forms unified, white space collapsed; cut at
 * INDEX_TEXT_MAX bytes. In the arena; the input itself when nothing changes. */
str value_fold(struct arena *arena, str text);
str value_cut(str text); /* at most INDEX_TEXT_MAX bytes, at a character's edge */
