/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "ui/components.h"
#include "ui/page.h"

/*
 * ui_home: the first page of somebody who works here: what waits for them now, a card a subject.
 * Each clinical system adds its own cards; this only puts them side by side.
 *
 * Shapes   GET / of whoever is signed in to work. A card is a few lines, each a link to where the
 *          work is done, the most urgent first.
 * Missing  a card nobody has anything in says so; a system that fails has a card that says that it
 *          could not be read, and the others stand. Whoever has no card is shown where to go.
 * Memory   the request's arena.
 * Limits   UI_HOME_CARDS cards; UI_HOME_LINES lines a card, and a link to the rest.
 * Hazards  H-108 a result nobody has looked at; H-306 a due set overlooked.
 */
enum { UI_HOME_CARDS = 16, UI_HOME_LINES = 8 };
struct ui_home_line {
    str text, href, more, when, chip;
    enum ui_tone tone;
};
struct ui_home_card {
    const char *id, *title, *empty;
    str all_href, all_text;      /* where everything is; empty: nowhere else */
    struct ui_home_line lines[UI_HOME_LINES];
    size_t lines_count, of_count; /* of_count: with those that found no room */
    bool failed, urgent;         /* urgent: before all others, when there is anything in it */
};
struct ui_home {
    struct http_request *request;
    struct ui_page *page;        /* a system may name what the page follows */
    int64_t seq;                 /* of the log, before anything was read */
    struct ui_home_card cards[UI_HOME_CARDS];
    size_t cards_count;
    str find;                    /* where a patient is looked for; empty: nowhere */
    const struct ui_link *links;
    size_t links_count;
    str role;
};
/* Adds a system's cards. */
typedef err ui_home_fill(struct ui_home *home);
/* A new card, in the order of adding. Without room the last one. */
struct ui_home_card *ui_home_add(struct ui_home *home, const char *id, const char *title,
                                 const char *empty);
/* A line of it; NULL: it is counted, and there is no room to show it. */
struct ui_home_line *ui_home_line(struct ui_home_card *card);
/* The wards the person works on: "" for those who work everywhere. */
str ui_home_areas(const struct ui_home *home);

/* The systems' functions, in their order; once, at start. */
void ui_home_set(ui_home_fill *const *fills, size_t count);
err ui_home_show(struct http_request *request, struct http_response *response) MUST_USE;
