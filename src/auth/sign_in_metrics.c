/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/sign_in_metrics.h"
#include <stdatomic.h>

static const char *const names[SIGN_IN_METHODS] = { "passkey", "code", "openid", "badge", "demo" };
static const int64_t edges_ms[] = { 10, 50, 100, 300, 1000, 2000, 5000, 10000, 30000 };

struct histogram {
    _Atomic uint64_t counts[COUNT(edges_ms) + 1];
    _Atomic uint64_t sum_us;
};
/* Process-wide like the other metrics: [0] the server's share, [1] the whole. */
static struct histogram histograms[2][SIGN_IN_METHODS];
static _Atomic uint64_t refused[SIGN_IN_METHODS];

enum sign_in_method sign_in_method_find(str name)
{
    size_t i = 0;
    while (i < SIGN_IN_METHODS && !str_eq(name, str_of(names[i])))
        i++;
    return (enum sign_in_method)i;
}

static void note(struct histogram *into, int64_t took_us)
{
    size_t i = 0;
    while (i < COUNT(edges_ms) && took_us > edges_ms[i] * 1000)
        i++;
    atomic_fetch_add(&into->counts[i], 1);
    atomic_fetch_add(&into->sum_us, (uint64_t)(took_us > 0 ? took_us : 0));
}

void sign_in_metrics_server(enum sign_in_method method, int64_t took_ns)
{
    if (method < SIGN_IN_METHODS)
        note(&histograms[0][method], took_ns / 1000);
}

void sign_in_metrics_whole(enum sign_in_method method, int64_t took_ms)
{
    if (method < SIGN_IN_METHODS)
        note(&histograms[1][method], took_ms * 1000);
}

void sign_in_metrics_refused(enum sign_in_method method)
{
    if (method < SIGN_IN_METHODS)
        atomic_fetch_add(&refused[method], 1);
}

static void write_one(struct buf *out, const char *name, const char *method,
                      const struct histogram *from)
{
    uint64_t total = 0;
    for (size_t i = 0; i < COUNT(edges_ms); i++) {
        total += atomic_load(&from->counts[i]);
        buf_printf(out, "%s_bucket{method=\"%s\",le=\"%lld.%03lld\"} %llu\n", name, method,
                   (long long)edges_ms[i] / 1000, (long long)edges_ms[i] % 1000,
                   (unsigned long long)total);
    }
    total += atomic_load(&from->counts[COUNT(edges_ms)]);
    buf_printf(out, "%s_bucket{method=\"%s\",le=\"+Inf\"} %llu\n", name, method,
               (unsigned long long)total);
    buf_printf(out, "%s_sum{method=\"%s\"} %.6f\n%s_count{method=\"%s\"} %llu\n", name, method,
               (double)atomic_load(&from->sum_us) / 1e6, name, method, (unsigned long long)total);
}

void sign_in_metrics_write(struct buf *out)
{
    static const struct { const char *name, *help; } kinds[] = {
        { "frontline_sign_in_server_seconds", "The server's share of letting a person in." },
        { "frontline_time_to_login_seconds", "From a person's first gesture to their first page." },
    };
    for (size_t k = 0; k < COUNT(kinds); k++) {
        buf_printf(out, "# HELP %s %s\n# TYPE %s histogram\n", kinds[k].name, kinds[k].help,
                   kinds[k].name);
        for (size_t m = 0; m < SIGN_IN_METHODS; m++)
            write_one(out, kinds[k].name, names[m], &histograms[k][m]);
    }
    buf_add(out, S("# HELP frontline_sign_in_refused_total Tries that let nobody in.\n"
                   "# TYPE frontline_sign_in_refused_total counter\n"));
    for (size_t m = 0; m < SIGN_IN_METHODS; m++)
        buf_printf(out, "frontline_sign_in_refused_total{method=\"%s\"} %llu\n", names[m],
                   (unsigned long long)atomic_load(&refused[m]));
}
