/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * codes_starter: common terms for a server without a release of SNOMED CT, so that the screens can
 * be tried.
 *
 * Source   SNOMED CT International; unconfirmed against a current release.
 */
struct codes_starter {
    const char *list, *code, *text;
};
extern const struct codes_starter codes_starters[]; /* ended by a zero row */
