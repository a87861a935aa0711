/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/fetch.h"
#include <curl/curl.h>

void fetch_ready(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool is_loopback(str rest)
{
    static const char *const hosts[] = { "127.0.0.1", "localhost", "[::1]" };
    for (size_t i = 0; i < COUNT(hosts); i++) {
        size_t n = strlen(hosts[i]);
        if (str_starts(rest, str_of(hosts[i])) &&
            (rest.n == n || rest.p[n] == ':' || rest.p[n] == '/'))
            return true;
    }
    return false;
}

bool fetch_allowed(str url)
{
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= ' ' || url.p[i] == '@' || url.p[i] == '\\')
            return false;
    if (str_starts(url, S("https://")))
        return url.n > 8;
    return str_starts(url, S("http://")) && is_loopback(str_slice(url, 7, url.n));
}

struct received {
    char *bytes;
    size_t n;
    bool too_long;
};

/* Called by libcurl: writes into room that is there already, since an arena must not jump here. */
static size_t take(char *bytes, size_t size, size_t count, void *self)
{
    struct received *to = self;
    size_t n = size * count;
    if (n > FETCH_MAX_BYTES - to->n) {
        to->too_long = true;
        return 0;
    }
    memcpy(to->bytes + to->n, bytes, n);
    to->n += n;
    return n;
}

static void set_up(CURL *curl, const char *url, struct received *received)
{
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)FETCH_TOTAL_MS);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "frontline");
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, received);
}

static struct curl_slist *headers_of(const char *bearer_line)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Accept: application/json");
    if (bearer_line)
        headers = curl_slist_append(headers, bearer_line);
    return headers;
}

static err no_answer(struct ctx *cx, str url, const char *why)
{
    return ctx_failf(cx, ERR_BUSY, (str){ 0 }, "%.*s did not answer: %s; try again in a minute",
                     STR_ARG(url), why);
}

err fetch(struct ctx *cx, const struct fetch_ask *ask, struct fetch_answer *out)
{
    if (!fetch_allowed(ask->url))
        return ctx_failf(cx, ERR_INVALID, (str){ 0 }, "%.*s may not be asked: https alone, or "
                         "http on this machine", STR_ARG(ask->url));
    struct received received = { .bytes = arena_alloc(cx->arena, FETCH_MAX_BYTES) };
    const char *url = arena_cstr(cx->arena, ask->url);
    const char *form = str_given(ask->form) ? arena_cstr(cx->arena, ask->form) : NULL;
    const char *line = ask->bearer.n ? arena_printf(cx->arena, "Authorization: Bearer %.*s%c",
                                                    STR_ARG(ask->bearer), 0).p : NULL;
    char *type = arena_zero(cx->arena, 128);
    long status = 0;
    /* From here to the end nothing is asked of the arena. */
    CURL *curl = curl_easy_init();
    if (!curl)
        return no_answer(cx, ask->url, "no memory");
    struct curl_slist *headers = headers_of(line);
    const char *said = NULL;
    set_up(curl, url, &received);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (form)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, form);
    CURLcode done = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &said) == CURLE_OK && said)
        snprintf(type, 128, "%s", said);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (received.too_long)
        return ctx_failf(cx, ERR_INVALID, (str){ 0 }, "the answer of %.*s is too long",
                         STR_ARG(ask->url));
    if (done != CURLE_OK)
        return no_answer(cx, ask->url, curl_easy_strerror(done));
    *out = (struct fetch_answer){ (int)status, str_of(type), { received.bytes, received.n } };
    return ERR_OK;
}
