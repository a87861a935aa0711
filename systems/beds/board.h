/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "systems/beds/picture.h"
#include "ui/chart.h"
#include "ui/components.h"
#include "ui/home.h"

/*
 * beds_board: the hospital board, a ward's board and a bed's page, with the words they show.
 *
 * For      ward clerks, nurses, bed managers, the site team, infection control, cleaners.
 * Shapes   GET /beds (wards), /beds/ward/{ward}, /beds/bed/{bed}, /beds/board.json?ward=. Rows are
 *          table rows with the bed's id, so that live updates replace one at a time. A ward's board
 *          takes ?q= &state= &show= (rows that answer to all of them) and ?wall=1 (for a display on
 *          a wall: initials, no numbers, no controls).
 * Units    days in hospital are midnights; NEWS2 in points with the time of its set.
 * Missing  what is not known is said to be: "Not known", "Not assessed", "No date".
 * Errors   ERR_NOT_FOUND: no such ward or bed. A filter that is not understood shows everything.
 * Memory   the request's arena; rows copy what they show out of the picture.
 * Hazards  H-013 stale board; H-011 wrong patient: name and NHS number or birth date together.
 */
enum { BEDS_FLAGS_MAX = 8 };
struct beds_flag {
    const char *icon; /* of beds_icons in board.html */
    enum ui_tone tone;
    str text;
};
struct beds_row {
    str id, name, bay, state, note, encounter;
    const char *icon;
    enum ui_tone tone;
    enum beds_state code;
    str patient, born, sex, nhs;  /* "" where the bed is empty */
    str initials;                 /* for a wall: "R. H." */
    str patient_id;
    str news2, edd, reside, ready, pathway, flags, days;
    enum ui_tone news2_tone, edd_tone, reside_tone;
    int news2_total;              /* -1: not known */
    struct ui_html news2_spark;   /* the last sets of this stay; "" for fewer than two */
    int64_t days_in, edd_in;      /* midnights; days from today, BEDS_NO_DAY: none */
    bool side_room, away, isolation;
    size_t same_name;             /* patients of this surname on the ward, 1: this one alone */
    str surname;
    str kind;                     /* "side room, women" */
    int64_t until_ms;             /* a reservation's end, or when a clean is due; 0: none */
    str until;                    /* as text, for those without scripts */
    struct beds_flag flag_list[BEDS_FLAGS_MAX];
    size_t flag_list_count;
};
struct beds_ward {
    str id, name, site;
    size_t beds, occupied, reserved, available, dirty, cleaning, closed;
    size_t free_women, free_men, free_any; /* of the available ones */
    size_t percent, not_reside, leaving_today;
    enum ui_tone tone;
};
struct beds_row beds_row_of(struct ctx *cx, const struct beds_picture *picture, int32_t spot);
struct beds_ward beds_ward_of(struct ctx *cx, const struct beds_picture *picture, int32_t spot);
/* The beds of a ward in the order of their numbers; the array is in the arena. */
int32_t *beds_in_ward(struct ctx *cx, const struct beds_picture *picture, int32_t ward,
                      size_t *count);

/* How full the person's wards are, or the hospital, on their first page. */
ui_home_fill beds_home_fill;

http_handler beds_hospital_get, beds_ward_get, beds_bed_get, beds_json_get, beds_suggest_get,
    beds_live_get;

/* What a board shows of its beds, and how it was asked for. */
struct beds_filter {
    str q, state, show;
    const struct ui_option *states, *shows;
    size_t states_count, shows_count;
    bool some;     /* not everything is shown */
    str all_href;
};
struct beds_board {
    struct beds_ward ward;
    struct beds_filter filter;
    const struct beds_row *rows;
    size_t rows_count, of_count;
    str here, wall_href, plain_href;
    struct ui_done done;
};
/* Every bed judged for a request, best first; the suggestions index *beds. */
struct beds_suggestion *beds_judge_all(struct ctx *cx, const struct beds_picture *picture,
                                       const struct beds_request *wanted, int32_t **beds,
                                       size_t *count);
str beds_reasons(struct ctx *cx, const struct beds_suggestion *judged);
bool beds_row_answers(const struct beds_row *row, const struct beds_filter *filter);

/* Pages of beds: section, islands of a board, age. */
struct ui_page beds_page_for(struct http_request *request, str title, int64_t seq);
err beds_send_json(struct http_response *response, const struct buf *buf);
str beds_day_text(struct ctx *cx, int64_t day);   /* "Tue 24 Nov" */
str beds_asked(struct http_request *request, const char *name); /* of the query */

/* What the bed's page shows. */
struct beds_page {
    struct beds_row row;
    str ward_id, ward, back;
    struct ui_done done;
};
struct beds_suggested {
    str bed, name, ward, why;
    bool refused;
};
struct beds_wish {
    struct ui_field fields[6];
    size_t fields_count;
    const struct beds_suggested *beds;
    size_t beds_count;
    bool asked;
};
