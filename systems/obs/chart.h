/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/obs/calls.h"
#include "systems/obs/enter.h"
#include "systems/obs/rcp.h"

/*
 * obs_chart: a patient's observations: what is open now, the latest score, the NEWS2 chart, the
 * trend, and every figure as a table.
 *
 * Source   obs_rcp, obs_enter. Shapes: GET /obs/patient/{id}?hours=48.
 * Units    hours back from now; instants as the wall shows them.
 * Missing  a value not taken is "-" in the table; a set in error is listed and not drawn.
 * Errors   ERR_NOT_FOUND: no such patient, or not visible.
 * Memory   the request's arena.
 * Hazards  H-300, H-302, H-304, H-308.
 */
enum { OBS_CHART_HOURS = 48, OBS_CHART_HOURS_MAX = 24 * 14 };
struct obs_line {
    str at, entered, who, values[OBS_VITALS], oxygen, acvpu, score, note, id, flag;
    bool late, amended, in_error, own;
};
struct obs_now {
    str patient;
    const struct obs_call_card *cards;
    size_t cards_count;
};
struct obs_chart_page {
    const struct obs_person *person;
    struct obs_now now;
    struct obs_card card;
    str taken, saved, identity, printed;
    str flag;                     /* the latest score does not add up: why */
    const struct obs_line *lines;
    size_t lines_count, hours;
    bool any, more, may_correct;
    struct ui_html rcp, trend;
};
http_handler obs_chart_get;
/* The calls that are open, without forms: also drawn for live updates. */
err obs_now_read(struct ctx *cx, struct store *store, str patient, struct obs_now *out) MUST_USE;
