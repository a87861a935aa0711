/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE obs
#include "store/test_record.h"
#include "systems/obs/follow.h"

/* A ward with a clock that the test moves: cx->now_ms. */
struct ward {
    struct ctx *cx;
    str folder;
    struct store *store;
    int64_t start_ms;
};

static void put(struct ward *ward, const char *type, const char *id, str body)
{
    struct commit_op op = record_op(ward->cx, COMMIT_UPDATE, type, id,
                                    arena_cstr(ward->cx->arena, body));
    EXPECT_INT(id, record_do(ward->cx, ward->store, &op), ERR_OK);
}

/* On shift from one minute to another, counted from the test's start. */
static void put_shift(struct ward *ward, const char *id, const char *role, int from, int to)
{
    struct ctx *cx = ward->cx;
    put(ward, "Schedule", id, arena_printf(cx->arena,
        "{\"resourceType\":\"Schedule\",\"id\":\"%s\",\"active\":true,\"serviceCategory\":"
        "[{\"coding\":[{\"code\":\"escalation-rota\"}]}],\"serviceType\":[{\"coding\":[{\"code\":"
        "\"%s\"}]}],\"actor\":[{\"reference\":\"Practitioner/%s\",\"display\":\"%s\"}],"
        "\"planningHorizon\":{\"start\":\"%.*s\",\"end\":\"%.*s\"}}", id, role, id, id,
        STR_ARG(obs_instant(cx, ward->start_ms + from * OBS_MINUTE_MS)),
        STR_ARG(obs_instant(cx, ward->start_ms + to * OBS_MINUTE_MS))));
}

static struct ward ward_open(struct ctx *cx)
{
    struct ward ward = { .cx = cx, .folder = record_folder(cx), .start_ms = cx->now_ms };
    ward.store = record_open(cx, ward.folder);
    EXPECT_INT("timers", due_schema(cx, ward.store), ERR_OK);
    put(&ward, "Patient", "ann", S("{\"resourceType\":\"Patient\",\"id\":\"ann\",\"birthDate\":"
                                   "\"1950-01-01\"}"));
    return ward;
}

static void ward_close(struct ward *ward)
{
    ctx_release(ward->cx);
    store_close(ward->store);
    record_remove(ward->cx, ward->folder);
}

static void at(struct ward *ward, int minute)
{
    ward->cx->now_ms = ward->start_ms + minute * OBS_MINUTE_MS;
    ward->cx->issues = (struct issues){ .arena = ward->cx->arena };
}

static struct obs_set set_of(int64_t at_ms, int resp)
{
    struct obs_set set = { .at_ms = at_ms, .on_oxygen = 0, .acvpu = 'A', .sent_total = OBS_NONE };
    for (size_t i = 0; i < OBS_VITALS; i++)
        set.values[i] = OBS_NONE;
    for (size_t i = 0; i < NEWS2_PARTS; i++)
        set.sent_parts[i] = OBS_NONE;
    set.values[OBS_RESP] = resp;
    set.values[OBS_SPO2] = 91;
    set.values[OBS_SYSTOLIC] = 99;
    set.values[OBS_PULSE] = 72;
    set.values[OBS_TEMP] = 370;
    return set;
}

/* What the consumer would be given. */
static void follow(struct ward *ward, const char *type, str id)
{
    struct ctx *cx = ward->cx;
    struct store_version version;
    struct json body;
    EXPECT_INT("there", obs_read(cx, ward->store, type, id, &version, &body), ERR_OK);
    EXPECT_INT("followed", strcmp(type, "Task") == 0
                               ? obs_follow_alert(cx, ward->store, &version, NULL)
                               : obs_follow_set(cx, ward->store, &version, NULL), ERR_OK);
}

static void enter(struct ward *ward, const struct obs_set *set, const char *key,
                  const struct obs_set *before)
{
    struct ctx *cx = ward->cx;
    struct commit_op ops[OBS_OPS_MAX];
    struct commit commit = { .ops = ops, .cx = cx };
    struct obs_writing what = { .set = set, .patient = S("ann"), .key = str_of(key),
                                .before = before, .reason = before ? S("typed wrong") : S("") };
    EXPECT_INT(key, obs_set_ops(cx, ward->store, &what, ops, &commit.ops_count), ERR_OK);
    EXPECT_INT(key, commit_run(cx, ward->store, &commit), ERR_OK);
    follow(ward, "Observation", str_of(key));
}

static struct obs_alert alert(struct ward *ward, const char *id)
{
    struct obs_alert out = { .status = S("none") };
    if (obs_alert_read(ward->cx, ward->store, str_of(id), &out) == ERR_OK)
        follow(ward, "Task", str_of(id));
    return out;
}

static int64_t timers(struct ward *ward)
{
    struct due_count *list;
    size_t count;
    EXPECT_INT("counts", due_counts(ward->cx, ward->store, &list, &count), ERR_OK);
    int64_t waiting = count ? list[0].waiting : 0;
    ctx_release(ward->cx); /* the reader, whose view would grow old */
    return waiting;
}

static void ring(struct ward *ward, const char *id)
{
    struct due_item item = { .kind = S("obs-answer"), .key = str_of(id) };
    EXPECT_INT("rings", obs_answer_due(ward->cx, ward->store, &item, NULL), ERR_OK);
}

TEST(silence_climbs_the_rota_also_after_a_restart)
{
    struct ward ward = ward_open(cx);
    put_shift(&ward, "Dr-Reg", "registrar", -60, 600);
    put_shift(&ward, "Outreach", "outreach", -60, 600);
    put_shift(&ward, "Dr-Con", "consultant", -60, 600);
    struct obs_set set = set_of(cx->now_ms, 25);
    enter(&ward, &set, "obs-set-one", NULL);
    struct obs_alert a = alert(&ward, "esc-obs-set-one");
    EXPECT_STR("told", a.told, S("Dr-Reg (registrar)"));
    EXPECT_INT("five minutes", a.answer_by_ms, ward.start_ms + 5 * OBS_MINUTE_MS);
    EXPECT_INT("thirty minutes", a.review_by_ms, ward.start_ms + 30 * OBS_MINUTE_MS);
    EXPECT_INT("a timer", timers(&ward), 1);
    at(&ward, 4);
    ring(&ward, "esc-obs-set-one");
    EXPECT_INT("too early", alert(&ward, "esc-obs-set-one").step, 0);

    store_close(ward.store); /* nobody answers, and the program is started anew */
    ward.store = record_open(cx, ward.folder);
    EXPECT_INT("the timer is still there", timers(&ward), 1);
    static const char *const told[] = { "Outreach (critical care outreach)",
                                        "Dr-Con (consultant)", "Dr-Con (consultant)" };
    for (int i = 0; i < 3; i++) {
        at(&ward, 5 * (i + 1));
        ring(&ward, "esc-obs-set-one");
        a = alert(&ward, "esc-obs-set-one");
        EXPECT_STR("climbed", a.told, str_of(told[i]));
        EXPECT_INT("told so often", a.round, i + 2);
        EXPECT_INT("again in five", a.answer_by_ms, cx->now_ms + 5 * OBS_MINUTE_MS);
    }
    ring(&ward, "esc-obs-set-one");
    EXPECT_INT("rung twice, told once", alert(&ward, "esc-obs-set-one").round, 4);
    ward_close(&ward);
}

TEST(a_step_with_nobody_on_shift_is_skipped)
{
    struct ward ward = ward_open(cx);
    put_shift(&ward, "Dr-Off", "registrar", -600, 0); /* ends this very minute */
    put_shift(&ward, "Dr-Later", "registrar", 1, 600);
    put_shift(&ward, "Outreach", "outreach", 0, 600);
    struct obs_set set = set_of(cx->now_ms, 25);
    enter(&ward, &set, "obs-set-one", NULL);
    struct obs_alert a = alert(&ward, "esc-obs-set-one");
    EXPECT_STR("skipped and said", a.told,
               S("no registrar on the rota; Outreach (critical care outreach)"));
    EXPECT_INT("at the step that was told", a.step, 1);
    ward_close(&ward);
}

TEST(an_empty_rota_is_said_and_the_clock_runs_all_the_same)
{
    struct ward ward = ward_open(cx);
    struct obs_set set = set_of(cx->now_ms, 25);
    enter(&ward, &set, "obs-set-one", NULL);
    struct obs_alert a = alert(&ward, "esc-obs-set-one");
    EXPECT("said", str_find(a.told, S("nobody is on the rota")) != STR_NONE);
    EXPECT_INT("a timer", timers(&ward), 1);
    at(&ward, 5);
    put_shift(&ward, "Dr-Reg", "registrar", 0, 600);
    put_shift(&ward, "Outreach", "outreach", 0, 600);
    ring(&ward, "esc-obs-set-one");
    EXPECT_STR("found now", alert(&ward, "esc-obs-set-one").told,
               S("Outreach (critical care outreach)"));
    ward_close(&ward);
}

TEST(an_answer_stops_the_climb_and_a_review_that_is_late_is_called_for)
{
    struct ward ward = ward_open(cx);
    struct commit_op op;
    put_shift(&ward, "Dr-Reg", "registrar", -60, 600);
    put_shift(&ward, "Outreach", "outreach", -60, 600);
    struct obs_set set = set_of(cx->now_ms, 25);
    enter(&ward, &set, "obs-set-one", NULL);
    struct obs_alert a = alert(&ward, "esc-obs-set-one");
    at(&ward, 3);
    a.state = OBS_ANSWERED;
    a.answered_ms = cx->now_ms;
    EXPECT_INT("answer", obs_alert_op(cx, &a, &op), ERR_OK);
    EXPECT_INT("answer", record_do(cx, ward.store, &op), ERR_OK);
    alert(&ward, "esc-obs-set-one");
    at(&ward, 29);
    ring(&ward, "esc-obs-set-one");
    EXPECT_INT("nobody else is told", alert(&ward, "esc-obs-set-one").round, 1);
    at(&ward, 30);
    ring(&ward, "esc-obs-set-one");
    a = alert(&ward, "esc-obs-set-one");
    EXPECT_STR("called for", a.told, S("Outreach (critical care outreach)"));
    EXPECT_INT("the answer stands", a.state, OBS_ANSWERED);
    EXPECT_INT("again later", a.review_by_ms, cx->now_ms + OBS_CHASE_MIN * OBS_MINUTE_MS);
    ward_close(&ward);
}

TEST(corrections_down_and_up_run_the_call_again_and_a_lower_set_leaves_it)
{
    struct ward ward = ward_open(cx);
    struct obs_set set = set_of(cx->now_ms, 25), read, well = set_of(0, 16);
    str patient;
    put_shift(&ward, "Dr-Reg", "registrar", -60, 600);
    enter(&ward, &set, "obs-set-one", NULL);
    at(&ward, 10);
    well.at_ms = cx->now_ms;
    well.values[OBS_SPO2] = 98;
    well.values[OBS_SYSTOLIC] = 120;
    enter(&ward, &well, "obs-set-two", NULL);
    EXPECT_STR("a later, lower set", alert(&ward, "esc-obs-set-one").status, S("requested"));
    EXPECT_STR("calls nobody itself", alert(&ward, "esc-obs-set-two").status, S("none"));

    EXPECT_INT("read", obs_set_read(cx, ward.store, S("obs-set-one"), &patient, &read), ERR_OK);
    struct obs_set lower = read;
    lower.values[OBS_RESP] = 16;
    lower.values[OBS_SPO2] = 98;
    enter(&ward, &lower, "obs-set-one", &read);
    EXPECT_STR("down", alert(&ward, "esc-obs-set-one").status, S("cancelled"));
    EXPECT_INT("no timer is left", timers(&ward), 0);

    EXPECT_INT("read", obs_set_read(cx, ward.store, S("obs-set-two"), &patient, &read), ERR_OK);
    struct obs_set higher = read;
    higher.values[OBS_RESP] = 25;
    enter(&ward, &higher, "obs-set-two", &read);
    struct obs_alert a = alert(&ward, "esc-obs-set-two");
    EXPECT_STR("up", a.status, S("requested"));
    EXPECT_STR("as the single 3 it now is", str_of(a.response->name), S("single red score"));
    EXPECT_INT("a timer again", timers(&ward), 1);
    ward_close(&ward);
}

TEST(sets_of_long_ago_and_late_entries_call_nobody)
{
    struct ward ward = ward_open(cx);
    struct obs_set old = set_of(cx->now_ms - (OBS_RECENT_H * 60 + 1) * OBS_MINUTE_MS, 25);
    struct obs_set now = set_of(cx->now_ms, 16), late = set_of(cx->now_ms - 20 * OBS_MINUTE_MS, 30);
    now.values[OBS_SPO2] = 98;
    now.values[OBS_SYSTOLIC] = 120;
    enter(&ward, &old, "obs-set-old", NULL);
    EXPECT_STR("imported", alert(&ward, "esc-obs-set-old").status, S("none"));
    enter(&ward, &now, "obs-set-now", NULL);
    enter(&ward, &late, "obs-set-late", NULL);
    EXPECT_STR("a later set is there", alert(&ward, "esc-obs-set-late").status, S("none"));
    ward_close(&ward);
}

TEST(a_higher_set_takes_over_the_lower_call)
{
    struct ward ward = ward_open(cx);
    struct obs_set first = set_of(cx->now_ms, 16), second = set_of(0, 25);
    enter(&ward, &first, "obs-set-one", NULL); /* 3 + 2 = 5 */
    EXPECT_STR("urgent", str_of(alert(&ward, "esc-obs-set-one").response->name), S("urgent"));
    at(&ward, 10);
    second.at_ms = cx->now_ms;
    enter(&ward, &second, "obs-set-two", NULL); /* 8 */
    EXPECT_STR("taken over", alert(&ward, "esc-obs-set-one").status, S("cancelled"));
    EXPECT_STR("emergency", str_of(alert(&ward, "esc-obs-set-two").response->name),
               S("emergency"));
    EXPECT_INT("one clock", timers(&ward), 1);
    ward_close(&ward);
}

TEST(a_call_keeps_up_with_a_score_that_rises_further)
{
    struct ward ward = ward_open(cx);
    struct obs_set first = set_of(cx->now_ms, 25), worse = set_of(0, 25);
    enter(&ward, &first, "obs-set-one", NULL); /* 8 */
    at(&ward, 3);
    worse.at_ms = cx->now_ms;
    worse.acvpu = 'V';
    enter(&ward, &worse, "obs-set-two", NULL); /* 11 */
    struct obs_alert a = alert(&ward, "esc-obs-set-one");
    EXPECT_INT("the higher score is shown", a.total, 11);
    EXPECT_INT("nobody is told twice", a.round, 1);
    EXPECT_INT("the clock stands", a.answer_by_ms, ward.start_ms + 5 * OBS_MINUTE_MS);
    EXPECT_STR("one call", alert(&ward, "esc-obs-set-two").status, S("none"));
    ward_close(&ward);
}

TEST(following_twice_does_nothing_twice)
{
    struct ward ward = ward_open(cx);
    struct obs_found told;
    put_shift(&ward, "Dr-Reg", "registrar", -60, 600);
    struct obs_set set = set_of(cx->now_ms, 25);
    enter(&ward, &set, "obs-set-one", NULL);
    follow(&ward, "Observation", S("obs-set-one"));
    follow(&ward, "Observation", S("obs-set-one"));
    EXPECT_INT("search", obs_search(cx, ward.store, "Communication", S("patient=ann"), 10, &told),
               ERR_OK);
    EXPECT_INT("told once", told.count, 1);
    EXPECT_INT("one version", alert(&ward, "esc-obs-set-one").vid, 1);
    ward_close(&ward);
}
