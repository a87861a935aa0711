/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"
#include <sys/socket.h>

/*
 * reach: which machines this program may call. A URL given by a client must not become a way into
 * the hospital's own network (server-side request forgery).
 *
 * Source   RFC 6890 and the IANA special-purpose address registries, for what is not the public
 *          internet; OWASP SSRF prevention: decide on the address connected to, not on the name.
 * Shapes   "10.1.2.0/24 ::1 192.0.2.7" in the configuration allows such addresses nevertheless.
 * Errors   reach_read: ERR_INVALID names the word that is no address or range.
 * Memory   pure once read. Limits: REACH_MAX ranges.
 */
enum { REACH_MAX = 64 };
struct reach_range {
    unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
    int bits;
};
struct reach {
    struct reach_range allowed[REACH_MAX];
    size_t count;
};
err reach_read(struct ctx *cx, str text, struct reach *out) MUST_USE;
/* Listed by the operator. */
bool reach_lists(const struct reach *reach, const struct sockaddr *address);
bool reach_is_loopback(const struct sockaddr *address);
/* Of the public internet: not loopback, private, link-local, shared, multicast or reserved, nor
 * such an IPv4 address wrapped in IPv6. */
bool reach_is_public(const struct sockaddr *address);
