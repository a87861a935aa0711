/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/test_record.h"

/*
 * test_same: random data, and a plain reader of it: every search family answered once more by
 * walking all resources with FHIRPath, without an index. For test_search_same.c.
 */
enum { SAME_PATIENTS = 20, SAME_ENCOUNTERS = 15, SAME_OBSERVATIONS = 75, SAME_REQUESTS = 12,
       SAME_LOCATIONS = 10, SAME_LISTS = 3 };
enum { SAME_DOCS = SAME_PATIENTS + SAME_ENCOUNTERS + SAME_OBSERVATIONS + SAME_REQUESTS +
                   SAME_LOCATIONS + SAME_LISTS };
struct same_doc {
    struct json body; /* absent: deleted */
    const char *type;
    size_t number;
    str id;
};
struct same_world {
    struct ctx *cx;
    struct store *store;
    struct same_doc docs[SAME_DOCS];
};
uint64_t same_below(struct ctx *cx, uint64_t limit);
const char *same_pick(struct ctx *cx, const char *const *words, size_t count);
#define PICK(cx, ...)                                                                              \
    same_pick((cx), (const char *const[]){ __VA_ARGS__ },                                          \
              COUNT(((const char *const[]){ __VA_ARGS__ })))
str same_date(struct ctx *cx);

/* test_same_world.c */
void same_fill(struct same_world *w);            /* everything, and what terminology needs */
void same_put(struct same_world *w, size_t at);  /* a new random version */
void same_drop(struct same_world *w, size_t at);

/* test_same_plain.c: does the resource answer "name=value&name=value"? */
bool same_answers(struct same_world *w, struct json doc, str query);
/* Compares two resources by a sort key ("-date", "patient.family"); 0: neither is first. */
int same_order(struct same_world *w, struct json a, struct json b, str key);
/* The document a reference "Type/id" leads to; absent: none. */
struct json same_follow(struct same_world *w, str reference);
