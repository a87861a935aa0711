/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/load.h"
#include <math.h>

void histogram_add(struct histogram *histogram, uint64_t value)
{
    size_t slot = value < 1 ? 0 : (size_t)(log2((double)value) * HISTOGRAM_STEPS);
    size_t last = HISTOGRAM_DOUBLINGS * HISTOGRAM_STEPS - 1;
    histogram->counts[slot < last ? slot : last]++;
    histogram->total++;
    histogram->highest = value > histogram->highest ? value : histogram->highest;
}

uint64_t histogram_at(const struct histogram *histogram, double part)
{
    uint64_t wanted = (uint64_t)((double)histogram->total * part), seen = 0;
    for (size_t i = 0; i < HISTOGRAM_DOUBLINGS * HISTOGRAM_STEPS; i++) {
        seen += histogram->counts[i];
        if (seen > wanted)
            return (uint64_t)pow(2, ((double)i + 0.5) / HISTOGRAM_STEPS);
    }
    return histogram->highest;
}
