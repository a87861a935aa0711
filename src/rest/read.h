/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rest/call.h"

/*
 * read: read, vread and the three histories.
 *
 * Source   hl7.org/fhir/R4/http.html#read, #vread, #history, #cread.
 * Units    instants in ms; a date without a zone is UTC.
 */
struct read_target {
    uint16_t resource;
    str id;
    int64_t vid; /* 0: the current one */
};
struct read_conditions {
    str if_none_match, if_modified_since;
};
bool read_etag_names(str list, int64_t vid);
bool read_is_unchanged(const struct read_conditions *conditions,
                       const struct store_version *version);
/* "2026", "2026-11-22" or with time and zone; 0: malformed. */
int64_t read_instant(str text);
err read_version(struct rest_call *call, const struct read_target *target,
                 struct store_version *out) MUST_USE;
/* The bundle of a history; `text` is the query as sent. */
err read_history(struct rest_call *call, struct store_history query, str text, str *out) MUST_USE;

http_handler rest_read, rest_history;
