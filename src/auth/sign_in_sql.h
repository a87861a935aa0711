/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "auth/people_sql.h"

/*
 * sign_in_sql: the statements over auth.db of the ways to sign in: passkeys, shared workstations
 * and their badges, and sign-ins under way at another provider.
 *
 * Shapes   used like people_sql, between people_lock and people_unlock.
 */
enum sign_in_statement {
    SIGN_IN_HANDLE, SIGN_IN_HANDLE_ADD, SIGN_IN_HANDLE_USER,
    SIGN_IN_CEREMONY_ADD, SIGN_IN_CEREMONY_USE, SIGN_IN_CEREMONY_FORGET,
    SIGN_IN_KEY_ADD, SIGN_IN_KEY_FIND, SIGN_IN_KEYS_OF, SIGN_IN_KEY_USED, SIGN_IN_KEY_END,
    SIGN_IN_PLACE_ADD, SIGN_IN_PLACE_LIST, SIGN_IN_PLACE_BY_HASH, SIGN_IN_PLACE_CLAIM,
    SIGN_IN_PLACE_READER, SIGN_IN_PLACE_END,
    SIGN_IN_BADGE_ADD, SIGN_IN_BADGE_FIND, SIGN_IN_BADGE_END, SIGN_IN_BADGES_OF,
    SIGN_IN_SITTING_AT, SIGN_IN_SITTING_OF, SIGN_IN_SITTING_MOVE, SIGN_IN_SITTING_LOCK_AT,
    SIGN_IN_SITTING_READY, SIGN_IN_SITTING_TAKE, SIGN_IN_SITTING_CLEAR,
    SIGN_IN_SITTING_FORGET,
    SIGN_IN_TRIP_ADD, SIGN_IN_TRIP_USE, SIGN_IN_TRIP_FORGET,
    SIGN_IN_LINK_ADD, SIGN_IN_LINK_FIND, SIGN_IN_LINK_OF, SIGN_IN_PERSON_UPDATE,
    SIGN_IN_SQL_COUNT
};
extern const struct stmt sign_in_sql[];
