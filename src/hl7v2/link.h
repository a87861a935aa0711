/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * hl7_link: the bytes of one connection, plain or over TLS, in or out.
 *
 * Source   HL7 Minimal Lower Layer Protocol; IHE ATNA: mutual TLS between nodes. TLS 1.2 and 1.3.
 * Shapes   a TLS side is made once from files and serves every connection. With `authority` the
 *          other side must show a certificate it signed: who calls in, or whom we call. Calling
 *          out without one, the system's authorities are asked. The name is checked, too.
 * Errors   ERR_INVALID a file cannot be used, naming it; ERR_IO the other side cannot be reached,
 *          is silent, or is not who it should be.
 * Memory   the side lives until hl7_tls_free; a link until hl7_link_close.
 */
struct hl7_tls;
struct hl7_tls_files {
    str certificate, key, authority; /* PEM files; not given: none */
};
err hl7_tls_inward(struct ctx *cx, const struct hl7_tls_files *files, struct hl7_tls **out)
    MUST_USE;
err hl7_tls_outward(struct ctx *cx, const struct hl7_tls_files *files, struct hl7_tls **out)
    MUST_USE;
void hl7_tls_free(struct hl7_tls *tls); /* NULL does nothing */

struct hl7_link {
    int socket;   /* -1: none */
    void *secure; /* NULL: plain */
};
/* Somebody called: takes the socket, which is closed with the link, also on failure. tls NULL:
 * plain. */
err hl7_link_accept(struct ctx *cx, int socket, const struct hl7_tls *tls, int patience_ms,
                    struct hl7_link *out) MUST_USE;
/* "HOST:PORT", "[v6]:PORT". */
err hl7_link_call(struct ctx *cx, str address, const struct hl7_tls *tls, int patience_ms,
                  struct hl7_link *out) MUST_USE;
size_t hl7_link_read(struct hl7_link *link, char *bytes, size_t room); /* 0: silence, or the end */
bool hl7_link_write(struct hl7_link *link, str text);
bool hl7_link_pending(const struct hl7_link *link); /* read already, so that poll does not tell */
void hl7_link_close(struct hl7_link *link);         /* a second time does nothing */
