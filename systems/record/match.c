/* SPDX-License-Identifier: Apache-2.0 */
#include "systems/record/match.h"
#include "base/clock.h"
#include "clinical/nhsno.h"
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

bool match_date(struct ctx *cx, str text, str *out)
{
    str parts[3];
    uint64_t first, last;
    text = str_trim(text);
    if (text.n == 8 && str_to_u64(text, &first))
        return put_date(cx, (int)(first % 10000), (int)(first / 10000 % 100),
                        (int)(first / 1000000), out);
    if (!three_parts(text, parts) || !str_to_u64(parts[0], &first) || !str_to_u64(parts[2], &last))
        return false;
    if (parts[0].n == 4)
        return put_date(cx, (int)first, month_of(parts[1]), (int)last, out);
    if (parts[0].n > 2 || (parts[2].n != 2 && parts[2].n != 4))
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

/* ---- what was typed ---- */

static bool has_both(str word)
{
    bool letter = false, digit = false;
    for (size_t i = 0; i < word.n; i++) {
        digit = digit || is_digit(word.p[i]);
        letter = letter || !is_digit(word.p[i]);
    }
    return letter && digit;
}

/* Ten digits with blanks or hyphens between them, and nothing else. */
static bool is_nhs_number(struct ctx *cx, str typed, str *out)
{
    char *digits = arena_alloc(cx->arena, 11);
    size_t count = 0;
    for (size_t i = 0; i < typed.n; i++) {
        if (typed.p[i] == ' ' || typed.p[i] == '-')
            continue;
        if (!is_digit(typed.p[i]) || count == 10)
            return false;
        digits[count++] = typed.p[i];
    }
    digits[count] = 0;
    *out = (str){ digits, count };
    return count == 10;
}

static void add_word(struct ctx *cx, struct match_ask *ask, str word)
{
    word = str_trim(word);
    if (word.n == 0 || word.n > WORD_MAX || ask->words_count == MATCH_WORDS)
        return;
    if (has_both(word) && !ask->hospital.n) {
        ask->hospital = word;
        return;
    }
    ask->words[ask->words_count++] = term_fold(cx->arena, word);
}

err match_read(struct ctx *cx, str typed, str born, struct match_ask *out)
{
    *out = (struct match_ask){ .family_first = str_find_char(typed, ',') != STR_NONE };
    typed = str_trim(typed);
    if (is_nhs_number(cx, typed, &out->nhs)) {
        out->nhs_wrong = nhsno_check_digit(out->nhs.p) != out->nhs.p[9] - '0';
        typed = S("");
    } else {
        out->nhs = (str){ 0 };
    }
    size_t from = 0;
    for (size_t at = 0; at <= typed.n; at++)
        if (at == typed.n || typed.p[at] == ' ' || typed.p[at] == ',') {
            str word = str_slice(typed, from, at);
            if (out->born.n || !match_date(cx, word, &out->born))
                add_word(cx, out, word);
            from = at + 1;
        }
    born = str_trim(born);
    if (born.n && !match_date(cx, born, &out->born))
        return ctx_fail(cx, ERR_INVALID, S("born"),
                        S("enter the date of birth as day, month and year: 14 07 1945"));
    return ERR_OK;
}

/* ---- words ---- */

str match_fold(struct ctx *cx, str name)
{
    str folded = term_fold(cx->arena, name);
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

static struct name_fit fit(str typed, str name)
{
    int most = typed.n < 6 ? 1 : MATCH_SLIPS_MAX;
    if (!typed.n || !name.n)
        return (struct name_fit){ 0, "" };
    if (str_eq(typed, name))
        return (struct name_fit){ 3, "" };
    if (str_starts(name, typed))
        return (struct name_fit){ 2, "begins so" };
    int slips = typed.n < 3 ? most + 1 : match_distance(typed, name, most);
    if (slips > most)
        return (struct name_fit){ 0, "" };
    return slips == 1 ? (struct name_fit){ 2, "one letter out" }
                      : (struct name_fit){ 1, "two letters out" };
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

/* Both names in one order; `swapped`: as the second and the first of what was typed. */
static struct match_score names_fit(struct ctx *cx, const struct match_ask *ask,
                                    const struct match_person *person, bool swapped)
{
    struct match_score score = { 0 };
    bool two = ask->words_count > 1;
    str family = match_fold(cx, ask->words[swapped && two ? 1 : 0]);
    str given = two ? match_fold(cx, ask->words[swapped ? 0 : 1]) : (str){ 0 };
    struct name_fit f = fit(two || !swapped ? family : (str){ 0 }, person->family);
    struct name_fit g = fit(two ? given : swapped ? family : (str){ 0 }, person->given);
    if (two && (!f.points || !g.points))
        return score;
    if (!two && !f.points && !g.points)
        return score;
    score.points = 2 * f.points + g.points;
    score.full = f.points == 3 && g.points == 3;
    if (f.points)
        say(cx, &score, "surname", f.how);
    if (g.points)
        say(cx, &score, "first name", g.how);
    return score;
}

static struct match_score by_number(const struct match_ask *ask, const struct match_person *person)
{
    if (ask->nhs.n && str_eq(ask->nhs, person->nhs))
        return (struct match_score){ POINTS_NUMBER, true, S("NHS number") };
    if (ask->hospital.n && str_eq_nocase(ask->hospital, person->hospital))
        return (struct match_score){ POINTS_NUMBER, true, S("hospital number") };
    return (struct match_score){ 0 };
}

struct match_score match_person(struct ctx *cx, const struct match_ask *ask,
                                const struct match_person *person)
{
    struct match_score score = by_number(ask, person);
    if (score.points || ask->nhs.n || ask->hospital.n)
        return score;
    if (ask->words_count) {
        struct match_score straight = names_fit(cx, ask, person, false);
        struct match_score swapped = names_fit(cx, ask, person, true);
        score = swapped.points > straight.points ? swapped : straight;
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

bool match_alike(const struct match_person *a, const struct match_person *b)
{
    bool surname = match_distance(a->family, b->family, 1) <= 1;
    bool first = !a->given.n || !b->given.n || a->given.p[0] == b->given.p[0] ||
                 match_distance(a->given, b->given, 2) <= 2;
    return a->family.n && surname && (first || str_eq(a->family, b->family));
}
