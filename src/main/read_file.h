/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * read_file: the whole of a file, or of standard input for "-", into cx's arena.
 *
 * Errors   ERR_NOT_FOUND it cannot be opened; ERR_IO it cannot be read; ERR_LIMIT over
 *          READ_FILE_MAX.
 */
enum { READ_FILE_MAX = 1 << 30 };
err read_file(struct ctx *cx, str path, str *out) MUST_USE;
