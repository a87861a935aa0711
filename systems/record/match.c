/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/match.h"
#include "base/clock.h"
#include "term/system.h"

enum { WORD_MAX = 40, DAY_MS = 86400000, POINTS_NUMBER = 100 };

/* ---- dates ---- */

static const char *const months[] = { "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep",
                                      "oct", "nov", "dec" };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool put_date(struct ctx *cx, int year, int month, int day, str *out)
{
    if (year < 1850 || year > 2200 || month < 1 || month > 12 || day < 1 ||
        day > clock_month_days(year, month))
        return false;
    *out = arena_printf(cx->arena, "%04d-%02d-%02d", year, month, day);
    return true;
}

static int month_of(str text)
{
    uint64_t number;
    if (str_to_u64(text, &number))
        return number <= 12 ? (int)number : 0;
    for (size_t i = 0; text.n >= 3 && i < COUNT(months); i++)
        if (str_eq_nocase(str_slice(text, 0, 3), str_of(months[i])))
            return (int)i + 1;
    return 0;
}

static bool three_parts(str text, str parts[3])
{
    size_t count = 0, at = 0;
    while (at < text.n) {
        size_t from = at;
        while (at < text.n && !strchr("/-. ,", text.p[at]))
            at++;
        if (at > from && count == 3)
            return false;
        if (at > from)
            parts[count++] = str_slice(text, from, at);
        at++;
    }
    return count == 3;
}

static int full_year(struct ctx *cx, uint64_t year, size_t digits)
{
    int now = clock_to_civil(cx->now_ms).year;
    if (digits != 2)
        return (int)year;
    int guess = now - now % 100 + (int)year;
    return guess > now ? guess - 100 : guess;
}

/* 14071945, 140745, 19450714. */
static bool date_of_digits(struct ctx *cx, str text, str *out)
{
    uint64_t n;
    if ((text.n != 8 && text.n != 6) || !str_to_u64(text, &n))
        return false;
    if (text.n == 6)
        return put_date(cx, full_year(cx, n % 100, 2), (int)(n / 100 % 100), (int)(n / 10000),
                        out);
    return put_date(cx, (int)(n % 10000), (int)(n / 10000 % 100), (int)(n / 1000000), out) ||
           put_date(cx, (int)(n / 10000), (int)(n / 100 % 100), (int)(n % 100), out);
}

/* "1st" is 1; the rest is a number or it is not. */
static bool day_number(str text, uint64_t *out)
{
    static const char *const ends[] = { "st", "nd", "rd", "th" };
    for (size_t i = 0; text.n > 2 && i < COUNT(ends); i++)
        if (str_eq_nocase(str_slice(text, text.n - 2, text.n), str_of(ends[i])))
            return str_to_u64(str_slice(text, 0, text.n - 2), out);
    return str_to_u64(text, out);
}

bool match_date(struct ctx *cx, str text, str *out)
{
    str parts[3];
    uint64_t first, last;
    text = str_trim(text);
    if (date_of_digits(cx, text, out))
        return true;
    if (!three_parts(text, parts) || !str_to_u64(parts[2], &last))
        return false;
    if (!is_digit(parts[0].p[0])) { /* July 14 1945 */
        str month = parts[0];
        parts[0] = parts[1];
        parts[1] = month;
    }
    if (!day_number(parts[0], &first))
        return false;
    if (parts[0].n == 4 && is_digit(parts[0].p[3]))
        return put_date(cx, (int)first, month_of(parts[1]), (int)last, out);
    if (first > 31 || (parts[2].n != 2 && parts[2].n != 4))
        return false;
    return put_date(cx, full_year(cx, last, parts[2].n), month_of(parts[1]), (int)first, out);
}

struct dates {
    struct ctx *cx;
    str *list;
    size_t count;
};

static void add_date(struct dates *dates, int year, int month, int day)
{
    str date;
    if (dates->count == MATCH_DATES_MAX || !put_date(dates->cx, year, month, day, &date))
        return;
    for (size_t i = 0; i < dates->count; i++)
        if (str_eq(dates->list[i], date))
            return;
    dates->list[dates->count++] = date;
}

static int flip(int two_digits)
{
    return two_digits % 10 * 10 + two_digits / 10;
}

size_t match_dates(struct ctx *cx, str born, str out[MATCH_DATES_MAX])
{
    struct dates dates = { cx, out, 0 };
    uint64_t year, month, day;
    if (born.n != 10 || !str_to_u64(str_slice(born, 0, 4), &year) ||
        !str_to_u64(str_slice(born, 5, 7), &month) || !str_to_u64(str_slice(born, 8, 10), &day))
        return 0;
    int y = (int)year, m = (int)month, d = (int)day, century = y - y % 100;
    add_date(&dates, y, m, d);
    add_date(&dates, y, d, m);                         /* day and month changed round */
    add_date(&dates, y, m, flip(d));
    add_date(&dates, y, flip(m), d);
    add_date(&dates, century + flip(y % 100), m, d);   /* 1954 for 1945 */
    static const int steps[] = { -1, 1, -10, 10 };     /* one digit out */
    for (size_t i = 0; i < COUNT(steps); i++) {
        add_date(&dates, y + steps[i], m, d);
        add_date(&dates, y, m, d + steps[i]);
        if (steps[i] == 1 || steps[i] == -1)
            add_date(&dates, y, m + steps[i], d);
    }
    return dates.count;
}

/* ---- words ---- */

str match_fold(struct ctx *cx, str name)
{
    str folded = match_plain(cx, term_fold(cx->arena, name));
    char *out = arena_alloc(cx->arena, folded.n);
    size_t n = 0;
    for (size_t i = 0; i < folded.n; i++)
        if (!strchr("'-. ", folded.p[i]))
            out[n++] = folded.p[i];
    return (str){ out, n };
}

int match_distance(str a, str b, int most)
{
    int rows[3][WORD_MAX + 1], *two = rows[0], *one = rows[1], *now = rows[2];
    if (a.n > WORD_MAX || b.n > WORD_MAX)
        return str_eq(a, b) ? 0 : most + 1;
    for (size_t j = 0; j <= b.n; j++)
        one[j] = (int)j;
    for (size_t i = 1; i <= a.n; i++) {
        now[0] = (int)i;
        for (size_t j = 1; j <= b.n; j++) {
            int cost = a.p[i - 1] != b.p[j - 1], best = one[j - 1] + cost;
            best = one[j] + 1 < best ? one[j] + 1 : best;
            best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1] &&
                two[j - 2] + 1 < best)
                best = two[j - 2] + 1;
            now[j] = best;
        }
        int *spare = two;
        two = one;
        one = now;
        now = spare;
    }
    return one[b.n] > most ? most + 1 : one[b.n];
}

struct variants {
    struct ctx *cx;
    str *list;
    size_t count;
};

static char *room(struct variants *v, size_t n)
{
    if (v->count == MATCH_VARIANTS_MAX)
        return NULL;
    char *text = arena_alloc(v->cx->arena, n + 1);
    v->list[v->count++] = (str){ text, n };
    return text;
}

/* `word` with the letters from..to replaced by `middle`. */
static void add_variant(struct variants *v, str word, size_t from, size_t to, str middle)
{
    char *text = room(v, from + middle.n + word.n - to);
    if (!text)
        return;
    memcpy(text, word.p, from);
    memcpy(text + from, middle.p, middle.n);
    memcpy(text + from + middle.n, word.p + to, word.n - to);
}

size_t match_variants(struct ctx *cx, str word, str out[MATCH_VARIANTS_MAX])
{
    struct variants v = { cx, out, 0 };
    add_variant(&v, word, 0, 0, S(""));
    for (size_t i = 0; i + 1 < word.n; i++) {
        char pair[2] = { word.p[i + 1], word.p[i] };
        add_variant(&v, word, i, i + 2, (str){ pair, 2 });
    }
    for (size_t i = 0; i < word.n && word.n > 3; i++)
        add_variant(&v, word, i, i + 1, S(""));
    for (const char *c = "abcdefghijklmnopqrstuvwxyz'-"; *c; c++)
        for (size_t i = 0; i <= word.n; i++) {
            add_variant(&v, word, i, i, (str){ c, 1 });
            if (i < word.n && word.p[i] != *c)
                add_variant(&v, word, i, i + 1, (str){ c, 1 });
        }
    return v.count;
}

/* ---- the comparison ---- */

struct name_fit {
    int points;       /* 3 the same, 2 begins so or one slip, 1 two slips, 0 another name */
    const char *how;
};

static bool is_part(struct ctx *cx, str typed, str name)
{
    for (size_t from = 0, at = 0; at <= name.n; at++)
        if (at == name.n || strchr(" -'", name.p[at])) {
            bool same = at > from && str_eq(typed, match_fold(cx, str_slice(name, from, at)));
            bool some = from > 0 || at < name.n;
            if (same && some)
                return true;
            from = at + 1;
        }
    return false;
}

/* `name` folded, `spelt` with its parts. */
static struct name_fit fit(struct ctx *cx, str typed, str name, str spelt)
{
    int most = typed.n < 6 ? 1 : MATCH_SLIPS_MAX;
    if (!typed.n || !name.n)
        return (struct name_fit){ 0, "" };
    if (str_eq(typed, name) || str_eq(typed, match_fold(cx, spelt)))
        return (struct name_fit){ 3, "" };
    if (is_part(cx, typed, spelt))
        return (struct name_fit){ 2, "in part" };
    if (str_starts(name, typed))
        return (struct name_fit){ 2, "begins so" };
    int slips = typed.n < 3 ? most + 1 : match_distance(typed, name, most);
    if (slips > most)
        return (struct name_fit){ 0, "" };
    return slips == 1 ? (struct name_fit){ 2, "one letter out" }
                      : (struct name_fit){ 1, "two letters out" };
}

/* More first names typed than the record has: the first is held against it. */
static struct name_fit fit_given(struct ctx *cx, str typed, const struct match_person *person)
{
    struct name_fit all = fit(cx, match_fold(cx, typed), person->given, person->forenames), one;
    size_t blank = str_find_char(typed, ' ');
    if (all.points || blank == STR_NONE)
        return all;
    one = fit(cx, match_fold(cx, str_slice(typed, 0, blank)), person->given, person->forenames);
    return one.points > 2 ? (struct name_fit){ 2, "in part" } : one;
}

static void say(struct ctx *cx, struct match_score *score, const char *what, const char *how)
{
    score->why = arena_printf(cx->arena, "%.*s%s%s%s%s", STR_ARG(score->why),
                              score->why.n ? "; " : "", what, *how ? " " : "", how);
}

static bool add_date_fit(struct ctx *cx, const struct match_ask *ask,
                         const struct match_person *person, struct match_score *score)
{
    str dates[MATCH_DATES_MAX];
    size_t count = match_dates(cx, ask->born, dates), at = 0;
    while (at < count && !str_eq(dates[at], person->born))
        at++;
    if (at == count)
        return false;
    score->points += at == 0 ? 6 : 3;
    say(cx, score, "date of birth", at == 0 ? "" : at == 1 ? "with day and month changed round"
                                                           : "one slip out");
    return at == 0;
}

static struct match_score names_fit(struct ctx *cx, struct match_names names,
                                    const struct match_person *person)
{
    struct match_score score = { 0 };
    struct name_fit f = fit(cx, match_fold(cx, names.family), person->family, person->surname);
    struct name_fit g = fit_given(cx, names.given, person);
    if ((names.family.n && !f.points) || (names.given.n && !g.points))
        return score;
    score.points = 2 * f.points + g.points;
    score.full = f.points == 3 && g.points == 3;
    if (f.points)
        say(cx, &score, "surname", f.how);
    if (g.points)
        say(cx, &score, "first name", g.how);
    return score;
}

static struct match_score best_names(struct ctx *cx, const struct match_ask *ask,
                                     const struct match_person *person)
{
    struct match_names splits[MATCH_SPLITS_MAX];
    size_t count = match_splits(cx, ask, splits);
    struct match_score best = { 0 };
    for (size_t i = 0; i < count; i++) {
        struct match_score score = names_fit(cx, splits[i], person);
        if (score.points > best.points)
            best = score;
    }
    return best;
}

/* A number with another name beside it proves nothing: one of the two is somebody else's. */
static struct match_score by_number(struct ctx *cx, const struct match_ask *ask,
                                    const struct match_person *person)
{
    bool nhs = ask->nhs.n && str_eq(ask->nhs, person->nhs);
    bool hospital = ask->hospital.n && str_eq_nocase(ask->hospital, person->hospital);
    if (!nhs && !hospital)
        return (struct match_score){ 0 };
    bool other = (ask->words_count && !best_names(cx, ask, person).points) ||
                 (ask->born.n && !ask->or_date && !str_eq(ask->born, person->born));
    struct match_score score = { POINTS_NUMBER, !other, { 0 } };
    say(cx, &score, nhs ? "NHS number" : "hospital number",
        other ? "alone: name or date of birth is another" : "");
    return score;
}

struct match_score match_person(struct ctx *cx, const struct match_ask *ask,
                                const struct match_person *person)
{
    struct match_score score = by_number(cx, ask, person);
    if (score.points || ask->nhs.n || (ask->hospital.n && !ask->or_date))
        return score;
    if (ask->words_count) {
        score = best_names(cx, ask, person);
        if (!score.points)
            return score;
    }
    bool named = score.full;
    score.full = false;
    if (ask->born.n) {
        bool same = add_date_fit(cx, ask, person, &score);
        bool far = !ask->words_count && !same; /* a date alone must be that date */
        score.full = named && same;
        if (far)
            return (struct match_score){ 0 };
    }
    return score;
}

bool match_confusable(struct ctx *cx, const struct match_person *a, const struct match_person *b)
{
    str dates[MATCH_DATES_MAX];
    size_t count = match_dates(cx, a->born, dates), at = 0;
    bool given = match_distance(a->given, b->given, 1) <= 1 ||
                 (a->given.n && b->given.n && (str_starts(a->given, b->given) ||
                                               str_starts(b->given, a->given)));
    while (at < count && !str_eq(dates[at], b->born))
        at++;
    return match_alike(a, b) && (given || at < count);
}

bool match_alike(const struct match_person *a, const struct match_person *b)
{
    bool surname = match_distance(a->family, b->family, 1) <= 1;
    bool first = !a->given.n || !b->given.n || a->given.p[0] == b->given.p[0] ||
                 match_distance(a->given, b->given, 2) <= 2;
    return a->family.n && surname && (first || str_eq(a->family, b->family));
}
