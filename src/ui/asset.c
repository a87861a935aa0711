/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/asset.h"
#include "http/text.h"

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

err ui_asset_get(struct http_request *request, struct http_response *response)
{
    const struct ui_asset *asset = ui_asset_find(request->path);
    if (!asset)
        return ctx_fail(request->cx, ERR_NOT_FOUND, S(""), S("there is no such asset; pages name "
                                                             "the current ones"));
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
