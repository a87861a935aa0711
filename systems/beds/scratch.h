/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * beds_scratch: memory for reading many resources page by page, given back after each page, so that
 * a large hospital does not use up the memory of the one request that reads it.
 *
 * Source   ours. Units: bytes.
 * Shapes   a ctx of its own that shares the request's read connection.
 * Missing  not applicable.
 * Errors   faults of a page are carried to the request by beds_scratch_fail.
 * Memory   released when the request ends, also when it is unwound.
 * Limits   BEDS_SCRATCH_BYTES a page; past it the request is answered as past its own memory.
 */
enum { BEDS_SCRATCH_BYTES = 256 << 20 };
struct beds_scratch {
    struct arena arena;
    struct ctx cx;
    struct ctx *request;
};
struct beds_scratch *beds_scratch_begin(struct ctx *request);
void beds_scratch_reset(struct beds_scratch *scratch); /* a page is done with */
err beds_scratch_fail(struct beds_scratch *scratch, err wrong);
