/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/db.h"
#include "json/json.h"

/*
 * words: what _text and _content look in: the words of a resource, and what is asked of them.
 *
 * Source   hl7.org/fhir/R4/search.html#text: left to the server. Here: words, "phrases", word*,
 *          AND (also by standing side by side), OR, NOT and parentheses.
 * Shapes   words are runs of letters and digits, without case and accents. `narrative` is the text
 *          of the narrative; `content` every string of the resource but references, URLs, instants,
 *          ids, attached data and the narrative. Kept in SQLite's FTS5 by rid, written in the
 *          commit's transaction. A phrase does not reach over the end of its element.
 * Errors   ERR_INVALID says what is wrong with the question.
 * Memory   in cx's arena.
 * Limits   WORDS_BYTES_MAX a resource and column, WORDS_TERMS_MAX terms, WORDS_DEPTH_MAX brackets.
 */
enum { WORDS_BYTES_MAX = 1 << 20, WORDS_TERMS_MAX = 100, WORDS_DEPTH_MAX = 20, WORDS_RULE = 1 };

struct words {
    str narrative, content; /* words with one space between; not given: none */
};
err words_of(struct ctx *cx, struct json body, struct words *out) MUST_USE;
/* A text's words, in the arena. */
str words_fold(struct arena *arena, str text);

enum words_kind { WORDS_TERM, WORDS_AND, WORDS_OR, WORDS_NOT };
struct words_ask {
    enum words_kind kind;
    str term;             /* folded: a word, or several of a phrase */
    bool prefix;          /* its last word may go on */
    const struct words_ask *left, *right; /* NOT: left without right */
};
err words_parse(struct ctx *cx, str name, str text, const struct words_ask **out) MUST_USE;
/* Do the words answer? `whole`: content or narrative, else the narrative alone. */
bool words_answer(const struct words_ask *ask, const struct words *words, bool whole);
/* The question in FTS5's own language. */
str words_match_text(struct arena *arena, const struct words_ask *ask, bool whole);

/* A resource's words before and after a change; neither given: none. */
struct words_change {
    int64_t rid;
    size_t order; /* in the log */
    struct words before, after;
};
extern const char words_schema[];
extern const struct stmt words_sql[];
/* Writes a group's changes, in log order. Sorts them. */
err words_apply(struct ctx *cx, struct db *db, struct words_change *changes,
                size_t count) MUST_USE;
