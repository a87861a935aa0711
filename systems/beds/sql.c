/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/sql.h"

#define SPOT "SELECT spot, name, part_of, kind, codes, v2, status, note, clean, since, due " \
             "FROM view_beds_spots"
#define HELD "SELECT encounter, patient, status, admitted, specialty, edd, pathway, round_days, " \
             "round_answers, bed, place_status, bed_since, bed_until, delay " \
             "FROM view_beds_held"

#define REQUEST "SELECT request, patient, source, priority, specialty, needs, asked, decided, " \
                "due, edd, note FROM view_beds_requests"

/* clang-format off: one row a statement. */
const struct stmt beds_sql[] = {
    [BEDS_SQL_SEQ] = { "the commit a board shows", "SELECT max(seq) FROM version",
        "SEARCH version" },
    /* A board of the hospital shows every place and every stay, so these two read the whole table;
     * the second holds open stays alone, as many as there are beds. */
    [BEDS_SQL_SPOTS] = { "all places", SPOT, "SCAN view_beds_spots" },
    [BEDS_SQL_HELD] = { "all beds held", HELD, "SCAN view_beds_held" },
    [BEDS_SQL_SPOT] = { "a place", SPOT " WHERE spot = ?1", "SEARCH view_beds_spots USING INDEX" },
    [BEDS_SQL_SPOTS_IN] = { "places in a place", SPOT " WHERE part_of = ?1",
        "SEARCH view_beds_spots USING INDEX" },
    [BEDS_SQL_HELD_BED] = { "who holds a bed", HELD " WHERE bed = ?1",
        "SEARCH view_beds_held USING INDEX" },
    [BEDS_SQL_HELD_STAY] = { "beds of a stay", HELD " WHERE encounter = ?1",
        "SEARCH view_beds_held USING INDEX" },
    [BEDS_SQL_HELD_PATIENT] = { "beds of a patient", HELD " WHERE patient = ?1",
        "SEARCH view_beds_held USING INDEX" },
    [BEDS_SQL_PERSON] = { "who a patient is",
        "SELECT family, given, gender, born, nhs FROM view_beds_people WHERE patient = ?1",
        "SEARCH view_beds_people USING INDEX" },
    /* Texts of differing offsets sort an hour or so wrong: they are put in order after reading. */
    [BEDS_SQL_SCORES] = { "last NEWS2 totals of a patient",
        "SELECT at, total FROM view_beds_scores WHERE patient = ?1 AND at IS NOT NULL "
        "ORDER BY at DESC LIMIT 8", "SEARCH view_beds_scores USING INDEX" },
    [BEDS_SQL_FLAGS] = { "flags of a patient",
        "SELECT text FROM view_beds_flags WHERE patient = ?1",
        "SEARCH view_beds_flags USING INDEX" },
    [BEDS_SQL_FREE] = { "beds that nobody has",
        "SELECT spot FROM view_beds_spots WHERE kind = 'bd' AND ifnull(v2, 'U') IN ('U', 'H') AND "
        "(v2 IS NOT NULL OR status IS NULL OR status <> 'suspended') AND "
        "NOT EXISTS (SELECT 1 FROM view_beds_held WHERE bed = spot)",
        "SEARCH view_beds_held USING COVERING INDEX" },
    /* As many as there are lounges, requests and exceptions: tens. */
    [BEDS_SQL_LOUNGE] = { "a discharge lounge",
        "SELECT spot FROM view_beds_spots WHERE codes LIKE '%\"discharge-lounge\"%' AND "
        "(?1 = '' OR spot = ?1) ORDER BY rid LIMIT 1", "SCAN view_beds_spots" },
    [BEDS_SQL_REQUESTS] = { "open bed requests", REQUEST, "SCAN view_beds_requests" },
    [BEDS_SQL_EXCEPTIONS] = { "bed exceptions",
        "SELECT task, encounter, what, at FROM view_beds_exceptions ORDER BY rid",
        "SCAN view_beds_exceptions" },
    [BEDS_SQL_REQUEST] = { "a bed request", REQUEST " WHERE request = ?1",
        "SEARCH view_beds_requests USING INDEX" },
    [BEDS_SQL_KEPT_FOR] = { "the bed kept for a request",
        "SELECT bed, encounter FROM view_beds_held WHERE request = ?1",
        "SEARCH view_beds_held USING INDEX" },
    /* Stays that ended since a day, and those that have not; a day is compared as text, so the
     * caller asks from the day before. */
    [BEDS_SQL_STAYS] = { "inpatient stays since a day",
        "SELECT rid, encounter, status, admitted, discharged, leave_from, leave_to, status_since, "
        "location, location_status, period_start, period_end, edd_set, edd_to, "
        "specialty "
        "FROM view_beds_stays "
        "WHERE class IN ('IMP', 'ACUTE', 'NONAC') AND (discharged IS NULL OR discharged >= ?1) "
        "ORDER BY rid, row", "USING INDEX view_beds_stays" },
    [BEDS_SQL_CLOSURES] = { "closures of beds",
        "SELECT spot, closed_from, closed_to FROM view_beds_closures ORDER BY rid, row",
        "SCAN view_beds_closures" },
    [BEDS_SQL_RETURN] = { "a day as submitted",
        "SELECT signed, signed_by, field, value FROM view_beds_returns WHERE day = ?1 ORDER BY row",
        "SEARCH view_beds_returns USING INDEX" },
    [BEDS_SQL_AMENDMENTS] = { "amendments of a day",
        "SELECT field, old, new, reason, who, at FROM view_beds_amendments WHERE day = ?1 "
        "ORDER BY row", "SEARCH view_beds_amendments USING INDEX" },
    [BEDS_SQL_COUNT] = { 0 },
};
/* clang-format on */
