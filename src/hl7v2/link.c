/* SPDX-License-Identifier: Apache-2.0 */
#include "hl7v2/link.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

struct hl7_tls {
    SSL_CTX *context;
};

/* ---- the sides ---- */

static err unusable(struct ctx *cx, const char *key, str file)
{
    return ctx_failf(cx, ERR_INVALID, str_of(key), "%.*s cannot be used: give a PEM file",
                     STR_ARG(file));
}

static err take_files(struct ctx *cx, SSL_CTX *context, const struct hl7_tls_files *files)
{
    if (files->certificate.n &&
        SSL_CTX_use_certificate_chain_file(context, arena_cstr(cx->arena, files->certificate)) != 1)
        return unusable(cx, "certificate", files->certificate);
    if (files->key.n &&
        SSL_CTX_use_PrivateKey_file(context, arena_cstr(cx->arena, files->key),
                                    SSL_FILETYPE_PEM) != 1)
        return unusable(cx, "key", files->key);
    if (files->certificate.n && SSL_CTX_check_private_key(context) != 1)
        return ctx_fail(cx, ERR_INVALID, S("key"), S("the key is not that of the certificate"));
    if (files->authority.n &&
        SSL_CTX_load_verify_locations(context, arena_cstr(cx->arena, files->authority), NULL) != 1)
        return unusable(cx, "authority", files->authority);
    return ERR_OK;
}

static err make_side(struct ctx *cx, const struct hl7_tls_files *files, bool inward,
                     struct hl7_tls **out)
{
    struct hl7_tls *tls = arena_zero(cx->arena, sizeof *tls);
    bool asks = !inward || files->authority.n;
    tls->context = SSL_CTX_new(inward ? TLS_server_method() : TLS_client_method());
    if (!tls->context)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("TLS cannot be prepared"));
    SSL_CTX_set_min_proto_version(tls->context, TLS1_2_VERSION);
    SSL_CTX_set_mode(tls->context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_verify(tls->context, asks ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                                          : SSL_VERIFY_NONE, NULL);
    err wrong = take_files(cx, tls->context, files);
    if (!wrong && !inward && !files->authority.n)
        SSL_CTX_set_default_verify_paths(tls->context);
    if (wrong)
        hl7_tls_free(tls);
    else
        *out = tls;
    return wrong;
}

err hl7_tls_inward(struct ctx *cx, const struct hl7_tls_files *files, struct hl7_tls **out)
{
    *out = NULL;
    if (!files->certificate.n || !files->key.n)
        return ctx_fail(cx, ERR_INVALID, S("certificate"),
                        S("to be called over TLS takes a certificate and its key"));
    return make_side(cx, files, true, out);
}

err hl7_tls_outward(struct ctx *cx, const struct hl7_tls_files *files, struct hl7_tls **out)
{
    *out = NULL;
    return make_side(cx, files, false, out);
}

void hl7_tls_free(struct hl7_tls *tls)
{
    if (tls && tls->context)
        SSL_CTX_free(tls->context);
    if (tls)
        tls->context = NULL;
}

/* ---- a connection ---- */

static void be_patient(int socket, int patience_ms)
{
    struct timeval patience = { patience_ms / 1000, patience_ms % 1000 * 1000 };
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static err shake_hands(struct ctx *cx, const struct hl7_tls *tls, str name, struct hl7_link *link)
{
    SSL *secure = SSL_new(tls->context);
    link->secure = secure;
    if (!secure || SSL_set_fd(secure, link->socket) != 1)
        return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("TLS cannot be prepared"));
    if (name.n) {
        const char *host = arena_cstr(cx->arena, name);
        SSL_set_tlsext_host_name(secure, host);
        if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(secure), host) != 1)
            SSL_set1_host(secure, host);
    }
    int done = name.n ? SSL_connect(secure) : SSL_accept(secure);
    if (done == 1)
        return ERR_OK;
    long verdict = SSL_get_verify_result(secure);
    return ctx_failf(cx, ERR_IO, (str){ 0 }, "TLS was not agreed on%s%s",
                     verdict != X509_V_OK ? ": " : "",
                     verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : "");
}

err hl7_link_accept(struct ctx *cx, int socket, const struct hl7_tls *tls, int patience_ms,
                    struct hl7_link *out)
{
    int on = 1;
    *out = (struct hl7_link){ .socket = socket };
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* the sender waits for answers */
    be_patient(socket, patience_ms);
    err wrong = tls ? shake_hands(cx, tls, (str){ 0 }, out) : ERR_OK;
    if (wrong)
        hl7_link_close(out);
    return wrong;
}

static bool connect_within(int socket, const struct addrinfo *to, int patience_ms)
{
    be_patient(socket, patience_ms); /* SO_SNDTIMEO holds for connect, too */
    return connect(socket, to->ai_addr, to->ai_addrlen) == 0;
}

err hl7_link_call(struct ctx *cx, str address, const struct hl7_tls *tls, int patience_ms,
                  struct hl7_link *out)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    size_t colon = address.n;
    int on = 1;
    *out = (struct hl7_link){ .socket = -1 };
    while (colon > 0 && address.p[colon - 1] != ':')
        colon--;
    str host = str_slice(address, 0, colon ? colon - 1 : 0);
    if (host.n > 2 && host.p[0] == '[')
        host = str_slice(host, 1, host.n - 1);
    if (!colon || getaddrinfo(arena_cstr(cx->arena, host),
                              arena_cstr(cx->arena, str_slice(address, colon, address.n)), &hints,
                              &found))
        return ctx_failf(cx, ERR_IO, (str){ 0 }, "%.*s is not found", STR_ARG(address));
    out->socket = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = out->socket >= 0 && connect_within(out->socket, found, patience_ms);
    freeaddrinfo(found);
    if (connected)
        setsockopt(out->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    err wrong = !connected ? ctx_failf(cx, ERR_IO, (str){ 0 }, "%.*s cannot be reached",
                                       STR_ARG(address))
                : tls      ? shake_hands(cx, tls, host, out)
                           : ERR_OK;
    if (wrong)
        hl7_link_close(out);
    return wrong;
}

size_t hl7_link_read(struct hl7_link *link, char *bytes, size_t room)
{
    for (;;) {
        ssize_t got = link->secure ? SSL_read(link->secure, bytes, room > INT32_MAX ? INT32_MAX
                                                                                    : (int)room)
                                   : recv(link->socket, bytes, room, 0);
        if (got < 0 && !link->secure && errno == EINTR)
            continue;
        return got > 0 ? (size_t)got : 0;
    }
}

bool hl7_link_write(struct hl7_link *link, str text)
{
    while (text.n) {
        int most = text.n > INT32_MAX ? INT32_MAX : (int)text.n;
        ssize_t sent = link->secure ? SSL_write(link->secure, text.p, most)
                                    : send(link->socket, text.p, text.n, MSG_NOSIGNAL);
        if (sent < 0 && !link->secure && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        text = str_slice(text, (size_t)sent, text.n);
    }
    return true;
}

bool hl7_link_pending(const struct hl7_link *link)
{
    return link->secure && SSL_pending(link->secure) > 0;
}

void hl7_link_close(struct hl7_link *link)
{
    if (link->secure) {
        SSL_shutdown(link->secure);
        SSL_free(link->secure);
    }
    if (link->socket >= 0) {
        shutdown(link->socket, SHUT_WR);
        close(link->socket);
    }
    *link = (struct hl7_link){ .socket = -1 };
}
