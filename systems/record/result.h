/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/look.h"

/*
 * result: what the laboratory found: reports to be acknowledged, and values over time.
 *
 * Source   record.md 1.1 (cumulative, acknowledge); Observation.referenceRange and interpretation
 *          as the laboratory sent them: no range is added here.
 * Shapes   GET /record/patient/{patient}/results. A row a test, a column a sample, newest first,
 *          with unit and reference range. Acknowledging a report makes a Task of that report's
 *          version: who, when, what follows. A corrected report waits again.
 * Units    as sent. Where the samples of one test differ in unit, each value carries its own.
 * Missing  a test not done in a sample is an empty cell with a dash; no range sent, none shown.
 * Errors   POST: ERR_NOT_FOUND, ERR_CONFLICT the report was corrected meanwhile: read it first.
 * Limits   reports of the last RESULT_DAYS days wait; older ones are on the timeline.
 *          RESULT_SAMPLES columns, RESULT_TESTS rows, of the newest RESULT_VALUES values.
 * Hazards  H-108 a result nobody has looked at; H-109 units of one test mixed up.
 */
enum { RESULT_SAMPLES = 8, RESULT_TESTS = 60, RESULT_VALUES = 400, RESULT_REPORTS = 24,
       RESULT_DAYS = 30 };
struct result_report {
    str id, when, text, more, by, followup;
    uint64_t vid;
    bool acknowledged, corrected, abnormal;
};
struct result_cell {
    str value, unit, flag; /* flag: "High", "Low" ... */
    str href;
};
struct result_test {
    str name, unit, range;
    bool units_differ;
    struct result_cell cells[RESULT_SAMPLES];
};
struct result_list {
    str patient;
    struct result_report *reports;
    size_t reports_count, waiting;
    struct result_test *tests;
    size_t tests_count;
    str samples[RESULT_SAMPLES];
    size_t samples_count;
    bool more, may_write;
};
err result_draw(struct record_look *look) MUST_USE;
/* Reports of a patient with their acknowledgements, newest first. */
err result_reports(struct ctx *cx, struct store *store, str patient,
                   struct result_list *out) MUST_USE;
http_handler result_acknowledge_post;
