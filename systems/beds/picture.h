/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/store.h"
#include "systems/beds/allocate.h"
#include "systems/beds/discharge.h"

/*
 * beds_picture: the hospital as it is now, in memory: every place, and every stay that holds a bed.
 *
 * Source   the record alone: Locations, open Encounters, their Patients and last NEWS2 totals. It
 *          is read once, then follows the log, so it is as fresh as the last commit.
 * Shapes   places point to the place they are part of; a bed points to the stay that holds it.
 * Units    instants in UTC milliseconds; days by the London calendar.
 * Missing  indexes are BEDS_NONE, texts "", instants 0, news2 -1, edd_day BEDS_NO_DAY.
 * Errors   ERR_IO and ERR_BUSY of the store; the picture then stays as it was.
 * Memory   program lifetime, about 500 bytes a place or open stay; a finished stay's place is used
 *          again.
 * Limits   one store a process at a time. Locked from beds_picture_open until the request ends.
 * Hazards  H-013 stale board: seq says which commit it shows.
 */
enum { BEDS_NONE = -1, BEDS_ID_BYTES = 65, BEDS_TEXT_BYTES = 80 };

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
    int32_t parent, ward, site, stay;
    int64_t since_ms;     /* of the present operational status */
    int64_t touched_seq;  /* the last commit that changed what a board shows of it */
};
struct beds_stay {
    bool used, reserved, on_leave;
    char id[BEDS_ID_BYTES], patient[BEDS_ID_BYTES];
    char name[BEDS_TEXT_BYTES], nhs[12], born[12], specialty[8];
    char sex;             /* f, m, o; 0: not known */
    int32_t bed;
    int64_t admitted_ms, bed_ms, until_ms; /* until: a reservation ends */
    int64_t edd_day, news2_ms;
    int news2;
    enum beds_reside reside;
    int64_t ready_day;    /* discharge ready date */
    int pathway;          /* 0 to 3; -1: not decided */
    char flags[BEDS_TEXT_BYTES]; /* active Flags of the patient, as text */
};
struct beds_picture {
    struct beds_spot *spots;
    struct beds_stay *stays;
    size_t spots_count, stays_count;
    int64_t seq;
    int64_t read_seq;     /* when it was last read whole */
};

/* Brings the picture up to the log and lends it until the request ends. cx needs a reader. */
err beds_picture_open(struct ctx *cx, struct store *store,
                      const struct beds_picture **out) MUST_USE;
/* Gives it back before the request ends; what was read from it must have been copied. */
void beds_picture_close(struct ctx *cx);
int32_t beds_find_spot(str id);  /* BEDS_NONE */
int32_t beds_find_stay(str id);  /* BEDS_NONE, also when it holds no bed */

/* The bed as allocation sees it, and its state now. */
struct beds_bed beds_bed_at(const struct beds_picture *picture, int32_t spot);
enum beds_state beds_state_at(const struct beds_picture *picture, int32_t spot, int64_t now_ms);

/* Extensions of our own on Encounter and Location. */
#define BEDS_URL "https://frontline.example/StructureDefinition/"
