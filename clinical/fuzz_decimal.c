/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/decimal.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Goal: whatever the bytes, a number that is exact at some places is ten times as much at one
 * more. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = { (const char *)data, size };
    for (int places = 0; places < 9; places++) {
        int64_t coarse, fine;
        bool read = decimal_scaled(text, places, &coarse);
        if (read && decimal_is_exact(text, places) && decimal_scaled(text, places + 1, &fine))
            assert(fine == coarse * 10);
    }
    return 0;
}
