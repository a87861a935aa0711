/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/entrance.h"

/* "localhost" of "http://localhost:8080". */
static str host_of(str url)
{
    size_t start = str_find(url, S("://"));
    str host = start == STR_NONE ? url : str_slice(url, start + 3, url.n), name;
    str_next(&host, '/', &name);
    size_t colon = str_find_char(name, ':');
    return colon == STR_NONE ? name : str_slice(name, 0, colon);
}

bool entrance_site(const struct entrance *entrance, const struct http_request *request,
                   struct passkey_site *out)
{
    str here = request->base_url, host = host_of(here);
    struct passkey_site site = { .origins = entrance->origins.n ? entrance->origins : here };
    if (entrance->rp_id.n)
        site.rp_id = entrance->rp_id;
    else if (str_eq(host, S("localhost")) ||
             (entrance->base_url.n && str_eq(here, entrance->base_url)))
        site.rp_id = host;
    else
        return false;
    /* A Host header names no site of its own: without a list, only the RP's own host is taken. */
    if (!entrance->origins.n && !str_eq(host, site.rp_id))
        return false;
    *out = site;
    return true;
}
