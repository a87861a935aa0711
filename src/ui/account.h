/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/passkey.h"
#include "auth/session.h"
#include "ui/components.h"
#include "ui/sign_in.h"

/*
 * account: a person's own sign-ins, passkeys and apps: the page that shows and ends them, the page
 * that asks for a fresh proof before a sensitive act, and what the browser's ceremonies talk to.
 *
 * Source   W3C Web Authentication Level 2; staff-identity 4.2 (step-up: fresh within five minutes).
 * Shapes   /auth/passkey/... speak JSON with binary as base64url; they take requests of our own
 *          pages only. A key is added or removed only in a session that is fresh: begun by a
 *          one-time code or a passkey, or stepped up, within SESSION_FRESH_MS.
 * Errors   refusals are OperationOutcomes that say what to do; no key, no session: ERR_LOGIN.
 * Hazards  H-200 somebody else's key accepted; H-201 a lost or copied key still opens the door.
 */
struct account_sign_in {
    str id, where, words;
    bool here;
};
struct account_app {
    str id, name, words;
    const struct sign_in_scope *scopes;
    size_t scopes_count;
};
struct account_page {
    struct ui_page page;
    str csrf, next, who;
    const struct passkey *list;
    size_t list_count;
    bool fresh, passkeys;
    struct ui_field name;
    const struct account_sign_in *sign_ins;
    size_t sign_ins_count;
    const struct account_app *apps;
    size_t apps_count;
    str done;                /* what was just done, in words; or empty */
};
struct account_step_up {
    struct ui_page page;
    str next, csrf, fault;
    bool passkeys;
    str provider;            /* where they signed in, which can ask them again; or empty */
    const char *provider_href;
    struct ui_field code;
};
/* "Added 22 Nov 2026, 10:42; last used ..." of one key. */
str account_key_words(struct ctx *cx, const struct passkey *key);
str account_key_id(struct ctx *cx, const struct passkey *key); /* base64url */

/* "Firefox on Windows", from what a browser calls itself. */
str account_device_words(struct arena *arena, str agent);
/* ERR_FORBIDDEN, with the way to prove it, unless the session is fresh. */
err account_need_fresh(struct ctx *cx, const struct session *session) MUST_USE;
/* account_list.c: sign-ins and apps for the page, what was just done, the forms that end them. */
err account_read(struct http_request *request, const struct session *session,
                 struct account_page *out) MUST_USE;
str account_done(struct http_request *request);
err account_end_session(struct http_request *request, struct http_response *response);
err account_end_others(struct http_request *request, struct http_response *response);
err account_end_app(struct http_request *request, struct http_response *response);

extern const struct route account_routes[];
