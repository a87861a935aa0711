/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/random.h"
#include "fhir/def.h"
#include "store/commit.h"
#include "view/view_bulk.h"
#include "view/view_table.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

/*
 * bench_views: what keeping ten views current costs a writer, and how fast a view of the moment is
 * read from the store.
 *
 *   bench_views FOLDER [WRITES [ROUNDS]]
 *
 * Prints "cost PERCENT" (of write throughput, the median of pairs of rounds, without and with the
 * views, one after the other so that a slow minute of the machine meets both) and "adhoc N"
 * (resources a second).
 */
enum { WRITERS = 32, VIEWS = 10, ROUNDS_MAX = 32 };

/* Five views of Observation, three of Encounter, two of Patient: what is written meets most. */
#define OBS(name, more)                                                                            \
    { "bench", name,                                                                               \
      "{\"resource\":\"Observation\",\"select\":[{\"column\":["                                    \
      "{\"name\":\"id\",\"path\":\"id\"},{\"name\":\"patient\",\"path\":"                          \
      "\"subject.getReferenceKey(Patient)\"}," more "]}]}" }
#define ENC(name, more)                                                                            \
    { "bench", name,                                                                               \
      "{\"resource\":\"Encounter\",\"select\":[{\"column\":[{\"name\":\"id\",\"path\":\"id\"},"    \
      "{\"name\":\"status\",\"path\":\"status\"}," more "]}]}" }
#define PAT(name, more)                                                                            \
    { "bench", name,                                                                               \
      "{\"resource\":\"Patient\",\"select\":[{\"column\":[{\"name\":\"id\",\"path\":\"id\"},"      \
      more "]}]}" }
static const struct view_file ten[] = {
    OBS("vitals", "{\"name\":\"code\",\"path\":\"code.coding.first().code\"},"
                  "{\"name\":\"value\",\"path\":\"value.ofType(Quantity).value\"}"),
    OBS("times", "{\"name\":\"at\",\"path\":\"effective.ofType(dateTime)\"}"),
    OBS("status", "{\"name\":\"status\",\"path\":\"status\"}"),
    OBS("units", "{\"name\":\"unit\",\"path\":\"value.ofType(Quantity).unit\"}"),
    OBS("texts", "{\"name\":\"text\",\"path\":\"code.text\"}"),
    ENC("stays", "{\"name\":\"begun\",\"path\":\"period.start\"}"),
    ENC("classes", "{\"name\":\"class\",\"path\":\"class.code\"}"),
    ENC("people", "{\"name\":\"patient\",\"path\":\"subject.getReferenceKey(Patient)\"}"),
    PAT("names", "{\"name\":\"family\",\"path\":\"name.first().family\"}"),
    PAT("births", "{\"name\":\"born\",\"path\":\"birthDate\"}"),
    { 0 },
};

struct round {
    struct store *store;
    _Atomic int64_t left, failed;
};

/* Of ten writes seven are observations, two encounters, one a patient. */
static str body_of(struct ctx *cx, int64_t number, const char **type)
{
    int64_t kind = number % 10;
    *type = kind < 7 ? "Observation" : kind < 9 ? "Encounter" : "Patient";
    if (kind < 7)
        return arena_printf(cx->arena,
            "{\"resourceType\":\"Observation\",\"status\":\"final\",\"code\":{\"coding\":[{"
            "\"system\":\"http://loinc.org\",\"code\":\"8867-4\"}],\"text\":\"Heart rate\"},"
            "\"subject\":{\"reference\":\"Patient/p%lld\"},\"effectiveDateTime\":"
            "\"2026-03-%02lldT10:%02lld:00Z\",\"valueQuantity\":{\"value\":%lld,\"unit\":\"/min\","
            "\"system\":\"http://unitsofmeasure.org\",\"code\":\"/min\"}}",
            (long long)(number % 997), (long long)(number % 28 + 1), (long long)(number % 60),
            (long long)(number % 120 + 40));
    if (kind < 9)
        return arena_printf(cx->arena,
            "{\"resourceType\":\"Encounter\",\"status\":\"in-progress\",\"class\":{\"code\":"
            "\"IMP\"},\"subject\":{\"reference\":\"Patient/p%lld\"},\"period\":{\"start\":"
            "\"2026-03-01T10:00:00Z\"}}", (long long)(number % 997));
    return arena_printf(cx->arena,
        "{\"resourceType\":\"Patient\",\"gender\":\"female\",\"birthDate\":\"1970-01-01\","
        "\"name\":[{\"family\":\"F%lld\",\"given\":[\"G\"]}]}", (long long)number);
}

static void *write_on(void *self)
{
    struct round *round = self;
    struct arena arena = arena_make((size_t)64 << 20);
    struct random random;
    random_secret(&random, sizeof random);
    for (int64_t n; (n = atomic_fetch_sub(&round->left, 1)) > 0;) {
        struct ctx cx = ctx_make(&arena);
        const char *type;
        cx.now_ms = clock_now_ms();
        cx.random = &random;
        struct commit_op op = { .verb = COMMIT_CREATE };
        struct commit commit = { .ops = &op, .ops_count = 1 };
        str body = body_of(&cx, n, &type);
        op.resource = fhir_resource_find(str_of(type));
        if (json_parse(&cx, body, &op.body) || commit_run(&cx, round->store, &commit))
            atomic_fetch_add(&round->failed, 1);
        ctx_release(&cx);
        arena_reset(&arena);
    }
    arena_free(&arena);
    return NULL;
}

static double write_round(struct store *store, int64_t writes)
{
    pthread_t threads[WRITERS];
    struct round round = { .store = store, .left = writes };
    int64_t began_ns = clock_monotonic_ns();
    for (int i = 0; i < WRITERS; i++)
        if (pthread_create(&threads[i], NULL, write_on, &round))
            exit(1);
    for (int i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
    if (round.failed)
        fprintf(stderr, "%lld writes failed\n", (long long)round.failed);
    return (double)writes * 1e9 / (double)(clock_monotonic_ns() - began_ns);
}

static struct store *open_record(struct ctx *cx, str folder, bool views)
{
    struct store *store;
    struct view_tables *tables;
    struct store_options options = { .folder = folder, .create = true };
    err wrong = store_open(cx, &options, &store);
    if (!wrong && views) {
        wrong = view_tables_make(cx, ten, &tables);
        if (!wrong)
            wrong = view_tables_open(cx, tables, &(struct view_rebuild){ .store = store,
                                                                          .folder = folder });
    }
    if (wrong) {
        fprintf(stderr, "%s: %.*s\n", err_name(wrong),
                STR_ARG(cx->issues.kept ? cx->issues.list[0].text : S("")));
        exit(1);
    }
    return store;
}

static err count_bytes(void *self, str text)
{
    *(int64_t *)self += (int64_t)text.n;
    return ERR_OK;
}

static double read_adhoc(struct ctx *cx, struct store *store)
{
    struct json definition;
    const struct view *view;
    struct view_source source;
    int64_t bytes = 0;
    struct view_bulk bulk = { .threads = 2, .write = count_bytes, .self = &bytes };
    if (json_parse(cx, str_of(ten[0].text), &definition) || view_compile(cx, definition, &view) ||
        view_source_of_store(cx, store, view, &source))
        exit(1);
    bulk.view = view;
    int64_t began_ns = clock_monotonic_ns();
    if (view_bulk_run(cx, &bulk, &source))
        exit(1);
    return (double)bulk.resources * 1e9 / (double)(clock_monotonic_ns() - began_ns);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    uint64_t writes = 20000, rounds = 5;
    double costs[ROUNDS_MAX], without = 0, with = 0, adhoc = 0;
    struct arena arena = arena_make((size_t)1 << 30);
    struct ctx cx = ctx_make(&arena);
    if (argc < 2 || (argc > 2 && !str_to_u64(str_of(argv[2]), &writes)) ||
        (argc > 3 && (!str_to_u64(str_of(argv[3]), &rounds) || rounds > ROUNDS_MAX || !rounds))) {
        fprintf(stderr, "usage: bench_views FOLDER [WRITES [ROUNDS]]\n");
        return 2;
    }
    struct store *plain = open_record(&cx, arena_printf(&arena, "%s/plain", argv[1]), false);
    struct store *kept = open_record(&cx, arena_printf(&arena, "%s/kept", argv[1]), true);
    for (uint64_t i = 0; i < rounds; i++) {
        double a = write_round(plain, (int64_t)writes), b = write_round(kept, (int64_t)writes);
        costs[i] = 100 * (1 - b / a);
        without += a / (double)rounds;
        with += b / (double)rounds;
        printf("round %.0f/s without, %.0f/s with views: %.1f %%\n", a, b, costs[i]);
    }
    qsort(costs, rounds, sizeof *costs, by_size);
    for (int i = 0; i < 3; i++) {
        double speed = read_adhoc(&cx, kept);
        adhoc = speed > adhoc ? speed : adhoc;
    }
    printf("writes %.0f without, %.0f with\ncost %.1f\nadhoc %.0f\n", without, with,
           costs[rounds / 2], adhoc);
    ctx_release(&cx);
    store_close(plain);
    store_close(kept);
    arena_free(&arena);
    return 0;
}
