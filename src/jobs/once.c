/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/once.h"
#include "base/clock.h"
#include "base/random.h"

err job_once(size_t memory_bytes, err (*work)(struct ctx *cx, void *self), void *self)
{
    jmp_buf over;
    struct random random;
    struct arena arena = arena_make(memory_bytes);
    struct ctx cx = ctx_make(&arena);
    random_secret(&random, sizeof random);
    cx.random = &random;
    cx.now_ms = clock_now_ms();
    arena.over = &over;
    volatile err wrong = ERR_LIMIT;
    if (setjmp(over) == 0)
        wrong = work(&cx, self);
    arena.over = NULL;
    ctx_release(&cx);
    arena_free(&arena);
    return wrong;
}
