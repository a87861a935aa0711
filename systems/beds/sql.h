/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/db.h"

/*
 * beds_sql: every statement of the beds system; all of them read the kept views of beds/views.
 *
 * Source   systems/beds/views/NAME.json is the table view_beds_NAME.
 * Missing  a resource that breaks a rule of a view has no rows in it: view_fault says why.
 * Errors   those of db.h. test_beds_sql.c holds each statement to its plan.
 */
enum beds_sql {
    BEDS_SQL_SEQ, BEDS_SQL_SPOTS, BEDS_SQL_SPOT, BEDS_SQL_SPOTS_IN, BEDS_SQL_HELD,
    BEDS_SQL_HELD_BED, BEDS_SQL_HELD_STAY, BEDS_SQL_HELD_PATIENT, BEDS_SQL_PERSON,
    BEDS_SQL_SCORES, BEDS_SQL_FLAGS, BEDS_SQL_FREE, BEDS_SQL_LOUNGE,
    BEDS_SQL_REQUEST, BEDS_SQL_REQUESTS, BEDS_SQL_KEPT_FOR, BEDS_SQL_EXCEPTIONS,
    BEDS_SQL_STAYS, BEDS_SQL_CLOSURES, BEDS_SQL_RETURN, BEDS_SQL_AMENDMENTS,
    BEDS_SQL_COUNT
};
extern const struct stmt beds_sql[];
