/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/obs/rcp.h"
#include "clinical/london.h"
#include "systems/obs/follow.h"
#include "ui/page.h"

enum { ROW = 17, COLUMN = 60, LABELS = 176, HEAD = 40, GAP = 8, TITLE_AT = 4 };

/* One printed band: its words, and a value within it to ask the rule about. */
struct band_row {
    const char *label;
    int low, high; /* inclusive, in the unit of the value */
};
/* clang-format off: the printed chart, top down. */
static const struct band_row resp[] = {
    { "25 or more", 25, 999 }, { "21-24", 21, 24 }, { "18-20", 18, 20 }, { "15-17", 15, 17 },
    { "12-14", 12, 14 }, { "9-11", 9, 11 }, { "8 or less", 0, 8 } };
static const struct band_row spo2_1[] = {
    { "96 or more", 96, 999 }, { "94-95", 94, 95 }, { "92-93", 92, 93 }, { "91 or less", 0, 91 } };
static const struct band_row spo2_2[] = {
    { "97 or more, O\342\202\202", 97, 999 }, { "95-96, O\342\202\202", 95, 96 },
    { "93-94, O\342\202\202", 93, 94 }, { "93 or more, air", 93, 999 }, { "88-92", 88, 92 },
    { "86-87", 86, 87 }, { "84-85", 84, 85 }, { "83 or less", 0, 83 } };
static const struct band_row gas[] = { { "Air", 0, 0 }, { "Oxygen", 1, 1 } };
static const struct band_row systolic[] = {
    { "220 or more", 220, 999 }, { "201-219", 201, 219 }, { "181-200", 181, 200 },
    { "161-180", 161, 180 }, { "141-160", 141, 160 }, { "121-140", 121, 140 },
    { "111-120", 111, 120 }, { "101-110", 101, 110 }, { "91-100", 91, 100 }, { "81-90", 81, 90 },
    { "71-80", 71, 80 }, { "61-70", 61, 70 }, { "51-60", 51, 60 }, { "50 or less", 0, 50 } };
static const struct band_row pulse[] = {
    { "131 or more", 131, 999 }, { "121-130", 121, 130 }, { "111-120", 111, 120 },
    { "101-110", 101, 110 }, { "91-100", 91, 100 }, { "81-90", 81, 90 }, { "71-80", 71, 80 },
    { "61-70", 61, 70 }, { "51-60", 51, 60 }, { "41-50", 41, 50 }, { "31-40", 31, 40 },
    { "30 or less", 0, 30 } };
static const struct band_row alert[] = {
    { "Alert", 'A', 'A' }, { "New confusion", 'C', 'C' }, { "Voice", 'V', 'V' },
    { "Pain", 'P', 'P' }, { "Unresponsive", 'U', 'U' } };
static const struct band_row temp[] = {
    { "39.1 or more", 391, 999 }, { "38.1-39.0", 381, 390 }, { "37.1-38.0", 371, 380 },
    { "36.1-37.0", 361, 370 }, { "35.1-36.0", 351, 360 }, { "35.0 or less", 0, 350 } };

enum kind { K_RESP, K_SPO2_1, K_SPO2_2, K_GAS, K_SYSTOLIC, K_PULSE, K_ALERT, K_TEMP, KINDS };
#define ROWS(list) (list), COUNT(list)
static const struct block {
    const char *letter, *title;
    const struct band_row *rows;
    size_t rows_count;
    enum news2_part part;
} blocks[KINDS] = {
    [K_RESP]     = { "A+B", "Respirations /min",          ROWS(resp),     NEWS2_RESP },
    [K_SPO2_1]   = { "A+B", "SpO\342\202\202 % scale 1",  ROWS(spo2_1),   NEWS2_SPO2 },
    [K_SPO2_2]   = { "A+B", "SpO\342\202\202 % scale 2",  ROWS(spo2_2),   NEWS2_SPO2 },
    [K_GAS]      = { "A+B", "Air or oxygen",              ROWS(gas),      NEWS2_OXYGEN },
    [K_SYSTOLIC] = { "C",   "Blood pressure mmHg",     ROWS(systolic), NEWS2_SYSTOLIC },
    [K_PULSE]    = { "C",   "Pulse /min",                 ROWS(pulse),    NEWS2_PULSE },
    [K_ALERT]    = { "D",   "Consciousness",              ROWS(alert),    NEWS2_ALERT },
    [K_TEMP]     = { "E",   "Temperature \302\260C",      ROWS(temp),     NEWS2_TEMP },
};
/* clang-format on */

struct chart {
    struct ctx *cx;
    const struct obs_set *sets[OBS_RCP_SETS]; /* oldest first */
    size_t count;
    bool scale1, scale2;
    int height;
};

/* What a band scores: the rule's answer for a value in it. */
static int band_score(enum kind kind, const struct band_row *row)
{
    struct news2_obs obs = { 16, 98, 72, 120, 370, 0, 1, kind == K_SPO2_2 };
    struct news2_score score;
    int value = row->high == 999 ? row->low : row->high;
    if (kind == K_RESP)
        obs.resp_per_min = value;
    if (kind == K_SPO2_1 || kind == K_SPO2_2)
        obs.spo2_pct = value;
    if (kind == K_SPO2_2)
        obs.on_oxygen = row < spo2_2 + 3;
    if (kind == K_GAS)
        obs.on_oxygen = value;
    if (kind == K_SYSTOLIC)
        obs.systolic_mmhg = value;
    if (kind == K_PULSE)
        obs.pulse_per_min = value;
    if (kind == K_ALERT)
        obs.alert = value == 'A';
    if (kind == K_TEMP)
        obs.temp_tenth_c = value;
    news2_add_up(&news2_chart, &obs, &score);
    return score.parts[blocks[kind].part];
}

static int value_of(const struct obs_set *set, enum kind kind)
{
    switch (kind) {
    case K_RESP: return set->values[OBS_RESP];
    case K_SPO2_1: return set->scale2 ? OBS_NONE : set->values[OBS_SPO2];
    case K_SPO2_2: return set->scale2 ? set->values[OBS_SPO2] : OBS_NONE;
    case K_GAS: return set->on_oxygen;
    case K_SYSTOLIC: return set->values[OBS_SYSTOLIC];
    case K_PULSE: return set->values[OBS_PULSE];
    case K_ALERT: return set->acvpu == 'K' ? 'A' : set->acvpu ? set->acvpu : OBS_NONE;
    case K_TEMP: return set->values[OBS_TEMP];
    case KINDS: break;
    }
    return OBS_NONE;
}

static str value_text(struct ctx *cx, const struct obs_set *set, enum kind kind)
{
    static const enum obs_vital vitals[KINDS] = { [K_RESP] = OBS_RESP, [K_SPO2_1] = OBS_SPO2,
        [K_SPO2_2] = OBS_SPO2, [K_SYSTOLIC] = OBS_SYSTOLIC, [K_PULSE] = OBS_PULSE,
        [K_TEMP] = OBS_TEMP };
    if (kind == K_ALERT)
        return arena_printf(cx->arena, "%c", set->acvpu == 'K' ? 'A' : set->acvpu);
    if (kind == K_SYSTOLIC && set->values[OBS_DIASTOLIC] != OBS_NONE)
        return arena_printf(cx->arena, "%d/%d", set->values[OBS_SYSTOLIC],
                            set->values[OBS_DIASTOLIC]);
    if (kind != K_GAS)
        return obs_vital_text(cx, vitals[kind], set->values[vitals[kind]]);
    if (set->on_oxygen == 1 && set->values[OBS_FLOW] != OBS_NONE)
        return arena_printf(cx->arena, "%.*s L",
                            STR_ARG(obs_vital_text(cx, OBS_FLOW, set->values[OBS_FLOW])));
    if (set->on_oxygen == 1 && set->values[OBS_FIO2] != OBS_NONE)
        return arena_printf(cx->arena, "%d %%", set->values[OBS_FIO2]);
    return set->on_oxygen == 1 ? S("O\342\202\202") : S("Air");
}

static bool in_row(const struct obs_set *set, enum kind kind, const struct band_row *row)
{
    int value = value_of(set, kind);
    if (value == OBS_NONE || value < row->low || value > row->high)
        return false;
    if (kind != K_SPO2_2 || value < 93)
        return true;
    return (row < spo2_2 + 3) == (set->on_oxygen == 1); /* above 92 the gas decides */
}

static bool is_drawn(const struct chart *chart, enum kind kind)
{
    return kind == K_SPO2_1 ? chart->scale1 : kind == K_SPO2_2 ? chart->scale2 : true;
}

/* ---- the drawing ---- */

static void draw_patterns(struct buf *out, const char *side)
{
    buf_printf(out, "<defs><pattern id=\"obs-p2%s\" width=\"6\" height=\"6\" patternUnits="
               "\"userSpaceOnUse\"><path class=\"obs-hatch\" d=\"M0 6L6 0\"/></pattern>"
               "<pattern id=\"obs-p3%s\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
               "<path class=\"obs-hatch\" d=\"M0 5L5 0M0 0L5 5\"/></pattern></defs>", side, side);
}

static void draw_box(struct buf *out, const char *class, int points, int x, int y, int width)
{
    buf_printf(out, "<rect class=\"%s s%d\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", class,
               points, x, y, width, ROW);
}

static void draw_label_block(struct buf *out, enum kind kind, int y)
{
    const struct block *block = &blocks[kind];
    buf_printf(out, "<text class=\"obs-title\" x=\"%d\" y=\"%d\">%s %s</text>", TITLE_AT, y - 4,
               block->letter, block->title);
    for (size_t i = 0; i < block->rows_count; i++, y += ROW) {
        int points = band_score(kind, &block->rows[i]);
        draw_box(out, "obs-band", points, 0, y, LABELS);
        if (points >= 2)
            buf_printf(out, "<rect x=\"%d\" y=\"%d\" width=\"18\" height=\"%d\" "
                       "fill=\"url(#obs-p%dl)\"/>", LABELS - 44, y, ROW, points);
        buf_printf(out, "<text x=\"%d\" y=\"%d\">%s</text><text class=\"obs-points\" x=\"%d\" "
                   "y=\"%d\" text-anchor=\"end\">%d</text>", TITLE_AT, y + 13,
                   block->rows[i].label, LABELS - 6, y + 13, points);
    }
}

/* A line through the values of one row block lets the eye follow the trend. */
static void draw_trend(const struct chart *chart, struct buf *out, enum kind kind, int top)
{
    const struct block *block = &blocks[kind];
    bool begun = false;
    if (kind == K_GAS || kind == K_ALERT)
        return;
    buf_add(out, S("<path class=\"obs-trend\" d=\""));
    for (size_t k = 0; k < chart->count; k++) {
        size_t row = 0;
        while (row < block->rows_count && !in_row(chart->sets[k], kind, &block->rows[row]))
            row++;
        bool there = row < block->rows_count;
        if (there)
            buf_printf(out, "%c%d %d", begun ? 'L' : 'M', (int)k * COLUMN + COLUMN / 2,
                       top + (int)row * ROW + ROW / 2);
        begun = there;
    }
    buf_add(out, S("\"/>"));
}

static void draw_cells(const struct chart *chart, struct buf *out, enum kind kind, int y)
{
    const struct block *block = &blocks[kind];
    int width = (int)chart->count * COLUMN;
    for (size_t i = 0; i < block->rows_count; i++)
        draw_box(out, "obs-band", band_score(kind, &block->rows[i]), 0, y + (int)i * ROW, width);
    draw_trend(chart, out, kind, y);
    for (size_t i = 0; i < block->rows_count; i++, y += ROW) {
        int points = band_score(kind, &block->rows[i]);
        for (size_t k = 0; k < chart->count; k++) {
            if (!in_row(chart->sets[k], kind, &block->rows[i]))
                continue;
            int x = (int)k * COLUMN;
            str text = value_text(chart->cx, chart->sets[k], kind);
            draw_box(out, "obs-cell", points, x + 2, y, COLUMN - 4);
            if (points >= 2)
                buf_printf(out, "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"%d\" "
                           "fill=\"url(#obs-p%dd)\"/>", x + COLUMN - 14, y, ROW, points);
            buf_printf(out, "<text class=\"obs-value s%d\" x=\"%d\" y=\"%d\" "
                       "text-anchor=\"middle\">%.*s</text>", points,
                       x + COLUMN / 2 - (points ? 4 : 0), y + 13, STR_ARG(text));
            if (points)
                buf_printf(out, "<text class=\"obs-point s%d\" x=\"%d\" y=\"%d\" "
                           "text-anchor=\"end\">%d</text>", points, x + COLUMN - 4, y + 10,
                           points);
        }
    }
}

static void draw_head(const struct chart *chart, struct buf *out)
{
    int64_t day = -1;
    for (size_t k = 0; k < chart->count; k++) {
        const struct obs_set *set = chart->sets[k];
        int x = (int)k * COLUMN, middle = x + COLUMN / 2;
        str when = ui_time(chart->cx, set->at_ms);
        size_t space = str_find_char(when, ' ');
        if (london_day(set->at_ms) != day)
            buf_printf(out, "<text x=\"%d\" y=\"12\" text-anchor=\"middle\">%.*s</text>", middle,
                       STR_ARG(str_slice(when, 0, space + 4)));
        day = london_day(set->at_ms);
        buf_printf(out, "<text class=\"obs-title\" x=\"%d\" y=\"27\" text-anchor=\"middle\">%.*s"
                   "</text>", middle, STR_ARG(ui_clock(chart->cx, set->at_ms)));
        const char *mark = obs_set_is_late(set) ? "late" : set->amended ? "corr." : "";
        buf_printf(out, "<text class=\"obs-mark\" x=\"%d\" y=\"38\" text-anchor=\"middle\">%s"
                   "</text><line class=\"obs-rule\" x1=\"%d\" x2=\"%d\" y1=\"40\" y2=\"%d\"/>",
                   middle, mark, x, x, chart->height);
    }
}

/* The row at the foot: a total, or what is known of one. */
static void draw_totals(const struct chart *chart, struct buf *out, int y)
{
    for (size_t k = 0; k < chart->count; k++) {
        const struct obs_set *set = chart->sets[k];
        struct obs_result result = obs_set_result(set);
        bool wrong = obs_set_disagreement(chart->cx, set).n > 0;
        int shade = result.total >= 7 ? 3 : result.total >= 5 ? 2 : result.highest == 3 ? 2
                    : result.total > 0 ? 1 : 0;
        int x = (int)k * COLUMN;
        str text = result.excluded ? S("-")
            : result.complete ? arena_printf(chart->cx->arena, "%d", result.total)
            : arena_printf(chart->cx->arena, "\342\211\245%d", result.total);
        if (result.none)
            text = set->sent_total == OBS_NONE ? S("-") : arena_printf(chart->cx->arena, "%d",
                                                                       set->sent_total);
        buf_printf(out, "<rect class=\"obs-cell s%d%s\" x=\"%d\" y=\"%d\" width=\"%d\" "
                   "height=\"24\"/>", shade, result.complete ? "" : " obs-open", x + 2, y,
                   COLUMN - 4);
        if (!result.complete)
            shade = 0; /* no colour of a score where there is none */
        buf_printf(out, "<text class=\"obs-total s%d\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">"
                   "%.*s%s</text>", shade, x + COLUMN / 2, y + 18, STR_ARG(text),
                   wrong ? " !" : "");
        if (result.highest == 3)
            buf_printf(out, "<text class=\"obs-red\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">"
                       "\342\226\262 3 in one</text>", x + COLUMN / 2, y + 37);
    }
}

static void draw_blocks(const struct chart *chart, struct buf *out, bool labels)
{
    int y = HEAD + ROW;
    for (enum kind kind = 0; kind < KINDS; kind++) {
        if (!is_drawn(chart, kind))
            continue;
        if (labels)
            draw_label_block(out, kind, y);
        else
            draw_cells(chart, out, kind, y);
        y += (int)blocks[kind].rows_count * ROW + ROW + GAP;
    }
    if (labels)
        buf_printf(out, "<text class=\"obs-total\" x=\"%d\" y=\"%d\">NEWS2 total</text>", TITLE_AT,
                   y + 10);
    else
        draw_totals(chart, out, y - 8);
}

static int height_of(const struct chart *chart)
{
    int height = HEAD + ROW + 42;
    for (enum kind kind = 0; kind < KINDS; kind++)
        if (is_drawn(chart, kind))
            height += (int)blocks[kind].rows_count * ROW + ROW + GAP;
    return height;
}

static void draw_svg(const struct chart *chart, struct buf *out, bool labels)
{
    int width = labels ? LABELS : (int)chart->count * COLUMN;
    buf_printf(out, "<svg class=\"obs-rcp__svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" ",
               width, chart->height, width, chart->height);
    if (labels)
        buf_add(out, S("aria-hidden=\"true\" focusable=\"false\">"));
    else
        buf_printf(out, "role=\"img\" aria-label=\"NEWS2 chart of %zu sets; the same figures stand "
                   "in the table below\">", chart->count);
    draw_patterns(out, labels ? "l" : "d");
    if (!labels)
        draw_head(chart, out);
    draw_blocks(chart, out, labels);
    buf_add(out, S("</svg>"));
}

void obs_rcp_draw(struct ctx *cx, struct buf *out, const struct obs_set *sets, size_t count)
{
    struct chart chart = { .cx = cx };
    for (size_t i = count; i > 0; i--) {
        const struct obs_set *set = &sets[i - 1];
        if (set->in_error || chart.count == OBS_RCP_SETS)
            continue;
        chart.sets[chart.count++] = set;
        *(set->scale2 ? &chart.scale2 : &chart.scale1) = true;
    }
    chart.height = height_of(&chart);
    if (!chart.count) {
        buf_add(out, S("<p>No observations yet.</p>"));
        return;
    }
    buf_add(out, S("<div class=\"obs-rcp\">"));
    draw_svg(&chart, out, true);
    buf_add(out, S("<div class=\"obs-rcp__data\" tabindex=\"0\" role=\"region\" "
                   "aria-label=\"NEWS2 chart\">"));
    draw_svg(&chart, out, false);
    buf_add(out, S("</div></div>"));
}
