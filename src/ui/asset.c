/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/asset.h"
#include "http/text.h"
#include <errno.h>

enum { FILE_MAX = 4 << 20 };

static str web_folder; /* given once, at start; not given: what the program carries */

void ui_asset_use_folder(str folder)
{
    web_folder = folder;
}

const struct ui_asset *ui_asset_find(str url)
{
    for (const struct ui_asset *asset = ui_assets; asset->url; asset++)
        if (str_eq(url, str_of(asset->url)))
            return asset;
    return NULL;
}

static bool accepts(str accept, str coding)
{
    struct http_accept one;
    while (http_next_accept(&accept, &one))
        if (str_eq_nocase(one.media, coding))
            return one.q_milli > 0;
    return false;
}

static void use_form(struct http_response *response, str body, str coding)
{
    response->body = body;
    http_put_header(response, S("Content-Encoding"), coding);
}

static void choose_form(const struct http_request *request, const struct ui_asset *asset,
                        struct http_response *response)
{
    str accept = http_header(request, "Accept-Encoding");
    response->body = asset->plain;
    if (str_given(asset->brotli) && accepts(accept, S("br")))
        use_form(response, asset->brotli, S("br"));
    else if (str_given(asset->gzip) && accepts(accept, S("gzip")))
        use_form(response, asset->gzip, S("gzip"));
    http_put_header(response, S("Vary"), S("Accept-Encoding"));
}

/* "/assets/app-0123456789ab.css" is the file app.css. */
static str file_of(struct ctx *cx, str url)
{
    str name = str_slice(url, sizeof("/assets/") - 1, url.n);
    size_t dot = str_find_char(name, '.'), dash = dot;
    while (dash > 0 && name.p[dash] != '-')
        dash--;
    return arena_printf(cx->arena, "%.*s/%.*s%.*s", STR_ARG(web_folder),
                        STR_ARG(str_slice(name, 0, dash)), STR_ARG(str_slice(name, dot, name.n)));
}

/* For whoever works on the screens: the file as it is now, kept by nobody. */
static err read_file(struct ctx *cx, const struct ui_asset *asset, struct http_response *response)
{
    str path = file_of(cx, str_of(asset->url));
    FILE *file = fopen(arena_cstr(cx->arena, path), "rb");
    if (!file)
        return ctx_failf(cx, ERR_NOT_FOUND, S(""), "--web-dir has no %.*s: %s", STR_ARG(path),
                         strerror(errno));
    char *bytes = arena_alloc(cx->arena, FILE_MAX);
    size_t count = fread(bytes, 1, FILE_MAX, file);
    fclose(file);
    response->content_type = str_of(asset->content_type);
    response->body = (str){ bytes, count };
    http_put_header(response, S("Cache-Control"), S("no-store"));
    return ERR_OK;
}

err ui_asset_get(struct http_request *request, struct http_response *response)
{
    const struct ui_asset *asset = ui_asset_find(request->path);
    if (!asset)
        return ctx_fail(request->cx, ERR_NOT_FOUND, S(""), S("there is no such asset; pages name "
                                                             "the current ones"));
    if (web_folder.n)
        return read_file(request->cx, asset, response);
    http_put_header(response, S("Cache-Control"), S("public, max-age=31536000, immutable"));
    http_put_header(response, S("ETag"), str_of(asset->etag));
    response->content_type = str_of(asset->content_type);
    if (str_eq(http_header(request, "If-None-Match"), str_of(asset->etag))) {
        response->status = 304;
        return ERR_OK;
    }
    choose_form(request, asset, response);
    return ERR_OK;
}
