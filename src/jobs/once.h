/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * once: one piece of background work with a ctx of its own, as a request has one.
 *
 * Shapes   memory, clock and randomness are made, `work` is run, and everything is given back,
 *          whatever happened.
 * Errors   what `work` returned; ERR_LIMIT when it used up its memory.
 * Memory   nothing allocated from the ctx outlives the call.
 */
err job_once(size_t memory_bytes, err (*work)(struct ctx *cx, void *self), void *self);
