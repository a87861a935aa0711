/* SPDX-License-Identifier: Apache-2.0 */
#include "store/search.h"

/* Until search is there, a search says so. */
__attribute__((weak)) err search_run(struct ctx *cx, struct store *store,
                                     const struct search_request *request, struct search_page *out)
{
    (void)store, (void)request, (void)out;
    return ctx_fail(cx, ERR_BUSY, (str){ 0 }, S("search is not built into this program"));
}
