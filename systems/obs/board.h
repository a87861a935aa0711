/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/obs/alert.h"
#include "systems/obs/ward.h"
#include "ui/browse.h"

/*
 * obs_board: a patient in a bed as a row of the due list; what the list and its live updates share.
 *
 * Source   obs_ward. Units: instants in UTC milliseconds; ages are those of the drawing.
 * Missing  a bed whose patient the asker may not see is left out.
 * Errors   ERR_NOT_FOUND: the patient is not there. Memory: the ctx's arena.
 */
struct obs_in_bed {
    str bed, bed_name, patient;
    int64_t admitted_ms;
};
err obs_in_beds(struct ctx *cx, str ward, struct obs_in_bed *out, size_t *count) MUST_USE;
err obs_row_read(struct ctx *cx, struct store *store, const struct obs_in_bed *in,
                 struct obs_row *out) MUST_USE;
