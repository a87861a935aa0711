/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE hl7v2_lanes
#include "base/test.h"
#include "hl7v2/lanes.h"
#include <stdatomic.h>
#include <unistd.h>

enum { JOBS = 60 };
static _Atomic int begun, running, most_running, over;
static _Atomic int finished_as[JOBS];

struct numbered {
    struct hl7_job job;
    int number, runs;
    bool wants_again;
};

static bool run_one(struct hl7_job *job)
{
    struct numbered *one = (struct numbered *)job;
    int now = atomic_fetch_add(&running, 1) + 1, most = atomic_load(&most_running);
    while (now > most && !atomic_compare_exchange_weak(&most_running, &most, now))
        ;
    usleep(500);
    atomic_store(&finished_as[one->number], atomic_fetch_add(&begun, 1));
    atomic_fetch_sub(&running, 1);
    return one->wants_again && ++one->runs == 1;
}

static void note_over(struct hl7_job *job)
{
    (void)job;
    atomic_fetch_add(&over, 1);
}

static struct hl7_keys keys_of(struct ctx *cx, const char *patient, const char *bed, int id)
{
    return hl7_keys_of(cx, arena_printf(cx->arena, "MSH|^~\\&|A|B|||1||ADT^A01|%d|P|2.4\r"
                                        "PID|1||x%s~%s\rPV1||I|%s\r", id, patient, patient, bed));
}

static void start(struct ctx *cx, struct hl7_lanes **lanes)
{
    atomic_store(&begun, 0);
    atomic_store(&most_running, 0);
    atomic_store(&over, 0);
    EXPECT_INT("start", hl7_lanes_start(cx, 8, lanes), ERR_OK);
}

TEST(messages_of_one_patient_keep_their_order_and_others_run_beside)
{
    static const char *const patients[] = { "1", "2", "3" };
    struct hl7_lanes *lanes = NULL;
    struct numbered *jobs = arena_array(cx->arena, JOBS, sizeof *jobs);
    start(cx, &lanes);
    for (int i = 0; i < JOBS; i++) {
        jobs[i] = (struct numbered){ .number = i, .job = { .run = run_one, .over = note_over } };
        jobs[i].job.keys = keys_of(cx, patients[i % 3], "", i);
        hl7_lanes_add(lanes, &jobs[i].job);
    }
    hl7_lanes_stop(lanes);
    for (int i = 3; i < JOBS; i++)
        EXPECT("in order", atomic_load(&finished_as[i - 3]) < atomic_load(&finished_as[i]));
    EXPECT_INT("all", atomic_load(&over), JOBS);
    EXPECT("three side by side", atomic_load(&most_running) > 1 && atomic_load(&most_running) < 4);
}

TEST(who_leaves_a_bed_comes_before_who_is_put_there)
{
    struct hl7_keys left = keys_of(cx, "1", "W^R^B", 1), put = keys_of(cx, "2", "W^R^B", 2);
    struct hl7_keys ward = keys_of(cx, "3", "W^R", 3), ward_too = keys_of(cx, "4", "W^R", 4);
    struct hl7_lanes *lanes = NULL;
    struct numbered jobs[] = { { .number = 0 }, { .number = 1 }, { .number = 2 }, { .number = 3 } };
    const struct hl7_keys *keys[] = { &left, &put, &ward, &ward_too };
    start(cx, &lanes);
    for (size_t i = 0; i < COUNT(jobs); i++) {
        jobs[i].job = (struct hl7_job){ .keys = *keys[i], .run = run_one, .over = note_over };
        hl7_lanes_add(lanes, &jobs[i].job);
    }
    hl7_lanes_stop(lanes);
    EXPECT("the bed", atomic_load(&finished_as[0]) < atomic_load(&finished_as[1]));
    EXPECT_INT("all", atomic_load(&over), 4);
}

TEST(what_failed_is_tried_again_when_all_before_it_is_over)
{
    struct hl7_lanes *lanes = NULL;
    struct numbered jobs[4] = { 0 };
    start(cx, &lanes);
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct numbered){ .number = i, .wants_again = i == 2,
                                     .job = { .run = run_one, .over = note_over } };
        jobs[i].job.keys = keys_of(cx, i == 0 ? "1" : i == 1 ? "1" : i == 2 ? "2" : "3", "", i);
        hl7_lanes_add(lanes, &jobs[i].job);
    }
    hl7_lanes_stop(lanes);
    EXPECT("after both", atomic_load(&finished_as[2]) > atomic_load(&finished_as[1]));
    EXPECT_INT("twice", jobs[2].runs, 2);
    EXPECT_INT("all", atomic_load(&over), 4);
}

TEST(a_batch_and_too_many_keys_stand_alone_and_noise_has_none)
{
    struct buf many = buf_make(cx->arena, 1 << 16);
    buf_add(&many, S("MSH|^~\\&|A|B|||1||ADT^A01|1|P|2.4\rPID|1||a"));
    for (int i = 0; i < HL7_KEYS_MAX; i++)
        buf_printf(&many, "~%d", i);
    EXPECT("batch", hl7_keys_of(cx, S("BHS|^~\\&|A\r")).everything);
    EXPECT("many", hl7_keys_of(cx, buf_str(&many)).everything);
    struct hl7_keys none = hl7_keys_of(cx, S("no message"));
    EXPECT("noise", !none.everything && none.count == 0);
    EXPECT_INT("no issue is left", (int)cx->issues.kept, 0);
}
