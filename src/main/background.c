/* SPDX-License-Identifier: Apache-2.0 */
#include "main/serve.h"
#include "module/module.h"
#include "rest/bulk.h"
#include "base/clock.h"
#include "synth/play.h"
#include "ui/live.h"
#include <unistd.h>
#include "rest/subscription.h"
#include "rest/viewdef.h"
#include "systems/feeds/send.h"
#include "systems/record/send.h"
#include "ui/background.h"

static const struct consumer *const *all_consumers(struct arena *arena, const struct serve *serve)
{
    size_t count = 1;
    for (size_t i = 0; modules[i]; i++)
        for (size_t k = 0; modules[i]->consumers && modules[i]->consumers[k]; k++)
            count++;
    const struct consumer **list = arena_array(arena, count + 1, sizeof *list);
    count = 0;
    list[count++] = subscriptions_consumer(serve->subscriptions);
    for (size_t i = 0; modules[i]; i++)
        for (size_t k = 0; modules[i]->consumers && modules[i]->consumers[k]; k++)
            list[count++] = modules[i]->consumers[k];
    return list;
}

static const struct due_kind *const *all_kinds(struct arena *arena, const struct serve *serve)
{
    size_t count = SUBSCRIPTION_KINDS;
    for (size_t i = 0; modules[i]; i++)
        for (size_t k = 0; modules[i]->due && modules[i]->due[k]; k++)
            count++;
    const struct due_kind **list = arena_array(arena, count + 1, sizeof *list);
    count = 0;
    for (size_t i = 0; i < SUBSCRIPTION_KINDS; i++)
        list[count++] = &subscriptions_due(serve->subscriptions)[i];
    for (size_t i = 0; modules[i]; i++)
        for (size_t k = 0; modules[i]->due && modules[i]->due[k]; k++)
            list[count++] = modules[i]->due[k];
    return list;
}

static err open_subscriptions(struct ctx *cx, struct serve *serve)
{
    const struct config *config = &serve->config;
    TRY(reach_read(cx, config_text(config, "subscriptions.allow"), &serve->reach));
    return subscriptions_open(cx, &(struct subscriptions_options){
        .store = serve->store, .gate = serve->gate, .audit = serve->audit, .reach = &serve->reach,
        .topics = config_text(config, "subscriptions.topics"),
        .base = serve_base(cx->arena, serve),
        .attempts = (int)config_number(config, "subscriptions.attempts"),
        .keep = config_number(config, "subscriptions.keep"),
        .streams_max = (int)config_number(config, "subscriptions.streams_max"),
    }, &serve->subscriptions);
}

static err open_sending(struct ctx *cx, const struct serve *serve)
{
    const struct config *config = &serve->config;
    return feeds_send_open(cx, &(struct feeds_send_options){
        .destinations = config_text(config, "hl7v2.send"),
        .name = config_text(config, "hl7v2.send_as"),
        .stuck_ms = config_number(config, "hl7v2.stuck_s") * 1000,
        .tls = { .certificate = config_text(config, "hl7v2.send_certificate"),
                 .key = config_text(config, "hl7v2.send_key"),
                 .authority = config_text(config, "hl7v2.send_authority") } });
}

err serve_start_background(struct ctx *cx, struct serve *serve, str folder)
{
    TRY(bulk_start(cx, serve->store, folder, serve->audit, &serve->bulk));
    rest_bulk_use(serve->bulk);
    TRY(viewdef_open(cx, serve->store));
    TRY(open_subscriptions(cx, serve));
    TRY(send_to(cx, config_text(&serve->config, "record.send_to"),
                config_text(&serve->config, "record.send_allow")));
    TRY(due_start(cx, serve->store, all_kinds(cx->arena, serve), &serve->due));
    TRY(subscriptions_start(cx, serve->subscriptions, serve->due));
    rest_subscriptions_use(serve->subscriptions);
    TRY(open_sending(cx, serve));
    TRY(consumers_start(cx, serve->store, all_consumers(cx->arena, serve), &serve->consumers));
    ui_background_use(serve->consumers, serve->due);
    return ERR_OK;
}

void serve_end_streams(struct serve *serve)
{
    if (serve->subscriptions)
        subscriptions_stop(serve->subscriptions);
}

void serve_stop_background(struct serve *serve)
{
    serve_end_streams(serve); /* and the calls the outbox is waiting for */
    if (serve->consumers)
        consumers_stop(serve->consumers);
    if (serve->due)
        due_stop(serve->due);
    feeds_send_close();
    if (serve->bulk)
        bulk_stop(serve->bulk);
    if (serve->subscriptions)
        subscriptions_close(serve->subscriptions);
}

/* ---- the demonstration ---- */

static const struct play_act *const *all_acts(struct arena *arena)
{
    size_t count = 0;
    for (size_t i = 0; modules[i]; i++)
        for (size_t k = 0; modules[i]->demo && modules[i]->demo[k]; k++)
            count++;
    const struct play_act **list = arena_array(arena, count + 1, sizeof *list);
    count = 0;
    for (size_t i = 0; modules[i]; i++)
        for (size_t k = 0; modules[i]->demo && modules[i]->demo[k]; k++)
            list[count++] = modules[i]->demo[k];
    return list;
}

static int64_t last_watched(void *self)
{
    struct serve *serve = self;
    if (live_streams(serve->http.live) > 0)
        serve->watched_ms = clock_monotonic_ms();
    return serve->watched_ms;
}

err serve_start_play(struct ctx *cx, struct serve *serve, str folder)
{
    str mark = arena_printf(cx->arena, "%.*s/demo-complete", STR_ARG(folder));
    if (!serve->speed)
        return ERR_OK;
    if (access(arena_cstr(cx->arena, mark), F_OK) != 0)
        return ctx_fail(cx, ERR_INVALID, S("--speed"),
                        S("only a demonstration made by ./run may be played: this folder has no "
                          "demo-complete in it"));
    serve->watched_ms = clock_monotonic_ms();
    return play_start(cx, &(struct play_options){
        .store = serve->store, .acts = all_acts(cx->arena), .speed = (double)serve->speed,
        .watched_ms = last_watched, .self = serve, .seed = (uint64_t)cx->now_ms }, &serve->play);
}
