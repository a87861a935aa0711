/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/beds/report.h"

/*
 * beds_flow: how full each ward, specialty and site is now, for the site meeting and the figures.
 *
 * Source   the picture alone. Missing: a bed without a site or specialty stands under that name.
 * Memory   the request's arena. Errors: none. Limits: 64 specialties and sites; every ward.
 */
void beds_places_now(struct ctx *cx, const struct beds_picture *picture,
                     struct beds_figure_page *out);
