/* SPDX-License-Identifier: Apache-2.0 */
#include "http/internal.h"
#include "http/metrics.h"
#include "http/text.h"
#include <arpa/inet.h>
#include <netinet/in.h>

struct head_sum {
    size_t bytes;
    int hosts, lengths, encodings;
    bool unknown_encoding;
};

static enum MHD_Result sum_header(void *self, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    struct head_sum *sum = self;
    str key = str_of(name);
    sum->bytes += key.n + str_of(value).n + 4;
    if (str_eq_nocase(key, S("Host")))
        sum->hosts++;
    else if (str_eq_nocase(key, S("Content-Length")))
        sum->lengths++;
    else if (str_eq_nocase(key, S("Transfer-Encoding"))) {
        sum->encodings++;
        sum->unknown_encoding = !str_eq_nocase(str_of(value), S("chunked"));
    }
    return MHD_YES;
}

static err refuse(struct http_connection *connection, int status, const char *code, str text)
{
    connection->response.status = status;
    issues_note(&connection->cx.issues,
                (struct issue){ .kind = ERR_INVALID, .code = code, .text = text });
    return ERR_INVALID;
}

/* A request whose length two readers could understand differently is refused (smuggling). */
static err check_lines(struct http_connection *c)
{
    const struct http_limits *limits = &c->loop->server->options->limits;
    struct head_sum sum = { 0 };
    MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, sum_header, &sum);
    if (c->target.n > limits->url_bytes)
        return refuse(c, 414, "too-long",
                      S("the URL is too long; send a search by POST to _search"));
    if (sum.bytes > limits->header_bytes)
        return refuse(c, 431, "too-long", S("the header lines are too long; send fewer"));
    if (sum.hosts > 1 || sum.lengths > 1 || sum.encodings > 1 || sum.unknown_encoding ||
        (sum.lengths && sum.encodings))
        return refuse(c, 400, "invalid", S("Host, Content-Length and Transfer-Encoding may stand "
                                           "once, and the last two not together"));
    return ERR_OK;
}

static err check_length(struct http_connection *c)
{
    const struct http_limits *limits = &c->loop->server->options->limits;
    str text = http_header(&c->request, "Content-Length");
    uint64_t length = 0;
    if (!str_given(text))
        return ERR_OK;
    if (!str_to_u64(str_trim(text), &length))
        return refuse(c, 400, "invalid", S("Content-Length is not a number"));
    if (length > limits->body_bytes) {
        c->response.status = 413;
        return ctx_failf(&c->cx, ERR_LIMIT, (str){ 0 },
                         "the body is longer than the %zu bytes this server takes; send it in "
                         "parts, or use frontline import", limits->body_bytes);
    }
    c->body_expected = (size_t)length;
    return ERR_OK;
}

static bool host_is_sound(str host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = host.p[i];
        bool sound = (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '.' ||
                     c == ':' || c == '-' || c == '_' || c == '[' || c == ']';
        if (!sound)
            return false;
    }
    return host.n > 0 && host.n < 256;
}

static err find_base(struct http_connection *c)
{
    const struct http_options *options = c->loop->server->options;
    if (options->base_url.n) {
        c->request.base_url = options->base_url;
        return ERR_OK;
    }
    str host = http_header(&c->request, "Host"), scheme = S("http");
    if (options->trust_proxy) {
        str forwarded = http_header(&c->request, "X-Forwarded-Host");
        host = forwarded.n ? forwarded : host;
        if (str_eq(http_header(&c->request, "X-Forwarded-Proto"), S("https")))
            scheme = S("https");
    }
    if (!str_given(host)) /* HTTP/1.0 */
        host = S("localhost");
    if (!host_is_sound(host))
        return refuse(c, 400, "invalid", S("the Host header is malformed"));
    struct buf buf = buf_make(c->cx.arena, 512);
    buf_add(&buf, scheme);
    buf_add(&buf, S("://"));
    buf_add(&buf, host);
    c->request.base_url = buf_str(&buf);
    return ERR_OK;
}

static err decode_path(struct http_connection *c, str path, struct router_match *match)
{
    for (size_t i = 0; i < match->captures_count; i++) {
        str *capture = &c->request.captures[i];
        if (!http_decode(c->cx.arena, match->captures[i], false, capture))
            return refuse(c, 400, "invalid", S("the path holds a malformed %-escape"));
    }
    if (!http_decode(c->cx.arena, path, false, &c->request.path))
        return refuse(c, 400, "invalid", S("the path holds a malformed %-escape"));
    return ERR_OK;
}

static err answer_options(struct http_request *request, struct http_response *response)
{
    (void)request;
    response->status = 204;
    return ERR_OK;
}

static err find_route(struct http_connection *c, bool known_method)
{
    str path = str_slice(c->target, 0, str_find_char(c->target, '?'));
    struct router_match match = router_find(&c->loop->server->router, c->request.method, path);
    TRY(decode_path(c, path, &match));
    if (!match.node)
        return refuse(c, 404, "not-found",
                      arena_printf(c->cx.arena, "nothing is at %.*s; the API is under /fhir",
                                   STR_ARG(str_slice(path, 0, 200))));
    c->request.route = match.route;
    if (match.route && known_method)
        return ERR_OK;
    str allow = router_allow(c->cx.arena, match.node);
    http_put_header(&c->response, S("Allow"), allow);
    if (known_method && c->request.method == HTTP_OPTIONS) {
        c->then = answer_options;
        return ERR_OK;
    }
    return refuse(c, 405, "not-supported",
                  arena_printf(c->cx.arena, "this method is not for %.*s; it takes %.*s",
                               STR_ARG(str_slice(path, 0, 200)), STR_ARG(allow)));
}

err head_check(struct http_connection *c, str method)
{
    bool known_method = http_method_find(method, &c->request.method);
    size_t mark = str_find_char(c->target, '?');
    c->request.query = mark == STR_NONE ? S("") : str_slice(c->target, mark + 1, c->target.n);
    TRY(check_lines(c));
    TRY(find_base(c));
    TRY(find_route(c, known_method));
    TRY(check_length(c));
    const struct http_options *options = c->loop->server->options;
    if (c->request.route && options->gate)
        TRY(options->gate(&c->request, &c->response));
    if (c->body_expected &&
        (uint64_t)http_gauge(HTTP_GAUGE_BODY_BYTES) + c->body_expected >
            options->limits.bodies_bytes)
        return ctx_fail(&c->cx, ERR_BUSY, (str){ 0 },
                        S("too many large bodies are being received; try again in a while"));
    return ERR_OK;
}

str http_address(const struct http_request *request)
{
    const struct http_connection *c = request->connection;
    char text[INET6_ADDRSTRLEN] = "";
    str forwarded = http_header(request, "X-Forwarded-For"), last = { 0 }, part;
    if (c->loop->server->options->trust_proxy) {
        while (str_next(&forwarded, ',', &part))
            last = str_trim(part); /* the proxy adds the one it saw at the end */
        if (last.n)
            return last;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *from = info ? info->client_addr : NULL;
    if (from && from->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)from)->sin_addr, text, sizeof text);
    if (from && from->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)from)->sin6_addr, text, sizeof text);
    return arena_copy(request->cx->arena, str_of(text));
}
