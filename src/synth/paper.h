/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "synth/stay.h"

/*
 * paper: what is written in sentences about somebody in a bed, and who looked at their results.
 *
 * Source   ours; the headings and codes of systems/record.
 * Units    instants in UTC milliseconds.
 * Missing  one patient in four has no handover yet, as on a ward. Errors: none. Memory: none kept.
 */
/* A clinical note of the admission and, for most, a handover: of people still in. */
void paper_write(struct world *w, struct stay *stay, const char *encounter);
/* The acknowledgement of a report a day after it, for those of the last month. */
void paper_write_seen(struct world *w, struct person *p, const char *report, int64_t at_ms);
