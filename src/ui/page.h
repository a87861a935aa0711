/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "ui/escape.h"

/*
 * ui_page: what stands round every screen: header, navigation, notices, footer, scripts.
 *
 * Shapes   templates write the inside with the components of templates/components.html between
 *          ui_page_open and ui_page_close; ui_page_send makes the response.
 * Missing  an absent text leaves its part of the page out.
 * Errors   ui_page_send: ERR_LIMIT when the page is larger than UI_PAGE_BYTES.
 * Memory   everything lives in the request's arena.
 * Limits   a page loads islands (scripts) by name only; its Content-Security-Policy forbids others.
 */
enum { UI_PAGE_BYTES = 16 << 20 };

struct ui_link {
    const char *href, *text, *key; /* key: g and this letter lead there; NULL: none */
    const char *permission;        /* shown to roles that have it ("type:Patient": that may read
                                      the type); NULL: to all staff */
    bool person;                   /* makes sense for somebody signed in only */
};
struct ui_page {
    str title;
    str heading;                    /* the <h1>; not given: the title */
    const char *section;            /* href of the navigation entry we are in */
    const struct ui_link *nav;
    size_t nav_count;
    const char *const *islands;     /* addresses of assets.h */
    size_t islands_count;
    str live_url;                   /* event stream of the page; absent: the page is not live */
    uint64_t live_seq;              /* the log position the page shows */
    str as_of;                      /* "10:42, 22 Nov 2026": the age of the data */
    str user, user_name;            /* who is signed in, and as what they sign in */
    const struct zone *zone;        /* of the shared workstation they sit at, else NULL */
    str back_href, back_text;
    const char *theme;              /* "day", "night" or "auto" */
    bool wide;                      /* boards use the whole width */
    bool wall;                      /* for a display on a wall: large, no controls */
    const char *live_part;          /* shows a choice: new ids that begin so are offered */
    int64_t now_ms;                 /* the server's clock, for what counts down */
    str path;                       /* where the theme form comes back to */
};

/* Theme and path from the request; navigation from ui_nav_set. */
struct ui_page ui_page_for(const struct http_request *request, str title);

/* The entries every page's header shows; given once, at start. */
void ui_nav_set(const struct ui_link *links, size_t count);

/* The entries somebody of this role may open; for pages that are open to all, and find out by
 * themselves who is there. NULL: nobody signs in. */
struct role;
void ui_page_nav_of(struct ctx *cx, const struct role *role, struct ui_page *page);

/* A builder for a page of this request. */
struct buf ui_page_buf(struct http_request *request);
err ui_page_send(struct http_request *request, struct http_response *response,
                 const struct buf *page) MUST_USE;

/* A fault as a page: what went wrong, and what to do, from cx's issues. */
void ui_fault(struct http_request *request, struct http_response *response, err kind);

/* "22 Nov 2026, 10:42" in the hospital's time zone (Europe/London) and "14-Jul-1945". */
str ui_time(struct ctx *cx, int64_t at_ms);
str ui_clock(struct ctx *cx, int64_t at_ms); /* "10:42" */
str ui_date(struct ctx *cx, str fhir_date);  /* as precise as given: "Jul 1945", "1945" */
/* "999 000 1234"; other texts as they are. */
str ui_nhs_number(struct ctx *cx, str digits);
/* Whole years from a FHIR date to now; -1 when the date is absent or malformed. */
int ui_age_years(str fhir_date, int64_t now_ms);
/* "1,234,567" */
str ui_count(struct ctx *cx, uint64_t count);

/* "open" routes of this module: assets and the theme. Ended by a zero row. */
extern const struct route ui_routes[];
