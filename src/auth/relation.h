/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/people.h"
#include "store/store.h"

/*
 * relation: which patients a person has business with, read from the record itself.
 *
 * Source   staff-identity 4.2 and ARCHITECTURE section 7: admitted on their ward, referred to them
 *          or to their service, booked with them, on their caseload, a task of theirs, registered
 *          with them or their practice; on shift at the ward. Each is a row of a table.
 * Shapes   the answer is the patients' rids, ascending, without repeats. Areas are Location ids;
 *          the bays and beds inside an area count as the area. The wards of a shift of the rota
 *          (a Schedule of service category RELATION_ROTA) count while it lasts.
 * Missing  a person without `who` and without areas has business with nobody.
 * Errors   ERR_IO. Memory: cx's arena. Limits: RELATION_MAX patients; more is ERR_LIMIT, never a
 *          silently shorter list.
 */
enum { RELATION_MAX = 20000 };
#define RELATION_ROTA "escalation-rota" /* Schedule.serviceCategory */

/* Where a person works, by their PractitionerRoles: words of references. */
struct relation_team {
    str services, organisations;
};
struct relation_found {
    int64_t *pids;
    size_t count;
    struct relation_team team;
};
err relation_patients(struct ctx *cx, struct store *store, const struct people_user *user,
                      struct relation_found *out) MUST_USE;
/* Which ties hold between the person and one patient, in words; none: no relationship. */
enum { RELATION_REASONS_MAX = 16 };
struct relation_reasons {
    str list[RELATION_REASONS_MAX];
    size_t count;
};
err relation_why(struct ctx *cx, struct store *store, const struct people_user *user, int64_t pid,
                 struct relation_reasons *out) MUST_USE;
/* A shift gives whoever is on it the ward: not everybody may write one. */
bool relation_is_shift(struct json schedule);
err relation_teams(struct ctx *cx, struct store *store, str who,
                   struct relation_team *out) MUST_USE;
