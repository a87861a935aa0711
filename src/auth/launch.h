/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/oauth.h"

/*
 * launch: an app begun from within a record, on the patient who is on screen.
 *
 * Source   SMART App Launch 2.2, "EHR launch"; fhirContext of the same.
 * Shapes   the handle is a token of our own, signed, for one app and one person; it says what is on
 *          screen, so nothing is kept until the app comes back with it.
 * Errors   ERR_INVALID: not ours, too old, used, or for another app or person: one text for all.
 * Limits   good once, for LAUNCH_S seconds.
 */
enum { LAUNCH_S = 300 };
struct launch {
    str client, user;
    str patient, encounter; /* ids; encounter may be empty */
    str context;            /* further references by spaces: "ImagingStudy/7"; may be empty */
    str id;
};
err launch_make(struct http_request *request, const struct launch *launch, str *handle) MUST_USE;
/* Without using it up: for the page that asks. */
err launch_read(struct http_request *request, str handle, const struct launch *expected,
                struct launch *out) MUST_USE;
err launch_use(struct http_request *request, const struct launch *launch) MUST_USE;
