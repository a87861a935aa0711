/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "systems/obs/rota.h"
#include "ui/components.h"

/*
 * obs_shift: the rota as whoever runs a ward keeps it: who is told, in what order, from when until
 * when.
 *
 * Source   shape: rota.h; roles and steps: the ladder of rules.h.
 * Shapes   GET /obs/rota/{ward} lists the shifts that are on or come, of the ward and of the whole
 *          hospital, and holds the form for a new one; ?shift=ID one to change. POST writes it; a
 *          shift is never deleted: taken off, it stays with who did it, and each version is kept.
 * Units    times as the wall shows them; a shift lasts at most SHIFT_DAYS_MAX days.
 * Missing  a step of the ladder with nobody on shift is named on top.
 * Errors   ERR_INVALID by field; ERR_RULE nobody of that name, or several: then they are offered;
 *          ERR_CONFLICT it was changed since the form was drawn.
 * Hazards  H-307 somebody off shift is told.
 */
enum { SHIFT_DAYS_MAX = 7, SHIFT_LIST_MAX = 300, SHIFT_FIELDS = 6, SHIFT_STAFF_MAX = 12 };
struct obs_shift {
    str id, role, title, name, practitioner, from, until, place, changed;
    int64_t from_ms, to_ms, vid;
    int order;
    bool on, whole, off; /* on: now; whole: of the whole hospital; off: taken off */
};
struct obs_shift_page {
    str ward, ward_name;
    const struct obs_shift *shifts;
    size_t shifts_count;
    const str *gaps;      /* roles with nobody on now */
    size_t gaps_count;
    struct obs_shift chosen; /* id empty: a new one */
    struct ui_form form;
    struct ui_field fields[SHIFT_FIELDS];
    bool may_edit;
};
http_handler obs_rota_get, obs_rota_post;
