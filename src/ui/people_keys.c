/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/gate.h"
#include "auth/secret.h"
#include "auth/session.h"
#include "http/text.h"
#include "ui/people.h"
#include "ui/sign_in.h"

/* The ways in of a member of staff, in an administrator's hands. */

/* The account, once the administrator has proved who they are; *away: sent to do that. */
static err begin(struct http_request *request, struct http_response *response,
                 struct people_user *user, bool *away)
{
    struct session session;
    TRY(gate_session(request, &session));
    TRY(sign_in_form_of(request, &session));
    TRY(people_page_user(request, user));
    *away = people_page_prove(request, response);
    return ERR_OK;
}

static err back(struct http_request *request, struct http_response *response, const char *done)
{
    return sign_in_go(response, arena_printf(request->cx->arena, "/people/%.*s?done=%s",
                                             STR_ARG(request->captures[0]), done));
}

err people_code_post(struct http_request *request, struct http_response *response)
{
    struct people_user user;
    bool away;
    str code;
    TRY(begin(request, response, &user, &away));
    if (away)
        return ERR_OK;
    if (user.disabled)
        return ctx_fail(request->cx, ERR_RULE, S("code"), S("open the account first"));
    TRY(session_code(request->cx, gate_people(request->gate_self), user.name,
                     PEOPLE_CODE_MINUTES, &code));
    return people_page_show(request, response, &user, code);
}

err people_key_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct people *people = gate_people(request->gate_self);
    struct people_user user;
    bool away;
    str id;
    TRY(begin(request, response, &user, &away));
    if (away)
        return ERR_OK;
    if (!secret_from_base64url(cx->arena, sign_in_field(request, "key"), &id))
        return ctx_fail(cx, ERR_INVALID, S("key"), S("is not a key of theirs"));
    TRY(passkey_end(cx, people, user.name, id, S("by the administrator")));
    TRY(session_end_all(cx, people, user.name, "/sign-out: a key of theirs was ended"));
    return back(request, response, "key");
}

err people_state_post(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct people_user user;
    bool away;
    TRY(begin(request, response, &user, &away));
    if (away)
        return ERR_OK;
    str state = sign_in_field(request, "state");
    bool closed = str_eq(state, S("closed"));
    if (!closed && !str_eq(state, S("open")))
        return ctx_fail(cx, ERR_INVALID, S("state"), S("is open or closed"));
    if (str_eq(user.name, cx->user->person.name))
        return ctx_fail(cx, ERR_RULE, S("state"),
                        S("another administrator closes your account, not you"));
    TRY(people_disable(cx, gate_people(request->gate_self), user.name, closed));
    standings_forget(gate_standings(request->gate_self));
    return back(request, response, closed ? "closed" : "open");
}

static const struct {
    const char *word, *text;
} done[] = {
    { "key", "That key opens nothing any more, and they are signed out everywhere." },
    { "closed", "The account is closed." },
    { "open", "The account is open again." },
};

str people_page_done(struct http_request *request)
{
    str word = http_query_value(request->cx->arena, request->query, S("done"));
    for (size_t i = 0; i < COUNT(done); i++)
        if (str_eq(word, str_of(done[i].word)))
            return str_of(done[i].text);
    return S("");
}
