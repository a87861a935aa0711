/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/own.h"

/*
 * reindex: a thread that keeps the index in step with the server's own search parameters: it takes
 * up what SearchParameters ask for, goes through the resources that were there before, and takes
 * out the rows of parameters that are gone.
 *
 * Shapes   a chunk at a time, its rows and its place in one transaction: after a crash it goes on
 *          where it was. Ordinary commits come between.
 */
struct reindex;
err reindex_start(struct ctx *cx, struct store *store) MUST_USE;
void reindex_stop(struct store *store);
void reindex_wake(struct store *store); /* a SearchParameter changed */
