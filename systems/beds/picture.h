/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/map.h"
#include "store/store.h"
#include "systems/beds/allocate.h"
#include "systems/beds/discharge.h"

/*
 * beds_picture: the hospital as it is at one commit: places, and every stay that holds a bed.
 *
 * Source   the kept views of systems/beds/views (spots, held, people, scores, flags), read in one
 *          snapshot. Nothing is kept between requests, so it is as fresh as the record.
 * Shapes   a picture holds as much as it was asked for: the whole hospital, a ward, or a bed with
 *          its bay. Places point to the place they are part of; a bed points to the stay in it.
 * Units    instants in UTC milliseconds; days by the London calendar.
 * Missing  indexes are BEDS_NONE, texts "", instants 0, news2 -1, edd_day BEDS_NO_DAY.
 * Errors   ERR_IO and ERR_BUSY of the store.
 * Memory   the request's arena, about 700 bytes a place or open stay.
 * Limits   who may see a board sees all of it: the route's permission decides, not the views.
 * Hazards  H-013 stale board: seq says which commit it shows.
 */
enum { BEDS_NONE = -1, BEDS_ID_BYTES = 65, BEDS_TEXT_BYTES = 80, BEDS_FLAGS_BYTES = 240,
       BEDS_TREND = 8 };

enum beds_attribute {
    BEDS_A_FEMALE = 1, BEDS_A_MALE = 2, BEDS_A_SIDE_ROOM = 4, BEDS_A_PRESSURE = 8,
    BEDS_A_MONITORED = 16, BEDS_A_OXYGEN = 32, BEDS_A_PAEDIATRIC = 64, BEDS_A_ESCALATION = 128,
    BEDS_A_BARIATRIC = 256, BEDS_A_CRITICAL = 512
};
struct beds_spot {
    char id[BEDS_ID_BYTES], part_of[BEDS_ID_BYTES];
    char name[BEDS_TEXT_BYTES], why[BEDS_TEXT_BYTES]; /* why: closed, or which clean */
    char kind[8];         /* physicalType: si, wa, ro, bd */
    char specialty[8];
    char v2;              /* operational status; 0: none */
    unsigned attributes;
    char clean[16];       /* which clean a dirty bed needs: a code of beds_cleans */
    int32_t parent, ward, site, stay;
    int64_t since_ms;     /* of the present operational status */
    int64_t due_ms;       /* a dirty bed should be clean by then */
};
struct beds_stay {
    bool reserved, on_leave, isolation; /* isolation: a flag says the patient needs it */
    char id[BEDS_ID_BYTES], patient[BEDS_ID_BYTES];
    char name[BEDS_TEXT_BYTES], nhs[12], born[12], specialty[8];
    char sex;             /* f, m, o; 0: not known */
    int32_t bed;
    int64_t admitted_ms, bed_ms, until_ms; /* until: a reservation ends */
    int64_t edd_day, news2_ms;
    int news2;
    struct { int64_t at_ms; int total; } trend[BEDS_TREND]; /* NEWS2 of this stay, oldest first */
    size_t trend_count;
    enum beds_reside reside;
    int64_t ready_day;    /* discharge ready date */
    int pathway;          /* 0 to 3; -1: not decided */
    char delay[20];       /* what holds the discharge up: a code of beds_delays */
    char flags[BEDS_FLAGS_BYTES]; /* active Flags of the patient, as text */
};
struct beds_picture {
    struct beds_spot *spots;
    struct beds_stay *stays;
    size_t spots_count, stays_count;
    int64_t seq;
    struct map by_spot, by_stay; /* ids to indexes */
    size_t spots_cap, stays_cap;
};

/* Places and stays alone say how full the hospital is; people are names, sex and flags. */
enum beds_detail { BEDS_PLACES, BEDS_PEOPLE, BEDS_SCORES };
/* Everything. Gives cx a reader. */
err beds_picture_open(struct ctx *cx, struct store *store,
                      const struct beds_picture **out) MUST_USE;
/* All places, and of the stays no more than `detail`. */
err beds_picture_whole(struct ctx *cx, struct store *store, enum beds_detail detail,
                       struct beds_picture **out) MUST_USE;
/* Nothing yet; cx has a reader from here on. The rest adds to it, whatever it holds already. */
err beds_picture_begin(struct ctx *cx, struct store *store, struct beds_picture **out) MUST_USE;
/* A ward with its bays, beds and the people in them. */
err beds_picture_add_ward(struct ctx *cx, struct beds_picture *picture, str ward) MUST_USE;
/* A bed, the others of its bay, and who lies there. */
err beds_picture_add_bed(struct ctx *cx, struct beds_picture *picture, str bed) MUST_USE;
/* The beds a stay, or a patient, holds, with their bays. */
err beds_picture_add_stay(struct ctx *cx, struct beds_picture *picture, str encounter) MUST_USE;
err beds_picture_add_patient(struct ctx *cx, struct beds_picture *picture, str patient) MUST_USE;
/* Ids of the beds that nobody has; cx has a reader. */
err beds_free_beds(struct ctx *cx, str **out, size_t *count) MUST_USE;

int32_t beds_find_spot(const struct beds_picture *picture, str id); /* BEDS_NONE: not in it */
int32_t beds_find_stay(const struct beds_picture *picture, str id);
/* Name, sex, NHS number and flags of a patient; what is not known stays as it was. */
err beds_read_person(struct ctx *cx, str patient, struct beds_stay *out) MUST_USE;

/* The bed as allocation sees it, and its state now. */
struct beds_bed beds_bed_at(const struct beds_picture *picture, int32_t spot);
/* In a bed of another specialty's ward; false when either specialty is not known. */
bool beds_is_outlier(const struct beds_picture *picture, const struct beds_stay *stay);
enum beds_state beds_state_at(const struct beds_picture *picture, int32_t spot, int64_t now_ms);

/* Extensions of our own on Encounter and Location. */
#define BEDS_URL "https://frontline.example/StructureDefinition/"
