/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "term/system.h"
#include <pthread.h>

/*
 * term_set: what codes a value set holds, and where code systems and value sets come from.
 *
 * Source   hl7.org/fhir/R4/valueset.html (compose), snomedct.html (implicit value sets).
 * Shapes   an entry is a code with its system; a set keeps the order in which the compose names
 *          them. Sets and systems are built once for each text they come from and kept.
 * Missing  a system nobody has loaded: the codes the compose lists are there, and `open` names it,
 *          so that "not in the set" becomes "not known" where the compose takes more of it.
 * Errors   ERR_NOT_FOUND: a system, version or value set nobody has; ERR_RULE: a filter that cannot
 *          be understood; ERR_LIMIT: more than TERM_SET_MAX codes; a set that includes itself.
 * Memory   sets and systems live as long as the engine; they are read-only: thread-safe.
 */
enum { TERM_SET_MAX = 1000000, TERM_IMPORTS_DEEP = 20 };

struct term_entry {
    str system, version, code, display;
    const struct term_system *from;  /* NULL: of a system not loaded */
    uint32_t concept;                /* in from; TERM_NONE */
    struct json listed;              /* the compose's own concept, with designations; or absent */
};
struct term_set {
    str url, version, name, title;
    struct term_entry *entries;
    size_t count, cap;
    struct map places;               /* "system\ncode" */
    str *open;                       /* systems taken whole or by filter, but not loaded */
    size_t open_count, open_cap;
};

enum term_kind { TERM_CODE_SYSTEM, TERM_VALUE_SET, TERM_CONCEPT_MAP };
/* Where definitions come from. version not given: any, the newest first. */
struct term_source {
    /* The resource's JSON text in cx's arena or static; ERR_NOT_FOUND without an issue. */
    err (*find)(struct ctx *cx, const struct term_source *source, enum term_kind kind, str url,
                str version, str *out);
    /* A large system loaded from its own release files; NULL when there is none. */
    const struct term_system *(*loaded)(struct ctx *cx, const struct term_source *source, str url,
                                        str version);
    void *self;
};
struct term;

struct term *term_make(struct arena *arena, const struct term_source *source);
void term_free(struct term *term);

/* `canonical` may end in |version. */
err term_get_system(struct ctx *cx, struct term *term, str canonical,
                    const struct term_system **out) MUST_USE;
err term_get_set(struct ctx *cx, struct term *term, str canonical,
                 const struct term_set **out) MUST_USE;
/* A value set given as a resource. */
err term_make_set(struct ctx *cx, struct term *term, str value_set_json,
                  const struct term_set **out) MUST_USE;
err term_get_text(struct ctx *cx, struct term *term, enum term_kind kind, str canonical,
                  str *out) MUST_USE;

/* The entry of a code; system not given: the only one with that code, NULL when several have it. */
const struct term_entry *term_set_find(const struct term_set *set, str system, str code);
bool term_set_is_open(const struct term_set *set, str system);

static inline const struct term_concept *term_entry_concept(const struct term_entry *entry)
{
    return entry->from && entry->concept != TERM_NONE ? &entry->from->concepts[entry->concept]
                                                      : NULL;
}

/* Does it match what a person typed: each word begins a word of its display, or it is the code. */
bool term_entry_matches(struct arena *arena, const struct term_entry *entry, str folded_filter);
