/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * passkey_check: is this what a security key said, for us, with the person's own hand on it?
 *
 * Source   W3C Web Authentication Level 2, sections 7.1 (registration) and 7.2 (assertion), through
 *          libfido2; staff-identity 4.2 for what is demanded: user present and verified.
 * Shapes   bytes as the browser sent them, base64url already undone.
 * Errors   ERR_LOGIN with the rule that was not kept; the caller decides about challenge, counter
 *          and whose key it is.
 * Memory   cx's arena. Pure but for that.
 * Limits   PASSKEY_ID_MAX; RS256 keys of 2048 bits with exponent 65537 alone.
 * Hazards  H-200 somebody else's key accepted.
 */
enum { PASSKEY_ID_MAX = 1023, PASSKEY_KEY_MAX = 512, PASSKEY_AAGUID_BYTES = 16 };
enum passkey_flag {
    PASSKEY_PRESENT = 1, PASSKEY_VERIFIED = 4, PASSKEY_MAY_SYNC = 8, PASSKEY_SYNCED = 16
};
struct passkey_site {
    str rp_id;    /* "localhost", "frontline.trust.example" */
    str origins;  /* the addresses our pages are at, separated by spaces */
};
/* What the browser says it was asked. `type` is webauthn.create or webauthn.get. */
err passkey_check_client(struct ctx *cx, const struct passkey_site *site, const char *type,
                         str client_data, str *challenge) MUST_USE;

struct passkey_fresh {
    str id, key, aaguid;
    int alg;            /* COSE: -7 ES256, -8 EdDSA, -257 RS256 */
    uint32_t count;
    unsigned flags;
    bool attested;      /* a packed statement by an attestation key; its maker is not looked up */
};
err passkey_check_fresh(struct ctx *cx, const struct passkey_site *site, str attestation,
                        str client_data, struct passkey_fresh *out) MUST_USE;

struct passkey_proof {
    str id, client_data, auth_data, signature;
    str handle;         /* whose the key says it is; may be empty */
};
/* Fills count and flags of *out. */
err passkey_check_proof(struct ctx *cx, const struct passkey_site *site,
                        const struct passkey_fresh *key, const struct passkey_proof *proof,
                        struct passkey_fresh *out) MUST_USE;
