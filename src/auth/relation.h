/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/people.h"
#include "store/store.h"

/*
 * relation: which patients a person has business with, read from the record itself.
 *
 * Source   staff-identity 4.2 and ARCHITECTURE section 7: admitted on their ward, referred to them,
 *          booked with them, on their caseload, registered with them. Each is a row of a table.
 * Shapes   the answer is the patients' rids, ascending, without repeats. Areas are Location ids;
 *          the bays and beds inside an area count as the area.
 * Missing  a person without `who` and without areas has business with nobody.
 * Errors   ERR_IO. Memory: cx's arena. Limits: RELATION_MAX patients; more is ERR_LIMIT, never a
 *          silently shorter list.
 */
enum { RELATION_MAX = 20000 };

err relation_patients(struct ctx *cx, struct store *store, const struct people_user *user,
                      int64_t **pids, size_t *count) MUST_USE;
