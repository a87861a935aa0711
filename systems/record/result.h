/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/look.h"

/*
 * result: what the laboratory found: reports to be acknowledged, and values over time.
 *
 * Source   record.md 1.1 (cumulative, acknowledge); Observation.referenceRange and interpretation
 *          as the laboratory sent them: no range is added here, none is chosen by age or sex.
 * Shapes   GET /record/patient/{patient}/results. Reports that wait stand first, critical before
 *          abnormal, then the oldest; each names its values that are flagged. Then a row a test, a
 *          column a sample, newest first, with unit and reference range. ?test= is one test alone:
 *          a graph a unit, and every value. Acknowledging a report makes a Task of that report's
 *          version: who, when, what follows; once, whoever comes second. A corrected report waits
 *          again; so does one whose acknowledgement was taken back (Task entered in error). Asking
 *          somebody else makes a Task to do; the report waits on.
 * Units    as sent. Where the samples of one test differ in unit, each value carries its own, and
 *          no line joins them. Ages in words.
 * Missing  a test not done in a sample is an empty cell with a dash; no range sent, none shown. A
 *          value "<5" is shown and left out of the line. What was cancelled or not found says why.
 * Errors   POST: ERR_NOT_FOUND, ERR_CONFLICT the report was corrected meanwhile: read it first.
 * Limits   reports of the last RESULT_DAYS days wait, RESULT_REPORTS of them, RESULT_OF values of
 *          each are read; older ones are on the timeline, and the page says so. RESULT_SAMPLES
 *          columns, RESULT_TESTS rows, of the newest RESULT_VALUES values.
 * Hazards  H-108 a result nobody has looked at; H-109 units of one test mixed up.
 */
enum { RESULT_SAMPLES = 8, RESULT_TESTS = 60, RESULT_VALUES = 400, RESULT_REPORTS = 100,
       RESULT_DAYS = 30, RESULT_OF = 40, RESULT_LINE = 100 };
enum result_level { RESULT_PLAIN, RESULT_ABNORMAL, RESULT_CRITICAL };
struct result_report {
    str id, when, text, more, by, followup, asked;
    str age;                     /* "3 h": how long it waits */
    str flagged;                 /* "Potassium 6.9 mmol/L Critically high; ..." */
    str ack;                     /* id of the Task that acknowledged it */
    int64_t at_ms;
    uint64_t vid;
    enum result_level level;
    bool acknowledged, corrected, preliminary;
};
struct result_cell {
    str value, unit, flag;       /* flag: "High", "Low" ... */
    str range;                   /* where it is not the row's */
    str state;                   /* "Preliminary", "Corrected"; empty: final */
    str href;
    size_t others;               /* more values of the test in this sample */
};
struct result_test {
    str key, name, unit, range;
    bool units_differ;
    struct result_cell cells[RESULT_SAMPLES];
};
/* One test alone. */
struct result_point {
    str when, brief, value, unit, flag, range, state, href;
    double number, low, high;    /* NAN: none */
};
struct result_line {
    str unit;
    struct ui_html chart;
};
struct result_list {
    str patient;
    struct result_report *reports;
    size_t reports_count, waiting, critical;
    struct result_test *tests;
    size_t tests_count;
    str samples[RESULT_SAMPLES], minutes[RESULT_SAMPLES]; /* those of one minute are one */
    size_t samples_count;
    str test, test_name;         /* one alone; empty: all */
    struct result_point *points;
    size_t points_count;
    struct result_line *lines;
    size_t lines_count;
    bool more, more_reports, may_write;
};
err result_draw(struct record_look *look) MUST_USE;
/* Reports of a patient with their acknowledgements, those that wait first. */
err result_reports(struct ctx *cx, struct store *store, str patient,
                   struct result_list *out) MUST_USE;
/* "3 h", "2 days": how long ago; empty for what is to come. */
str result_age(struct ctx *cx, int64_t at_ms);
http_handler result_acknowledge_post;

/* ---- of one Observation, or one of its components ---- */
str result_value(struct ctx *cx, struct json body);
str result_unit(struct ctx *cx, struct json body);
str result_range(struct ctx *cx, struct json body);
str result_flag(struct json body, enum result_level *level);
/* The tables of values: result_values.c. */
err result_values_read(struct record_look *look, struct result_list *list) MUST_USE;
