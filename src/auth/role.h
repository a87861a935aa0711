/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "fhir/def.h"

/*
 * role: what each kind of person at the front line may do, as rows of one table.
 *
 * Source   design of this project on the shape of NHS national RBAC (job roles R-codes, activities
 *          B-codes that include other activities); codes as listed by the National RBAC database
 *          27. Which role may do what is a local decision: a trust reviews and signs this table.
 * Shapes   resource types fall into groups; a role has letters of "crud" (s follows r) a group.
 *          Routes  of the clinical systems ask for a permission ("beds.write"); a role lists
 *          patterns.
 * Missing  a type in no group, or a role without letters for it, is refused.
 * Missing  a purpose of use is unconfirmed [U]: the codes are those of v3-ActReason, which role
 *          asks for which is this project's reading.
 * Memory   static; tables by type are made at first use and then read-only. Thread-safe.
 */
enum role_group {
    ROLE_DEMOGRAPHICS, ROLE_CLINICAL, ROLE_MEDICINES, ROLE_NOTES, ROLE_FLOW, ROLE_DIRECTORY,
    ROLE_KNOWLEDGE, ROLE_FINANCE, ROLE_SECURITY, ROLE_AUDIT, ROLE_GROUPS
};
enum role_reach {
    ROLE_OWN,       /* the patient's own record, or one they are proxy for */
    ROLE_RELATED,   /* patients with a legitimate relationship: ward, caseload, referral, booking */
    ROLE_EVERYONE   /* every patient: the duty needs it (merge, privacy, bed state) */
};
struct role {
    const char *name, *title;
    const char *national;              /* R-code, or NULL when there is none for it */
    enum role_reach reach;
    const char *may[ROLE_GROUPS];      /* letters of "crud"; NULL: nothing */
    const char *permissions;           /* patterns: "beds.* obs.read" */
    const char *labels;                /* sensitive labels it may see: "R STD EMP" */
    const char *purpose;               /* why it asks: v3-ActReason; dissents may name it */
    bool may_break_glass;
};
extern const struct role roles[];
extern const size_t roles_count;

const struct role *role_find(str name);                 /* NULL: no such role */
enum role_group role_group_of(uint16_t resource);       /* ROLE_GROUPS: in no group */
const char *role_group_name(enum role_group group);
bool role_may(const struct role *role, uint16_t resource, char letter); /* 'c' 'r' 'u' 'd' */
/* The types a role has the letter for, as bits by position in fhir_resources. */
enum { ROLE_TYPES_WORDS = 3 };
/* Of a type that holds what is somebody's though it need not say whose: a letter, a list of people.
 * To those who see one record alone it is there only where it is that one's. */
bool role_keeps_close(uint16_t resource);
void role_types(const struct role *role, char letter, uint64_t out[ROLE_TYPES_WORDS]);
bool role_permits(const struct role *role, str permission);

/* A label that hides a resource from roles which do not list it. */
struct role_label {
    const char *name;                  /* short name used in struct role's labels */
    const char *system, *code;         /* of meta.security */
    const char *meaning;
};
extern const struct role_label role_labels[];
extern const size_t role_labels_count;
bool role_sees_label(const struct role *role, const struct role_label *label);

/* The national activities a set of activities stands for, itself included: B0825 (amend
 * demographics) holds B0820 (view). `codes` is words; the answer is sorted words in the arena. */
str role_activities_closure(struct arena *arena, str codes);
