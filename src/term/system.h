/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/map.h"
#include "json/json.h"

/*
 * term_system: a code system in memory: its concepts, what stands below what, and what is said.
 *
 * Source   hl7.org/fhir/R4/codesystem.html; SNOMED CT RF2 for attributes.
 * Shapes   concepts are numbered 0.. in the order given; links hold the numbers of parents, then of
 *          children. A concept may have several parents (SNOMED CT) and any depth. Its other names
 *          (synonyms, other languages) are one run of designations.
 * Missing  TERM_NONE: no such concept. A system that is only a fragment says so in `complete`: a
 *          code not found in it is unknown, not wrong.
 * Memory   lives in the arena it was built in; read-only afterwards: thread-safe.
 * Limits   TERM_CONCEPTS_MAX concepts.
 */
#define TERM_NONE UINT32_MAX
enum { TERM_CONCEPTS_MAX = 4000000 };

/* What a name is for: "Synonym", "Fully specified name". */
struct term_use {
    str system, code, display;
};
struct term_designation {
    str language, value;         /* language not given: not known */
    const struct term_use *use;  /* NULL: not said */
};
struct term_concept {
    str code, display, definition;
    uint32_t parents, parents_count;   /* places in links */
    uint32_t children, children_count;
    uint32_t designations, designations_count; /* places in designations */
    bool inactive, abstract;
    struct json json;                  /* its properties; absent: none */
};
struct term_attribute {
    uint32_t source, type, target;     /* concept numbers */
};
struct term_system {
    str url, version, name;
    bool case_sensitive, complete;
    struct json declared;              /* CodeSystem.property; absent: none */
    struct term_concept *concepts;
    uint32_t count;
    uint32_t *links;
    struct map by_code;                /* folded when not case-sensitive */
    struct term_designation *designations; /* by concept */
    size_t designations_count;
    struct term_words *words;          /* NULL: few enough to look at each; words.h */
    struct term_attribute *attributes; /* by source; SNOMED CT */
    size_t attributes_count;
};
struct term_edge {
    uint32_t child, parent;
};

err term_system_from_json(struct ctx *cx, struct arena *arena, struct json code_system,
                          struct term_system **out) MUST_USE;
/* Fills links from edges, which are reordered. */
void term_system_link(struct arena *arena, struct term_system *system, struct term_edge *edges,
                      size_t count);
void term_system_index(struct arena *arena, struct term_system *system); /* by_code */

uint32_t term_find(const struct term_system *system, str code);
/* Its display in a language ("cy", or "en" for en-GB too); in the system's own when it has none. */
str term_display(const struct term_system *system, uint32_t concept, str language);
/* Is a text one of its names, case and accents aside. */
bool term_is_called(struct arena *arena, const struct term_system *system, uint32_t concept,
                    str name);
/* Strictly below; a concept is not below itself. */
bool term_is_below(const struct term_system *system, uint32_t concept, uint32_t ancestor);

/* A set of concepts of one system, a bit each. */
struct term_bits {
    struct arena *arena;
    uint64_t *words;
    uint32_t count;
};
struct term_bits term_bits_make(struct arena *arena, const struct term_system *system);
static inline bool term_bit(const struct term_bits *bits, uint32_t n)
{
    return bits->words[n / 64] >> (n % 64) & 1;
}
static inline void term_bit_set(struct term_bits *bits, uint32_t n)
{
    bits->words[n / 64] |= (uint64_t)1 << (n % 64);
}
/* Adds everything below (above) the concept, without itself. */
void term_add_below(const struct term_system *system, uint32_t concept, struct term_bits *bits);
void term_add_above(const struct term_system *system, uint32_t concept, struct term_bits *bits);

/* Lower case, accents off: how texts are compared. */
str term_fold(struct arena *arena, str text);
