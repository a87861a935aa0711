/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/server.h"
#include "auth/entrance.h"
#include "auth/gate.h"
#include "auth/oauth.h"
#include "hl7v2/listen.h"
#include "jobs/bulk.h"
#include "jobs/consumer.h"
#include "jobs/due.h"
#include "jobs/subscription.h"
#include "http/reach.h"
#include "main/config.h"
#include "store/store.h"

/*
 * serve: what the serve command puts together: the store, the modules' tables and the HTTP server.
 *
 * Memory   everything in the arena of the command, until the program ends.
 */
struct serve {
    str address;
    int port;
    bool open;               /* no sign-in: loopback only */
    struct config config;
    struct store *store;
    struct people *people;
    struct oauth oauth;
    struct entrance entrance;
    struct deeds *deeds;
    struct audit_log *audit;
    struct terminology *terminology;
    struct profile_live *profiles; /* what $validate knows */
    struct gate *gate;
    struct http_options http;
    struct http_server *server;
    struct feed *boards;
    struct hl7_senders senders;
    struct hl7_receiver receiver;
    struct hl7_listener *feed; /* HL7 v2; NULL: not configured */
    struct hl7_tls *feed_tls;  /* NULL: plain */
    struct consumers *consumers; /* of all modules; NULL: not started */
    struct due *due;
    struct bulk *bulk;
    struct play *play;       /* the demonstration's clock; NULL: stands still */
    uint64_t speed;          /* of it; 0: not asked for */
    int64_t watched_ms;      /* monotonic: when a board was last seen open */
    struct reach reach;      /* whom subscriptions may call */
    struct subscriptions *subscriptions;
};

/* "127.0.0.1:8080", "[::1]:0" or "8080". ERR_INVALID says what is expected. */
err serve_read_address(struct ctx *cx, str listen, struct serve *out) MUST_USE;
err serve_pick_port(struct ctx *cx, struct serve *serve) MUST_USE;
bool serve_is_loopback(str address);
/* Opens nothing to everyone: refused when --open or plain HTTP would leave this machine. */
err serve_check_exposure(struct ctx *cx, const struct serve *serve) MUST_USE;
void serve_take_limits(struct serve *serve);
/* Where clients find the FHIR API: as configured, else where we listen. */
str serve_base(struct arena *arena, const struct serve *serve);
/* The profiles of the data folder's packages, for $validate. */
err serve_open_profiles(struct ctx *cx, struct serve *serve, str folder) MUST_USE;
/* People, keys and the gate before every route; closed after the server has stopped. */
err serve_open_gate(struct ctx *cx, struct serve *serve, str folder) MUST_USE;
void serve_set_entrance(struct ctx *cx, struct serve *serve); /* entrances.c */
void serve_close_gate(struct serve *serve);
/* The HL7 v2 listener, if one is configured. */
err serve_open_feed(struct ctx *cx, struct serve *serve) MUST_USE;
/* All route tables of the program and of the modules, ended by NULL. */
const struct route *const *serve_tables(struct arena *arena);
/* The entries of every page's header: the modules that have a page, and the record. */
void serve_set_nav(struct arena *arena);
void serve_set_home(struct arena *arena); /* the cards of the systems */
void serve_fault(struct http_request *request, struct http_response *response, err kind);
/* What draws changes for open screens: the first page and the modules' boards. */
const struct feed_view *const *serve_feeds(struct arena *arena);
/* background.c: the modules' log consumers, timers and outbox; stopped before the store closes. */
err serve_start_background(struct ctx *cx, struct serve *serve, str folder) MUST_USE;
void serve_stop_background(struct serve *serve);
/* Lets the demonstration in `folder` live on; refused for any other folder. After the boards. */
err serve_start_play(struct ctx *cx, struct serve *serve, str folder) MUST_USE;
void serve_end_streams(struct serve *serve); /* of subscriptions; before the server stops */
/* All claim rules of the modules and of the HL7 v2 feed, ended by NULL. */
const struct claim_rule *const *serve_claims(struct arena *arena);

extern const struct route front_routes[]; /* front.c: /, /health, /metrics */
