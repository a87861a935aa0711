/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"

/*
 * codes: finds a code while somebody types, in the terminology this server has loaded.
 *
 * Source   SNOMED CT concepts below the ones each list names; without a release, a starter list of
 *          common ones (codes unconfirmed against a current release, and said to be so on screen).
 * Shapes   GET /record/codes?list=problem&q=asth gives {"hits":[{"code":"system|code|text",
 *          "text":...}], "starter":bool, "near":bool}. Each word typed begins a word of the term;
 *          shorter terms come first. Digits alone are looked up as a code. near: nothing begins so,
 *          these are one letter away.
 * Missing  nothing found is an empty list: the text may be kept without a code.
 * Errors   ERR_NOT_FOUND: no such list.
 * Memory   what a list holds is worked out at its first use and kept, shortest terms first.
 * Limits   CODES_HITS hits; CODES_COMPARED names are compared with what was typed, so that no
 *          answer takes longer than the next letter (bench/type-ahead.mjs).
 */
enum { CODES_HITS = 12, CODES_COMPARED = 2000, CODES_BYTES = 256 << 20 };
struct codes_hit {
    str text, code; /* "system|code" */
};
struct codes_found {
    struct codes_hit hits[CODES_HITS];
    size_t hits_count;
    bool starter, near;
};
err codes_search(struct ctx *cx, struct store *store, str list, str typed,
                 struct codes_found *out) MUST_USE;
/* What the terminology calls "system|code"; not given when it does not know it. */
str codes_name(struct ctx *cx, struct store *store, str code);
http_handler codes_get;
