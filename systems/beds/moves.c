/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/moves.h"
#include "systems/beds/board.h"
#include "systems/beds/move_call.h"
#include "systems/beds/worklist.h"

/* clang-format off: one row a move. */
const struct beds_move beds_moves_list[] = {
    { "admit", "bed, and patient, encounter or request", "Put a patient in a free bed",
      beds_move_admit },
    { "reserve", "bed, minutes, and patient or request",
      "Keep a bed for somebody, until the time runs out", beds_move_reserve },
    { "transfer", "encounter, bed", "Move a stay to another bed; the old one goes to cleaning",
      beds_move_transfer },
    { "swap", "encounter, with", "Two stays change beds", beds_move_swap },
    { "lounge", "encounter, lounge", "To the discharge lounge; the bed goes to cleaning",
      beds_move_lounge },
    { "discharge", "encounter", "End a stay; its bed goes to cleaning", beds_move_discharge },
    { "cancel", "encounter", "Cancel an admission or a reservation", beds_move_cancel },
    { "cancel-discharge", "encounter", "Take a discharge back, if the bed is still free",
      beds_move_cancel_discharge },
    { "cancel-transfer", "encounter", "Take a transfer back, if the bed is still free",
      beds_move_cancel_transfer },
    { "leave", "encounter", "Home leave: the bed is kept", beds_move_leave },
    { "return", "encounter", "Back from home leave", beds_move_return },
    { "clean", "bed", "Cleaning begins", beds_move_clean },
    { "cleaned", "bed", "Cleaning is done: the bed is free", beds_move_cleaned },
    { "dirty", "bed, clean", "An empty bed needs cleaning after all", beds_move_dirty },
    { "close", "bed, why, until", "Close an empty bed", beds_move_close },
    { "open", "bed", "Open a closed bed; it is cleaned first", beds_move_open },
    { "request", "patient, source, and what it calls for", "Ask for a bed", beds_move_request },
    { "cancel-request", "request, why", "The bed is no longer needed", beds_move_cancel_request },
    { "resolve", "task, note", "An exception was dealt with", beds_move_resolve },
    { "round", "encounter, criteria", "Criteria to reside, as the ward round found them",
      beds_move_round },
    { "edd", "encounter, date", "Estimated date of discharge, set by a person", beds_move_edd },
    { "pathway", "encounter, pathway", "Discharge pathway P0 to P3", beds_move_pathway },
};
/* clang-format on */
const size_t beds_moves_count = COUNT(beds_moves_list);

/* What takes a move back, while that is safe. */
static const char *undo_of(const char *move)
{
    static const char *const pairs[][2] = {
        { "admit", "cancel" }, { "reserve", "cancel" }, { "transfer", "cancel-transfer" },
        { "lounge", "cancel-transfer" }, { "swap", "swap" }, { "discharge", "cancel-discharge" },
        { "leave", "return" }, { "return", "leave" }, { "cleaned", "dirty" }, { "close", "open" },
        { "clean", "dirty" }, { "request", "cancel-request" },
    };
    for (size_t i = 0; i < COUNT(pairs); i++)
        if (strcmp(pairs[i][0], move) == 0)
            return pairs[i][1];
    return NULL;
}

/* What speaks against the bed and does not forbid it: an outlier, isolation not assessed ... */
static void write_warnings(struct json_writer *w, const struct beds_suggestion *taken)
{
    json_key(w, "warnings");
    json_open(w, '[');
    for (size_t i = 0; i < taken->reasons_count; i++)
        if (!beds_refusals[taken->reasons[i]].hard)
            json_str(w, str_of(beds_refusals[taken->reasons[i]].code));
    json_close(w, ']');
}

static err answer(struct beds_call *call, struct http_response *response)
{
    struct ctx *cx = call->cx;
    str back = beds_input(call, "back"), id = call->encounter;
    str asked = call->service_request;
    const char *undo = undo_of(beds_moves_list[call->move].name);
    for (size_t i = 0; i < call->ops_count; i++) {
        if (call->ops[i].resource == fhir_resource_find(S("Encounter")) &&
            !(call->encounter.n && call->ops[i].verb == COMMIT_PATCH))
            id = call->ops[i].version.id;
        if (call->ops[i].resource == fhir_resource_find(S("ServiceRequest")))
            asked = call->ops[i].version.id;
    }
    if (back.n > 0 && str_starts(back, S("/beds")) && !call->body.doc) {
        response->status = 303;
        http_put_header(response, S("Location"), back);
        return ERR_OK;
    }
    struct buf buf = buf_make(cx->arena, BEDS_INPUT_MAX);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    if (id.n)
        json_put_str(&w, "encounter", id);
    if (asked.n)
        json_put_str(&w, "request", asked);
    if (undo)
        json_put_str(&w, "undo", str_of(undo));
    write_warnings(&w, &call->taken);
    if (call->ops_count)
        json_put_u64(&w, "seq", (uint64_t)call->ops[call->ops_count - 1].version.seq);
    json_close(&w, '}');
    return beds_send_json(response, &buf);
}

static size_t find_move(str name)
{
    size_t at = 0;
    while (at < beds_moves_count && !str_eq(name, str_of(beds_moves_list[at].name)))
        at++;
    return at;
}

/* On disk, or refused there. */
static err finish(struct http_request *request, struct http_response *response)
{
    struct beds_call *call = request->self;
    struct ctx *cx = call->cx;
    err wrong = call->commit.error;
    if (wrong == ERR_CONFLICT && call->to.n) {
        TRY(beds_picture_begin(cx, request->store, &call->picture));
        TRY(beds_next_best(call));
        store_reader_end(cx);
    }
    if (wrong == ERR_CONFLICT && call->to_worklist)
        TRY(beds_worklist_add(cx, request->store, &(struct beds_trouble){
            .encounter = call->encounter,
            .what = S("A move could not be taken back: the bed was taken again. Find a bed for "
                      "this patient.") }));
    if (wrong)
        return call->refused ? call->refused(request, response, wrong) : wrong;
    return answer(call, response);
}

static void wake(struct commit *commit)
{
    http_wake(commit->self);
}

/* Waits for the disk without keeping a thread or a read connection. */
static err submit(struct beds_call *call, struct http_response *response)
{
    struct http_request *request = call->request;
    bool waiting = false;
    call->commit = (struct commit){
        .ops = call->ops, .ops_count = call->ops_count, .cx = call->cx, .done = wake,
        .self = request, .why = arena_printf(call->cx->arena, "beds: %s",
                                             beds_moves_list[call->move].name) };
    request->self = call;
    store_reader_end(call->cx);
    /* Once it waits, the error is the writer's to set, and may be set already. */
    err wrong = commit_submit(call->cx, request->store, &call->commit, &waiting);
    if (!waiting) {
        call->commit.error = wrong;
        return finish(request, response);
    }
    http_wait(request, finish);
    return ERR_OK;
}

static err make(struct beds_call *call, struct http_response *response, str move)
{
    struct http_request *request = call->request;
    struct ctx *cx = call->cx;
    call->move = find_move(move);
    if (call->move == beds_moves_count)
        return ctx_failf(cx, ERR_NOT_FOUND, S(""), "there is no move %.*s", STR_ARG(move));
    if (request->body.n > BEDS_INPUT_MAX)
        return ctx_fail(cx, ERR_LIMIT, S(""), S("a move is a few words"));
    if (str_find(http_header(request, "Content-Type"), S("json")) != STR_NONE) {
        TRY(json_parse(cx, request->body, &call->body));
        if (!json_is(call->body, JSON_OBJECT))
            return ctx_fail(cx, ERR_INVALID, S(""), S("send a JSON object of inputs"));
    }
    TRY(beds_picture_begin(cx, request->store, &call->picture));
    err wrong = beds_moves_list[call->move].make(call);
    if (wrong)
        return call->refused ? call->refused(request, response, wrong) : wrong;
    return submit(call, response);
}

err beds_move_for(struct http_request *request, struct http_response *response, str move,
                  beds_refused_move *refused)
{
    struct beds_call *call = arena_zero(request->cx->arena, sizeof *call);
    call->request = request;
    call->cx = request->cx;
    call->refused = refused;
    return make(call, response, move);
}

err beds_move_post(struct http_request *request, struct http_response *response)
{
    return beds_move_for(request, response, request->captures[0], NULL);
}
