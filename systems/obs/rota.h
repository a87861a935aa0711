/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/obs/fhir.h"

/*
 * obs_rota: who is on shift for an escalation, from the rota kept as Schedules.
 *
 * Source   hl7.org/fhir/R4/schedule.html; ours in shape.
 * Shapes   a Schedule of service category escalation-rota is one shift: serviceType is the role,
 *          planningHorizon when it begins and ends, actor the Practitioner and, unless the role is
 *          for the whole hospital, the ward's Location.
 * Units    instants in UTC milliseconds; a shift holds from its start to before its end.
 * Missing  a shift without start or end holds nobody.
 * Errors   those of search. Memory: the ctx's arena. Limits: OBS_ON_SHIFT_MAX people are told.
 * Hazards  H-307 somebody off shift is told.
 */
enum { OBS_ON_SHIFT_MAX = 8 };
/* Whom of a role first: an extension of ours; 1 when it is not said. */
int obs_rota_order(struct ctx *cx, struct json shift);
void obs_rota_put_order(struct json_writer *w, int order);
struct obs_on_shift {
    str name, reference_json; /* the actor as stored */
    int64_t from_ms, to_ms;
    int order;
};
/* Those of a role on a ward (not given: any) at cx->now_ms. Of their ward first. */
struct obs_shift_list {
    struct obs_on_shift list[OBS_ON_SHIFT_MAX];
    size_t count;
};
err obs_rota_on_shift(struct ctx *cx, struct store *store, const char *role, str ward,
                      struct obs_shift_list *out) MUST_USE;
