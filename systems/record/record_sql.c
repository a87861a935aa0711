/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/record_sql.h"

const struct stmt record_sql[] = {
    [RECORD_WARDS] = { "the wards by name",
        "SELECT id, name FROM view_record_wards ORDER BY name, id LIMIT 500",
        "SCAN view_record_wards" },
    [RECORD_WHO_WROTE] = { "who wrote a version",
        "SELECT who, seq + count FROM act WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1",
        "SEARCH act USING INTEGER PRIMARY KEY" },
    [RECORD_SQL_COUNT] = { 0 },
};
