/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "systems/obs/person.h"

/*
 * obs_entry: what a nurse typed, held against the limits, and turned into a set.
 *
 * Source   limits of obs_vitals; record.md 1.2.
 * Shapes   a form: resp spo2 oxygen(air|oxygen) device flow fio2 systolic diastolic pressure_unit
 *          pulse acvpu temp temp_unit at, with confirm_NAME=1 for a value that was asked about.
 * Units    temperature in C or F, pressure in mmHg or kPa, as the form says; stored in one unit.
 *          `at` is the wall's time in London; `taken_ms` what the form's own clock counted from the
 *          server's time when it was drawn, for sets that were sent later.
 * Missing  an empty field is a value not taken, never zero. A form with nothing in it is refused.
 * Errors   none as err: each field has its sentence; `wrong` counts those that stop the set,
 *          `asked` those that wait for a confirmation.
 * Memory   the ctx's arena.
 * Hazards  H-301 unit slip, H-304 late entry taken as new, H-011 wrong patient.
 */
enum obs_field {
    OBS_F_RESP, OBS_F_SPO2, OBS_F_OXYGEN, OBS_F_DEVICE, OBS_F_FLOW, OBS_F_FIO2, OBS_F_SYSTOLIC,
    OBS_F_DIASTOLIC, OBS_F_PULSE, OBS_F_ACVPU, OBS_F_TEMP, OBS_F_AT, OBS_F_IDENTITY, OBS_F_NEWER,
    OBS_F_REASON, OBS_FIELDS
};
struct obs_entry_field {
    const char *name, *label;
    str text, error;
    str question;       /* asked: "Respiration rate 52: is that right?" */
    bool confirmed;
    str last;           /* "18, 2 h ago" */
};
struct obs_entry {
    struct obs_entry_field fields[OBS_FIELDS];
    struct obs_set set;
    str temp_unit, pressure_unit, key, from, seen;
    size_t wrong, asked;
};
/* `form` percent-encoded as sent; not given: an empty form. */
void obs_entry_read(struct ctx *cx, const struct obs_person *person, str form,
                    struct obs_entry *out);
/* What was measured last, beside each field. */
void obs_entry_last(struct ctx *cx, const struct obs_sets *sets, struct obs_entry *entry);
/* A set that is there already, for its correction. */
void obs_entry_fill(struct ctx *cx, const struct obs_set *set, struct obs_entry *entry);
str obs_age(struct ctx *cx, int64_t since_ms); /* "12 min ago", "3 h ago", "2 days ago" */
bool obs_key_is_sound(str key);
str obs_new_key(struct ctx *cx);
/* "2026-11-22T08:30", as the browser's field gives it, by the clock on the wall. */
bool obs_wall_read(str text, int64_t *out);
/* The time typed in a form ("" is now); what is wrong with it, else an empty text. */
str obs_time_read(struct ctx *cx, str text, int64_t *at_ms);
