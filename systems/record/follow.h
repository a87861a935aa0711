/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/record/look.h"
#include "ui/feed.h"

/*
 * record_follow: an open record or ward list says that it has changed since it was drawn, and
 * offers to show it; nothing moves by itself under whoever is reading or writing.
 *
 * Shapes   GET /record/live?patient=ID or ?ward=ID is the event stream (ui/live.h). A change of
 *          anything in a patient's record is told to that record's pages and to those of the wards
 *          the patient lies on, or left by that change.
 * Missing  a patient in no bed has no ward.
 * Errors   ERR_NOT_FOUND a patient the asker may not see; ERR_FORBIDDEN a ward they do not work on:
 *          their page says nothing of changes.
 * Limits   FOLLOW_PATIENTS patients a round; with more, the next change tells.
 * Hazards  H-013 stale board, H-103 stale screen overwrites newer data.
 */
enum { FOLLOW_PATIENTS = 100 };
extern const struct feed_view record_feed;
http_handler follow_get;
/* Before reading what a page shows: it follows from here on. */
void follow_patient(struct http_request *request, str patient, int64_t seq, struct ui_page *page);
void follow_ward(struct http_request *request, str ward, int64_t seq, struct ui_page *page);
