/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/sign_in_note.h"
#include "auth/audit_log.h"
#include "auth/sign_in_metrics.h"

static err note(struct http_request *request, str who, str what, bool let_in)
{
    struct ctx *cx = request->cx;
    struct audit_log *log = gate_audit(request->gate_self);
    struct people_user user = { .name = S("") };
    if (!log)
        return ERR_OK;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    if (who.n && people_find(cx, gate_people(request->gate_self), who, &user) != ERR_OK) {
        cx->issues.kept = kept; /* a name that is nobody's is kept as it was claimed */
        cx->issues.count = count;
    }
    struct audit_entry entry = {
        .at_ms = cx->now_ms,
        .who = who.n ? str_slice(who, 0, PEOPLE_NAME_MAX) : S("unknown"),
        .person = str_given(user.who) ? user.who : S(""),
        .role = str_given(user.role) ? user.role : S(""),
        .act = AUDIT_SIGN_IN,
        .what = what,
        .outcome = let_in ? AUDIT_DONE : AUDIT_REFUSED,
        .request_id = cx->request_id,
        .address = http_address(request),
        .client = S(""), .behalf = S(""), .purpose = S(""), .reason = S(""),
    };
    uint64_t ticket;
    TRY(audit_note(cx, log, &entry, &ticket));
    http_hold(request, ticket);
    return ERR_OK;
}

err sign_in_note(struct http_request *request, str who, const char *method, bool let_in)
{
    if (!let_in)
        sign_in_metrics_refused(sign_in_method_find(str_of(method)));
    return note(request, who, arena_printf(request->cx->arena, "/sign-in by %s", method), let_in);
}

err sign_in_note_again(struct http_request *request, str who, const char *method, bool proved)
{
    return note(request, who, arena_printf(request->cx->arena, "/step-up by %s", method), proved);
}

err sign_in_note_enrol(struct http_request *request, str who)
{
    return note(request, who, S("/account: a passkey was not enrolled"), false);
}
