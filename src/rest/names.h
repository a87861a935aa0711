/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/json.h"

/*
 * names: how alike two HumanNames are, for matching people.
 *
 * Source   Jaro-Winkler likeness of the folded family and given names.
 * Missing  -1 when neither family nor given can be compared.
 */
double names_likeness(struct arena *arena, struct json a, struct json b);
/* Letters only, lower case, accents folded where they are Latin-1 or Latin Extended-A. */
str names_fold(struct arena *arena, str text);
double names_jaro_winkler(str a, str b);
