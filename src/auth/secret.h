/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"

/*
 * secret: random texts nobody can guess, and the hashes of them that are kept.
 *
 * Source   libsodium: BLAKE2b-256 for hashes of 256-bit secrets (no salt is needed for those).
 */
enum { SECRET_HASH_BYTES = 32 };
/* Once, before anything else; false: the system gives no randomness. */
bool secret_ready(void);
void secret_random(void *out, size_t bytes);
/* 256 random bits as URL-safe base64, 43 letters. */
str secret_text(struct arena *arena);
str secret_hash(struct arena *arena, str secret); /* SECRET_HASH_BYTES bytes */
bool secret_same(str a, str b); /* in a time that depends on lengths alone */
str secret_base64url(struct arena *arena, str bytes);
/* Strict: no padding, no white space. */
bool secret_from_base64url(struct arena *arena, str text, str *out);
str secret_sha256(struct arena *arena, str text);  /* 32 bytes */
/* HMAC-SHA256 of a text, as 64 hexadecimal digits: what a receiver checks a call of ours by. */
str secret_sign(struct arena *arena, str key, str text);
