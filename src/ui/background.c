/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/background.h"
#include "auth/gate.h"
#include "http/text.h"
#include "ui_background.html.h"

static struct consumers *all_consumers;
static struct due *all_due;

void ui_background_use(struct consumers *consumers, struct due *due)
{
    all_consumers = consumers;
    all_due = due;
}

static err show(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct ui_background b = { .page = ui_page_for(request, S("Behind the scenes")) };
    TRY(consumers_list(cx, request->store, &b.consumers, &b.consumers_count));
    TRY(due_counts(cx, request->store, &b.due, &b.due_count));
    for (size_t i = 0; i < b.consumers_count; i++)
        b.standing += b.consumers[i].parked;
    for (size_t i = 0; i < b.due_count; i++)
        b.standing += b.due[i].parked > 0;
    b.may_act = !cx->user || role_permits(cx->user->asker.role, S("admin.background"));
    b.page.as_of = ui_time(cx, cx->now_ms);
    struct buf out = ui_page_buf(request);
    ui_background_draw(&out, cx, &b);
    return ui_page_send(request, response, &out);
}

static err go_back(struct http_response *response)
{
    response->status = 303;
    http_put_header(response, S("Location"), S("/admin/background"));
    return ERR_OK;
}

static err resume_consumer(struct http_request *request, struct http_response *response)
{
    struct ctx *cx = request->cx;
    struct consumer_state *list;
    size_t count, i = 0;
    bool skip = str_eq(http_query_value(cx->arena, request->body, S("skip")), S("yes"));
    TRY(consumers_list(cx, request->store, &list, &count));
    while (i < count && !str_eq(list[i].name, request->captures[0]))
        i++;
    if (i < count && !list[i].parked)
        return ctx_fail(cx, ERR_CONFLICT, (str){ 0 },
                        S("it does not stand still any more; load the page again"));
    TRY(consumers_resume(cx, all_consumers, request->captures[0], skip));
    return go_back(response);
}

static err retry_due(struct http_request *request, struct http_response *response)
{
    TRY(due_retry(request->cx, all_due, request->captures[0]));
    return go_back(response);
}

const struct route ui_background_routes[] = {
    { "GET", "/admin/background", "admin.background", show,
      "Who follows the log, timers and outbox", ROUTE_SLOW },
    { "POST", "/admin/background/consumers/{name}", "admin.background", resume_consumer,
      "Go on with one that stands still; skip=yes: past what failed", ROUTE_SLOW },
    { "POST", "/admin/background/due/{kind}", "admin.background", retry_due,
      "Try what is parked again", ROUTE_SLOW },
    { 0 },
};
