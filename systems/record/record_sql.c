/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/record_sql.h"

const struct stmt record_sql[] = {
    [RECORD_WARDS] = { "the wards by name",
        "SELECT id, name FROM view_record_wards ORDER BY name, id LIMIT 500",
        "SCAN view_record_wards" },
    [RECORD_WHO_WROTE] = { "who wrote a version",
        "SELECT who, seq + count FROM act WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1",
        "SEARCH act USING INTEGER PRIMARY KEY" },
    [RECORD_NAMED] = { "patients with a name",
        "SELECT rid, pid, at FROM txt WHERE slot=?1 AND folded>=?2 AND folded<?3",
        "SEARCH txt USING PRIMARY KEY (slot=? AND folded>? AND folded<?)" },
    [RECORD_NAMED_AND_BORN] = { "patients with a name born on a day",
        "SELECT rid, pid, at FROM txt WHERE slot=?1 AND folded=?2 AND at BETWEEN ?3 AND ?4",
        "SEARCH txt USING PRIMARY KEY (slot=? AND folded=? AND at>? AND at<?)" },
    [RECORD_HAS_NAME] = { "has a patient a name",
        "SELECT 1 FROM txt WHERE slot=?1 AND folded=?2 AND at=?3 AND rid=?4",
        "SEARCH txt USING PRIMARY KEY (slot=? AND folded=? AND at=? AND rid=?)" },
    [RECORD_SQL_COUNT] = { 0 },
};
