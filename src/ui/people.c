/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/people.h"
#include "auth/audit_log.h"
#include "auth/gate.h"
#include "auth/step_up.h"
#include "http/text.h"
#include "ui/sign_in.h"
#include "ui_people.html.h"

enum { URL_BYTES = 4096 };

static struct people *people_of(struct http_request *request)
{
    return gate_people(request->gate_self);
}

/* Staff's: not a patient's, a carer's or a service's. */
static bool is_given(const struct role *role)
{
    return role && !role_permits(role, S("app.home"));
}

static struct people_row row_of(const struct people_user *user)
{
    const struct role *role = role_find(user->role);
    return (struct people_row){ user->name, user->display,
                                role ? str_of(role->title) : user->role, user->disabled };
}

static err list_get(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct people_user *users;
    size_t count;
    struct people_page list = { .page = ui_page_for(request, S("People")), .done = S("") };
    TRY(people_list(cx, people_of(request), &users, &count));
    list.page.section = "/people";
    list.rows = arena_array(cx->arena, PEOPLE_PAGE_MAX, sizeof *list.rows);
    for (size_t i = 0; i < count && !list.more; i++) {
        list.more = list.rows_count == PEOPLE_PAGE_MAX;
        if (!list.more && is_given(role_find(users[i].role)))
            list.rows[list.rows_count++] = row_of(&users[i]);
    }
    if (http_query_value(cx->arena, request->query, S("done")).n)
        list.done = S("The role is changed. It holds within a second.");
    struct buf out = ui_page_buf(request);
    people_list_draw(&out, &list);
    return ui_page_send(request, response, &out);
}

err people_page_user(struct http_request *request, struct people_user *out)
{
    struct ctx *cx = request->cx;
    TRY(people_find(cx, people_of(request), request->captures[0], out));
    if (is_given(role_find(out->role)))
        return ERR_OK;
    return ctx_fail(cx, ERR_NOT_FOUND, (str){ 0 }, S("there is no such member of staff"));
}

/* True when the administrator is sent to prove who they are first. */
bool people_page_prove(struct http_request *request, struct http_response *response)
{
    if (gate_step_up(request, "role_change") == ERR_OK)
        return false;
    request->cx->issues.kept = request->cx->issues.count = 0;
    struct buf url = buf_make(request->cx->arena, URL_BYTES);
    buf_add(&url, S("/step-up?next="));
    http_encode(&url, arena_printf(request->cx->arena, "/people/%.*s",
                                   STR_ARG(request->captures[0])));
    (void)!sign_in_go(response, buf_str(&url));
    return true;
}

err people_page_show(struct http_request *request, struct http_response *response,
                     const struct people_user *user, str code)
{
    struct ctx *cx = request->cx;
    struct ui_option *options = arena_array(cx->arena, roles_count, sizeof *options);
    size_t count = 0;
    for (size_t i = 0; i < roles_count; i++)
        if (is_given(&roles[i]))
            options[count++] = (struct ui_option){ .value = str_of(roles[i].name),
                                                   .text = str_of(roles[i].title) };
    struct ui_field fields[2] = {
        { .name = "role", .label = "Role", .kind = UI_RADIOS, .required = true,
          .value = user->role, .options = options, .options_count = count },
        { .name = "csrf", .kind = UI_HIDDEN, .value = cx->user->csrf },
    };
    struct passkey *keys;
    size_t keys_count;
    TRY(passkey_list(cx, people_of(request), user->name, &keys, &keys_count));
    ui_fields_blame(&cx->issues, fields, COUNT(fields));
    struct people_one one = {
        .page = ui_page_for(request, user->display),
        .cx = cx,
        .row = row_of(user),
        .csrf = cx->user->csrf,
        .code = str_given(code) ? code : S(""),
        .done = people_page_done(request),
        .own = str_eq(user->name, cx->user->person.name),
        .form = { .action = arena_printf(cx->arena, "/people/%.*s", STR_ARG(user->name)),
                  .cancel = S("/people"), .submit = "Change the role",
                  .warns = true, .fields = fields, .fields_count = COUNT(fields),
                  .issues = &cx->issues },
    };
    one.keys = keys;
    one.keys_count = keys_count;
    one.page.section = "/people";
    one.page.back_href = S("/people");
    one.page.back_text = S("People");
    struct buf out = ui_page_buf(request);
    people_one_draw(&out, &one);
    return ui_page_send(request, response, &out);
}

static err one_get(struct http_request *request, struct http_response *response)
{
    struct people_user user;
    TRY(people_page_user(request, &user));
    return people_page_prove(request, response)
               ? ERR_OK : people_page_show(request, response, &user, (str){ 0 });
}

/* Noted before it is done: a change that cannot be noted does not happen. */
static err note(struct http_request *request, const struct people_user *user, str role)
{
    struct ctx *cx = request->cx;
    struct audit_log *log = gate_audit(request->gate_self);
    struct audit_entry entry = audit_entry_of(cx, cx->user);
    entry.act = AUDIT_PAGE;
    entry.what = arena_printf(cx->arena, "/people/%.*s role %.*s to %.*s", STR_ARG(user->name),
                              STR_ARG(user->role), STR_ARG(role));
    entry.outcome = AUDIT_DONE;
    uint64_t ticket;
    if (!log)
        return ERR_OK;
    TRY(audit_note(cx, log, &entry, &ticket));
    return audit_settle(cx, log, ticket);
}

static err change(struct http_request *request, const struct people_user *user)
{
    struct ctx *cx = request->cx;
    str role = sign_in_field(request, "role");
    if (!str_given(role) || !is_given(role_find(role)))
        return ctx_fail(cx, ERR_RULE, S("role"), S("Choose one of the roles"));
    if (str_eq(user->name, cx->user->person.name))
        return ctx_fail(cx, ERR_RULE, S("role"),
                        S("Another administrator changes your role, not you"));
    TRY(note(request, user, role));
    TRY(people_set_role(cx, people_of(request), user->name, role));
    standings_forget(gate_standings(request->gate_self));
    return ERR_OK;
}

static err one_post(struct http_request *request, struct http_response *response)
{
    struct people_user user;
    struct session session;
    TRY(gate_session(request, &session));
    TRY(sign_in_form_of(request, &session));
    TRY(people_page_user(request, &user));
    if (people_page_prove(request, response))
        return ERR_OK;
    err changed = change(request, &user);
    if (changed == ERR_RULE) {
        response->status = err_http_status(ERR_INVALID);
        return people_page_show(request, response, &user, (str){ 0 });
    }
    TRY(changed);
    return sign_in_go(response, S("/people?done=role"));
}

const struct route people_routes[] = {
    { "GET", "/people", "admin.people", list_get, "Who may sign in, and as what", 0 },
    { "GET", "/people/{name}", "admin.people", one_get, "One of them", ROUTE_PERSON },
    { "POST", "/people/{name}", "admin.people", one_post, "Another role for them",
      ROUTE_SLOW | ROUTE_PERSON },
    { "POST", "/people/{name}/code", "admin.people", people_code_post,
      "A one-time code for them, shown once", ROUTE_PERSON },
    { "POST", "/people/{name}/key", "admin.people", people_key_post, "End a lost key of theirs",
      ROUTE_PERSON },
    { "POST", "/people/{name}/state", "admin.people", people_state_post,
      "Close their account, or open it again", ROUTE_PERSON },
    { 0 },
};
