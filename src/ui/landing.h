/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ui/page.h"

/*
 * ui_landing: the first page: what runs here, how much of it, and where to go.
 *
 * Shapes   GET / as HTML. Counts are of live resources, of the types the asker may see, and for
 *          those alone who reach the whole record.
 * Missing  no resources: the page says how to put some in.
 */
struct ui_landing_type {
    str name;
    uint64_t count;
};
struct ui_landing {
    const struct ui_landing_type *types; /* most first; only those in use */
    size_t types_count;
    bool counted;        /* false: the asker is not shown counts */
    uint64_t total, seq;
    const struct ui_link *systems;
    size_t systems_count;
    str base_url;
};
http_handler ui_landing_get, ui_landing_live;

/* Keeps the counts of open first pages as new as the record. */
extern const struct feed_view ui_landing_feed;
