/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/national.h"
#include "auth/patient_login.h"
#include "auth/provider.h"
#include "store/store.h"

/*
 * upstream: what follows once a provider has said who somebody is: the account here, by its role.
 *
 * Source   staff-identity 4.1 for staff; patient-app 1.1 for patients.
 * Shapes   a person of a provider is linked to one account by issuer and subject. Staff accounts
 *          are made at the first sign-in and take their role from the claims at each.
 * Errors   ERR_FORBIDDEN: it is clear who they are, and that they have no business here.
 *          ERR_LOGIN: their sign-in over there was too weak or too long ago.
 * Memory   cx's arena.
 * Hazards  H-203 a revoked person accepted: an account disabled here stays disabled.
 */
enum { UPSTREAM_SHIFT_S = 12 * 3600, UPSTREAM_FRESH_S = 300 };
struct upstream_rules {
    str issuer;            /* of the staff's provider */
    str organisation;      /* ODS code roles must be held at; empty: any */
    int level;             /* AAL asked at sign-in: 2 or 3 */
    int step_up_level;
};
err upstream_staff(struct ctx *cx, struct people *people, struct store *store,
                   const struct upstream_rules *rules, const struct provider_person *person,
                   str *user) MUST_USE;
/* The account of somebody at a provider, made or brought up to date. `nhs_number` may be empty. */
struct upstream_link {
    str issuer, sub, nhs_number;
};
err upstream_account(struct ctx *cx, struct people *people, const struct upstream_link *link,
                     struct people_user *user) MUST_USE;
/* The NHS number a provider verified for an account; empty when there is none. */
err upstream_nhs_number(struct ctx *cx, struct people *people, str user, str *out) MUST_USE;
