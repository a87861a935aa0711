/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "http/http.h"
#include "systems/beds/edit.h"
#include "systems/beds/moves.h"

/*
 * beds_move_call: one move while it is being made: its inputs, what it has looked at, what it will
 * write. Private to the moves of beds.
 *
 * Shapes   a move reads inputs, checks rules on the beds and stays they name, and adds operations;
 *          moves.c commits them as one and answers.
 * Missing  an input that must be given is ERR_INVALID and named; a bed or stay that is not there is
 *          ERR_NOT_FOUND.
 * Errors   as above, and those of the rules: beds_take.
 * Memory   the request's arena.
 * Hazards  H-012, H-015, H-016, H-017, H-021.
 */
enum { BEDS_OPS_MAX = 8, BEDS_NOTE_MAX = 200, BEDS_INPUT_MAX = 1 << 16 };

struct beds_call {
    struct http_request *request;
    struct ctx *cx;
    struct beds_picture *picture; /* the beds, stays and patients the move names, no more */
    struct json body;             /* when JSON was sent */
    struct commit_op ops[BEDS_OPS_MAX];
    size_t ops_count, move;       /* move: row of beds_moves_list */
    struct commit commit;
    struct beds_request wanted;   /* who is to lie there, for the rules */
    struct beds_stay stay;        /* a copy: the picture grows */
    str to;                       /* the bed wanted */
    str encounter, service_request; /* what the move is about */
    str set_aside;                /* rules overridden, comma between */
    struct beds_suggestion taken; /* the bed as it was judged: what to be warned of */
    beds_refused_move *refused;   /* draws a refusal; NULL: the caller is told */
    bool keeps;                   /* the bed is only reserved */
    bool to_worklist;             /* a conflict becomes a task for the bed manager */
};

/* ---- inputs ---- */

str beds_input(const struct beds_call *call, const char *name); /* of a form or of JSON */
err beds_need(const struct beds_call *call, const char *name, str *out) MUST_USE;
/* An id, or a reference of the type. */
err beds_need_id(const struct beds_call *call, const char *name, const char *type,
                 str *out) MUST_USE;
err beds_need_bed(struct beds_call *call, const char *name, int32_t *out) MUST_USE;
/* A stay that holds a bed; it becomes call->encounter. */
err beds_need_stay(struct beds_call *call, const char *name, struct beds_stay *out) MUST_USE;
/* One that may not have a bed yet: a planned admission, somebody in the emergency department. */
err beds_need_arrival(struct beds_call *call, struct beds_stay *out) MUST_USE;
err beds_need_patient(struct beds_call *call, str id, struct beds_stay *out) MUST_USE;
err beds_need_date(struct beds_call *call, const char *name, str *out) MUST_USE;
/* An instant with offset, or as a form's local time: London's. Not given: `fallback`. */
err beds_take_instant(struct beds_call *call, const char *name, int64_t fallback,
                      int64_t *out) MUST_USE;

/* ---- operations ---- */

struct commit_op *beds_add_op(struct beds_call *call);
/* A patch of one resource; the texts are copied. */
void beds_change(struct beds_call *call, const char *type, str id, struct beds_edit what);
/* The state of a bed, with a note, and for a dirty bed which clean and by when. */
void beds_set_spot(struct beds_call *call, int32_t spot, char v2, str note);
/* The clean a bed needs stays with it while it is cleaned or closed. */
void beds_keep_clean(struct beds_call *call, int32_t spot, char v2, str note);
enum beds_clean beds_clean_of(const struct beds_spot *bed); /* standard when none is noted */
void beds_soil(struct beds_call *call, int32_t spot, enum beds_clean clean);
/* The bed a patient left goes to cleaning, of the kind the patient calls for. */
void beds_vacate(struct beds_call *call, const struct beds_stay *stay);

/* ---- rules ---- */

/* call->wanted from call->stay, the service request and the inputs. */
void beds_wants(struct beds_call *call);
/* Checks the rules for the bed, and takes over a reservation that has run out; the claim decides
 * among those who pass at one moment. ERR_CONFLICT names the holder, ERR_RULE the rule and who
 * may override it; both name the next best bed. */
err beds_take(struct beds_call *call, int32_t spot) MUST_USE;
err beds_next_best(struct beds_call *call) MUST_USE; /* as an issue that informs */
/* {"url":...} that keeps which rules were set aside, by whom, when and why; empty: none. */
str beds_override(struct beds_call *call);
/* Refuses a person who lies in another bed: the claim would, in fewer words. */
err beds_check_not_in(struct beds_call *call, const struct beds_stay *person) MUST_USE;

typedef err beds_move_fn(struct beds_call *call);
/* move_stay.c */
beds_move_fn beds_move_admit, beds_move_reserve, beds_move_transfer, beds_move_swap,
    beds_move_discharge, beds_move_cancel, beds_move_cancel_discharge, beds_move_cancel_transfer,
    beds_move_leave, beds_move_return, beds_move_lounge;
/* move_bed.c */
beds_move_fn beds_move_clean, beds_move_cleaned, beds_move_dirty, beds_move_close, beds_move_open,
    beds_move_resolve;
/* move_plan.c */
beds_move_fn beds_move_round, beds_move_edd, beds_move_pathway;
/* move_request.c */
beds_move_fn beds_move_request, beds_move_cancel_request;
/* Takes patient, specialty and needs from the input `request`, when it is given. */
err beds_take_request(struct beds_call *call) MUST_USE;
