/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>

/*
 * names: invented people's names, streets and towns, and the shares by which they are drawn.
 *
 * Source   the shares follow the census of England of 2021 in whole per mille; the lists are ours.
 * Missing  not applicable. Errors: none. Memory: static.
 */
struct names_list {
    const char *const *items;
    size_t count;
};
enum names_group { NAMES_BRITISH, NAMES_SOUTH_ASIAN, NAMES_AFRICAN, NAMES_EUROPEAN, NAMES_CHINESE,
                   NAMES_GROUPS };
struct names_ethnicity {
    const char *code, *display; /* UKCore-EthnicCategoryEngland */
    int per_mille;
    enum names_group group;
};
extern const struct names_ethnicity names_ethnicities[];
extern const size_t names_ethnicities_count;

/* Given names change with the decade: 0 born before 1960, 1 before 1990, 2 later. */
extern const struct names_list names_given[NAMES_GROUPS][2][3]; /* [group][female][era] */
extern const struct names_list names_family[NAMES_GROUPS];
extern const struct names_list names_streets, names_street_kinds, names_towns;

/* Per mille of each five-year age band, 0-4 first, 90 and over last. */
extern const int names_age_bands[19];
