/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/str.h"

/*
 * json_chars: what the json files share about characters: escapes and UTF-8.
 *
 * Limits   the first two take text the parser has accepted already; json_utf8_length takes any
 *          bytes.
 */

/* Resolves the escape at `p` (a backslash) into `out`; returns the bytes of text it took. */
size_t json_unescape_one(const char *p, char out[4], size_t *written);
size_t json_unescape(str text, char *out); /* bytes written, never more than text.n */

/* The length of the well-formed UTF-8 sequence at the start of `text`; 0 when there is none. */
size_t json_utf8_length(str text);
size_t json_utf8_write(uint32_t code, char out[4]);

/* The value of four hexadecimal digits; -1 when they are not. */
int json_hex4(const char *p);
