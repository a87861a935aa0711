/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/decide.h"

/*
 * people: who may sign in to one data folder, and the tokens they hold.
 *
 * Source   RFC 6750 bearer tokens; SMART scopes for what a token allows.
 * Shapes   people and tokens live in `auth.db` beside the record, never in it: a copy of the record
 *          carries no credentials. A token is 32 random bytes, shown once; only its hash is kept.
 * Units    UTC milliseconds; durations in minutes where the name says so.
 * Missing  a token without a user is an operator's or a backend service's: level system.
 * Errors   ERR_LOGIN: no such token, expired, revoked, or its user disabled, in one text for all
 *          four; ERR_CONFLICT: the name is taken; ERR_NOT_FOUND: no such person; ERR_IO.
 * Memory   results are in cx's arena. people_token_find may be called from any thread; the answer
 *          is at most PEOPLE_CACHE_MS old, so a revocation holds within a second.
 * Limits   names of 2 to 64 characters a-z 0-9 . - _ @; a token lives at most
 *          PEOPLE_TOKEN_MINUTES_MAX.
 */
enum { PEOPLE_CACHE_MS = 500, PEOPLE_TOKEN_MINUTES_MAX = 60 * 24 * 366, PEOPLE_NAME_MAX = 64 };

struct people;
struct people_user {
    str name, display;
    str role;        /* a name in the table of roles */
    str who;         /* "Practitioner/123", "Patient/456": the person in the record; or empty */
    str areas;       /* ids of the Locations they work at, separated by spaces */
    bool disabled;
    int64_t created_ms;
};
struct people_grant {
    struct people_user user;  /* name empty: no person behind it */
    struct scope_set scopes;
    str scope_text, client, patient; /* patient: id of the launch context's patient; may be empty */
    str family;               /* of the consent it came of; empty: none */
    int64_t expires_ms, issued_ms;
    enum scope_level level;   /* system without a user, patient for a patient's app, else user */
};
struct people_token_ask {
    str user;        /* empty: none */
    str client;      /* who holds it: "operator", an app's client id */
    str scopes, patient;
    str family;      /* binds tokens of one consent; empty: none */
    int64_t minutes;
};

err people_open(struct ctx *cx, str folder, struct people **out) MUST_USE;
void people_close(struct people *people);

err people_add(struct ctx *cx, struct people *people, const struct people_user *user) MUST_USE;
err people_find(struct ctx *cx, struct people *people, str name, struct people_user *out) MUST_USE;
/* Disabling ends sessions, tokens and consents for good. */
err people_disable(struct ctx *cx, struct people *people, str name, bool disabled) MUST_USE;
err people_set_role(struct ctx *cx, struct people *people, str name, str role) MUST_USE;
err people_list(struct ctx *cx, struct people *people, struct people_user **out,
                size_t *count) MUST_USE;

/* *bearer is the only copy of the token's text. */
err people_token_issue(struct ctx *cx, struct people *people, const struct people_token_ask *ask,
                       str *bearer) MUST_USE;
err people_token_find(struct ctx *cx, struct people *people, str bearer,
                      struct people_grant *out) MUST_USE;
/* The token of a hash, expired or not: something lasting was asked for with it (gate_keep), which
 * goes on until the token or the consent it came of is revoked, or its user is disabled. */
err people_token_kept(struct ctx *cx, struct people *people, str hash,
                      struct people_grant *out) MUST_USE;
err people_token_revoke(struct ctx *cx, struct people *people, str bearer) MUST_USE;
void people_forget(struct people *people); /* drops what was cached: the next look is at the disk */
