/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "systems/beds/figures.h"

/*
 * beds_returns: rows of the daily situation report as they are computed, as they were submitted,
 * and as they were amended: who changed which number, when, from what to what and why.
 *
 * Source   NHS England, Urgent and Emergency Care daily situation report, process and definitions:
 *          submitted by 11:00, signed off, amended for 14 days.
 * Shapes   GET /beds/sitrep?from=&to= (JSON, a row a day); /beds/sitrep/{day} (with the stays
 *          behind each number); POST /beds/sitrep/{day}/submit; POST /beds/sitrep/{day}/amend
 *          {field, value, reason}. GET /beds/kh03?from=&to= (bed days by sector, occupied ones by
 *          main specialty; the quarter so far unless given); GET /beds/census/{day} (who was in at
 *          the midnight that ends it). What was submitted is a MeasureReport sitrep-DAY, its
 *          amendments are extensions of it, so that they have the record's own history too.
 * Units    days by the London calendar, as yyyy-mm-dd; whole numbers.
 * Missing  a day that was not submitted has no "submitted": its numbers are computed from stays.
 * Errors   ERR_INVALID: not a date, no such number, no reason, over BEDS_DAYS_MAX days;
 *          ERR_RULE: more than 14 days after, or before the day; ERR_CONFLICT: submitted already.
 * Memory   the request's arena.
 * Hazards  H-023 a return that does not match what happened.
 */
enum { BEDS_DAYS_MAX = 400, BEDS_VALUE_MAX = 99999 };
#define BEDS_SITREP "https://frontline.example/Measure/uec-daily-sitrep"

http_handler beds_sitrep_get, beds_sitrep_day_get, beds_sitrep_post, beds_kh03_get,
    beds_census_get;
