/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * load: the parts of the load driver: what is asked (mix.c), how long it took (histogram.c).
 *
 * Units    latencies in microseconds.
 */
enum { LOAD_REQUEST_MAX = 64 << 10 };

struct turn {
    unsigned connection, step;
    const char *id; /* of the patient this connection created last */
};
struct mix {
    const char *name;
    /* Writes the next request of a connection; returns its length. */
    size_t (*next)(const struct turn *turn, char *out, size_t room);
};
const struct mix *mix_find(const char *name, const char *file); /* NULL: no such mix, or no file */

enum { HISTOGRAM_STEPS = 64, HISTOGRAM_DOUBLINGS = 27 };
struct histogram {
    uint64_t counts[HISTOGRAM_DOUBLINGS * HISTOGRAM_STEPS], total, highest;
};
void histogram_add(struct histogram *histogram, uint64_t value);
uint64_t histogram_at(const struct histogram *histogram, double part);
