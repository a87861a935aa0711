/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/buf.h"
#include "json/json.h"

/*
 * json_write: builds JSON text. Commas are placed by the writer; nesting is the caller's.
 *
 *   struct json_writer w = json_writer(&buf);
 *   json_open(&w, '{');
 *   json_put_str(&w, "resourceType", S("Bundle"));
 *   json_key(&w, "entry"); json_open(&w, '['); ... json_close(&w, ']');
 *   json_close(&w, '}');
 */
struct json_writer {
    struct buf *buf;
    bool comma; /* a value was just written at this level */
};
struct json_writer json_writer(struct buf *buf);
void json_open(struct json_writer *w, char bracket);
void json_close(struct json_writer *w, char bracket);
void json_key(struct json_writer *w, const char *key);
void json_key_str(struct json_writer *w, str key);
void json_str(struct json_writer *w, str text);  /* a string value, escaped */
void json_raw(struct json_writer *w, str json);  /* a value that is JSON already */
void json_u64(struct json_writer *w, uint64_t value);
void json_i64(struct json_writer *w, int64_t value);
void json_bool(struct json_writer *w, bool value);
/* key and value in one call; json_put_str writes nothing when text is not given */
void json_put_str(struct json_writer *w, const char *key, str text);
void json_put_raw(struct json_writer *w, const char *key, str json);
void json_put_u64(struct json_writer *w, const char *key, uint64_t value);
void json_put_bool(struct json_writer *w, const char *key, bool value);

void json_escape(struct buf *buf, str text);          /* without the quotes */
void json_minify(struct buf *buf, struct json v);     /* no white space; order and numbers kept */
void json_pretty(struct buf *buf, struct json v);     /* two-space indent */
