/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/scratch.h"

static void end(void *thing)
{
    struct beds_scratch *scratch = thing;
    ctx_release(&scratch->cx);
    arena_free(&scratch->arena);
}

static void begin(struct beds_scratch *scratch)
{
    const struct ctx *request = scratch->request;
    scratch->cx = ctx_make(&scratch->arena);
    scratch->cx.db = request->db;
    scratch->cx.user = request->user;
    scratch->cx.access = request->access;
    scratch->cx.now_ms = request->now_ms;
    scratch->cx.random = request->random;
    scratch->cx.request_id = request->request_id;
    scratch->cx.deadline_ms = request->deadline_ms;
}

struct beds_scratch *beds_scratch_begin(struct ctx *request)
{
    struct beds_scratch *scratch = arena_zero(request->arena, sizeof *scratch);
    scratch->request = request;
    scratch->arena = arena_make(BEDS_SCRATCH_BYTES);
    scratch->arena.over = request->arena->over;
    begin(scratch);
    ctx_defer(request, end, scratch);
    return scratch;
}

void beds_scratch_reset(struct beds_scratch *scratch)
{
    ctx_release(&scratch->cx);
    arena_reset(&scratch->arena);
    begin(scratch);
}

err beds_scratch_fail(struct beds_scratch *scratch, err wrong)
{
    struct ctx *request = scratch->request;
    for (size_t i = 0; wrong && i < scratch->cx.issues.kept; i++) {
        struct issue issue = scratch->cx.issues.list[i];
        issue.path = arena_copy(request->arena, issue.path);
        issue.text = arena_copy(request->arena, issue.text);
        issues_note(&request->issues, issue);
    }
    return wrong;
}
