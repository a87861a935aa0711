/* SPDX-License-Identifier: Apache-2.0 */
#include "http/client.h"
#include <curl/curl.h>
#include <unistd.h>

enum { CONNECT_MS = 5000 };

/* What the callbacks see; they allocate nothing, for an arena's jump must not pass over libcurl. */
struct call {
    const struct http_call *ask;
    char *answer;
    size_t filled;
    bool plain, refused, too_long;
};

void http_client_ready(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool is_clean(str url)
{
    for (size_t i = 0; i < url.n; i++)
        if ((unsigned char)url.p[i] <= ' ' || url.p[i] == '@' || url.p[i] == '\\')
            return false;
    return true;
}

bool http_call_configured_url(str url)
{
    static const char *const hosts[] = { "http://127.0.0.1", "http://localhost", "http://[::1]" };
    if (str_starts(url, S("https://")))
        return url.n > 8 && is_clean(url);
    for (size_t i = 0; i < COUNT(hosts); i++) {
        size_t n = strlen(hosts[i]);
        if (str_starts(url, str_of(hosts[i])) &&
            (url.n == n || url.p[n] == ':' || url.p[n] == '/'))
            return is_clean(url);
    }
    return false;
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *self)
{
    struct call *call = self;
    size_t n = size * count;
    if (call->filled + n > call->ask->answer_bytes) {
        call->too_long = true;
        return 0;
    }
    memcpy(call->answer + call->filled, bytes, n);
    call->filled += n;
    return n;
}

/* The one place that says which machines are called. */
static bool may_reach(const struct call *call, const struct sockaddr *address)
{
    const struct http_call *ask = call->ask;
    if (ask->trust == HTTP_CALL_CONFIGURED)
        return !call->plain || reach_is_loopback(address);
    if (ask->reach && reach_lists(ask->reach, address))
        return true;
    return !call->plain && reach_is_public(address);
}

static curl_socket_t open_socket(void *self, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct call *call = self;
    (void)purpose;
    if (!may_reach(call, &address->addr)) {
        call->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int go_on(void *self, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    const struct call *call = self;
    (void)a, (void)b, (void)c, (void)d;
    return call->ask->stop && atomic_load(call->ask->stop);
}

static void free_list(void *list)
{
    curl_slist_free_all(list);
}

static err add_headers(struct ctx *cx, CURL *curl, const struct http_call *ask)
{
    struct curl_slist *list = NULL, *longer;
    str type = ask->body.p ? ask->content_type : S("");
    for (size_t i = 0; i <= ask->headers_count + 1; i++) {
        const char *line = i == 0 ? "Expect:" : NULL;
        if (i == 1) /* "Content-Type:" alone sends none */
            line = arena_printf(cx->arena, "Content-Type:%s%.*s%c", type.n ? " " : "",
                                STR_ARG(type), 0).p;
        if (i > 1)
            line = arena_printf(cx->arena, "%.*s: %.*s%c", STR_ARG(ask->headers[i - 2].name),
                                STR_ARG(ask->headers[i - 2].value), 0).p;
        longer = curl_slist_append(list, line);
        if (!longer) {
            curl_slist_free_all(list);
            return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("out of memory"));
        }
        list = longer;
    }
    ctx_defer(cx, free_list, list);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    return ERR_OK;
}

static void set_limits(CURL *curl, struct call *call)
{
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)call->ask->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, call);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, call);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, go_on);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, call);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "Frontline/" FRONTLINE_VERSION);
}

static err explain(struct ctx *cx, const struct call *call, CURLcode code)
{
    str url = str_slice(call->ask->url, 0, 200);
    if (call->refused && call->plain)
        return ctx_failf(cx, ERR_FORBIDDEN, (str){ 0 }, "%.*s is not called: plain http goes only "
                         "to addresses the operator allows; use https", STR_ARG(url));
    if (call->refused)
        return ctx_failf(cx, ERR_FORBIDDEN, (str){ 0 }, "%.*s is not called: its address is of a "
                         "private network; the operator can allow it", STR_ARG(url));
    if (call->too_long)
        return ctx_failf(cx, ERR_LIMIT, (str){ 0 }, "%.*s answered with more than %zu bytes",
                         STR_ARG(url), call->ask->answer_bytes);
    bool late = code == CURLE_OPERATION_TIMEDOUT || code == CURLE_ABORTED_BY_CALLBACK;
    return ctx_failf(cx, late ? ERR_BUSY : ERR_IO, (str){ 0 }, "%.*s could not be reached: %s",
                     STR_ARG(url), curl_easy_strerror(code));
}

static void end_curl(void *curl)
{
    curl_easy_cleanup(curl);
}

static void set_body(CURL *curl, const struct http_call *ask)
{
    if (strcmp(ask->method, "GET") == 0) {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        return;
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask->method);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, ask->body.p ? ask->body.p : "");
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.n);
}

static str type_of(struct ctx *cx, CURL *curl)
{
    const char *said = NULL;
    bool given = curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &said) == CURLE_OK && said;
    return given ? arena_copy(cx->arena, str_of(said)) : S("");
}

err http_call(struct ctx *cx, const struct http_call *ask, struct http_answer *out)
{
    struct call call = { .ask = ask, .plain = str_starts(ask->url, S("http://")) };
    long status = 0;
    if ((!call.plain && !str_starts(ask->url, S("https://"))) || !is_clean(ask->url))
        return ctx_fail(cx, ERR_INVALID, (str){ 0 },
                        S("the address must start with https://, without a name and password"));
    call.answer = arena_alloc(cx->arena, ask->answer_bytes + 1);
    CURL *curl = curl_easy_init();
    if (!curl)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("out of memory"));
    ctx_defer(cx, end_curl, curl);
    TRY(add_headers(cx, curl, ask));
    set_limits(curl, &call);
    curl_easy_setopt(curl, CURLOPT_URL, arena_cstr(cx->arena, ask->url));
    set_body(curl, ask);
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        return explain(cx, &call, code);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    *out = (struct http_answer){ (int)status, { call.answer, call.filled },
                                 type_of(cx, curl) };
    ctx_undefer(cx, free_list);
    ctx_undefer(cx, end_curl);
    return ERR_OK;
}
