/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/relation.h"
#include "store/access.h"
#include "store/commit.h"

/*
 * dissent: which patients keep their record, or a part of it, from whom.
 *
 * Source   FHIR R4 Consent (hl7.org/fhir/R4/consent.html): status active, scope patient-privacy.
 * Shapes   a provision of type deny, at the root or nested, keeps the patient's record from its
 *          actors (everybody when it names none) for its purposes (all when it names none) while
 *          its period lasts; `class` of http://hl7.org/fhir/resource-types keeps it to types. A
 *          permit nested in a deny excepts its actors. A root without type is a deny when the
 *          policyRule is OPTOUT.
 * Missing  what cannot be applied as it is written (codes, labels, a data period, other actors and
 *          classes, a permit with conditions) is refused at the write by dissent_check. One that
 *          is in the record all the same keeps more than it says, never less, and is counted in
 *          `widened`: a permit with conditions excepts nobody, an actor nobody can be is everybody,
 *          and a deny of a part is one of the whole type or record.
 *          The check is a commit part of its own: it holds for who is signed in, for --open, feeds
 *          and imports alike. An import refuses the line and says so: a refusal to share that is
 *          taken in wider than it was meant would hide a record from a ward without a word to
 *          anybody, and one left out is named in the report, by a command that ends with a fault.
 * Errors   dissent_check: ERR_RULE, with the element and what to write in its place.
 * Memory   dissent_load: in `arena`. dissent_apply: in cx's arena.
 * Hazards  H-223 a patient's refusal to share is not followed; H-226 a refusal that is only partly
 *          understood is left aside without a word.
 */
struct dissent {
    int64_t pid;
    uint16_t resource;                /* FHIR_NONE: every type */
    str actors, purposes, excepted;   /* words; empty: all, all, none */
    int64_t from_ms, until_ms;
};
struct dissents {
    struct dissent *list;             /* by pid */
    size_t count, widened;
};
err dissent_load(struct ctx *cx, struct arena *arena, struct store *store,
                 struct dissents *out) MUST_USE;
/* Those of one Consent alone, of this patient. */
void dissent_take(struct ctx *cx, struct arena *arena, struct json consent, int64_t pid,
                  struct dissents *out);

/* Is all of this Consent applied as it says? Others than active ones of privacy always are. */
err dissent_check(struct ctx *cx, struct json consent) MUST_USE;
extern const struct commit_part dissent_part; /* for commit_add_part */

struct dissent_asker {
    str who;                          /* "Practitioner/1" */
    const struct relation_team *team;
    str purpose;                      /* v3-ActReason */
};
/* Those that keep something from this asker now, leaving out the patients of `lifted`. */
struct dissent_found {
    struct access_dissent *list;
    size_t count;
};
struct dissent_found dissent_apply(struct ctx *cx, const struct dissents *dissents,
                                   const struct dissent_asker *asker,
                                   const int64_t *lifted, size_t lifted_count);
