/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/obs/set.h"
#include "ui/escape.h"

/*
 * obs_rcp: the NEWS2 chart in the order of the printed one, as a drawing and as a table.
 *
 * Source   Royal College of Physicians, NEWS2, December 2017, Chart 3 (order of the rows and their
 *          bounds). What a band scores is asked of clinical/news2, never written here.
 * Shapes   bands from the top down, a column a set, oldest on the left. A band that scores has a
 *          colour, a pattern from two points on, and its points in print; the cell of a value has
 *          the value and its points.
 * Missing  a value not taken leaves its cells empty; a set without all values has no total but "at
 *          least"; a set of another system that does not add up carries an exclamation mark.
 * Errors   none. Memory: the builder's.
 * Limits   OBS_RCP_SETS columns.
 * Hazards  H-300 missing value scored, H-302 scale 2 unasked, H-308 score that does not add up.
 */
enum { OBS_RCP_SETS = 48, OBS_RCP_SCREEN = 16 };
/* `sets` newest first, as they are read; those in error are left out. */
void obs_rcp_draw(struct ctx *cx, struct buf *out, const struct obs_set *sets, size_t count);
