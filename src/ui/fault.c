/* SPDX-License-Identifier: Apache-2.0 */
#include "ui/page.h"
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
    case 409:
    case 412: return S("Somebody was first");
    case 503: return S("Too busy just now");
    default: return status >= 500 ? S("Something went wrong") : S("That did not work");
    }
}

void ui_fault(struct http_request *request, struct http_response *response, err kind)
{
    if (response->status < 400)
        response->status = err_http_status(kind);
    struct ui_page page = ui_page_for(request, fault_title(response->status));
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    ui_fault_body(&out, &request->cx->issues, request->cx->request_id);
    ui_page_close(&out, &page);
    response->stream = NULL;
    if (response->status == 503)
        http_put_header(response, S("Retry-After"), S("1"));
    if (ui_page_send(request, response, &out) != ERR_OK)
        response->body = S("");
}
