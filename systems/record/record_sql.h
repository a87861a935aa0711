/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "db/db.h"

/*
 * record_sql: every statement the record runs itself; all else is FHIR search.
 */
enum { RECORD_WARDS, RECORD_WHO_WROTE, RECORD_NAMED, RECORD_NAMED_AND_BORN, RECORD_HAS_NAME,
       RECORD_SQL_COUNT };
extern const struct stmt record_sql[];
