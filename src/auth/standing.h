/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/decide.h"
#include "auth/dissent.h"

/*
 * standing: how one person stands to the patients of the record just now: whom they have business
 * with, whose glass they broke, who keeps something from them.
 *
 * Shapes   read from the record and kept STANDING_MS a person; standings_forget (a glass broken, a
 *          consent changed) makes every kept one stale at once.
 * Missing  a person without `who` and without areas has business with nobody. A backend service is
 *          no person: consents do not bind it here, its scopes and its contract do.
 * Errors   ERR_IO; ERR_LIMIT from relation.
 * Memory   program, until standings_close. What standing_find gives is in cx's arena. Thread-safe.
 * Hazards  H-001 record opened by somebody with no business in it.
 */
enum { STANDING_MS = 1000 };
struct standings;

struct standings *standings_make(struct ctx *cx, struct store *store);
void standings_close(struct standings *standings);
void standings_forget(struct standings *standings);
/* Consents have changed: they are read again before the next answer. */
void standings_forget_consents(struct standings *standings);

err standing_find(struct ctx *cx, struct standings *standings, const struct people_user *person,
                  const struct role *role, struct decide_patients *out) MUST_USE;
