/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/ward.h"

/*
 * Every statement this system runs, over the tables of its own views and, for who lies where, those
 * of the beds. Instants of stays and of sets are
 * texts with offsets: those are read here and put in order by their instant in C.
 */
const struct stmt obs_sql[] = {
    [OBS_SQL_WARDS] = { "wards by name",
        "SELECT spot, name FROM view_beds_spots WHERE kind = 'wa' ORDER BY spot",
        "SCAN view_beds_spots" },
    [OBS_SQL_PLACE] = { "a place",
        "SELECT name, kind FROM view_beds_spots WHERE spot = ?1",
        "SEARCH view_beds_spots USING INDEX" },
    [OBS_SQL_BEDS] = { "beds of a ward, in bays or not",
        "SELECT b.spot, b.name FROM view_beds_spots b WHERE b.part_of = ?1 AND b.kind = 'bd' "
        "UNION ALL SELECT b.spot, b.name FROM view_beds_spots r JOIN view_beds_spots b "
        "ON b.part_of = r.spot WHERE r.part_of = ?1 AND b.kind = 'bd'",
        "SEARCH b USING INDEX" },
    [OBS_SQL_STAY] = { "who lies in a bed",
        "SELECT patient, pid, admitted FROM view_beds_held WHERE bed = ?1 AND status <> 'planned' "
        "AND coalesce(place_status, 'active') = 'active' LIMIT 1",
        "SEARCH view_beds_held USING INDEX" },
    [OBS_SQL_SCORES] = { "the last sets of a patient",
        "SELECT score, taken, total, least, red, excluded, status FROM view_obs_scores "
        "WHERE patient = ?1 ORDER BY taken DESC LIMIT ?2",
        "SEARCH view_obs_scores USING INDEX" },
    [OBS_SQL_ALERT] = { "the open escalations of a patient",
        "SELECT task, status, response, raised, step FROM view_obs_alerts WHERE patient = ?1 AND "
        "status IN ('requested', 'on-hold', 'accepted') ORDER BY raised DESC LIMIT 5",
        "SEARCH view_obs_alerts USING INDEX" },
    [OBS_SQL_OPEN] = { "the escalations of a status",
        "SELECT task, rid, pid FROM view_obs_alerts WHERE status = ?1 ORDER BY raised LIMIT 500",
        "SEARCH view_obs_alerts USING INDEX" },
    [OBS_SQL_SINCE] = { "escalations raised since",
        "SELECT task, ward, status, response, total, step, raised, answered, reviewed, rid, pid "
        "FROM view_obs_alerts WHERE raised >= ?1 ORDER BY raised LIMIT 5000",
        "SEARCH view_obs_alerts USING INDEX" },
    { 0 },
};
