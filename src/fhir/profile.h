/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "fhir/path.h"

/*
 * profile: what $validate does: R4 itself, its invariants, extensions, and profiles of packages.
 *
 * Source   hl7.org/fhir/R4/profiling.html, validation.html, defining-extensions.html,
 *          terminologies.html#strength. Packages: hl7.org/fhir/R4/packages.html.
 * Shapes   a set is what is loaded: the R4 core profiles the binary carries and the packages of a
 *          data folder (src/fhir/package.h). A profile's differential is laid over that of its
 *          base, down to the core type, so a missing snapshot is no loss. Profiles are built when
 *          first asked for, once.
 * Errors   each fault is an issue: path the element, text the rule and the profile it is from.
 *          What cannot be checked here (a code of SNOMED CT, an extension of unknown meaning) is a
 *          warning that says so, never silence and never an error.
 * Memory   a set has memory of its own until profile_set_free; issues live in cx's arena.
 * Limits   a set may be used from many threads. Profiles nest PROFILE_DEPTH_MAX deep at most; after
 *          PROFILE_STEPS_MAX elements looked at, a check ends with ERR_LIMIT.
 */
enum {
    PROFILE_DEPTH_MAX = 24, PROFILE_STEPS_MAX = 5000000,
    PROFILE_WARNINGS_MAX = 50, PROFILE_NOTES_MAX = 20 /* of those: information alone */
};

struct profile_set;

/* Loads data_dir/packages/ *.ndjson; R4 alone when there are none or data_dir is not given. A
 * package whose profile cannot be built makes it fail, with the reasons: ERR_RULE, ERR_IO. */
err profile_set_load(struct ctx *cx, str data_dir, struct profile_set **out) MUST_USE;
/* The same with one more package file that is not in force yet. */
err profile_set_try(struct ctx *cx, str data_dir, str candidate, struct profile_set **out) MUST_USE;
void profile_set_free(struct profile_set *set);

struct profile_counts {
    size_t packages, profiles, extensions, value_sets, code_systems, others;
    size_t not_loaded; /* definitions that profiles of the packages refer to and nobody has */
};
struct profile_counts profile_set_counts(const struct profile_set *set);
/* Canonical urls counted in not_loaded. */
const str *profile_set_not_loaded(const struct profile_set *set, size_t *count);

bool profile_set_has(struct profile_set *set, str profile);
/* The JSON of any loaded definition by its url; not given: absent. Lives as long as the set. */
str profile_set_definition(struct profile_set *set, str url);
/* All there are, 0 and up, some of them twice; not given past the last. */
str profile_set_definition_at(struct profile_set *set, size_t index);

enum profile_answer { PROFILE_NO, PROFILE_YES, PROFILE_UNKNOWN };

struct profile_request {
    struct json resource;
    str profile;                   /* not given: R4 and the profiles the resource claims */
    const struct path_host *host;  /* resolve() of references into the store; may be NULL */
    /* Asked about a code where the set says PROFILE_UNKNOWN: a terminology server; may be NULL. */
    enum profile_answer (*coded)(struct ctx *cx, void *coded_self, str value_set, str system,
                                 str code);
    void *coded_self;
};
/* ERR_OK when there is no error (warnings may be there); ERR_RULE, ERR_INVALID as
 * validate_resource; ERR_NOT_FOUND when `profile` is not loaded. */
err profile_check(struct ctx *cx, struct profile_set *set, const struct profile_request *request)
    MUST_USE;
err profile_validate(struct ctx *cx, struct profile_set *set, struct json resource, str profile)
    MUST_USE;

/* By the value sets and code systems of the set alone; `system` not given: by code alone. */
enum profile_answer profile_value_set_has(struct profile_set *set, str value_set, str system,
                                          str code);

/*
 * The set in force in a running server. When the packages of the data folder change, the next use
 * takes them in; while they cannot be loaded the old set stays.
 */
struct profile_live;
/* Loads what is there, R4 alone when that fails (the reasons are issues then, and ERR_OK). Lives in
 * cx's arena. */
err profile_live_open(struct ctx *cx, str data_dir, struct profile_live **out) MUST_USE;
void profile_live_close(struct profile_live *live);
/* Valid until cx is released. */
struct profile_set *profile_live_use(struct ctx *cx, struct profile_live *live);
