/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/relation.h"
#include "auth/session.h"
#include "http/http.h"
#include "store/commit.h"

/*
 * gate: every request passes it before its handler runs; every write passes it again with the
 * resource in hand.
 *
 * Source   ARCHITECTURE section 7; RFC 6750 for bearer tokens and the WWW-Authenticate header.
 * Shapes   a bearer token or the session cookie becomes cx->user and, as the filter every read
 *          applies, cx->access. Route permissions: "open" needs nobody; "fhir.read", "fhir.search",
 *          "fhir.write" and the like are decided by type; anything else by the role's patterns.
 * Missing  no credentials on a closed route: ERR_LOGIN, with how to get in.
 * Errors   ERR_LOGIN, ERR_FORBIDDEN with the rule that refused. A resource that may not be seen is
 *          "not found", as if it were not there; one that may not be written is ERR_FORBIDDEN only
 *          when it may be seen.
 * Memory   a gate lives as long as the server. Relations are cached GATE_RELATION_MS a person.
 * Hazards  H-001 record opened by somebody with no business in it.
 */
enum { GATE_RELATION_MS = 1000 };

struct user {
    struct people_user person;      /* name empty: a backend service or the operator */
    struct decide_asker asker;
    str client, csrf;               /* csrf: of the session; empty for tokens */
    const int64_t *pids;            /* patients they have business with, ascending */
    size_t pids_count;
};
struct gate;
struct oauth;
struct audit_log;
struct entrance;

struct gate_options {
    struct people *people;
    struct store *store;
    struct oauth *oauth;
    struct audit_log *audit;
    const struct entrance *entrance; /* the ways in, as configured */
    str demo_code;                  /* signs in as anybody; empty everywhere but demonstrations */
    bool open_to_all;               /* no sign-in: a server on loopback started with --open */
};
struct gate *gate_make(struct ctx *cx, const struct gate_options *options);
void gate_close(struct gate *gate);

struct oauth *gate_oauth(struct gate *gate);
struct people *gate_people(struct gate *gate);
str gate_demo_code(struct gate *gate);
const struct entrance *gate_entrance(struct gate *gate);

/* The session cookie as sent, and the text that starts its Set-Cookie line ("name="). */
str gate_cookie(const struct http_request *request);
const char *gate_cookie_name(const struct http_request *request);
/* A change sent by a browser comes from one of our own pages; else ERR_FORBIDDEN. */
err gate_same_origin(const struct http_request *request) MUST_USE;
/* For open pages that differ for those signed in: ERR_LOGIN when nobody is. */
err gate_session(struct http_request *request, struct session *out) MUST_USE;
/* May this person open this patient's record? ERR_NOT_FOUND when not, or when there is none. */
err gate_may_open(struct http_request *request, const struct session *session,
                  str patient) MUST_USE;

/* For struct http_options: gate and gate_self. */
err gate_check(struct http_request *request, struct http_response *response);

/* The part that refuses writes the asker may not make, and audits the others: for
 * commit_add_part. */
const struct commit_part *gate_part(struct gate *gate);

