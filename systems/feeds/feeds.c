/* SPDX-License-Identifier: Apache-2.0 */
#include "module/module.h"
#include "systems/feeds/hold.h"
#include "systems/feeds/out.h"
#include "systems/feeds/outbox.h"
#include "systems/feeds/send.h"

static const struct route routes[] = {
    { "GET", "/feeds", "feeds.read", feeds_get, "Senders, and messages on hold", ROUTE_SLOW },
    { "GET", "/feeds/message/{id}", "feeds.read", feeds_message_get, "A message on hold",
      ROUTE_SLOW },
    { "POST", "/feeds/message/{id}", "feeds.write", feeds_message_post,
      "Take it again, mended or not, or set it aside", ROUTE_SLOW },
    { "GET", "/feeds/out/{number}", "feeds.read", feeds_out_get, "A message that waits to be sent",
      ROUTE_SLOW },
    { "POST", "/feeds/out/{number}", "feeds.write", feeds_out_post,
      "Send it again now, or give it up", ROUTE_SLOW },
    { 0 },
};
static const struct consumer *const consumers[] = { &feeds_adt_out, &feeds_again, NULL };
static const struct due_kind *const due[] = { &feeds_sending, NULL };

extern const struct module feeds_module;
const struct module feeds_module = {
    .name = "feeds",
    .title = "Feeds",
    .page = "/feeds",
    .hazards = "H-040 H-043 H-044",
    .routes = routes,
    .consumers = consumers,
    .due = due,
};
