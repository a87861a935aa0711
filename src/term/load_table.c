/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "term/load.h"

/*
 * Code systems released as one table: ICD-10, OPCS-4, LOINC.
 *
 * Source   NHS England Classifications (codes and titles, tab-separated); LOINC table (CSV, RFC
 *          4180).
 * Shapes   columns are found by the names in the first line; a file without them is refused. A
 *          code with a dot stands below what is before the dot.
 */
enum { COLUMNS_MAX = 100, NAMES_MAX = 3, CELL_MAX = 64 * 1024 };

static const struct format {
    const char *url, *name, *part, *end;
    char separator;
    const char *code, *display, *status, *inactive; /* column names; inactive: value of status */
    bool headless;                                  /* no line of names: code, then title */
} formats[TERM_FORMATS] = {
    [TERM_ICD10] = { "http://hl7.org/fhir/sid/icd-10", "ICD-10", "CodesAndTitles", ".txt", '\t',
                     "CODE", "DESCRIPTION", NULL, NULL, false },
    [TERM_OPCS4] = { "https://fhir.hl7.org.uk/Id/opcs-4", "OPCS-4", "CodesAndTitles", ".txt", '\t',
                     NULL, NULL, NULL, NULL, true },
    [TERM_LOINC] = { "http://loinc.org", "LOINC", "Loinc", ".csv", ',',
                     "LOINC_NUM", "LONG_COMMON_NAME", "STATUS", "DEPRECATED", false },
};

/* Columns that hold other names, in any of the formats. */
static const struct { const char *column; enum term_use_kind use; } other_names[NAMES_MAX] = {
    { "SHORTNAME", TERM_USE_SHORT_NAME }, { "CONSUMER_NAME", TERM_USE_CONSUMER },
    { "DisplayName", TERM_USE_SYNONYM },
};

struct table {
    struct ctx *cx;
    const struct format *format;
    str text, file;
    size_t line;
    str cells[COLUMNS_MAX];
    size_t cells_count;
    size_t code, display, status; /* columns; COLUMNS_MAX: none */
    size_t names[NAMES_MAX];
};

/* A quoted cell; "" within it is one quote. */
static err quoted(struct table *t, str *out)
{
    struct buf buf = buf_make(t->cx->arena, CELL_MAX);
    size_t at = 1;
    for (;; at++) {
        if (at >= t->text.n)
            return ctx_failf(t->cx, ERR_INVALID, t->file, "line %zu: a quote is not closed",
                             t->line);
        if (t->text.p[at] != '"') {
            buf_char(&buf, t->text.p[at]);
        } else if (at + 1 < t->text.n && t->text.p[at + 1] == '"') {
            buf_char(&buf, '"');
            at++;
        } else {
            break;
        }
    }
    t->text = str_slice(t->text, at + 1, t->text.n);
    *out = buf_str(&buf);
    return ERR_OK;
}

static str plain(struct table *t)
{
    size_t at = 0;
    while (at < t->text.n && t->text.p[at] != t->format->separator && t->text.p[at] != '\n')
        at++;
    str cell = str_slice(t->text, 0, at);
    t->text = str_slice(t->text, at, t->text.n);
    return str_trim(cell);
}

/* Reads one line into cells; *more is false after the last. */
static err next_line(struct table *t, bool *more)
{
    *more = t->text.n > 0;
    t->cells_count = 0;
    t->line++;
    while (t->text.n) {
        str cell;
        if (t->text.p[0] == '"' && t->format->separator == ',')
            TRY(quoted(t, &cell));
        else
            cell = plain(t);
        if (t->cells_count < COLUMNS_MAX)
            t->cells[t->cells_count++] = cell;
        if (t->text.n && t->text.p[0] == '\r')
            t->text = str_slice(t->text, 1, t->text.n);
        char ends = t->text.n ? t->text.p[0] : '\n';
        t->text = str_slice(t->text, 1, t->text.n);
        if (ends == '\n')
            return ERR_OK;
    }
    return ERR_OK;
}

static size_t column(const struct table *t, const char *name)
{
    for (size_t i = 0; name && i < t->cells_count; i++)
        if (str_eq_nocase(t->cells[i], str_of(name)))
            return i;
    return COLUMNS_MAX;
}

static err find_columns(struct table *t)
{
    bool more;
    t->code = 0;
    t->display = 1;
    t->status = COLUMNS_MAX;
    for (size_t i = 0; i < NAMES_MAX; i++)
        t->names[i] = COLUMNS_MAX;
    if (t->format->headless)
        return ERR_OK;
    TRY(next_line(t, &more));
    t->code = column(t, t->format->code);
    t->display = column(t, t->format->display);
    t->status = column(t, t->format->status);
    for (size_t i = 0; i < NAMES_MAX; i++)
        t->names[i] = column(t, other_names[i].column);
    if (t->code == COLUMNS_MAX || t->display == COLUMNS_MAX)
        return ctx_failf(t->cx, ERR_INVALID, t->file,
                         "the first line must name the columns %s and %s", t->format->code,
                         t->format->display);
    return ERR_OK;
}

static void take(struct table *t, struct term_load *load)
{
    str code = t->cells[t->code];
    uint32_t n = term_load_concept(load, code);
    load->concepts[n].display = t->cells[t->display];
    load->concepts[n].inactive = t->status < t->cells_count &&
                                 str_eq(t->cells[t->status], str_of(t->format->inactive));
    for (size_t i = 0; i < NAMES_MAX; i++)
        if (t->names[i] < t->cells_count)
            term_load_name(load, n, other_names[i].use, (str){ 0 }, t->cells[t->names[i]]);
    size_t dot = str_find_char(code, '.');
    if (dot != STR_NONE)
        term_load_edge(load, n, term_load_concept(load, str_slice(code, 0, dot)));
}

static err read_table(struct table *t, struct term_load *load)
{
    TRY(term_load_text(t->cx, t->file, &t->text));
    if (str_starts(t->text, S("\xef\xbb\xbf")))
        t->text = str_slice(t->text, 3, t->text.n);
    TRY(find_columns(t));
    for (bool more = true; more;) {
        TRY(next_line(t, &more));
        if (!more || (t->cells_count == 1 && t->cells[0].n == 0))
            continue;
        if (t->cells_count <= t->display || !t->cells[t->code].n)
            return ctx_failf(t->cx, ERR_INVALID, t->file, "line %zu: no code and title", t->line);
        take(t, load);
    }
    return ERR_OK;
}

err term_load_table(struct ctx *cx, enum term_format format, str path, struct term_load *out)
{
    const struct format *f = &formats[format];
    str *files;
    size_t count;
    *out = term_load_make(cx, f->url, f->name);
    TRY(term_load_files(cx, path, f->part, f->end, &files, &count));
    for (size_t i = 0; i < count; i++) {
        struct table table = { .cx = cx, .format = f, .file = files[i] };
        TRY(read_table(&table, out));
    }
    return ERR_OK;
}
