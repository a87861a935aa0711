/* SPDX-License-Identifier: Apache-2.0 */
#include "clinical/mews.h"
#include "base/local.h"
#include "clinical/rule.h"

static const char *const part_names[MEWS_PARTS] = {
    [MEWS_RESP] = "resp", [MEWS_SPO2] = "spo2", [MEWS_SYSTOLIC] = "systolic",
    [MEWS_DIASTOLIC] = "diastolic", [MEWS_PULSE] = "pulse", [MEWS_TEMP] = "temp",
    [MEWS_ALERT] = "alert",
};

const char *mews_part_name(enum mews_part part)
{
    return part_names[part];
}

/* What a table is while it is being read. */
struct reading {
    struct mews_table table;
    struct band *bands;
    size_t bands_count, line;
};

static err bad_line(struct ctx *cx, const struct reading *reading, const char *what)
{
    return ctx_failf(cx, ERR_INVALID, S("table"), "line %zu: %s", reading->line, what);
}

static enum mews_part find_part(str name)
{
    enum mews_part part = 0;
    while (part < MEWS_PARTS && !str_eq(name, str_of(part_names[part])))
        part++;
    return part;
}

static str next_word(str *rest)
{
    str word = { 0 };
    *rest = str_trim(*rest);
    (void)str_next(rest, ' ', &word);
    return str_trim(word);
}

static err read_band(struct ctx *cx, struct reading *reading, str rest)
{
    enum mews_part part = find_part(next_word(&rest));
    uint64_t from, points;
    if (part == MEWS_PARTS)
        return bad_line(cx, reading, "unknown input");
    if (!str_to_u64(next_word(&rest), &from) || from > 1000 ||
        !str_to_u64(next_word(&rest), &points) || points > 9 || str_trim(rest).n > 0)
        return bad_line(cx, reading, "a band is: input, from, points");
    if (reading->bands_count == MEWS_BANDS_MAX)
        return bad_line(cx, reading, "too many bands");
    struct band_table *bands = &reading->table.parts[part];
    struct band *row = &reading->bands[reading->bands_count++];
    *row = (struct band){ (int)from, (int)points };
    if (bands->count == 0 && row->from > 0)
        return bad_line(cx, reading, "the first band of an input starts at 0");
    if (bands->count == 0)
        bands->rows = row;
    else if (bands->rows + bands->count != row || row[-1].from >= row->from)
        return bad_line(cx, reading, "bands of one input stand together, ascending");
    bands->count++;
    return ERR_OK;
}

static err read_line(struct ctx *cx, struct reading *reading, str line)
{
    size_t colon = str_find_char(line, ':');
    if (line.n == 0 || line.p[0] == '#')
        return ERR_OK;
    if (colon == STR_NONE)
        return bad_line(cx, reading, "not \"name: value\"");
    str name = str_trim(str_slice(line, 0, colon));
    str value = str_trim(str_slice(line, colon + 1, line.n));
    struct { str name; str *to; } const heads[] = {
        { S("table"), &reading->table.name },          { S("source"), &reading->table.source },
        { S("effective"), &reading->table.effective }, { S("expires"), &reading->table.expires },
        { S("signed-by"), &reading->table.signed_by },
        { S("signed-on"), &reading->table.signed_on },
    };
    if (str_eq(name, S("band")))
        return read_band(cx, reading, value);
    for (size_t i = 0; i < COUNT(heads); i++)
        if (str_eq(name, heads[i].name)) {
            if (str_given(*heads[i].to))
                return bad_line(cx, reading, "given twice");
            *heads[i].to = value;
            return ERR_OK;
        }
    return bad_line(cx, reading, "unknown name");
}

static bool is_day(str text)
{
    static const char shape[] = "dddd-dd-dd";
    for (size_t i = 0; i < text.n && text.n == sizeof shape - 1; i++)
        if (shape[i] == '-' ? text.p[i] != '-' : text.p[i] < '0' || text.p[i] > '9')
            return false;
    return text.n == sizeof shape - 1;
}

/* In force from `effective` to the day before `expires`, by the calendar of a British wall. */
static err check_in_force(struct ctx *cx, const struct mews_table *table)
{
    struct clock_civil now = local_civil(cx->now_ms);
    str today = arena_printf(cx->arena, "%04d-%02d-%02d", now.year, now.month, now.day);
    if (!is_day(table->effective) || !is_day(table->expires) || !is_day(table->signed_on))
        return ctx_fail(cx, ERR_INVALID, S("table"),
                        S("effective, expires and signed-on are days: yyyy-mm-dd"));
    if (str_cmp(today, table->effective) < 0)
        return ctx_failf(cx, ERR_RULE, S("table"), "the threshold table is in force from %.*s",
                         STR_ARG(table->effective));
    if (str_cmp(today, table->expires) >= 0)
        return ctx_failf(cx, ERR_RULE, S("table"),
                         "the threshold table expired on %.*s: ask its owner for a new one",
                         STR_ARG(table->expires));
    return ERR_OK;
}

static err check_heads(struct ctx *cx, const struct reading *reading)
{
    const struct mews_table *table = &reading->table;
    if (table->name.n == 0 || table->source.n == 0 || table->effective.n == 0 ||
        table->expires.n == 0)
        return ctx_fail(cx, ERR_INVALID, S("table"),
                        S("table, source, effective and expires must be given"));
    if (reading->bands_count == 0)
        return ctx_fail(cx, ERR_INVALID, S("table"), S("the table has no bands"));
    if (table->signed_by.n == 0 || table->signed_on.n == 0)
        return ctx_fail(cx, ERR_RULE, S("table"), S("the threshold table is not signed"));
    return check_in_force(cx, table);
}

err mews_table_parse(struct ctx *cx, str text, struct mews_table *out)
{
    struct reading reading = {
        .bands = arena_array(cx->arena, MEWS_BANDS_MAX, sizeof *reading.bands)
    };
    str rest = text;
    for (str line; str_next(&rest, '\n', &line);) {
        reading.line++;
        TRY(read_line(cx, &reading, str_trim(line)));
    }
    TRY(check_heads(cx, &reading));
    *out = reading.table;
    return ERR_OK;
}

err mews_score(struct issues *issues, const struct mews_table *table, const struct mews_obs *obs,
               struct mews_score *out)
{
    struct mews_score score = { 0 };
    err worst = ERR_OK;
    if (!table)
        return issues_add(issues, ERR_RULE, S("table"),
                          S("no signed threshold table is loaded: this chart does not score"));
    for (enum mews_part part = 0; part < MEWS_PARTS; part++) {
        score.parts[part] = MEWS_MISSING;
        if (table->parts[part].count == 0)
            continue;
        if (obs->values[part] < 0) {
            worst = issues_add(issues, ERR_INVALID, str_of(part_names[part]),
                               S("not recorded: the set is incomplete and has no score"));
            continue;
        }
        int points = band_points(table->parts[part], obs->values[part]);
        score.parts[part] = points;
        score.total += points;
        score.highest = points > score.highest ? points : score.highest;
    }
    TRY(worst);
    *out = score;
    return ERR_OK;
}

static const struct rule_input inputs[] = {
    { "resp", "/min", "respiration rate", RULE_NUMBER, 0, 0, 120, true },
    { "spo2", "%", "oxygen saturation", RULE_NUMBER, 0, 1, 100, true },
    { "systolic", "mm[Hg]", "systolic blood pressure", RULE_NUMBER, 0, 20, 350, true },
    { "diastolic", "mm[Hg]", "diastolic blood pressure", RULE_NUMBER, 0, 0, 250, true },
    { "pulse", "/min", "pulse", RULE_NUMBER, 0, 0, 350, true },
    { "temp", "Cel", "temperature, rounded half up to 0.1", RULE_NUMBER, 1, 200, 460, true },
    { "alert", "1 or 0", "1 alert, 0 not", RULE_FLAG, 0, 0, 1, true },
    { "table", "file", "the signed threshold table", RULE_TABLE, 0, 0, 0, true },
    { 0 },
};

static err run(struct ctx *cx, const struct rule_arg *args, struct rule_result *out)
{
    struct mews_table table;
    struct mews_obs obs;
    struct mews_score score;
    bool loaded = str_given(args[MEWS_PARTS].text);
    if (loaded)
        TRY(mews_table_parse(cx, args[MEWS_PARTS].text, &table));
    for (size_t i = 0; i < MEWS_PARTS; i++)
        obs.values[i] = args[i].number == RULE_MISSING ? MEWS_MISSING : (int)args[i].number;
    TRY(mews_score(&cx->issues, loaded ? &table : NULL, &obs, &score));
    rule_put_number(out, NULL, "total", score.total);
    for (size_t i = 0; i < MEWS_PARTS; i++)
        if (score.parts[i] != MEWS_MISSING)
            rule_put_number(out, "parts", part_names[i], score.parts[i]);
    rule_put_number(out, NULL, "highest", score.highest);
    rule_put_text(out, "signed_table", table.name);
    rule_put_text(out, "signed_by", table.signed_by);
    return ERR_OK;
}

const struct rule mews_rule = {
    .name = "mews",
    .title = "Maternity early warning chart",
    .source = "the signed table that is loaded; none is built in",
    .table = "none until a signed one is loaded",
    .effective = "as the table says",
    .caveat = "Refuses to score until a signed threshold table is loaded.",
    .unconfirmed = true,
    .inputs = inputs,
    .run = run,
};
