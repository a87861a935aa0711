/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/role.h"
#include "auth/scope.h"
#include "json/json.h"
#include "store/access.h"

/*
 * decide: may this person, through this app, do this to that resource? The only place that says so.
 *
 * Source   ARCHITECTURE section 7; the rows of role.h; SMART scopes; docs/security/access.md says
 *          the same in words.
 * Shapes   the facts are gathered by the caller; the decision is a pure function of them. Besides
 *          the answer for one resource there is decide_filter, the same rules as a filter for sets.
 * Missing  an unknown relationship is no relationship; an unknown label hides like a known one that
 *          the role does not list.
 * Errors   none: a refusal is an answer. `rule` names the row that refused, for `access explain`.
 * Memory   pure. `labels` and names are static. Thread-safe.
 * Hazards H-001 record opened by somebody with no business in it.
 */
enum decide_act { DECIDE_READ, DECIDE_SEARCH, DECIDE_CREATE, DECIDE_UPDATE, DECIDE_DELETE };

struct decide_asker {
    const struct role *role;
    const struct scope_set *scopes; /* NULL: the person at Frontline's own screens */
    enum scope_level level;         /* of the token; ignored without scopes */
};
struct decide_thing {
    uint16_t resource;
    bool in_compartment;   /* belongs to a patient */
    bool alone;            /* is known to belong to none; neither: the type is asked about */
    bool own;              /* that patient is the asker, or one they are proxy for */
    bool related;          /* legitimate relationship */
    bool glass_broken;     /* a live break-glass for this patient by this asker */
    bool dissented;        /* the patient's consent keeps it from this asker, or this purpose */
    bool outside_scope;    /* of a type granted in part only, and not in that part */
    uint32_t labels;       /* bit n: carries role_labels[n] */
};
enum decide_rule {
    DECIDE_ALLOWED, DECIDE_NO_SCOPE, DECIDE_NO_TYPE, DECIDE_NOT_OWN, DECIDE_NOT_RELATED,
    DECIDE_DISSENT, DECIDE_LABEL, DECIDE_RULES
};
struct decide_answer {
    bool allowed, may_break_glass;
    enum decide_rule rule;
    const struct role_label *label; /* the one that hides, for DECIDE_LABEL */
};

struct decide_answer decide(const struct decide_asker *asker, enum decide_act act,
                            const struct decide_thing *thing);
const char *decide_rule_text(enum decide_rule rule); /* a sentence for the person refused */

/* The patients of one asker. All lists are ascending. */
struct decide_patients {
    const int64_t *pids;   /* related to, own, or with the glass broken; unused by roles that reach
                              everyone */
    size_t pids_count;
    const int64_t *lifted; /* the glass is broken */
    size_t lifted_count;
    const struct access_dissent *dissents; /* of patients whose glass is whole */
    size_t dissents_count;
};
/* What the asker may read, as the store's filter. Types granted in part are among `types`; the
 * caller adds the `narrows`. */
struct store_access decide_filter(struct arena *arena, const struct decide_asker *asker,
                                  enum decide_act act, const struct decide_patients *patients);
/* Is the type granted only in part, by scopes with a query? */
bool decide_is_narrowed(const struct decide_asker *asker, enum decide_act act, uint16_t resource);
unsigned decide_scope_action(enum decide_act act); /* of enum scope_action */

/* The labels of a resource's meta.security as bits of role_labels. */
uint32_t decide_labels(struct json resource);
