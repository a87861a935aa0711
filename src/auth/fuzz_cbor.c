/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/cbor.h"
#include <assert.h>
#include <stdint.h>

/*
 * Goal: whatever the bytes, every item lies inside the input and items follow one another without
 * gap or overlap; a member found is an item of the map, and a map with a byte after it has none.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str all = { (const char *)data, size }, rest = all, item, member;
    const char *at = all.p;
    while (cbor_item(&rest, &item)) {
        assert(item.n > 0 && item.p == at && item.p + item.n == rest.p);
        at = rest.p;
        str again = item, same;
        assert(cbor_item(&again, &same) && same.n == item.n && again.n == 0);
    }
    assert(rest.n <= all.n);
    if (cbor_member(all, S("fmt"), &member)) {
        assert(member.p > all.p && member.p + member.n <= all.p + all.n);
        str shorter = str_slice(all, 0, all.n - 1);
        assert(!cbor_member(shorter, S("fmt"), &member));
    }
    return 0;
}
