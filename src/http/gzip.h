/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/arena.h"

/*
 * http_gzip: compresses a whole body.
 *
 * Missing  the absent str when it would not become smaller.
 * Memory   result in the arena; one deflate state a thread is kept for the next call.
 */
enum { HTTP_GZIP_LEAST_BYTES = 1024 };
str http_gzip(struct arena *arena, str body);
/* Gives back this thread's state: before the thread ends. */
void http_gzip_end(void);
/* True when an Accept-Encoding header allows gzip. */
bool http_gzip_wanted(str accept_encoding);
