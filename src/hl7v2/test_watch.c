/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE hl7_watch
#include "base/test.h"
#include "hl7v2/watch.h"

static struct hl7_watched named(const char *name)
{
    struct hl7_watched list[HL7_WATCH_MAX];
    size_t count = hl7_watch_list(list);
    for (size_t i = 0; i < count; i++)
        if (str_eq((str){ list[i].name, list[i].name_bytes }, str_of(name)))
            return list[i];
    return (struct hl7_watched){ .began_ms = -1 };
}

TEST(silent_feed_is_told_and_heard_again)
{
    struct hl7_message pas = { .application = S("PAS"), .facility = S("RXX") };
    struct buf metrics = buf_make(cx->arena, 1 << 20);
    hl7_watch_expect(S("LAB"), S("RXX"), HL7_WATCH_ANY, 1000); /* has never sent */
    hl7_watch_note(&pas, HL7_ACCEPTED, HL7_WATCH_ANY, 5000);
    hl7_watch_note(&pas, HL7_ERROR, HL7_WATCH_ANY, 6000);
    hl7_watch_check(10999, 10000);
    EXPECT("not yet", !named("LAB|RXX").silent && !named("PAS|RXX").silent);
    hl7_watch_check(11000, 10000);
    EXPECT("the one that never sent", named("LAB|RXX").silent && !named("PAS|RXX").silent);
    hl7_watch_check(16000, 10000);
    EXPECT("both", named("LAB|RXX").silent && named("PAS|RXX").silent);
    hl7_watch_note(&pas, HL7_REJECTED, HL7_WATCH_ANY, 17000);
    EXPECT("heard again", !named("PAS|RXX").silent);
    hl7_watch_check(99999999, 0);
    EXPECT("never, when so set", !named("PAS|RXX").silent);
    EXPECT_INT("accepted", named("PAS|RXX").counts[HL7_ACCEPTED], 1);
    EXPECT_INT("on hold", named("PAS|RXX").counts[HL7_ERROR], 1);
    EXPECT_INT("rejected", named("PAS|RXX").counts[HL7_REJECTED], 1);
    hl7_watch_metrics(&metrics, 18000);
    EXPECT("metrics", str_find(buf_str(&metrics),
           S("frontline_hl7_silence_seconds{sender=\"PAS|RXX\"} 1\n")) != STR_NONE);
}

TEST(silence_has_a_limit_of_each_feed_and_goes_on_through_a_restart)
{
    struct hl7_message xray = { .application = S("XRAY"), .facility = S("RXX") };
    struct buf metrics = buf_make(cx->arena, 1 << 20);
    hl7_watch_expect(S("XRAY"), S("RXX"), 2000, 100000);
    hl7_watch_expect(S("NIGHT"), S("RXX"), 0, 100000);
    hl7_watch_recall(S("BLOOD"), S("RXX"), 50000); /* last heard by the program before this one */
    hl7_watch_recall(S("BLOOD"), S("RXX"), 40000);
    hl7_watch_check(101999, 60000);
    EXPECT("none yet", !named("XRAY|RXX").silent && !named("BLOOD|RXX").silent);
    hl7_watch_check(102000, 60000);
    EXPECT("its own limit", named("XRAY|RXX").silent);
    hl7_watch_check(110000, 60000);
    EXPECT("the general one, from what was heard before", named("BLOOD|RXX").silent);
    EXPECT("one that may be silent", !named("NIGHT|RXX").silent);
    hl7_watch_metrics(&metrics, 110000);
    EXPECT("metrics", str_find(buf_str(&metrics),
           S("frontline_hl7_silent{sender=\"XRAY|RXX\"} 1\n")) != STR_NONE);
    hl7_watch_note(&xray, HL7_ACCEPTED, 2000, 111000);
    EXPECT("heard again", !named("XRAY|RXX").silent);
    hl7_watch_check(113000, 60000);
    EXPECT("and silent again", named("XRAY|RXX").silent);
}
