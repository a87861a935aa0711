/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/beds/screens.h"
#include "ui/live.h"

/*
 * beds_listing: keeps the open lists over all wards in step with the record: a row that changed is
 * drawn in its place, one that left the list says so where it stands, and one that is new is
 * offered, so that nothing moves under a pointer.
 *
 * Shapes   a list draws itself twice from the same rows: as a page, and as fragments for the pages
 *          that are open, on channel "beds/list/NAME". Rows have ids that begin with "item-"; the
 *          last fragment names them all, so that a page knows which of its rows are gone.
 * Missing  a list nobody looks at is not read, nor drawn.
 * Errors   a list that cannot be read or is too long for an event tells its pages to reload.
 * Memory   the arena of the call; 30 bytes a row for what was sent last.
 * Limits   one thread tells (the feed's); pages are drawn on any.
 * Hazards  H-013 stale board.
 */
struct beds_fragment {
    str id, html; /* ids that do not begin with "item-" are no rows: counts and totals */
};
struct beds_listed {
    struct ctx *cx;
    struct beds_fragment *list;
    size_t count, cap;
};
/* An empty text to draw the next fragment into, and where to put it. */
struct buf beds_listed_buf(const struct beds_listed *listed);
void beds_listed_add(struct beds_listed *listed, str id, const struct buf *html);
void beds_listed_count(struct beds_listed *listed, str list, size_t count);

struct beds_list {
    const char *name;
    err (*draw)(struct ctx *cx, struct store *store, struct beds_listed *out);
};
/* Their draw functions stand beside their pages. */
err beds_cleaning_draw(struct ctx *cx, struct store *store, struct beds_listed *out) MUST_USE;
err beds_infection_draw(struct ctx *cx, struct store *store, struct beds_listed *out) MUST_USE;
err beds_outliers_draw(struct ctx *cx, struct store *store, struct beds_listed *out) MUST_USE;
err beds_requests_draw(struct ctx *cx, struct store *store, struct beds_listed *out) MUST_USE;
err beds_discharges_draw(struct ctx *cx, struct store *store, struct beds_listed *out) MUST_USE;
err beds_worklist_draw(struct ctx *cx, struct store *store, struct beds_listed *out) MUST_USE;
err beds_site_draw(struct ctx *cx, struct store *store, struct beds_listed *out) MUST_USE;

/* Called before the list is read: no change after that is passed over. */
void beds_list_expect(struct http_request *request, const char *name);
/* Page and sections of a list, up to where it begins. */
struct ui_page beds_list_page(struct http_request *request, const char *name, const char *title,
                              int64_t seq);
void beds_list_open(struct buf *out, const struct ui_page *page, const char *name,
                    const struct ui_done *done);
/* ERR_NOT_FOUND: there is no such list. */
err beds_list_live(struct http_request *request, str name, struct http_response *response) MUST_USE;
int beds_item_order(const void *a, const void *b); /* qsort, by beds_item.order */

/* Somebody looks at some board or list, and these were committed; NULL: unknown what. */
void beds_lists_tell(struct ctx *cx, struct store *store, struct live *live,
                     const struct store_versions *versions, int64_t seq);
