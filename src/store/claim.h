/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/state.h"

/*
 * claim: what must be unique, computed by the rules of the systems, held in one table. Private.
 *
 * Shapes   the claims of a resource before and after a change are computed on the request thread;
 *          the writer looks up every new one before it writes anything, and then drops and puts.
 */
struct claims {
    const struct claim_rule *rule[CLAIMS_MAX];
    struct claim list[CLAIMS_MAX];
    size_t count;
};
err claims_of(struct ctx *cx, struct store *store, uint16_t resource, struct json body,
              struct claims *out) MUST_USE;
bool claims_has(const struct claims *claims, const struct claim *claim);

/* The rid that holds a claim now, 0: nobody. */
err claim_holder(struct ctx *cx, struct db *db, const struct claim *claim, int64_t *out) MUST_USE;
/* ERR_CONFLICT in the words of the rule. */
err claim_refuse(struct ctx *cx, struct store *store, const struct claim_rule *rule,
                 const struct claim *claim, int64_t holder) MUST_USE;
err claim_drop(struct ctx *cx, struct db *db, const struct claim *claim, int64_t rid) MUST_USE;
err claim_put(struct ctx *cx, struct db *db, const struct claim *claim, int64_t rid,
              int64_t pid) MUST_USE;
