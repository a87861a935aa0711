/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/page.h"
#include "auth/gate.h"
#include "ui_fault.html.h"
#include "ui_page.html.h"

static str fault_title(int status)
{
    switch (status) {
    case 401: return S("Sign in first");
    case 403: return S("You may not see this");
    case 404: return S("Not here");
    case 405: return S("That cannot be done here");
    case 410: return S("Deleted");
    case 409: return S("Somebody was first");
    case 412: return S("Not as it was when you opened the page");
    case 503: return S("Too busy just now");
    default: return status >= 500 ? S("Something went wrong") : S("That did not work");
    }
}

/* The patient a page that is not there would have been about; empty: of none. One who is hidden
 * and one who never was are the same here. */
static str patient_of(const struct http_request *request)
{
    str pattern = request->route ? str_of(request->route->pattern) : S(""), part;
    if (str_starts(request->path, S("/browse/Patient/")))
        return request->captures[1];
    for (size_t capture = 0; str_next(&pattern, '/', &part);) {
        if (str_eq(part, S("{patient}")) && capture < HTTP_CAPTURES_MAX)
            return request->captures[capture];
        capture += part.n && part.p[0] == '{';
    }
    return S("");
}

/* In an emergency a closed record must open: to whose role has that, at a click and a reason. */
static str emergency_of(const struct http_request *request, int status)
{
    const struct user *user = request->cx->user;
    bool closed = status == 404 || status == 403;
    if (!closed || !user || !user->person.name.n || !user->asker.role->may_break_glass ||
        str_starts(request->path, S("/break-glass/")))
        return S("");
    str patient = patient_of(request);
    return str_given(patient) ? patient : S("");
}

void ui_fault(struct http_request *request, struct http_response *response, err kind)
{
    if (response->status < 400)
        response->status = err_http_status(kind);
    struct ui_page page = ui_page_for(request, fault_title(response->status));
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    ui_fault_body(&out, &request->cx->issues, request->cx->request_id,
                  emergency_of(request, response->status));
    ui_page_close(&out, &page);
    response->stream = NULL;
    if (response->status == 503)
        http_put_header(response, S("Retry-After"), S("1"));
    if (ui_page_send(request, response, &out) != ERR_OK)
        response->body = S("");
}
