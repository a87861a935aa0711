/* SPDX-License-Identifier: Apache-2.0 */
#include "store/search.h"
__attribute__((weak)) err search_condition(struct ctx *cx, struct store *store, uint16_t resource,
                                           str query, struct search_rids *out)
{
    (void)cx, (void)store, (void)resource, (void)query;
    out->count = 0;
    return ERR_OK;
}
