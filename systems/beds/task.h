/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/commit.h"
#include "systems/beds/screens.h"

/*
 * beds_task: what must be done before somebody can leave, as Tasks, each with an owner and a time.
 *
 * Source   hl7.org/fhir/R4/task.html: code "Discharge task", focus the Encounter, owner, and
 *          restriction.period.end as the time it is due.
 * Units    due as a London wall time, yyyy-mm-ddThh:mm.
 * Missing  no due time: listed last, never late. No owner: "nobody yet".
 * Errors   ERR_INVALID: due is no time; those of the commit.
 * Memory   the request's arena.
 */
struct beds_new_todo {
    str encounter, patient, text, owner, due;
};
/* Open ones of a stay, the soonest due first. */
err beds_todos_of(struct ctx *cx, struct store *store, str encounter,
                  const struct beds_todo **out, size_t *count) MUST_USE;
/* Open ones of the whole hospital, by the same order. */
err beds_todos_all(struct ctx *cx, struct store *store, const struct beds_todo **out,
                   size_t *count) MUST_USE;
err beds_todo_make(struct ctx *cx, const struct beds_new_todo *todo,
                   struct commit_op *out) MUST_USE;
struct commit_op beds_todo_done(struct ctx *cx, str id);

/* Helpers that the pages of one stay share. */
struct json beds_extension_of(struct json resource, const char *name);
str beds_reference_id(struct ctx *cx, struct json reference, const char *type);
