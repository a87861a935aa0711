/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "systems/obs/set.h"
#include "ui/banner.h"

/*
 * obs_person: whom the observations are about: the banner, the stay, who must not be scored by
 * NEWS2 and why, and the decision on a lower oxygen target.
 *
 * Source   record.md 1.2 rules (a) and (d). The decision is a MedicationRequest for oxygen with our
 *          extension oxygen-target (88 to 92 %), a requester and a time; nothing else sets scale 2:
 *          no diagnosis, no flag, no earlier score.
 * Missing  a birth date that is not known is said beside each score; it excludes nobody. A decision
 *          without author or time does not count.
 * Errors   ERR_NOT_FOUND: no such patient, or one that the asker may not see.
 * Memory   the ctx's arena.
 * Hazards  H-302 scale 2 unasked; H-303 NEWS2 used for a child, in pregnancy, after spinal injury.
 */
enum { OBS_TARGET_LOW = 88, OBS_TARGET_HIGH = 92 };
struct obs_target {
    bool set;
    str id, who, reason;
    str earlier; /* when one was made in an earlier stay; it does not hold in this one */
    int64_t at_ms, vid;
};
struct obs_person {
    str id;
    struct ui_banner banner;
    int age_years;          /* NEWS2_MISSING: not known */
    bool pregnant, spinal;
    str excluded;           /* why NEWS2 is not for this person; not given: it is */
    str encounter, ward;
    struct obs_target target;
    str weight;             /* "71.5 kg, 20 Nov 2026, 09:10"; not given: not known */
    int64_t weight_g, weight_ms;
};
err obs_person_read(struct ctx *cx, struct store *store, str id, struct obs_person *out) MUST_USE;
/* The decision as a resource, by the person of this request. */
err obs_target_op(struct ctx *cx, const struct obs_person *person, str reason,
                  struct commit_op *op) MUST_USE;
/* The same, ended: scale 1 from now on. */
err obs_target_stop_op(struct ctx *cx, struct store *store, const struct obs_target *target,
                       str reason, struct commit_op *op) MUST_USE;
