/* SPDX-License-Identifier: Apache-2.0 */
#define TEST_SUITE play
#include "base/test.h"
#include "clinical/london.h"
#include "synth/play.h"
#include <math.h>

TEST(a_rate_comes_out_as_often_as_it_says)
{
    struct random random = random_seeded(7);
    struct play_hand hand = { .cx = cx, .random = &random, .hours = 0.01 };
    int seen = 0;
    for (int i = 0; i < 100000; i++)
        seen += play_happens(&hand, 2);
    EXPECT("about 2 an hour over 1,000 hours", seen > 1830 && seen < 2130);
    EXPECT("never", !play_happens(&hand, 0));
}

TEST(the_week_is_one_on_average_and_quiet_at_night)
{
    double arrivals = 0, discharges = 0;
    int64_t monday = london_midnight(london_day(INT64_C(1795334400000)) - 6);
    for (int hour = 0; hour < 168; hour++) {
        arrivals += play_arrivals(monday + hour * INT64_C(3600000)) / 168;
        discharges += play_discharges(monday + hour * INT64_C(3600000)) / 168;
    }
    EXPECT("arrivals", fabs(arrivals - 1) < 0.05);
    EXPECT("discharges", fabs(discharges - 1) < 0.05);
    EXPECT("discharges are by day", play_discharges(monday + 15 * INT64_C(3600000)) >
                                        10 * play_discharges(monday + 3 * INT64_C(3600000)));
}
