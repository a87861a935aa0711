/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"

/*
 * ui_escape: writes a value into a page so that it cannot become markup, an attribute or a script.
 *
 * For      the C that tools/template makes; it chooses the function by the place in the HTML.
 * Shapes   str, const char *, int, int64_t, uint64_t and double; struct ui_html is HTML already
 *          (made by another component) and goes as it is into text, never into an attribute.
 * Missing  an absent str, NULL and "" write nothing.
 * Limits   ui_url lets relative addresses, http, https, mailto and tel through; anything else
 *          becomes "#". ui_url_part percent-encodes all but unreserved characters.
 */
struct ui_html {
    str html;
};

void ui_text_str(struct buf *out, str text);
void ui_text_cstr(struct buf *out, const char *text);
void ui_text_i64(struct buf *out, int64_t value);
void ui_text_u64(struct buf *out, uint64_t value);
void ui_text_double(struct buf *out, double value); /* up to six significant digits */
void ui_text_html(struct buf *out, struct ui_html html);
void ui_url_str(struct buf *out, str url);
void ui_url_cstr(struct buf *out, const char *url);
void ui_url_part_str(struct buf *out, str part);
void ui_url_part_cstr(struct buf *out, const char *part);

/* clang-format off: one row a type. */
#define ui_value_(value, text, cstr, html) _Generic((value), \
    str: text, char *: cstr, const char *: cstr, struct ui_html: html, \
    bool: ui_text_u64, int: ui_text_i64, long: ui_text_i64, long long: ui_text_i64, \
    unsigned: ui_text_u64, unsigned long: ui_text_u64, unsigned long long: ui_text_u64, \
    double: ui_text_double)
/* clang-format on */
#define ui_text(out, value) ui_value_(value, ui_text_str, ui_text_cstr, ui_text_html)(out, value)
/* Quotes are escaped by the same table. HTML has no function here, so it fails to compile. */
#define ui_attr(out, value) ui_value_(value, ui_text_str, ui_text_cstr, (void)0)(out, value)
#define ui_url(out, value)                                                                         \
    _Generic((value), str: ui_url_str, char *: ui_url_cstr, const char *: ui_url_cstr)(out, value)
#define ui_url_part(out, value)                                                                    \
    ui_value_(value, ui_url_part_str, ui_url_part_cstr, (void)0)(out, value)
