/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * tries: how often an address showed credentials that are no good, so that guessing, and the audit
 * entries it makes, stay few. Whoever shows good ones is never held up: a ward behind one address
 * goes on working while a machine in it misbehaves.
 *
 * Units    refusals in the last whole or begun minute, an address.
 * Missing  an address that is not known counts as one address.
 * Memory   TRIES_PLACES rows, shared by addresses that hash alike: a stranger may be held up by
 *          another, never let off. Thread-safe.
 */
enum { TRIES_PLACES = 16384, TRIES_WINDOW_MS = 60000 };
struct tries;
struct tries *tries_make(struct arena *arena, int64_t per_minute); /* 0: no limit */
/* How many there are now in this minute. */
int64_t tries_note(struct tries *tries, str address, int64_t now_ms);
bool tries_over(struct tries *tries, str address, int64_t now_ms);
