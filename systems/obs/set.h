/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/obs/vital.h"

/*
 * obs_set: everything taken at one bedside visit, as one set: its values, its score, where it came
 * from and whether it may be trusted.
 *
 * Source   NEWS2 (clinical/news2.h). Codes of record.md 1.2.
 * Shapes   each value is an Observation of its own; the set is the NEWS2 Observation
 *          (1104051000000101) with the seven parts as components, `derivedFrom` the values, and the
 *          version of the threshold table. Its `issued` is when it was entered, `effective` when it
 *          was taken. Sets of other systems are read by their common instant.
 * Missing  a value not taken is OBS_NONE, its component carries dataAbsentReason, and the set has
 *          no total: `floor` is the least it can be. A set that may not be scored says why in
 *          `excluded`.
 * Errors   those of search.
 * Memory   the ctx's arena.
 * Limits   OBS_SETS_MAX sets of a patient are read at once, newest first.
 * Hazards  H-300 missing value scored, H-302 scale 2 unasked, H-304 late entry taken as new,
 *          H-308 a score from elsewhere that does not add up.
 */
enum { OBS_SETS_MAX = 200, OBS_LATE_MIN = 30, OBS_AHEAD_MIN = 5 };
#define OBS_SCORE "1104051000000101"
#define OBS_SPO2_SCALE2 "1104321000000108"

struct obs_set {
    int64_t at_ms, issued_ms; /* taken, entered; issued 0: not known */
    int values[OBS_VITALS];
    int on_oxygen;            /* 1, 0, OBS_NONE */
    char acvpu;               /* 0: not recorded */
    bool scale2;
    str device;               /* of the oxygen, as text */
    str id;                   /* of the score's Observation; not given: nobody sent a score */
    int64_t vid;
    str who, note, status;
    str excluded;             /* why there is no score for this person; not given: there may be */
    bool own;                 /* scored here: carries the version of our table */
    bool in_error, amended;
    int sent_total;           /* as stored; OBS_NONE */
    int sent_parts[NEWS2_PARTS];
};
/* The values as NEWS2 wants them. */
struct news2_obs obs_set_news2(const struct obs_set *set);

/* What the set comes to. `complete` false: `total` is the least it can be. */
struct obs_result {
    bool complete, excluded, none; /* none: nothing of NEWS2 was taken */
    int total, highest;
    int parts[NEWS2_PARTS];    /* OBS_NONE where the value is missing */
    size_t missing;
    enum news2_risk risk;
    const char *text;          /* "low", "medium" ... */
};
struct obs_result obs_set_result(const struct obs_set *set);
/* Why a total or part that was sent is not what its own parts or the values give; not given: it
 * agrees. */
str obs_set_disagreement(struct ctx *cx, const struct obs_set *set);
bool obs_set_is_late(const struct obs_set *set);

struct obs_sets {
    struct obs_set *list; /* newest first */
    size_t count;
    bool more;
};
/* When an Observation's value was taken; 0: it does not say. */
int64_t obs_taken_at(struct ctx *cx, struct json body);
/* Is it a value of a set, or another system's points for one? */
bool obs_is_of_set(struct json body);
/* What one NEWS2 Observation says by itself, without the values behind it. */
struct obs_set obs_set_of(struct ctx *cx, struct json score);
/* The sets of a patient taken from `from_ms` on (0: all), newest first. */
err obs_sets_read(struct ctx *cx, struct store *store, str patient, int64_t from_ms,
                  struct obs_sets *out) MUST_USE;
/* One of ours, by the id of its score. ERR_NOT_FOUND. */
err obs_set_read(struct ctx *cx, struct store *store, str id, str *patient,
                 struct obs_set *out) MUST_USE;
/* The newest set that is not in error; NULL: none. */
const struct obs_set *obs_sets_latest(const struct obs_sets *sets);

/* What a set is written as. */
struct obs_writing {
    const struct obs_set *set;
    str patient, encounter, key; /* key: the score's id; the values are key-resp and so on */
    str target;                  /* the MedicationRequest behind scale 2 */
    const struct obs_set *before; /* what is corrected; NULL: a new set */
    str reason;                  /* of a correction */
};
enum { OBS_OPS_MAX = 12 };
/* The operations that store it whole, or correct it: a value that stays is not written again, one
 * that was taken out is entered in error; each changes only the version that was read. */
err obs_set_ops(struct ctx *cx, struct store *store, const struct obs_writing *what,
                struct commit_op *ops, size_t *count) MUST_USE;
/* The operations that mark a set and all its values as entered in error; nothing is deleted. */
err obs_set_error_ops(struct ctx *cx, struct store *store, str id, str reason,
                      struct commit_op *ops, size_t *count) MUST_USE;
/* The same for one Observation. */
err obs_error_op(struct ctx *cx, struct store *store, str id, str reason,
                 struct commit_op *op) MUST_USE;
/* The score of one of our sets again, after one of its values was changed elsewhere. *changed
 * false: it still stands. */
err obs_set_rescore(struct ctx *cx, struct store *store, str id, struct commit_op *op,
                    bool *changed) MUST_USE;
