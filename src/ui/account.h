/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/passkey.h"
#include "auth/session.h"
#include "ui/components.h"

/*
 * account: a person's own passkeys: the page that shows, adds and removes them, the page that asks
 * for a fresh proof before a sensitive act, and what the browser's ceremonies talk to.
 *
 * Source   W3C Web Authentication Level 2; staff-identity 4.2 (step-up: fresh within five minutes).
 * Shapes   /auth/passkey/... speak JSON with binary as base64url; they take requests of our own
 *          pages only. A key is added or removed only in a session that is fresh: begun by a
 *          one-time code or a passkey, or stepped up, within SESSION_FRESH_MS.
 * Errors   refusals are OperationOutcomes that say what to do; no key, no session: ERR_LOGIN.
 * Hazards  H-200 somebody else's key accepted; H-201 a lost or copied key still opens the door.
 */
struct account_page {
    struct ui_page page;
    str csrf, next, who;
    const struct passkey *list;
    size_t list_count;
    bool fresh, passkeys;
    struct ui_field name;
};
struct account_step_up {
    struct ui_page page;
    str next, csrf, fault;
    bool passkeys;
    struct ui_field code;
};
/* "Added 22 Nov 2026, 10:42; last used ..." of one key. */
str account_key_words(struct ctx *cx, const struct passkey *key);
str account_key_id(struct ctx *cx, const struct passkey *key); /* base64url */

extern const struct route account_routes[];
