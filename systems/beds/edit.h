/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/write.h"
#include "store/commit.h"
#include "systems/beds/picture.h"

/*
 * beds_edit: what a move does to an Encounter or a Location, as a patch made from the version that
 * is current when the writer gets to it; so two moves of one stay cannot overwrite each other.
 *
 * Source   RFC 6902; hl7.org/fhir/R4/encounter.html.
 * Units    instants as the London wall shows them, with offset.
 * Missing  a place without a period gets one.
 * Errors   ERR_RULE: the stay is not in the state the move needs; the issue says which.
 * Memory   everything in the arena of the request.
 */
struct beds_edit {
    err (*write)(struct ctx *cx, const struct beds_edit *edit, struct json before,
                 struct json_writer *w);
    str bed;         /* Location id to go to */
    str text;        /* a code, a date or a note, as the edit needs */
    str more;        /* the value of an extension: the override with a move */
    char v2;         /* new operational status of a Location */
    const struct beds_extra *extras; /* of beds_edit_extras */
    size_t extras_count;
};
/* One of our extensions: `more` is its JSON value member; empty: it is taken away. */
struct beds_extra {
    const char *name;
    str more;
    bool append;     /* kept beside those of the same name, not instead of them */
};
/* A COMMIT_PATCH of one resource. */
struct commit_op beds_edit_op(struct ctx *cx, const char *type, str id,
                              const struct beds_edit *edit);

/* Encounter */
err beds_edit_enter(struct ctx *cx, const struct beds_edit *e, struct json before,
                    struct json_writer *w);      /* take the bed; was planned or reserved */
err beds_edit_move(struct ctx *cx, const struct beds_edit *e, struct json before,
                   struct json_writer *w);       /* leave the bed held, take another */
err beds_edit_finish(struct ctx *cx, const struct beds_edit *e, struct json before,
                     struct json_writer *w);     /* text: finished or cancelled */
err beds_edit_reopen(struct ctx *cx, const struct beds_edit *e, struct json before,
                     struct json_writer *w);     /* undo a discharge: the last bed again */
err beds_edit_back(struct ctx *cx, const struct beds_edit *e, struct json before,
                   struct json_writer *w);       /* undo a transfer: the bed before */
err beds_edit_leave(struct ctx *cx, const struct beds_edit *e, struct json before,
                    struct json_writer *w);      /* text: onleave or in-progress; more: the other */
err beds_edit_lounge(struct ctx *cx, const struct beds_edit *e, struct json before,
                     struct json_writer *w);     /* bed: the lounge, where nobody has a bed */
err beds_edit_expire(struct ctx *cx, const struct beds_edit *e, struct json before,
                     struct json_writer *w);     /* a reservation, if its time has run out */
err beds_edit_extension(struct ctx *cx, const struct beds_edit *e, struct json before,
                        struct json_writer *w);  /* text: its name, more: its JSON value member */
err beds_edit_extras(struct ctx *cx, const struct beds_edit *e, struct json before,
                     struct json_writer *w);     /* several extensions at once */
err beds_edit_set_status(struct ctx *cx, const struct beds_edit *e, struct json before,
                         struct json_writer *w); /* text: of any resource that has one */
/* Location */
err beds_edit_spot(struct ctx *cx, const struct beds_edit *e, struct json before,
                   struct json_writer *w);       /* v2, text as note, more: more extensions */
/* ServiceRequest: text is its new status, more a note as JSON. Task: text says what was done. */
err beds_edit_request(struct ctx *cx, const struct beds_edit *e, struct json before,
                      struct json_writer *w);
err beds_edit_resolve(struct ctx *cx, const struct beds_edit *e, struct json before,
                      struct json_writer *w);

/* A new Encounter that holds a bed: status active or reserved until an instant. */
struct beds_new_stay {
    str bed, patient, specialty;
    str request;   /* ServiceRequest id; may be empty */
    bool reserved;
    int64_t until_ms;
    str extension; /* JSON objects, comma between; may be empty */
};
err beds_new_stay(struct ctx *cx, const struct beds_new_stay *stay, struct json *out) MUST_USE;
str beds_when(struct ctx *cx, int64_t at_ms); /* a dateTime */
