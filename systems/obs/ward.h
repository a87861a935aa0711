/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "module/module.h"
#include "systems/obs/enter.h"
#include "ui/home.h"

/*
 * obs_ward: who is due, by ward: each patient in a bed, the last score, when the next set is due
 * and whether it is overdue.
 *
 * Source   intervals: obs_rules (RCP 2017). Who lies where: views beds_spots and beds_held.
 * Shapes   GET /obs (wards), /obs/ward/{ward} (a row a patient, overdue and unanswered first),
 *          /obs/live (server-sent events of a ward). Rows have the patient's id, and are replaced
 *          one at a time; nothing moves under a pointer.
 * Units    minutes late; instants as the wall shows them.
 * Missing  a patient without a set is due since the stay began; a set that is not complete does not
 *          count as taken.
 * Errors   ERR_NOT_FOUND: no such ward.
 * Memory   the request's arena.
 * Limits   OBS_WARD_MAX beds a ward; a sparkline of OBS_SPARK sets.
 * Hazards  H-306 due set overlooked, H-013 stale board.
 */
enum { OBS_WARD_MAX = 400, OBS_SPARK = 12 };
struct obs_row {
    str patient, bed, name, born, nhs;
    str score, when, due, late;    /* "5", "08:34, 12 min ago", "09:34", "overdue by 14 min" */
    str response, frequency;
    str alert, alert_id;           /* an open escalation in words */
    struct ui_html spark;
    enum ui_tone tone;
    bool overdue, soon, incomplete, excluded, none, unanswered, unconfirmed;
    int64_t order;                 /* smaller stands higher */
};
struct obs_ward_count {
    str id, name;
    size_t patients, overdue, soon, high, alerts;
};
struct obs_board {
    str ward, name;
    const struct obs_row *rows;
    size_t rows_count;
    size_t overdue, soon, alerts;
};
http_handler obs_wards_get, obs_ward_get, obs_live_get;
/* Sets overdue and due soon, by ward, on the first page of who works there. */
ui_home_fill obs_home_fill;
extern const struct feed_view obs_feed;
extern const struct stmt obs_sql[];
enum obs_stmt {
    OBS_SQL_WARDS, OBS_SQL_PLACE, OBS_SQL_BEDS, OBS_SQL_STAY, OBS_SQL_SCORES, OBS_SQL_ALERT,
    OBS_SQL_OPEN, OBS_SQL_SINCE
};
