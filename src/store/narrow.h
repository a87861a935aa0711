/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "json/json.h"
#include "store/access.h"
#include "store/store.h"

/*
 * narrow: a part of a type, said as a search: "category=vital-signs".
 *
 * Source   SMART App Launch 2.2, "Finer-grained resource constraints using search parameters".
 * Shapes   parameters are joined by AND, several narrows of one type by OR.
 * Errors   narrow_parse: ERR_INVALID for a parameter the type does not have, and for one that
 *          looks beyond the resource itself (a chain, _has, _list, _id, _lastUpdated): what a
 *          resource is must tell, so that reads, histories and writes can be judged alike.
 */
err narrow_parse(struct ctx *cx, struct store *store, uint16_t resource, str text,
                 struct access_narrow *out) MUST_USE;
/* True for a type that is not narrowed. */
err narrow_accepts(struct ctx *cx, struct store *store, const struct store_access *access,
                   uint16_t resource, struct json body, bool *out) MUST_USE;
