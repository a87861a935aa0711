/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "jobs/consumer.h"
#include "jobs/due.h"

/*
 * beds_worklist: what people must look at because a program may not decide it: a move that could
 * not be taken back, a message from another system that would have double-booked a bed. And the
 * timer that ends a reservation.
 *
 * Source   Tasks with code "Bed exception"; Communications that the HL7 feed put on hold.
 * Shapes   one Task an exception; a message sent again adds none. Reservations that ran out are
 *          cancelled by a commit of their own, so that boards are told and the claim is free.
 * Units    instants in UTC milliseconds.
 * Missing  a reservation without an end is kept until somebody ends it.
 * Errors   those of the commit; a consumer or timer that fails is tried again.
 * Memory   the arena of the call.
 * Hazards  H-020 a cancelled discharge double-books a bed; H-026 a bed kept for nobody.
 */
#define BEDS_EXCEPTION "Bed exception"

struct beds_trouble {
    str encounter, message; /* message: Communication id of the feed; may be empty */
    str what;
};
/* Adds the Task, and an issue that says which. */
err beds_worklist_add(struct ctx *cx, struct store *store,
                      const struct beds_trouble *trouble) MUST_USE;
/* The same from inside the writer's transaction: the Task is made by a timer that is due at once.
 * Once for a version of the stay, however often the change is tried. */
err beds_worklist_note(struct ctx *cx, struct db *db, str encounter, int64_t vid,
                       str what) MUST_USE;

extern const struct consumer beds_watch;       /* follows Encounters and Communications */
extern const struct due_kind beds_reservation; /* key: the Encounter */
extern const struct due_kind beds_not_given_back; /* key: Encounter/vid */
