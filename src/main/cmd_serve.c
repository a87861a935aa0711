/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/deed.h"
#include "base/log.h"
#include "fhir/profile.h"
#include "main/command.h"
#include "main/sandbox.h"
#include "main/serve.h"
#include "main/views.h"
#include "rest/rest.h"
#include "rest/terminology.h"
#include "rest/viewdef.h"
#include "store/commit.h"
#include "synth/play.h"
#include "ui/asset.h"
#include "ui/feed.h"
#include <signal.h>
#include <sys/resource.h>

static size_t take_sets(struct ctx *cx, const struct command_args *args, str **out)
{
    size_t count = 0;
    *out = arena_array(cx->arena, args->given_count + 1, sizeof **out);
    for (size_t i = 0; i < args->given_count; i++)
        if (str_eq(str_of(args->command->options[args->given[i].option].name), S("--set")))
            (*out)[count++] = args->given[i].value;
    return count;
}

static err take_args(struct ctx *cx, const struct command_args *args, struct serve *serve)
{
    str *sets, listen = command_value(args, "--listen");
    size_t sets_count = take_sets(cx, args, &sets);
    enum log_level level;
    TRY(config_read(cx, command_value(args, "--config"), sets, sets_count, &serve->config));
    if (!log_level_find(config_text(&serve->config, "log.level"), &level))
        return ctx_fail(cx, ERR_INVALID, S("log.level"), S("takes error, warning, info or debug"));
    log_set_level(level);
    TRY(serve_read_address(cx, str_given(listen) ? listen : S("127.0.0.1:8080"), serve));
    serve->open = command_has(args, "--open");
    if (command_has(args, "--web-dir"))
        ui_asset_use_folder(command_value(args, "--web-dir"));
    str speed = command_value(args, "--speed");
    if (str_given(speed) && (!str_to_u64(speed, &serve->speed) || serve->speed < 1 ||
                             serve->speed > PLAY_SPEED_MAX))
        return ctx_failf(cx, ERR_INVALID, S("--speed"), "takes a number from 1 to %d",
                         PLAY_SPEED_MAX);
    return serve_check_exposure(cx, serve);
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Their own specifications say what a parameter that comes twice means. */
static const char *const own_rules[] = { "/fhir", "/auth/", NULL };

static err start(struct ctx *cx, const struct command_args *args, struct serve *serve)
{
    TRY(take_args(cx, args, serve));
    if (config_switch(&serve->config, "process.sandbox"))
        TRY(sandbox_enter(cx)); /* before any thread starts */
    struct store_options options = {
        .folder = command_value(args, "--data"), .create = true,
        .cache_bytes = config_number(&serve->config, "store.cache_bytes"),
        .readers_max = (int)config_number(&serve->config, "store.readers"),
    };
    TRY(store_open(cx, &options, &serve->store));
    TRY(serve_open_profiles(cx, serve, options.folder));
    commit_set_claim_rules(serve->store, serve_claims(cx->arena));
    TRY(views_open(cx, serve->store, options.folder));
    rest_configure(&(struct rest_limits){
        .page = (size_t)config_number(&serve->config, "search.page"),
        .page_max = (size_t)config_number(&serve->config, "search.page_max"),
        .sign_in = !serve->open });
    serve_take_limits(serve);
    TRY(serve_pick_port(cx, serve));
    serve->http.address = serve->address;
    serve->http.port = serve->port;
    store_set_base(serve->store, serve_base(cx->arena, serve));
    serve->http.tables = serve_tables(cx->arena);
    serve->http.store = serve->store;
    TRY(serve_open_gate(cx, serve, options.folder));
    serve->http.fault = serve_fault;
    serve->http.repeats = own_rules;
    serve_set_nav(cx->arena);
    serve_set_home(cx->arena);
    serve->http.live = live_make(&(struct live_options){
        .streams_max = (int)config_number(&serve->config, "http.streams_max"),
        .start_seq = store_seq(serve->store) });
    TRY(serve_start_background(cx, serve, options.folder));
    TRY(serve_open_feed(cx, serve));
    TRY(feed_start(cx, serve->store, serve->http.live, serve_feeds(cx->arena), &serve->boards));
    TRY(serve_start_play(cx, serve, options.folder));
    return http_start(cx, &serve->http, &serve->server);
}

static int run(struct ctx *cx, const struct command_args *args)
{
    struct serve *serve = arena_zero(cx->arena, sizeof *serve);
    sigset_t signals;
    int signal_number;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* before any thread starts */
    signal(SIGPIPE, SIG_IGN);
    raise_file_limit();
    err wrong = start(cx, args, serve);
    ctx_release(cx); /* a snapshot kept for as long as we serve would hold the write-ahead log */
    if (wrong == ERR_OK) {
        if (serve->feed)
            fprintf(stderr, "listening for HL7 v2 on port %d\n", hl7_listen_port(serve->feed));
        bool six = str_find_char(serve->address, ':') != STR_NONE;
        fprintf(stderr, "listening on http://%s%.*s%s:%d\n", six ? "[" : "",
                STR_ARG(serve->address), six ? "]" : "", http_port(serve->server));
        sigwait(&signals, &signal_number);
        log_line(LOG_INFO, (str){ 0 }, "stopping");
        serve_end_streams(serve);
        http_stop(serve->server);
        viewdef_stop();
    }
    play_stop(serve->play);
    hl7_listen_stop(serve->feed);
    hl7_tls_free(serve->feed_tls);
    serve_stop_background(serve);
    deeds_stop(serve->deeds);
    audit_log_stop(serve->audit); /* before the store: it writes what still waits */
    profile_live_close(serve->profiles);
    feed_stop(serve->boards);
    if (serve->http.live)
        live_free(serve->http.live);
    if (serve->store)
        store_close(serve->store);
    terminology_close(serve->terminology); /* the store's searches ask it */
    serve_close_gate(serve);
    return wrong ? command_fail(cx) : EXIT_DONE;
}

static const struct command_option options[] = {
    { "--data", "DIR", "data folder; made when it is not there", true, false },
    { "--listen", "ADDR:PORT", "where to serve; 127.0.0.1:8080 unless given, port 0 for any", false,
      false },
    { "--open", NULL, "no sign-in; refused on any address but loopback", false, false },
    { "--speed", "N", "let the demonstration that ./run made live on, N hours an hour", false,
      false },
    { "--web-dir", "DIR", "styles and scripts from files, for whoever works on the screens", false,
      false },
    { "--config", "FILE", "configuration, INI; frontline config shows the keys", false, false },
    { "--set", "KEY=VALUE", "one configuration key, section.key=value", false, true },
    { 0 },
};

extern const struct command cmd_serve;
const struct command cmd_serve = {
    .name = "serve",
    .summary = "serve the record over HTTP",
    .about = "Prints \"listening on http://...\" on standard error when ready. SIGTERM or SIGINT "
             "finishes what was accepted and stops.",
    .options = options,
    .examples = "  frontline serve --data data/demo --open\n"
                "  frontline serve --data /var/lib/frontline --listen 127.0.0.1:9000 --config "
                "frontline.ini\n",
    .data = COMMAND_DATA_MADE,
    .run = run,
};
