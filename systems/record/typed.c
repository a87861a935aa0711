/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "clinical/nhsno.h"
#include "systems/record/match.h"
#include "term/system.h"

/* What was typed, taken apart: match.h. */

enum { WORD_MAX = 40, TOKENS_MAX = 16, HOSPITAL_DIGITS = 4, DATE_WORDS = 3, FORM_REST = 3 };

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- marks ---- */

/* What telephones and word processors put for a hyphen, an apostrophe or a blank. */
str match_plain(struct ctx *cx, str text)
{
    static const struct { const char *mark; char plain; } marks[] = {
        { "\u2019", '\'' }, { "\u2018", '\'' }, { "\u02bc", '\'' }, { "\u00b4", '\'' },
        { "`", '\'' }, { "\u2010", '-' }, { "\u2011", '-' }, { "\u2013", '-' },
        { "\u2014", '-' }, { "\u2212", '-' }, { "\u00a0", ' ' }, { "\u202f", ' ' },
        { "\t", ' ' }, { "\n", ' ' }, { "\r", ' ' },
    };
    char *out = arena_alloc(cx->arena, text.n + 1);
    size_t n = 0;
    for (size_t at = 0; at < text.n;) {
        size_t i = 0;
        while (i < COUNT(marks) && !str_starts(str_slice(text, at, text.n), str_of(marks[i].mark)))
            i++;
        out[n++] = i < COUNT(marks) ? marks[i].plain : text.p[at];
        at += i < COUNT(marks) ? strlen(marks[i].mark) : 1;
    }
    return (str){ out, n };
}

/* ---- words and numbers ---- */

struct typed {
    struct ctx *cx;
    str text;
    struct token {
        size_t from, to;
        bool comma;     /* stands before it */
        bool used;
    } list[TOKENS_MAX];
    size_t count;
};

static str word_of(const struct typed *t, size_t i)
{
    return str_slice(t->text, t->list[i].from, t->list[i].to);
}

static void cut(struct typed *t)
{
    bool comma = false;
    for (size_t at = 0; at < t->text.n && t->count < TOKENS_MAX;) {
        size_t from = at;
        while (at < t->text.n && !strchr(" ,", t->text.p[at]))
            at++;
        if (at > from) {
            t->list[t->count++] = (struct token){ from, at, comma, false };
            comma = false;
        }
        comma = comma || (at < t->text.n && t->text.p[at] == ',');
        at++;
    }
}

static bool digits_of(str word, char *digits, size_t *count)
{
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] == '-')
            continue;
        if (!is_digit(word.p[i]) || *count >= 10) {
            *count = 11; /* whatever was read is no number */
            return false;
        }
        digits[(*count)++] = word.p[i];
    }
    return true;
}

/* Ten digits, with blanks or hyphens between them, wherever they stand. */
static void take_nhs(struct typed *t, struct match_ask *ask)
{
    for (size_t first = 0; first < t->count; first++) {
        char *digits = arena_alloc(t->cx->arena, 11);
        size_t count = 0, at = first;
        while (at < t->count && digits_of(word_of(t, at), digits, &count) && count < 10)
            at++;
        if (count != 10 || at == t->count)
            continue;
        digits[10] = 0; /* the check reads up to it */
        ask->nhs = ask->hospital = (str){ digits, 10 };
        ask->nhs_wrong = nhsno_check_digit(digits) != digits[9] - '0';
        for (size_t i = first; i <= at; i++)
            t->list[i].used = true;
        return;
    }
}

/* A date is one word, or three: 1 Feb 60. */
static void take_date(struct typed *t, struct match_ask *ask)
{
    for (size_t first = 0; first < t->count && !ask->born.n; first++) {
        size_t last = first + DATE_WORDS - 1;
        str one = word_of(t, first);
        bool digits = str_to_u64(one, &(uint64_t){ 0 });
        bool three = last < t->count && !t->list[first].used && !t->list[last].used &&
                     match_date(t->cx, str_slice(t->text, t->list[first].from, t->list[last].to),
                                &ask->born);
        bool alone = !three && !t->list[first].used && !(digits && one.n == 6) &&
                     match_date(t->cx, one, &ask->born);
        for (size_t i = first; three && i <= last; i++)
            t->list[i].used = true;
        t->list[first].used = t->list[first].used || alone;
        if (alone && digits) {
            ask->hospital = one;
            ask->or_date = true;
        }
    }
}

static bool is_number(str word)
{
    bool letter = false, digit = false;
    for (size_t i = 0; i < word.n; i++) {
        digit = digit || is_digit(word.p[i]);
        letter = letter || !is_digit(word.p[i]);
    }
    return digit && (letter || word.n >= HOSPITAL_DIGITS);
}

static bool in_list(str word, const char *const *list, size_t count)
{
    word.n -= word.n && strchr(".:", word.p[word.n - 1]);
    for (size_t i = 0; i < count; i++)
        if (str_eq_nocase(word, str_of(list[i])))
            return true;
    return false;
}

/* A title in front of a name, a label in front of a number. */
static bool says_nothing(const struct typed *t, size_t i, const struct match_ask *ask)
{
    static const char *const titles[] = { "mr", "mrs", "miss", "ms", "mx", "dr", "prof",
                                          "professor", "sir", "dame", "lady", "lord", "rev",
                                          "master" };
    static const char *const labels[] = { "nhs", "no", "number", "num", "hospital", "mrn", "born",
                                          "dob", "d.o.b" };
    bool number = ask->nhs.n || ask->hospital.n || ask->born.n;
    return (i == 0 && t->count > 1 && in_list(word_of(t, i), titles, COUNT(titles))) ||
           (number && in_list(word_of(t, i), labels, COUNT(labels)));
}

static void take_number(struct typed *t, struct match_ask *ask)
{
    for (size_t i = 0; i < t->count && !ask->hospital.n; i++)
        if (!t->list[i].used && is_number(word_of(t, i))) {
            ask->hospital = word_of(t, i);
            t->list[i].used = true;
        }
}

static void take_words(struct typed *t, struct match_ask *ask)
{
    for (size_t i = 0; i < t->count; i++) {
        str word = word_of(t, i);
        if (t->list[i].comma && ask->words_count && !ask->family_words)
            ask->family_words = ask->words_count;
        if (!t->list[i].used && word.n <= WORD_MAX && ask->words_count < MATCH_WORDS &&
            !says_nothing(t, i, ask))
            ask->words[ask->words_count++] = term_fold(t->cx->arena, word);
    }
    if (ask->family_words == ask->words_count)
        ask->family_words = 0; /* the comma stood before a date or a number */
}

err match_read(struct ctx *cx, str typed, str born, struct match_ask *out)
{
    struct typed t = { .cx = cx, .text = str_trim(match_plain(cx, typed)) };
    *out = (struct match_ask){ 0 };
    cut(&t);
    take_nhs(&t, out);
    take_date(&t, out);
    take_number(&t, out);
    take_words(&t, out);
    born = str_trim(match_plain(cx, born));
    if (born.n && !match_date(cx, born, &out->born))
        return ctx_fail(cx, ERR_INVALID, S("born"),
                        S("enter the date of birth as day, month and year: 14 07 1945"));
    out->or_date = out->or_date && !born.n;
    return ERR_OK;
}

/* ---- which is the surname ---- */

static str joined(struct ctx *cx, const struct match_ask *ask, size_t from, size_t to)
{
    struct buf buf = buf_make(cx->arena, MATCH_WORDS * (WORD_MAX + 1) * 4);
    for (size_t i = from; i < to; i++)
        buf_printf(&buf, "%s%.*s", i > from ? " " : "", STR_ARG(ask->words[i]));
    return buf_str(&buf);
}

size_t match_splits(struct ctx *cx, const struct match_ask *ask,
                    struct match_names out[MATCH_SPLITS_MAX])
{
    size_t n = ask->words_count, count = 0, comma = ask->family_words;
    if (comma) {
        out[0] = (struct match_names){ joined(cx, ask, 0, comma), joined(cx, ask, comma, n) };
        return 1;
    }
    for (size_t k = 1; k < n; k++) {
        out[count++] = (struct match_names){ joined(cx, ask, 0, k), joined(cx, ask, k, n) };
        out[count++] = (struct match_names){ joined(cx, ask, n - k, n), joined(cx, ask, 0, n - k) };
    }
    if (n) {
        out[count++] = (struct match_names){ joined(cx, ask, 0, n), { 0 } };
        out[count++] = (struct match_names){ { 0 }, joined(cx, ask, 0, n) };
    }
    return count;
}

/* ---- how a record may spell it ---- */

struct spellings {
    struct ctx *cx;
    str *list;
    size_t count;
};

static void add(struct spellings *s, str text)
{
    for (size_t i = 0; i < s->count; i++)
        if (str_eq(s->list[i], text))
            return;
    if (s->count < MATCH_SPELLINGS_MAX)
        s->list[s->count++] = text;
}

static const char *const marks[] = { "-", " ", "", "'", "\u2019" };

/* The parts of the name with each mark between them. */
static void add_parts(struct spellings *s, str name)
{
    for (size_t m = 0; m < COUNT(marks); m++) {
        struct buf buf = buf_make(s->cx->arena, 4 * name.n + 16);
        for (size_t i = 0; i < name.n; i++)
            if (strchr(" -'.", name.p[i]))
                buf_add(&buf, str_of(marks[m]));
            else
                buf_char(&buf, name.p[i]);
        add(s, buf_str(&buf));
    }
}

static void add_begun(struct spellings *s, const char *begin, str rest)
{
    for (size_t m = 0; m < COUNT(marks); m++)
        add(s, arena_printf(s->cx->arena, "%s%s%.*s", begin, marks[m], STR_ARG(rest)));
}

size_t match_spellings(struct ctx *cx, str name, str out[MATCH_SPELLINGS_MAX])
{
    static const struct { const char *typed, *begin; } rows[] = {
        { "o", "o" }, { "d", "d" }, { "mc", "mc" }, { "mc", "mac" }, { "mac", "mc" },
        { "mac", "mac" }, { "al", "al" }, { "el", "el" }, { "vander", "van der" },
        { "vanden", "van den" }, { "van", "van" }, { "von", "von" }, { "de", "de" },
        { "le", "le" }, { "la", "la" }, { "st", "st" }, { "fitz", "fitz" },
    };
    struct spellings s = { cx, out, 0 };
    str whole = match_fold(cx, name);
    add(&s, name);
    add_parts(&s, name);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t n = strlen(rows[i].typed);
        if (str_starts(whole, str_of(rows[i].typed)) && whole.n >= n + FORM_REST)
            add_begun(&s, rows[i].begin, str_slice(whole, n, whole.n));
    }
    return s.count;
}
