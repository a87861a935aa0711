/* SPDX-License-Identifier: Apache-2.0 */
#include "obs_rules.html.h"
#include "systems/obs/responses.h"
#include "ui_page.html.h"

err obs_rules_get(struct http_request *request, struct http_response *response)
{
    struct ui_page page = ui_page_for(request, S("What observations go by"));
    page.section = "/obs";
    page.back_href = S("/obs");
    page.back_text = S("All wards");
    struct buf out = ui_page_buf(request);
    ui_page_open(&out, &page);
    obs_rules_body(&out, request->cx);
    ui_page_close(&out, &page);
    return ui_page_send(request, response, &out);
}
