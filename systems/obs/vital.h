/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "clinical/news2.h"
#include "systems/obs/fhir.h"

/*
 * obs_vital: what can be measured at the bedside: its codes, its unit, what is impossible and what
 * is worth a second look.
 *
 * Source   codes: record.md 1.2. Limits: rows of this table, each with its source and date; the
 *          implausible ones are a local choice and unconfirmed.
 * For      adults; a child's values may be asked about once more than needed.
 * Units    whole numbers of `decimals` places in the unit of the row: temperature in tenths of a
 *          degree Celsius, oxygen flow in tenths of a litre a minute, pressure in mm[Hg].
 * Missing  OBS_NONE. Never zero.
 * Errors   a value in a unit that is not known reads as OBS_NONE: it is never guessed at.
 * Memory   static.
 * Hazards  H-301 unit slip.
 */
#define OBS_NONE NEWS2_MISSING
enum obs_vital {
    OBS_RESP, OBS_SPO2, OBS_SYSTOLIC, OBS_DIASTOLIC, OBS_PULSE, OBS_TEMP, OBS_FLOW, OBS_FIO2,
    OBS_VITALS
};
struct obs_vital_kind {
    const char *name;          /* of the field: "resp" */
    const char *label, *unit, *ucum;
    struct obs_code code;
    int decimals;
    int least, most;           /* outside: impossible, stopped */
    int low, high;             /* outside: implausible, confirmed by the person who enters it */
    const char *source, *effective;
    bool confirmed;
};
extern const struct obs_vital_kind obs_vitals[OBS_VITALS];
extern const size_t obs_vitals_count;

/* A row of consciousness: how it is answered, stored and scored. */
struct obs_acvpu {
    char letter;               /* A C K V P U; K is lasting confusion, which scores as alert */
    const char *value, *text;  /* value: the letter, as the form sends it */
    struct obs_code code;
};
extern const struct obs_acvpu obs_acvpus[];
extern const size_t obs_acvpus_count;
const struct obs_acvpu *obs_acvpu_find(char letter); /* NULL: no such */

/* How oxygen is given; `flow`: litres a minute belong to it, else a fraction. */
struct obs_device {
    const char *name, *text;
    bool flow;
};
extern const struct obs_device obs_devices[];
extern const size_t obs_devices_count;

/* What an Observation's code says it is; OBS_VITALS: none of these. */
enum obs_vital obs_vital_of(struct json code);
/* The value in the row's unit, from a Quantity in that or another unit that is known: Fahrenheit,
 * kilopascal; OBS_NONE when it cannot be read. */
int obs_vital_value(struct ctx *cx, enum obs_vital vital, struct json quantity);
/* Entered text with a unit ("F", "kPa" or the row's own); false: not a number. */
bool obs_vital_read(enum obs_vital vital, str text, str unit, int *out);
str obs_vital_text(struct ctx *cx, enum obs_vital vital, int value); /* "37.5"; "" for none */
