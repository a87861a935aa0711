/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/json.h"

/*
 * json_patch: applies a JSON Patch to a document, all of it or nothing.
 *
 * Source   RFC 6902 (operations add, remove, replace, move, copy, test), pointers by RFC 6901.
 * Shapes   `patch` is the parsed array of operations. What is not touched keeps its order and the
 *          text of its numbers; a new member comes last, a replaced one keeps its place.
 * Errors   ERR_INVALID the patch itself is malformed; ERR_RULE it does not fit this document
 *          (nothing at the path, a failed test); ERR_LIMIT too many operations, or the result is
 *          nested too deep. The issue names the operation, counted from 1.
 * Memory   *out is a new document in cx's arena.
 * Limits   JSON_PATCH_OPS_MAX operations. Copies are counted against the arena's cap.
 */
enum { JSON_PATCH_OPS_MAX = 1000 };
err json_patch(struct ctx *cx, struct json document, struct json patch, struct json *out) MUST_USE;
