/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"

/*
 * beds_moves: everything that may be done with a bed and a stay, each one commit.
 *
 * Source   the bed cycle of state.h, the rules of allocate.h, the claim of claim.h.
 * Shapes   POST /beds/move/$MOVE with a form or a JSON object; answers JSON (the stay, the commit,
 *          which move takes it back), or sends a browser back to where it came from (`back`).
 *          Names of the inputs stand in the table in moves.c.
 * Units    reservations in minutes; dates as yyyy-mm-dd.
 * Missing  a required input that is not given is ERR_INVALID and named.
 * Errors   ERR_CONFLICT: somebody else has the bed; the issue names the holder, and a second one
 *          the next best bed. ERR_RULE: a rule says no; the issue names it and who may override it
 *          (`override` says why, and is kept on the stay). ERR_NOT_FOUND: no such bed or stay.
 * Limits   one move a request; nothing is written unless all of it is.
 * Hazards  H-012, H-014, H-015, H-016, H-017, H-020 a cancelled discharge after the bed was taken.
 */
http_handler beds_move_post;

/* The same for a page with a form of its own: what is refused is given to `refused`, which draws
 * the form again, or returns the fault as it is. */
typedef err beds_refused_move(struct http_request *request, struct http_response *response,
                              err wrong);
err beds_move_for(struct http_request *request, struct http_response *response, str move,
                  beds_refused_move *refused);

struct beds_call;
struct beds_move {
    const char *name; /* "admit" */
    const char *inputs;
    const char *doc;
    err (*make)(struct beds_call *call);
};
extern const struct beds_move beds_moves_list[];
extern const size_t beds_moves_count;
