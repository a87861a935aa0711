/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/db.h"

/* people_sql: the statements of people.c over auth.db; nothing else uses them. */
enum people_statement {
    PEOPLE_ADD, PEOPLE_FIND, PEOPLE_DISABLE, PEOPLE_SET_ROLE, PEOPLE_LIST,
    PEOPLE_TOKEN_ADD, PEOPLE_TOKEN_FIND, PEOPLE_TOKEN_REVOKE, PEOPLE_SQL_COUNT
};
extern const struct stmt people_sql[];
extern const char people_schema[];
