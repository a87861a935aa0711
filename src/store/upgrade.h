/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/state.h"

/*
 * upgrade: brings a record that an older program wrote to what this one expects: tables it did not
 * have, and the index rows of paths it did not know. One transaction, at opening; a record that is
 * up to date is not touched.
 */
err upgrade_store(struct ctx *cx, struct store *store, struct db *db,
                  bool new_slots) MUST_USE; /* the layout has slots the record does not know */
