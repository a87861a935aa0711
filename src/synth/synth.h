/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * synth: writes an invented English hospital, its surroundings and its patients as FHIR resources.
 *
 * Source   UK Core 2.0.0 profiles; NHS Data Model and Dictionary codes; shapes of the population
 *          and of lengths of stay as the Office for National Statistics and NHS England publish
 *          them. SNOMED CT, dm+d and LOINC codes only where certain; elsewhere text alone.
 * For      demonstration, tests and benchmarks. Nobody in it exists: NHS numbers are of the test
 *          range 999, telephone numbers of the range kept for drama, postcodes of an area not in
 *          use.
 * Shapes   one NDJSON file a type in `folder`. Every reference resolves within the output.
 * Units    instants in UTC milliseconds; written as London local time with its offset.
 * Missing  not applicable.
 * Errors   ERR_IO: a file could not be written; files already written are left.
 * Memory   constant: the population is worked through in cells of about 300 people and 12 beds.
 * Limits   SYNTH_PATIENTS_MAX: the test range has no more valid NHS numbers. Same options, same
 *          bytes.
 */
enum { SYNTH_PATIENTS_MAX = 900000, SYNTH_DAYS_MAX = 3650 };
#define SYNTH_END_MS INT64_C(1795334400000) /* 2026-11-22T08:00:00Z, so that runs repeat */

struct synth_options {
    uint64_t seed;
    int64_t patients, end_ms;
    int days;        /* of history before end_ms */
    int detail_days; /* of ward observations before end_ms; older stays have none */
    str folder;
};
struct synth_result {
    uint64_t resources, bytes;
};
err synth_run(struct ctx *cx, const struct synth_options *options,
              struct synth_result *out) MUST_USE;
