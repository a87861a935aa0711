/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"

/*
 * ui_asset: styles, scripts and pictures, carried in the program, compressed when it was built.
 *
 * Shapes   the address holds a hash of the content, so it may be kept for ever; assets.h (made by
 *          tools/assets.mjs) has a name for each, and a missing one fails to compile.
 * Memory   program.
 */
struct ui_asset {
    const char *url, *content_type, *etag;
    str plain, gzip, brotli; /* an absent form was not smaller */
};
extern const struct ui_asset ui_assets[]; /* ended by a zero row */

const struct ui_asset *ui_asset_find(str url); /* NULL: no such one */
/* From here on assets are read from files of a folder, at each request; pages stay as they are.
 * tools/assets.mjs ROOT --to FOLDER writes them. */
void ui_asset_use_folder(str folder);
http_handler ui_asset_get;
