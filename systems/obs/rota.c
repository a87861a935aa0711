/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/rota.h"

enum { SHIFTS_MAX = 1000, LONGEST_SHIFT_H = 48 };

int obs_rota_order(struct ctx *cx, struct json shift)
{
    uint64_t order;
    str text = json_text(json_get(obs_extension(shift, "rota-order"), S("valuePositiveInt")));
    (void)cx;
    return str_to_u64(text, &order) && order < SHIFTS_MAX ? (int)order : 1;
}

void obs_rota_put_order(struct json_writer *w, int order)
{
    json_key(w, "extension");
    json_open(w, '[');
    json_open(w, '{');
    json_put_str(w, "url", S(OBS_URL "rota-order"));
    json_key(w, "valuePositiveInt");
    json_i64(w, order);
    json_close(w, '}');
    json_close(w, ']');
}

/* 0: another ward's; 1: the whole hospital's; 2: this ward's. */
static int nearness(struct ctx *cx, struct json shift, str ward)
{
    int near = 1;
    for (struct json_walk w = json_walk(json_get(shift, S("actor"))); json_next(&w);) {
        str place = obs_reference(cx, w.value, "Location");
        if (str_given(place))
            near = !ward.n || str_eq(place, ward) ? 2 : 0;
    }
    return near;
}

static bool take(struct ctx *cx, struct json shift, struct obs_on_shift *out)
{
    struct json period = json_get(shift, S("planningHorizon"));
    out->from_ms = obs_read_instant(cx, json_get(period, S("start")));
    out->to_ms = obs_read_instant(cx, json_get(period, S("end")));
    out->order = obs_rota_order(cx, shift);
    if (json_is(json_get(shift, S("active")), JSON_FALSE) || !out->from_ms ||
        cx->now_ms < out->from_ms || cx->now_ms >= out->to_ms)
        return false;
    for (struct json_walk w = json_walk(json_get(shift, S("actor"))); json_next(&w);) {
        str who = obs_reference(cx, w.value, "Practitioner");
        if (!str_given(who))
            continue;
        out->reference_json = json_text(w.value);
        out->name = json_string(cx->arena, json_get(w.value, S("display")));
        if (!out->name.n)
            out->name = who;
        return true;
    }
    return false;
}

static int by_order(const void *a, const void *b)
{
    const struct obs_on_shift *x = a, *y = b;
    return x->order != y->order ? x->order - y->order : str_cmp(x->name, y->name);
}

err obs_rota_on_shift(struct ctx *cx, struct store *store, const char *role, str ward,
                      struct obs_shift_list *out)
{
    struct obs_found found;
    int64_t since = cx->now_ms - LONGEST_SHIFT_H * INT64_C(3600000);
    out->count = 0;
    TRY(obs_search(cx, store, "Schedule",
                   arena_printf(cx->arena, "service-category=escalation-rota&service-type=%s&"
                                "date=ge%.*s", role, STR_ARG(obs_instant(cx, since))), SHIFTS_MAX,
                   &found));
    for (int near = 2; near > 0 && out->count == 0; near--)
        for (size_t i = 0; i < found.count && out->count < OBS_ON_SHIFT_MAX; i++)
            if (nearness(cx, found.bodies[i], ward) == near &&
                take(cx, found.bodies[i], &out->list[out->count]))
                out->count++;
    if (out->count)
        qsort(out->list, out->count, sizeof *out->list, by_order);
    return ERR_OK;
}
