/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/passkey_check.h"
#include "auth/people.h"

/*
 * passkey: the security keys and passkeys people sign in with, and the ceremonies that prove them.
 *
 * Source   W3C Web Authentication Level 2; staff-identity 4.2.
 * Shapes   a ceremony starts with a challenge of 32 random bytes, of which only the hash is kept;
 *          it is good once, for PASSKEY_CEREMONY_MS, for the one purpose and person it was given
 *          for. Keys are discoverable: signing in needs no name. A person has up to PASSKEYS_MAX.
 * Errors   ERR_LOGIN: the proof is refused, in words; ERR_CONFLICT: the key is enrolled already;
 *          ERR_RULE: too many keys; ERR_NOT_FOUND: no such key of this person.
 *          A counter that does not rise ends the key for good: there may be a copy of it.
 * Memory   cx's arena.
 * Hazards  H-200 somebody else's key accepted; H-201 a lost or copied key still opens the door.
 */
enum { PASSKEY_CEREMONY_MS = 5 * 60000, PASSKEYS_MAX = 10, PASSKEY_NAME_MAX = 60 };
enum passkey_purpose { PASSKEY_SIGN_IN, PASSKEY_STEP_UP, PASSKEY_ENROL };

struct passkey {
    str id, user, name;
    int alg;
    uint32_t count;
    unsigned flags;
    bool attested;
    int64_t added_ms, used_ms, ended_ms; /* used_ms, ended_ms: 0 for never */
    str why;                             /* why it was ended: "lost", "copied" */
};

/* `user` is empty for PASSKEY_SIGN_IN: the key says whose it is. The text is base64url. */
err passkey_challenge(struct ctx *cx, struct people *people, enum passkey_purpose purpose, str user,
                      str *challenge) MUST_USE;
/* The random bytes a person's keys know them by; made at first use. */
err passkey_handle(struct ctx *cx, struct people *people, str user, str *handle) MUST_USE;

struct passkey_ask {
    str user, name;
    str client_data, attestation;
};
err passkey_enrol(struct ctx *cx, struct people *people, const struct passkey_site *site,
                  const struct passkey_ask *ask) MUST_USE;
/* *user is whose key it is: never a disabled person. */
err passkey_prove(struct ctx *cx, struct people *people, const struct passkey_site *site,
                  enum passkey_purpose purpose, const struct passkey_proof *proof,
                  str *user) MUST_USE;

err passkey_list(struct ctx *cx, struct people *people, str user, struct passkey **out,
                 size_t *count) MUST_USE;
/* `why` is kept with it; the key opens nothing from the next request on. */
err passkey_end(struct ctx *cx, struct people *people, str user, str id, str why) MUST_USE;
