/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/client.h"
#include "http/http.h"

/*
 * client_proof: does the app that calls the token endpoint prove who it is?
 *
 * Source   RFC 6749 2.3.1 (Basic), RFC 7523 2.2 (private_key_jwt), SMART "asymmetric".
 * Errors   ERR_LOGIN with one text for every failure: unknown app, wrong secret, wrong or replayed
 *          assertion. A public app proves nothing here; PKCE does that for it.
 */
err client_prove(struct http_request *request, struct people *people,
                 struct client *out) MUST_USE;
