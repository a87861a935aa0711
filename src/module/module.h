/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/db.h"
#include "http/http.h"
#include "jobs/consumer.h"
#include "jobs/due.h"
#include "store/commit.h"

struct feed_view;
struct play_act;
struct ui_home;

/*
 * module: what a clinical system is, as one const struct of tables. src/main/modules.c lists them.
 */
struct module {
    const char *name;    /* folder, header, function prefix, route prefix, permission prefix */
    const char *title;
    const char *page;    /* where its first screen is: "/beds"; NULL: it has none */
    const char *key;     /* g and this letter lead to its page; NULL: none */
    const char *hazards; /* ids of docs/safety/hazards.csv this system mitigates */
    const struct route *routes;              /* ended by a zero row */
    const struct claim_rule *const *claims;  /* ended by NULL */
    const struct stmt *sql;                  /* ended by a zero row */
    const struct feed_view *feed; /* draws what changed for open screens: ui/feed.h; or NULL */
    err (*home)(struct ui_home *home); /* cards of a person's first page: ui/home.h; or NULL */
    const struct consumer *const *consumers; /* follow the log; ended by NULL */
    const struct play_act *const *demo;      /* what happens in the demonstration: synth/play.h */
    const struct due_kind *const *due;       /* timers and outbox; ended by NULL */
};
extern const struct module *const modules[]; /* ended by NULL */
