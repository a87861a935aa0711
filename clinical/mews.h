/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include "clinical/band.h"

/*
 * MEWS: a maternity early warning chart that scores only by a table its owner has signed.
 *
 * Source   none built in: the thresholds of a national maternity chart could not be verified, so a
 *          trust loads its own table, with its own source, version and signatory.
 * For      pregnancy and the weeks after birth, where NEWS2 must not be used.
 * Shapes   the table is text, one thing a line; lines that begin with # are remarks:
 *              table: our-mews 2026.1          source: Trust guideline 12
 *              effective: 2026-01-01           expires: 2027-01-01, the first day it is not used
 *              signed-by: name and role        signed-on: 2025-12-20
 *              band: resp 0 3                  from this value (inclusive), so many points
 *          Bands of one input stand together, ascending, the first from 0. Inputs: resp spo2
 *          systolic diastolic pulse temp alert. Temperature in tenths; alert 1, else 0.
 * Units    /min, %, mm[Hg], /min, tenths of a degree Celsius.
 * Missing  an input that the table names and the set lacks (MEWS_MISSING) is ERR_INVALID.
 * Errors   ERR_RULE: no table, one that names no signatory, or not (or no longer) in force on the
 *          day of cx's clock; ERR_INVALID: a malformed table (with its line) or a missing value.
 *          *out untouched.
 * Memory   the table lives in cx's arena and points into its text. Thread-safe once loaded.
 * Limits   MEWS_BANDS_MAX bands. The caller has checked the owner's signature over the whole text
 *          (main/signed.h) before it is parsed here.
 */
enum { MEWS_MISSING = -1, MEWS_BANDS_MAX = 64 };
enum mews_part {
    MEWS_RESP, MEWS_SPO2, MEWS_SYSTOLIC, MEWS_DIASTOLIC, MEWS_PULSE, MEWS_TEMP, MEWS_ALERT,
    MEWS_PARTS
};
struct mews_table {
    str name, source, effective, expires, signed_by, signed_on;
    struct band_table parts[MEWS_PARTS]; /* count 0: the table does not use it */
};
struct mews_obs {
    int values[MEWS_PARTS];
};
struct mews_score {
    int total, highest;
    int parts[MEWS_PARTS]; /* MEWS_MISSING where the table does not use it */
};

err mews_table_parse(struct ctx *cx, str text, struct mews_table *out) MUST_USE;
/* table NULL: refused. */
err mews_score(struct issues *issues, const struct mews_table *table, const struct mews_obs *obs,
               struct mews_score *out) MUST_USE;
const char *mews_part_name(enum mews_part part);
