/* SPDX-License-Identifier: Apache-2.0 */
#include "http/router.h"
#include "http/text.h"

static bool is_capture(str segment)
{
    return segment.n > 2 && segment.p[0] == '{' && segment.p[segment.n - 1] == '}';
}

/* "${name}": what follows a dollar sign, as FHIR's operations have it. */
static bool is_dollar(str segment)
{
    return segment.n > 3 && segment.p[0] == '$' && is_capture(str_slice(segment, 1, segment.n));
}

static bool is_rest(str segment)
{
    return is_capture(segment) && segment.p[segment.n - 2] == '*';
}

/* Literal, dollar, capture, rest: the order in which branches are tried. */
static int rank_of(const struct router_node *node)
{
    return str_given(node->literal) ? 0 : node->dollar ? 1 : node->rest ? 3 : 2;
}

static struct router_node *child_for(struct ctx *cx, struct router_node *parent, str segment)
{
    struct router_node wanted = { .rest = is_rest(segment), .dollar = is_dollar(segment) };
    if (!is_capture(segment) && !wanted.dollar)
        wanted.literal = segment;
    struct router_node **at = &parent->children;
    for (; *at && rank_of(*at) <= rank_of(&wanted); at = &(*at)->next)
        if (rank_of(*at) == rank_of(&wanted) && str_eq((*at)->literal, wanted.literal))
            return *at;
    struct router_node *node = arena_zero(cx->arena, sizeof *node);
    *node = wanted;
    node->next = *at;
    *at = node;
    return node;
}

static err add_route(struct ctx *cx, struct router *router, const struct route *route)
{
    str path = str_of(route->pattern), segment;
    enum http_method method;
    if (!http_method_find(str_of(route->method), &method) || path.n == 0 || path.p[0] != '/')
        return ctx_failf(cx, ERR_BUG, (str){ 0 }, "malformed route %s %s", route->method,
                         route->pattern);
    path = str_slice(path, 1, path.n);
    struct router_node *node = &router->root;
    while (str_next(&path, '/', &segment))
        node = child_for(cx, node, segment);
    if (node->routes[method])
        return ctx_failf(cx, ERR_BUG, (str){ 0 }, "two routes for %s %s", route->method,
                         route->pattern);
    node->routes[method] = route;
    return ERR_OK;
}

err router_build(struct ctx *cx, const struct route *const *tables, struct router *out)
{
    *out = (struct router){ 0 };
    for (; *tables; tables++)
        for (const struct route *route = *tables; route->method; route++)
            TRY(add_route(cx, out, route));
    return ERR_OK;
}

static const struct route *route_for(const struct router_node *node, enum http_method method)
{
    const struct route *route = node->routes[method];
    return route || method != HTTP_HEAD ? route : node->routes[HTTP_GET];
}

static bool has_any(const struct router_node *node)
{
    for (size_t i = 0; i < HTTP_METHODS; i++)
        if (node->routes[i])
            return true;
    return false;
}

static bool fits(const struct router_node *node, str segment)
{
    if (str_given(node->literal))
        return str_eq(node->literal, segment);
    return node->rest || (segment.n > node->dollar && (!node->dollar || segment.p[0] == '$'));
}

/* True when a route with the method was found; remembers in *match a node without it. */
static bool find_below(const struct router_node *parent, enum http_method method, str path,
                       struct router_match *match)
{
    size_t slash = str_find_char(path, '/');
    str segment = str_slice(path, 0, slash);
    size_t captures = match->captures_count;
    for (const struct router_node *node = parent->children; node; node = node->next) {
        bool literal = str_given(node->literal), last = slash == STR_NONE || node->rest;
        if (!fits(node, segment))
            continue;
        match->captures_count = captures;
        if (!literal && captures < HTTP_CAPTURES_MAX)
            match->captures[match->captures_count++] =
                node->rest ? path : str_slice(segment, node->dollar, segment.n);
        if (!last) {
            if (find_below(node, method, str_slice(path, slash + 1, path.n), match))
                return true;
            continue;
        }
        if (!has_any(node))
            continue;
        match->node = node;
        match->route = route_for(node, method);
        if (match->route)
            return true;
    }
    return false;
}

struct router_match router_find(const struct router *router, enum http_method method, str path)
{
    struct router_match match = { 0 };
    if (path.n && path.p[0] == '/')
        find_below(&router->root, method, str_slice(path, 1, path.n), &match);
    return match;
}

str router_allow(struct arena *arena, const struct router_node *node)
{
    struct buf buf = buf_make(arena, 128);
    for (int m = 0; m < HTTP_METHODS; m++) {
        bool has = m == HTTP_OPTIONS || node->routes[m] ||
                   (m == HTTP_HEAD && node->routes[HTTP_GET]);
        if (has && buf.n)
            buf_add(&buf, S(", "));
        if (has)
            buf_add(&buf, http_method_name((enum http_method)m));
    }
    return buf_str(&buf);
}
