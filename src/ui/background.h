/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "jobs/consumer.h"
#include "jobs/due.h"
#include "ui/page.h"

/*
 * ui_background: the page of whoever keeps the server running: who follows the log and how far,
 * what waits to leave the program, and a way on for what stands still.
 *
 * Shapes   GET /admin/background; the buttons post to /admin/background/consumers/NAME (skip=yes:
 *          past the version that failed) and /admin/background/due/KIND. The same addresses answer
 *          an operator's token with 303 as well.
 * Errors   ERR_NOT_FOUND: no such consumer; ERR_CONFLICT: it does not stand still.
 */
struct ui_background {
    struct ui_page page;
    struct consumer_state *consumers;
    size_t consumers_count;
    struct due_count *due;
    size_t due_count;
    bool may_act;
    size_t standing; /* consumers parked, and kinds with something parked */
};
extern const struct route ui_background_routes[]; /* ended by a zero row */
/* Once, before the server starts. */
void ui_background_use(struct consumers *consumers, struct due *due);
