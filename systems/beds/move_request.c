/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/validate.h"
#include "systems/beds/move_call.h"
#include "systems/beds/requests.h"

/* Asking for a bed, and taking back that one was asked for. */

enum { BODY_BYTES = 64 << 10 };
#define CODES "https://frontline.example/CodeSystem/"

err beds_take_request(struct beds_call *call)
{
    struct ctx *cx = call->cx;
    struct beds_asked asked;
    str id;
    if (beds_input(call, "request").n == 0)
        return ERR_OK;
    TRY(beds_need_id(call, "request", "ServiceRequest", &id));
    TRY(beds_asked_read(cx, id, &asked));
    call->service_request = id;
    call->wanted = asked.wanted;
    if (call->stay.patient[0] && !str_eq(str_of(call->stay.patient), asked.patient))
        return ctx_fail(cx, ERR_INVALID, S("request"), S("the request is for another patient"));
    return call->stay.patient[0] ? ERR_OK : beds_need_patient(call, asked.patient, &call->stay);
}

static err need_row(struct beds_call *call, const char *name, const struct beds_named *list,
                    size_t count, str *out)
{
    struct buf buf = buf_make(call->cx->arena, BEDS_INPUT_MAX);
    str code = str_trim(beds_input(call, name));
    for (size_t i = 0; i < count; i++) {
        if (str_eq(code, str_of(list[i].code))) {
            *out = code;
            return ERR_OK;
        }
        buf_printf(&buf, "%s%s", i ? ", " : "", list[i].code);
    }
    return ctx_failf(call->cx, ERR_INVALID, str_of(name), "%s must be one of: %.*s", name,
                     STR_ARG(buf_str(&buf)));
}

/* Isolation is said or not assessed; the other needs are there or not. */
static err write_needs(struct beds_call *call, struct json_writer *w)
{
    static const char *const needs[] = { "airborne", "monitor", "oxygen", "bariatric" };
    str isolation = str_trim(beds_input(call, "isolation"));
    bool known = str_eq(isolation, S("needed")) || str_eq(isolation, S("none"));
    if (isolation.n && !known && !str_eq(isolation, S("unknown")))
        return ctx_fail(call->cx, ERR_INVALID, S("isolation"),
                        S("isolation must be needed, none or unknown"));
    struct buf buf = buf_make(call->cx->arena, BODY_BYTES);
    size_t count = 0;
    if (known)
        buf_printf(&buf, "{\"coding\":[{\"system\":\"" CODES "bed-need\",\"code\":\"%s\"}]}",
                   str_eq(isolation, S("needed")) ? "isolation" : "no-isolation");
    count += known;
    for (size_t i = 0; i < COUNT(needs); i++) {
        str said = beds_input(call, needs[i]);
        if (!str_eq(said, S("1")) && !str_eq(said, S("true")) && !str_eq(said, S("yes")))
            continue;
        buf_printf(&buf, "%s{\"coding\":[{\"system\":\"" CODES "bed-need\",\"code\":\"%s\"}]}",
                   count++ ? "," : "", needs[i]);
    }
    if (count)
        json_put_raw(w, "orderDetail", arena_printf(call->cx->arena, "[%.*s]",
                                                    STR_ARG(buf_str(&buf))));
    return ERR_OK;
}

/* When the clock began: in the emergency department with the decision to admit. */
static err write_clock(struct beds_call *call, struct json_writer *w, str source)
{
    struct ctx *cx = call->cx;
    int64_t decided_ms, due_ms;
    bool ed = str_eq(source, S("ed")), elective = str_eq(source, S("elective"));
    TRY(beds_take_instant(call, "decided", ed ? cx->now_ms : 0, &decided_ms));
    TRY(beds_take_instant(call, "due", 0, &due_ms));
    if (decided_ms > cx->now_ms)
        return ctx_fail(cx, ERR_INVALID, S("decided"),
                        S("the decision to admit cannot lie in the future"));
    if (elective && due_ms == 0)
        return ctx_fail(cx, ERR_INVALID, S("due"), S("say when the patient is to come in"));
    json_put_str(w, "authoredOn", beds_when(cx, cx->now_ms));
    if (due_ms)
        json_put_str(w, "occurrenceDateTime", beds_when(cx, due_ms));
    if (decided_ms)
        json_put_raw(w, "extension", arena_printf(cx->arena, "[{\"url\":\"" BEDS_URL
            "decision-to-admit\",\"valueDateTime\":\"%.*s\"}]",
            STR_ARG(beds_when(cx, decided_ms))));
    return ERR_OK;
}

static err write_specialty(struct beds_call *call, struct json_writer *w, str code)
{
    struct buf buf = buf_make(call->cx->arena, BODY_BYTES);
    if (code.n >= sizeof call->stay.specialty)
        return ctx_fail(call->cx, ERR_INVALID, S("specialty"), S("specialty must be a code such "
                        "as 300"));
    buf_add(&buf, S("{\"coding\":[{\"system\":\"https://fhir.hl7.org.uk/CodeSystem/"
                    "UKCore-PracticeSettingCodeEngland\",\"code\":\""));
    json_escape(&buf, code);
    buf_add(&buf, S("\"}]}"));
    json_put_raw(w, "performerType", buf_str(&buf));
    return ERR_OK;
}

static err write_request(struct beds_call *call, struct json_writer *w)
{
    struct ctx *cx = call->cx;
    str source, priority = S("routine"), note = str_trim(beds_input(call, "note"));
    str specialty = str_trim(beds_input(call, "specialty"));
    TRY(need_row(call, "source", beds_sources, BEDS_SOURCES, &source));
    if (beds_input(call, "priority").n)
        TRY(need_row(call, "priority", beds_priorities, COUNT(beds_priorities), &priority));
    json_open(w, '{');
    json_put_str(w, "resourceType", S("ServiceRequest"));
    TRY(write_clock(call, w, source));
    json_put_str(w, "status", S("active"));
    json_put_str(w, "intent", S("order"));
    json_put_raw(w, "category", arena_printf(cx->arena, "[{\"coding\":[{\"system\":\"" CODES
                 "bed-request\",\"code\":\"%.*s\"}]}]", STR_ARG(source)));
    json_put_str(w, "priority", priority);
    json_put_raw(w, "code", S("{\"text\":\"Inpatient bed\"}"));
    TRY(write_needs(call, w));
    json_put_raw(w, "subject", arena_printf(cx->arena, "{\"reference\":\"Patient/%s\"}",
                                            call->stay.patient));
    if (specialty.n)
        TRY(write_specialty(call, w, specialty));
    if (note.n) {
        json_key(w, "note");
        json_open(w, '[');
        json_open(w, '{');
        json_put_str(w, "text", str_slice(note, 0, BEDS_NOTE_MAX));
        json_close(w, '}');
        json_close(w, ']');
    }
    json_close(w, '}');
    return ERR_OK;
}

err beds_move_request(struct beds_call *call)
{
    struct ctx *cx = call->cx;
    str patient;
    TRY(beds_need_id(call, "patient", "Patient", &patient));
    TRY(beds_need_patient(call, patient, &call->stay));
    struct buf buf = buf_make(cx->arena, BODY_BYTES);
    struct json_writer w = json_writer(&buf);
    TRY(write_request(call, &w));
    struct commit_op *op = beds_add_op(call);
    *op = (struct commit_op){ .verb = COMMIT_CREATE,
                              .resource = fhir_resource_find(S("ServiceRequest")) };
    TRY(json_parse(cx, buf_str(&buf), &op->body));
    return validate_resource(cx, op->body);
}

/* The bed kept for it is given back in the same commit. */
err beds_move_cancel_request(struct beds_call *call)
{
    struct ctx *cx = call->cx;
    struct beds_asked asked;
    struct buf note = buf_make(cx->arena, BEDS_INPUT_MAX);
    str id, why = str_trim(beds_input(call, "why"));
    TRY(beds_need_id(call, "request", "ServiceRequest", &id));
    TRY(beds_asked_read(cx, id, &asked));
    if (why.n < 3)
        return ctx_fail(cx, ERR_INVALID, S("why"), S("say why the bed is no longer needed"));
    buf_char(&note, '"');
    json_escape(&note, str_slice(why, 0, BEDS_NOTE_MAX));
    buf_char(&note, '"');
    call->service_request = id;
    beds_change(call, "ServiceRequest", id, (struct beds_edit){ .write = beds_edit_request,
                .text = S("revoked"), .more = buf_str(&note) });
    if (asked.kept_stay.n)
        beds_change(call, "Encounter", asked.kept_stay, (struct beds_edit){
            .write = beds_edit_finish, .text = S("cancelled") });
    return ERR_OK;
}
