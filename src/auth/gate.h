/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/session.h"
#include "auth/standing.h"
#include "http/http.h"
#include "store/commit.h"

/*
 * gate: every request passes it before its handler runs; every write passes it again with the
 * resource in hand.
 *
 * Source   ARCHITECTURE section 7; RFC 6750 for bearer tokens and the WWW-Authenticate header.
 * Shapes   a bearer token or the session cookie becomes cx->user and, as the filter every read
 *          applies, cx->access. Route permissions: "open" needs nobody; "signed-in" anybody known;
 *          "fhir.read", "fhir.search", "fhir.create" and the like are decided by type;
 *          "fhir.export" needs "export.bulk" and a step-up besides; anything else is decided by the
 *          role's patterns. What was given out or refused is noted when the answer is ready, and it
 *          goes when its entry is on disk; one that cannot be noted is not sent.
 * Missing  no credentials on a closed route: ERR_LOGIN, with how to get in.
 * Limits   an address that showed bad credentials too often in a minute is answered 429 when it
 *          shows bad ones again, and its requests of tokens, too; good ones always pass.
 * Errors   ERR_LOGIN, ERR_FORBIDDEN with the rule that refused. A resource that may not be seen is
 *          "not found", as if it were not there; one that may not be written is ERR_FORBIDDEN only
 *          when it may be seen.
 * Memory   a gate lives as long as the server. Standings are kept STANDING_MS a person.
 * Hazards  H-001 record opened by somebody with no business in it.
 */
struct user {
    struct people_user person;      /* name empty: a backend service or the operator */
    struct decide_asker asker;
    str client, csrf;               /* csrf: of the session; empty for tokens */
    const struct zone *zone;        /* of the shared workstation they sit at, else NULL */
    str address, behalf;            /* where they sit; "Patient/1" a proxy acts for */
    str self;                       /* who they are in the record, whomever they act for */
    struct decide_patients patients;
    int64_t proved_ms;              /* when they last proved who they are; a token: its age */
    bool by_system;                 /* through a system's own page: its permission decided */
    str token;                      /* hash of the bearer token; empty for sessions */
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
    int64_t refusals_per_minute;    /* bad credentials an address may show; 0: any number */
    int64_t nothing_after_us;       /* no answer that gives nothing sooner; gate_note.c */
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
/* What this person may read of the record, on a page that is open to all; ERR_NOT_FOUND. */
err gate_may_read(struct http_request *request, const struct session *session, uint16_t resource,
                  str id, struct store_version *version) MUST_USE;
/* May this person open this patient's record? ERR_NOT_FOUND when not, or when there is none. */
err gate_may_open(struct http_request *request, const struct session *session,
                  str patient) MUST_USE;

/* For struct http_options: gate, gate_self, done and settle. */
err gate_check(struct http_request *request, struct http_response *response);
err gate_done(struct http_request *request, struct http_response *response);
err gate_settle(struct http_request *request, uint64_t ticket);
/* On an open page: from here on it looks at the record as the session's person, and what it showed
 * goes into the audit as that of any other page. */
err gate_look_as(struct http_request *request, const struct session *session) MUST_USE;
/* ERR_FORBIDDEN unless the asker proved who they are recently enough for the act (step_up.h). */
err gate_step_up(struct http_request *request, const char *act) MUST_USE;
/* What a scope with a query must say to be granted: parameters of the type itself. */
err gate_check_scopes(struct ctx *cx, struct store *store, const struct scope_set *scopes) MUST_USE;
struct standings *gate_standings(struct gate *gate);
struct audit_log *gate_audit(struct gate *gate); /* NULL: --open */
struct tries *gate_tries(struct gate *gate);
bool gate_shows_credentials(const struct http_request *request);
/* Addresses that are refused without our knowing whom: each makes so many entries a minute. */
enum { GATE_STRANGERS_PER_MINUTE = 60 };
struct tries *gate_strangers(struct gate *gate);
/* gate_note.c: one answer among several of a request, of a batch: what it saw is noted apart from
 * the rest. Not settled: what the request itself notes at its end is, and comes later. */
err gate_note_part(struct http_request *request, enum http_method method, str what,
                   int status) MUST_USE;

/* How one asker stands to one thing, for decide; and what else they may see. gate_narrow.c */
err gate_narrows(struct ctx *cx, struct store *store, const struct decide_asker *asker,
                 enum decide_act act, struct store_access *access) MUST_USE;
/* Is the body outside the part of its type that the scopes grant for the act? */
struct gate_act {
    const struct decide_asker *asker;
    enum decide_act act;
    uint16_t resource;
};
err gate_outside_scope(struct ctx *cx, struct store *store, const struct gate_act *act,
                       struct json body, bool *out) MUST_USE;
/* gate_write.c: the functions of gate_part; `self` is the gate. */
err gate_ask_write(struct ctx *cx, const struct commit_part *part, const struct commit_op *op);
err gate_check_write(struct ctx *cx, const struct commit_part *part,
                     const struct commit_change *change, void **prepared);
err gate_write(struct ctx *cx, const struct commit_part *part, struct db *db,
               const struct commit_change *change, void *prepared);
struct store *gate_store(struct gate *gate);
/* 0: whenever it is ready. */
int64_t gate_nothing_after_us(const struct gate *gate, const struct http_request *request);
void gate_consent_written(struct gate *gate); /* on the writer thread */

/*
 * For what goes on when its asker is not there, a subscription: gate_keep is who asked, as text to
 * be kept with it, and gate_kept is what they may see now: ERR_LOGIN or ERR_FORBIDDEN when their
 * token was revoked, their sign-in disabled, or their role has gone.
 */
str gate_keep(struct arena *arena, const struct user *user);
err gate_kept(struct ctx *cx, struct gate *gate, str kept, struct user *out,
              const struct store_access **access) MUST_USE;
/* The same person by the same app? Everybody is, where nobody signs in. */
bool gate_is_kept(const struct user *user, str kept);

/* The part that refuses writes the asker may not make, and audits the others: for
 * commit_add_part. */
const struct commit_part *gate_part(struct gate *gate);

