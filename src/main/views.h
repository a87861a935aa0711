/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "view/view_table.h"

/*
 * views: the tables of the systems' views, joined to a store that will be written to. Every command
 * that writes calls views_open before its first commit.
 */
err views_open(struct ctx *cx, struct store *store, str folder) MUST_USE;
/* A line on standard error that counts: on a terminal only. */
void views_show(void *self, str name, int64_t done, int64_t total);
