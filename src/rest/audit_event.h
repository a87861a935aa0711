/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "rest/call.h"

/*
 * audit_event: the audit chain as AuditEvents, for who may read them: privacy officers.
 *
 * Source   hl7.org/fhir/R4/auditevent.html#search.
 * Shapes   _id, date, patient, agent, altid, agent-role, action, outcome, subtype and entity are
 *          answered from the chain, newest first; _sort=-date is the only order there is. Ids are
 *          the entries' numbers. AuditEvents that others sent are resources with ids of their own:
 *          they can be read, and are not among the answers here.
 * Missing  with --open there is no chain: then the stored resources are searched as any other type.
 * Errors   ERR_INVALID names a parameter that is not answered here.
 */
extern const struct route audit_event_routes[];
