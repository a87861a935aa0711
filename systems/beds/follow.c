/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/beds/follow.h"
#include "base/clock.h"
#include "beds_board.html.h"

enum { EXPECT_MS = 60000, EVENT_BYTES = 200 << 10 };

static struct {
    struct live *live;
    int64_t done_seq, read_seq, looked_ms; /* the feed's thread alone */
    int64_t drawn_ms;            /* monotonic, when a board was last drawn; any thread */
} follow;

/* Changed since the last round: by a commit, or because a reservation ran out. */
static bool has_changed(const struct ctx *cx, const struct beds_picture *picture,
                        const struct beds_spot *spot)
{
    const struct beds_stay *stay = spot->stay == BEDS_NONE ? NULL : &picture->stays[spot->stay];
    bool ran_out = stay && stay->reserved && stay->until_ms > follow.looked_ms &&
                   stay->until_ms <= cx->now_ms;
    return spot->touched_seq > follow.done_seq || ran_out;
}

static void send(str channel, int64_t seq, const struct buf *html)
{
    if (html->full)
        live_publish_reload(follow.live, channel, seq);
    else
        live_publish(follow.live, channel, seq, buf_str(html));
}

static str channel_of(struct ctx *cx, const struct beds_spot *ward)
{
    return arena_printf(cx->arena, "beds/%s", ward->id);
}

/* The changed rows of one ward; true when there were any. */
static bool tell_ward(struct ctx *cx, const struct beds_picture *picture, int32_t ward)
{
    str channel = channel_of(cx, &picture->spots[ward]);
    bool watched = live_watched(follow.live, channel), any = false;
    struct buf html = buf_make(cx->arena, EVENT_BYTES);
    for (size_t i = 0; i < picture->spots_count; i++) {
        const struct beds_spot *spot = &picture->spots[i];
        if (spot->ward != ward || strcmp(spot->kind, "bd") != 0 ||
            !has_changed(cx, picture, spot))
            continue;
        any = true;
        if (!watched)
            break;
        struct beds_row row = beds_row_of(cx, picture, (int32_t)i);
        beds_board_row(&html, &row);
    }
    if (any && watched)
        send(channel, picture->seq, &html);
    else if (any)
        live_publish_missed(follow.live, channel, picture->seq);
    return any;
}

static void tell_hospital(struct ctx *cx, const struct beds_picture *picture,
                          const int32_t *wards, size_t count)
{
    struct buf html = buf_make(cx->arena, EVENT_BYTES);
    if (!live_watched(follow.live, S("beds"))) {
        live_publish_missed(follow.live, S("beds"), picture->seq);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct beds_ward ward = beds_ward_of(cx, picture, wards[i]);
        beds_ward_row(&html, &ward);
    }
    struct beds_ward all = beds_ward_of(cx, picture, BEDS_NONE);
    beds_tiles(&html, &all);
    send(S("beds"), picture->seq, &html);
}

/* Read whole: which rows differ is not known. */
static void tell_all_to_reload(struct ctx *cx, const struct beds_picture *picture)
{
    for (size_t i = 0; i < picture->spots_count; i++)
        if (strcmp(picture->spots[i].kind, "wa") == 0)
            live_publish_reload(follow.live, channel_of(cx, &picture->spots[i]), picture->seq);
    live_publish_reload(follow.live, S("beds"), picture->seq);
}

static err tell(struct ctx *cx, struct store *store)
{
    const struct beds_picture *picture;
    TRY(beds_picture_open(cx, store, &picture));
    int32_t *wards = arena_array(cx->arena, picture->spots_count + 1, sizeof *wards);
    size_t count = 0;
    /* The first reading is what the boards were drawn from; a later one replaced it under them. */
    bool read_again = follow.read_seq > 0 && picture->read_seq != follow.read_seq;
    follow.read_seq = picture->read_seq;
    if (read_again) {
        tell_all_to_reload(cx, picture);
    } else {
        for (size_t i = 0; i < picture->spots_count; i++)
            if (strcmp(picture->spots[i].kind, "wa") == 0 &&
                tell_ward(cx, picture, (int32_t)i))
                wards[count++] = (int32_t)i;
        if (count)
            tell_hospital(cx, picture, wards, count);
    }
    follow.done_seq = picture->seq > follow.done_seq ? picture->seq : follow.done_seq;
    return ERR_OK;
}

void beds_follow_expect(void)
{
    __atomic_store_n(&follow.drawn_ms, clock_monotonic_ms(), __ATOMIC_SEQ_CST);
}

static bool somebody_looks(void)
{
    int64_t drawn_ms = __atomic_load_n(&follow.drawn_ms, __ATOMIC_SEQ_CST);
    return live_streams(follow.live) > 0 ||
           (drawn_ms && clock_monotonic_ms() - drawn_ms < EXPECT_MS);
}

/* What is drawn after nobody was seen to look shows all commits up to this one. */
static void changed(struct ctx *cx, struct store *store, struct live *live,
                    const struct store_versions *versions, int64_t seq)
{
    (void)versions; /* the picture reads for itself */
    follow.live = live;
    if (!somebody_looks())
        follow.done_seq = seq;
    else if (tell(cx, store) != ERR_OK)
        live_publish_reload(live, S("beds"), seq);
    follow.looked_ms = cx->now_ms;
}

const struct feed_view beds_feed = { changed };
