/* SPDX-License-Identifier: Apache-2.0 */
#include "main/serve.h"
#include "auth/deed.h"
#include "auth/dissent.h"
#include "auth/glass.h"
#include "http/text.h"
#include "module/module.h"
#include "base/log.h"
#include "rest/operation_validate.h"
#include "rest/bulk.h"
#include "rest/audit_event.h"
#include "rest/rest.h"
#include "rest/subscription.h"
#include "rest/terminology.h"
#include "rest/viewdef.h"
#include "ui/account.h"
#include "systems/feeds/hold.h"
#include "ui/background.h"
#include "ui/browse.h"
#include "ui/door.h"
#include "ui/home.h"
#include "ui/landing.h"
#include "ui/lock.h"
#include "ui/my.h"
#include "ui/people.h"
#include "ui/privacy.h"
#include "ui/sign_in.h"
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

err serve_read_address(struct ctx *cx, str listen, struct serve *out)
{
    size_t colon = listen.n;
    while (colon > 0 && listen.p[colon - 1] != ':')
        colon--;
    str address = colon ? str_slice(listen, 0, colon - 1) : S("127.0.0.1");
    uint64_t port;
    if (address.n >= 2 && address.p[0] == '[' && address.p[address.n - 1] == ']')
        address = str_slice(address, 1, address.n - 1);
    if (!str_to_u64(str_slice(listen, colon, listen.n), &port) || port > 65535 || address.n == 0)
        return ctx_fail(cx, ERR_INVALID, S("--listen"),
                        S("give ADDRESS:PORT, as 127.0.0.1:8080 or [::1]:8080"));
    out->address = address;
    out->port = (int)port;
    return ERR_OK;
}

/* With port 0: a free one, found now, for the address must be known before the server starts. */
err serve_pick_port(struct ctx *cx, struct serve *serve)
{
    struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_PASSIVE,
                              .ai_socktype = SOCK_STREAM }, *found = NULL;
    struct sockaddr_storage bound;
    socklen_t bytes = sizeof bound;
    char port[NI_MAXSERV] = "0";
    if (serve->port || getaddrinfo(arena_cstr(cx->arena, serve->address), "0", &hints, &found))
        return ERR_OK; /* what is wrong with the address is said by the server itself */
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && !bind(fd, found->ai_addr, found->ai_addrlen) &&
        !getsockname(fd, (struct sockaddr *)&bound, &bytes))
        getnameinfo((struct sockaddr *)&bound, bytes, NULL, 0, port, sizeof port, NI_NUMERICSERV);
    if (fd >= 0)
        close(fd);
    freeaddrinfo(found);
    uint64_t number = 0;
    str_to_u64(str_of(port), &number);
    serve->port = (int)number;
    return ERR_OK;
}

bool serve_is_loopback(str address)
{
    return str_eq(address, S("localhost")) || str_eq(address, S("::1")) ||
           (str_starts(address, S("127.")) && address.n > 4);
}

err serve_check_exposure(struct ctx *cx, const struct serve *serve)
{
    if (serve_is_loopback(serve->address))
        return ERR_OK;
    if (serve->open)
        return ctx_fail(cx, ERR_INVALID, S("--open"),
                        S("without sign-in only this machine may be served: listen on 127.0.0.1"));
    if (config_text(&serve->config, "auth.demo_code").n)
        return ctx_fail(cx, ERR_INVALID, S("auth.demo_code"),
                        S("the demonstration's code works on this machine alone: listen on "
                          "127.0.0.1, or leave it out"));
    if (!config_switch(&serve->config, "http.plain_outside"))
        return ctx_fail(cx, ERR_INVALID, S("--listen"),
                        S("plain HTTP stays on this machine: put a proxy with TLS in front of "
                          "127.0.0.1, or set http.plain_outside=yes"));
    return ERR_OK;
}

void serve_take_limits(struct serve *serve)
{
    const struct config *config = &serve->config;
    struct http_limits *limits = &serve->http.limits;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int loops = (int)config_number(config, "http.loops");
    *limits = (struct http_limits){
        .url_bytes = (size_t)config_number(config, "http.url_bytes"),
        .header_bytes = (size_t)config_number(config, "http.header_bytes"),
        .body_bytes = (size_t)config_number(config, "http.body_bytes"),
        .bodies_bytes = (size_t)config_number(config, "http.bodies_bytes"),
        .memory_bytes = (size_t)config_number(config, "http.memory_bytes"),
        .connections_max = (int)config_number(config, "http.connections_max"),
        .idle_s = (int)config_number(config, "http.idle_s"),
        .work_ms = (int)config_number(config, "http.work_ms"),
        .queue_max = (int)config_number(config, "http.queue_max"),
        .loops = loops ? loops : cores > 0 && cores < 64 ? (int)cores : 2,
        .workers = (int)config_number(config, "http.workers"),
    };
    serve->http.base_url = config_text(config, "http.base_url");
    serve->http.trust_proxy = config_switch(config, "http.trust_proxy");
    serve->http.log_requests = config_switch(config, "log.requests");
}

str serve_base(struct arena *arena, const struct serve *serve)
{
    str configured = serve->http.base_url;
    bool six = str_find_char(serve->address, ':') != STR_NONE;
    if (configured.n)
        return arena_printf(arena, "%.*s/fhir", STR_ARG(configured));
    return arena_printf(arena, "http://%s%.*s%s:%d/fhir", six ? "[" : "", STR_ARG(serve->address),
                        six ? "]" : "", serve->port);
}

/* A package that cannot be loaded must not keep a hospital from its record: R4 alone then, and the
 * reasons in the log. */
err serve_open_profiles(struct ctx *cx, struct serve *serve, str folder)
{
    TRY(profile_live_open(cx, folder, &serve->profiles));
    for (size_t i = 0; i < cx->issues.kept; i++)
        log_line(LOG_ERROR, (str){ 0 }, "packages: %.*s: %.*s", STR_ARG(cx->issues.list[i].path),
                 STR_ARG(cx->issues.list[i].text));
    cx->issues = (struct issues){ .arena = cx->arena };
    operation_validate_use(serve->profiles);
    TRY(terminology_make(cx, serve->store, serve->profiles, folder, &serve->terminology));
    terminology_use(serve->terminology);
    return ERR_OK;
}

err serve_open_gate(struct ctx *cx, struct serve *serve, str folder)
{
    TRY(people_open(cx, folder, &serve->people));
    TRY(jwt_open(cx, folder, &serve->oauth.keys));
    serve->oauth.people = serve->people;
    serve->oauth.reach = &serve->reach;
    serve->oauth.registration = config_switch(&serve->config, "auth.registration");
    serve_set_entrance(cx, serve);
    if (!serve->open)
        TRY(audit_log_start(cx, &(struct audit_log_options){
            .store = serve->store,
            .folder = folder,
            .publish_file = config_text(&serve->config, "audit.publish_file"),
            .syslog_socket = config_text(&serve->config, "audit.syslog_socket"),
            .publish_syslog = config_switch(&serve->config, "audit.publish_syslog"),
            .wait_for_disk = config_switch(&serve->config, "audit.wait_for_disk"),
            .publish_minutes = config_number(&serve->config, "audit.publish_minutes"),
        }, &serve->audit));
    if (!serve->open)
        TRY(deeds_start(cx, serve->people, serve->audit, &serve->deeds));
    if (!serve->open)
        TRY(glass_open(cx, serve->store));
    serve->gate = gate_make(cx, &(struct gate_options){
        .people = serve->people,
        .store = serve->store,
        .oauth = &serve->oauth,
        .audit = serve->audit,
        .entrance = &serve->entrance,
        .demo_code = config_text(&serve->config, "auth.demo_code"),
        .open_to_all = serve->open,
        .refusals_per_minute = config_number(&serve->config, "auth.refusals_per_minute"),
        .nothing_after_us = config_number(&serve->config, "auth.nothing_after_us"),
    });
    commit_add_part(serve->store, &dissent_part);
    if (!serve->open)
        commit_add_part(serve->store, gate_part(serve->gate));
    serve->http.gate = gate_check;
    serve->http.gate_self = serve->gate;
    serve->http.done = serve->open ? NULL : gate_done;
    serve->http.settle = gate_settle;
    return ERR_OK;
}

void serve_close_gate(struct serve *serve)
{
    if (serve->gate)
        gate_close(serve->gate);
    provider_close(serve->entrance.staff);
    provider_close(serve->entrance.patients);
    jwt_close(serve->oauth.keys);
    people_close(serve->people);
}

err serve_open_feed(struct ctx *cx, struct serve *serve)
{
    const struct config *config = &serve->config;
    str listen = config_text(config, "hl7v2.listen");
    struct serve at = { 0 };
    TRY(hl7_senders_read(cx, config_text(config, "hl7v2.senders"), &serve->senders));
    serve->receiver = (struct hl7_receiver){ serve->store, &serve->senders };
    feeds_use(&serve->receiver);
    if (!listen.n)
        return ERR_OK;
    TRY(feeds_recall(cx, serve->store));
    TRY(serve_read_address(cx, listen, &at));
    struct hl7_tls_files files = { .certificate = config_text(config, "hl7v2.certificate"),
                                   .key = config_text(config, "hl7v2.key"),
                                   .authority = config_text(config, "hl7v2.authority") };
    if (files.certificate.n)
        TRY(hl7_tls_inward(cx, &files, &serve->feed_tls));
    if (!files.certificate.n && !serve_is_loopback(at.address) &&
        !config_switch(config, "hl7v2.plain_outside"))
        return ctx_fail(cx, ERR_INVALID, S("hl7v2.listen"),
                        S("this is not encrypted: give hl7v2.certificate and hl7v2.key, listen on "
                          "127.0.0.1 behind a tunnel, or set hl7v2.plain_outside=yes"));
    struct hl7_listen_options options = {
        .listen = listen,
        .receiver = serve->receiver,
        .tls = serve->feed_tls,
        .silent_ms = config_number(config, "hl7v2.silent_minutes") * 60000,
        .connections_max = (int)config_number(config, "hl7v2.connections_max"),
        .message_bytes = (size_t)config_number(config, "hl7v2.message_bytes"),
        .idle_s = (int)config_number(config, "hl7v2.idle_s"),
    };
    return hl7_listen_start(cx, &options, &serve->feed);
}

const struct route *const *serve_tables(struct arena *arena)
{
    size_t count = 0, at = 0;
    while (modules[count])
        count++;
    const struct route **tables = arena_array(arena, count + 24, sizeof *tables);
    tables[at++] = front_routes;
    tables[at++] = rest_routes;
    tables[at++] = audit_event_routes;
    tables[at++] = privacy_routes;
    tables[at++] = people_routes;
    tables[at++] = viewdef_routes;
    tables[at++] = bulk_routes;
    tables[at++] = rest_subscription_routes;
    tables[at++] = oauth_routes;
    tables[at++] = sign_in_routes;
    tables[at++] = consent_routes;
    tables[at++] = launch_routes;
    tables[at++] = account_routes;
    tables[at++] = door_routes;
    tables[at++] = my_routes;
    tables[at++] = lock_routes;
    tables[at++] = ui_routes;
    tables[at++] = ui_browse_routes;
    tables[at++] = ui_background_routes;
    for (size_t i = 0; i < count; i++)
        if (modules[i]->routes)
            tables[at++] = modules[i]->routes;
    return tables;
}

/* What a module's first page asks for; NULL: nothing but to be staff. */
static const char *page_permission(const struct module *module)
{
    for (const struct route *route = module->routes; route && route->pattern; route++)
        if (strcmp(route->pattern, module->page) == 0 && strcmp(route->method, "GET") == 0)
            return strchr(route->permission, '.') ? route->permission : NULL;
    return NULL;
}

void serve_set_nav(struct arena *arena)
{
    size_t count = 0;
    for (size_t i = 0; modules[i]; i++)
        count += modules[i]->page ? 1 : 0;
    static const struct ui_link duties[] = {
        { "/privacy", "Privacy", NULL, "privacy.read", true },
        { "/privacy/access", "Who has looked", NULL, "privacy.read", true },
        { "/people", "People", NULL, "admin.people", true },
        { "/admin/background", "Background", NULL, "admin.background", true },
    };
    struct ui_link *links = arena_array(arena, count + 1 + COUNT(duties), sizeof *links);
    count = 0;
    for (size_t i = 0; modules[i]; i++)
        if (modules[i]->page)
            links[count++] = (struct ui_link){ modules[i]->page, modules[i]->title,
                                                modules[i]->key, page_permission(modules[i]),
                                                false };
    links[count++] = (struct ui_link){ "/browse/Patient", "Record", NULL, "type:Patient", false };
    for (size_t i = 0; i < COUNT(duties); i++)
        links[count++] = duties[i];
    ui_nav_set(links, count);
}

void serve_set_home(struct arena *arena)
{
    size_t count = 0;
    while (modules[count])
        count++;
    ui_home_fill **fills = arena_array(arena, count + 1, sizeof *fills);
    count = 0;
    for (size_t i = 0; modules[i]; i++)
        if (modules[i]->home)
            fills[count++] = modules[i]->home;
    ui_home_set(fills, count);
}

const struct feed_view *const *serve_feeds(struct arena *arena)
{
    size_t count = 0, at = 0;
    while (modules[count])
        count++;
    const struct feed_view **views = arena_array(arena, count + 2, sizeof *views);
    views[at++] = &ui_landing_feed;
    for (size_t i = 0; i < count; i++)
        if (modules[i]->feed)
            views[at++] = modules[i]->feed;
    return views;
}

/* The API answers in FHIR; a person at a browser gets a page, or is led to sign in. */
void serve_fault(struct http_request *request, struct http_response *response, err kind)
{
    bool api = str_starts(request->path, S("/fhir")) || !request->path.n;
    str accept = http_header(request, "Accept");
    if (api || str_find(accept, S("text/html")) == STR_NONE) {
        rest_fault(request, response, kind);
    } else if (kind == ERR_LOGIN && request->method == HTTP_GET) {
        response->status = 303;
        struct buf url = buf_make(request->cx->arena, 64 << 10);
        buf_add(&url, S("/sign-in?next="));
        http_encode(&url, request->path);
        http_put_header(response, S("Location"), buf_str(&url));
    } else {
        ui_fault(request, response, kind);
    }
}

const struct claim_rule *const *serve_claims(struct arena *arena)
{
    size_t count = 0, at = 0;
    while (hl7_claims[count])
        count++;
    for (size_t i = 0; modules[i]; i++)
        for (size_t k = 0; modules[i]->claims && modules[i]->claims[k]; k++)
            count++;
    const struct claim_rule **rules = arena_array(arena, count + 1, sizeof *rules);
    for (; hl7_claims[at]; at++)
        rules[at] = hl7_claims[at];
    for (size_t i = 0; modules[i]; i++)
        for (size_t k = 0; modules[i]->claims && modules[i]->claims[k]; k++)
            rules[at++] = modules[i]->claims[k];
    return rules;
}
