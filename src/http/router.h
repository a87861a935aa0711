/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"

/*
 * router: finds the route of a path in a tree built once from the route tables.
 *
 * Shapes   literal segments win over captures, captures over a rest-of-path; when a branch leads
 *          nowhere the next is tried. Captures are slices of the path as sent (still encoded).
 * Errors   ERR_BUG: an empty or malformed pattern, an unknown method, the same route twice.
 * Memory   the tree lives in the arena given; matching allocates nothing. Thread-safe once built.
 */
struct router_node {
    str literal;                   /* of this segment; not given for a capture */
    bool dollar;                   /* ${name}: takes what follows a '$' */
    bool rest;                     /* {name*}: takes all that follows */
    struct router_node *children;  /* literals first, the rest last */
    struct router_node *next;
    const struct route *routes[HTTP_METHODS];
};
struct router {
    struct router_node root;
};
err router_build(struct ctx *cx, const struct route *const *tables, struct router *out) MUST_USE;

struct router_match {
    const struct router_node *node; /* NULL: nothing is at this path */
    const struct route *route;      /* NULL: the path is known, the method is not */
    str captures[HTTP_CAPTURES_MAX];
    size_t captures_count;
};
struct router_match router_find(const struct router *router, enum http_method method, str path);
/* "GET, HEAD, PUT" for the Allow header. */
str router_allow(struct arena *arena, const struct router_node *node);
