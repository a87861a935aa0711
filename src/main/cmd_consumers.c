/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs/consumer.h"
#include "jobs/due.h"
#include "json/write.h"
#include "main/command.h"
#include "store/own_status.h"

struct listing {
    struct consumer_state *consumers;
    size_t consumers_count;
    struct due_count *due;
    size_t due_count;
    struct own_status *own;
    size_t own_count;
};

static void print_json(struct ctx *cx, const struct listing *l)
{
    struct buf buf = buf_make(cx->arena, 1 << 20);
    struct json_writer w = json_writer(&buf);
    json_open(&w, '{');
    json_key(&w, "consumers");
    json_open(&w, '[');
    for (size_t i = 0; i < l->consumers_count; i++) {
        const struct consumer_state *c = &l->consumers[i];
        json_open(&w, '{');
        json_put_str(&w, "name", c->name);
        json_put_u64(&w, "seq", (uint64_t)c->seq);
        json_put_u64(&w, "lag", (uint64_t)c->lag);
        json_put_u64(&w, "failures", (uint64_t)c->failures);
        json_put_bool(&w, "parked", c->parked);
        json_put_str(&w, "error", c->error);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_key(&w, "due");
    json_open(&w, '[');
    for (size_t i = 0; i < l->due_count; i++) {
        json_open(&w, '{');
        json_put_str(&w, "kind", l->due[i].kind);
        json_put_u64(&w, "waiting", (uint64_t)l->due[i].waiting);
        json_put_u64(&w, "failing", (uint64_t)l->due[i].failing);
        json_put_u64(&w, "parked", (uint64_t)l->due[i].parked);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_key(&w, "search_parameters");
    json_open(&w, '[');
    for (size_t i = 0; i < l->own_count; i++) {
        json_open(&w, '{');
        json_put_str(&w, "base", fhir_resource_name(l->own[i].resource));
        json_put_str(&w, "code", l->own[i].code);
        json_put_str(&w, "state", str_of(own_state_name(l->own[i].state)));
        json_put_u64(&w, "done", (uint64_t)l->own[i].done);
        json_put_u64(&w, "total", (uint64_t)l->own[i].total);
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_close(&w, '}');
    printf("%.*s\n", STR_ARG(buf_str(&buf)));
}

static void print_words(const struct listing *l)
{
    printf("%-24s %12s %10s  %s\n", "consumer", "position", "lag", "state");
    for (size_t i = 0; i < l->consumers_count; i++) {
        const struct consumer_state *c = &l->consumers[i];
        printf("%-24.*s %12lld %10lld  %s%.*s\n", STR_ARG(c->name), (long long)c->seq,
               (long long)c->lag, c->parked ? "parked: " : c->failures ? "failing: " : "well",
               STR_ARG(c->error));
    }
    printf("\n%-24s %12s %10s  %s\n", "due", "waiting", "failing", "parked");
    for (size_t i = 0; i < l->due_count; i++)
        printf("%-24.*s %12lld %10lld  %lld\n", STR_ARG(l->due[i].kind),
               (long long)l->due[i].waiting, (long long)l->due[i].failing,
               (long long)l->due[i].parked);
    if (l->own_count)
        printf("\n%-24s %-16s %10s %10s  %s\n", "search parameter", "of", "indexed", "of",
               "state");
    for (size_t i = 0; i < l->own_count; i++)
        printf("%-24.*s %-16.*s %10lld %10lld  %s\n", STR_ARG(l->own[i].code),
               STR_ARG(fhir_resource_name(l->own[i].resource)), (long long)l->own[i].done,
               (long long)l->own[i].total, own_state_name(l->own[i].state));
}

/* A record no server has run on has no such tables yet: nothing to list. */
static void read_all(struct ctx *cx, struct store *store, struct listing *out)
{
    if (consumers_list(cx, store, &out->consumers, &out->consumers_count))
        out->consumers_count = 0;
    if (own_list(cx, store, &out->own, &out->own_count))
        out->own_count = 0;
    if (due_counts(cx, store, &out->due, &out->due_count))
        out->due_count = 0;
    cx->issues = (struct issues){ .arena = cx->arena };
}

static int resume(struct ctx *cx, str folder, str name, bool skip)
{
    struct store_options options = { .folder = folder };
    struct store *store;
    if (store_open(cx, &options, &store))
        return command_fail(cx);
    err wrong = consumer_unpark(cx, store, name, skip);
    store_close(store);
    return wrong ? command_fail(cx) : EXIT_DONE;
}

static int run(struct ctx *cx, const struct command_args *args)
{
    struct store_options options = { .folder = command_value(args, "--data"), .read_only = true };
    struct store *store;
    struct listing listing = { 0 };
    str name = command_value(args, "--resume");
    if (str_given(name))
        return resume(cx, options.folder, name, command_has(args, "--skip"));
    if (store_open(cx, &options, &store))
        return command_fail(cx);
    read_all(cx, store, &listing);
    ctx_release(cx);
    store_close(store);
    if (command_has(args, "--json"))
        print_json(cx, &listing);
    else
        print_words(&listing);
    return EXIT_DONE;
}

static const struct command_option options[] = {
    { "--data", "DIR", "the data folder", true, false },
    { "--resume", "NAME", "go on with a parked consumer; only while no server runs", false, false },
    { "--skip", NULL, "with --resume: past the version that failed", false, false },
    { "--json", NULL, "print as JSON", false, false },
    { 0 },
};

extern const struct command cmd_consumers;
const struct command cmd_consumers = {
    .name = "consumers",
    .summary = "list who follows the log, how far, and what is due",
    .about = "A consumer that failed too often is parked: it stands still until it is resumed or "
             "the server starts anew.\nWhile a server runs, /admin/background does the same.\n"
             "Under due: timers, and what waits to leave the program. "
             "Then how far the server's own\nsearch parameters are indexed.",
    .options = options,
    .examples = "  frontline consumers --data hospital\n"
                "  frontline consumers --data hospital --resume alerts --skip\n",
    .data = COMMAND_DATA_RECORD,
    .run = run,
};
