/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"

/*
 * http_text: the small languages of HTTP: percent-encoding, dates, media types, quality lists.
 *
 * Source   RFC 3986 section 2.1, RFC 9110 sections 5.6.7 (dates) and 12.5 (Accept).
 * Missing  a malformed date is 0 and a malformed escape false: the caller decides what it means.
 * Memory   results in the arena, or slices of the input.
 */
bool http_method_find(str name, enum http_method *out);
str http_method_name(enum http_method method);

/* False for "%zz", "%2", and %00. `plus`: a '+' is a space (queries and forms, not paths). */
bool http_decode(struct arena *arena, str text, bool plus, str *out);
/* Everything but A-Z a-z 0-9 - . _ ~ becomes %XX. */
void http_encode(struct buf *buf, str text);
/* Takes the next name=value of a query; both still encoded. False at its end. */
bool http_next_param(str *query, struct http_param *out);
/* The decoded value of the first parameter of that name; absent when there is none. */
str http_query_value(struct arena *arena, str query, str name);

/* "Sun, 06 Nov 1994 08:49:37 GMT" in ms; the two obsolete forms too; 0: not a date. */
int64_t http_date_parse(str text);
enum { HTTP_DATE_TEXT = 29 };
void http_date_write(int64_t at_ms, char out[HTTP_DATE_TEXT]);

/* Takes the first item of a comma-separated list: "a;q=0.5, b" gives "a", its parameters, 500. */
struct http_accept { str media, params; int q_milli; };
bool http_next_accept(str *list, struct http_accept *out);
/* The value of a parameter of a media type: charset in "application/json; charset=utf-8". */
str http_media_param(str params, const char *name);
