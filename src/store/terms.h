/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/store.h"
#include "term/set.h"

/*
 * terms: the code systems and value sets a record's searches go by.
 *
 * Shapes   by itself a record knows what was posted to it and what the program carries; a server
 *          puts an engine of its own in place, which knows packages and release files too.
 * Memory   the engine lives as long as the store. Set once, before the first request.
 */
struct term *store_terms(struct store *store);
void store_use_terms(struct store *store, struct term *term);
void store_terms_make(struct store *store); /* store.c's, at opening */

/* A definition posted to the record, by url; ERR_NOT_FOUND without an issue. */
err store_find_definition(struct ctx *cx, struct store *store, enum term_kind kind, str url,
                          str version, str *out) MUST_USE;
