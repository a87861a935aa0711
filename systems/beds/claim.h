/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "store/commit.h"

/*
 * beds_claim: a bed has one stay at a time and a patient one bed, as claims the database keeps.
 *
 * Source   hl7.org/fhir/R4/encounter.html (location.status, location.physicalType).
 * Shapes   an Encounter that is planned, arrived, triaged, in-progress or on leave claims each bed
 *          it holds: a location with status active or reserved (or, in progress, with no status and
 *          no end) whose Location is of physicalType bd, as its own physicalType or the Location
 *          says. A finished or cancelled Encounter, or a completed location, claims nothing: the
 *          bed is free. An inpatient stay (class IMP, ACUTE, NONAC) that is in progress or on
 *          leave, in a bed that is not merely reserved, claims its patient too.
 * Missing  a Location that does not exist yet and is not called a bed by the Encounter is no bed.
 *          A stay without a patient claims nobody.
 * Errors   the loser of two gets ERR_CONFLICT naming the rule and the holder; so does a stay that
 *          would lie in two beds itself.
 * Limits   CLAIMS_MAX beds an Encounter.
 * Hazards  H-012 two patients in one bed; H-025 one patient in two beds.
 */
#define BEDS_ONE_STAY "one active stay a bed"
#define BEDS_ONE_BED "one bed a patient"
extern const struct claim_rule *const beds_claims[];
