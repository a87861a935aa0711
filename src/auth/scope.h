/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "fhir/def.h"

/*
 * scope: what an app was allowed to ask for, in the words of SMART.
 *
 * Source   SMART App Launch 2.2, "Scopes and launch context"
 *          (hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html).
 * Shapes   "patient/Observation.rs?category=vital-signs" is one rule. Version 1 forms (.read .write
 *          .*) are read as their version 2 meaning. Words that are no resource scope set a flag.
 *          At level patient a user/ rule counts, too: the reach is that patient's in any case.
 * Missing  no rule for a type means the app may not touch it.
 * Errors   ERR_INVALID names the word that is not a scope this server knows.
 * Limits   at most SCOPE_RULES_MAX rules.
 */
enum scope_level { SCOPE_PATIENT, SCOPE_USER, SCOPE_SYSTEM };
enum scope_action {
    SCOPE_CREATE = 1, SCOPE_READ = 2, SCOPE_UPDATE = 4, SCOPE_DELETE = 8, SCOPE_SEARCH = 16
};
enum { SCOPE_RULES_MAX = 200 };

struct scope_rule {
    enum scope_level level;
    uint16_t resource;  /* position in fhir_resources; FHIR_NONE: any type (*) */
    unsigned actions;   /* enum scope_action, or-ed */
    str query;          /* search parameters that narrow it; empty: none */
};
struct scope_set {
    struct scope_rule *rules;
    size_t rules_count;
    bool openid, fhir_user, profile, offline, online, launch, launch_patient, launch_encounter;
};

err scope_parse(struct ctx *cx, str text, struct scope_set *out) MUST_USE;

/* Is every action of `actions` on the type allowed at this level by some rule without a query?
 * FHIR_NONE: on every type, by a rule for all of them. */
bool scope_allows(const struct scope_set *set, enum scope_level level, uint16_t resource,
                  unsigned actions);

/* The same by rules with a query or without: in part at least. */
bool scope_allows_part(const struct scope_set *set, enum scope_level level, uint16_t resource,
                       unsigned actions);

/* The rules with a query that allow what is wanted (its own query is ignored): the resource must
 * match one of them. The result is in the arena; empty when none would help. */
size_t scope_queries(struct arena *arena, const struct scope_set *set,
                     const struct scope_rule *wanted, const struct scope_rule ***out);

/* Does `wanted` ask for nothing beyond `granted`? A narrowing query must be the same one. */
bool scope_within(const struct scope_set *wanted, const struct scope_set *granted);

/* "cruds" letters in order, for consent pages and introspection. */
str scope_actions_text(struct arena *arena, unsigned actions);
