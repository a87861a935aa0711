/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/role.h"

/*
 * national: who a member of staff is in the national role-based access control, and which of our
 * roles that makes them.
 *
 * Source   staff-identity 4.1: UserInfo claims in the shape of NHS CIS2 (nhsid_nrbac_roles,
 *          selected_roleid, nhsid_useruid). Which national role is which of ours is a dated table
 *          and a local decision: unconfirmed until a trust signs it.
 * Shapes   a role counts at our own organisation alone, and with the activities its row needs,
 *          after the closure: B0380 holds B0360.
 * Missing  no activities listed: those of the role's baseline row. No selected role: the only one
 *          held, if there is only one.
 * Errors   ERR_FORBIDDEN with what to do: no role chosen, none here, none that is known.
 * Memory   cx's arena; tables are static.
 */
struct national_row {
    const char *code;      /* job role: R8001 */
    const char *needs;     /* an activity that must be held; "" for none */
    const char *role;      /* a name in roles[] */
    const char *baseline;  /* activities when the claim lists none */
    const char *effective_from, *source;
};
extern const struct national_row national_rows[];
extern const size_t national_rows_count;

struct national {
    str uid, name;         /* the person's national id and name */
    str code, code_name;   /* R8001, "Nurse Access Role" */
    str organisation;      /* ODS code of the role */
    str activities;        /* after the closure, sorted words */
    const char *role;
};
err national_read(struct ctx *cx, str userinfo, str organisation, struct national *out) MUST_USE;
/* The role a person has here once `claimed` is theirs: their own, if it is one of the same code
 * (a ward manager is a nurse to the national list), else the table's. */
const char *national_refine(const struct national *claimed, str own_role);

/* Levels of assurance. Source staff-identity 4.1 (exact words unconfirmed). 0: unknown, refused. */
int national_level(str acr);
const char *national_acr(int level); /* what to ask for: 2 or 3 */
