/* SPDX-License-Identifier: Apache-2.0 */
#include "term/load.h"

/*
 * SNOMED CT, release format 2, snapshot files.
 *
 * Source   SNOMED International, Release File Specifications: tab-separated, first line names the
 *          columns; a row is in force when active is 1.
 */
enum { COLUMNS_MAX = 20 };

static const char is_a[] = "116680003", synonym[] = "900000000000013009",
                  full_name[] = "900000000000003001", preferred[] = "900000000000548007",
                  reference_set[] = "900000000000455006",
                  module[] = "900000000000207008";

struct row {
    str columns[COLUMNS_MAX];
    size_t count;
};

struct reader {
    struct term_load *load;
    struct map preferred;        /* description ids some language prefers */
    uint8_t *named;              /* how good the display of a concept is: 0 none to 3 preferred */
    size_t named_cap;
    str latest;                  /* effective time */
    err (*take)(struct reader *r, const struct row *row);
};

static struct row split(str line)
{
    struct row row = { .count = 0 };
    str column;
    while (row.count < COLUMNS_MAX && str_next(&line, '\t', &column))
        row.columns[row.count++] = column;
    return row;
}

static err read_file(struct reader *r, str file, size_t columns_min)
{
    struct ctx *cx = r->load->cx;
    str text, line;
    size_t number = 0;
    TRY(term_load_text(cx, file, &text));
    while (str_next(&text, '\n', &line)) {
        if (line.n && line.p[line.n - 1] == '\r')
            line.n--;
        if (number++ == 0 || line.n == 0)
            continue;
        struct row row = split(line);
        if (row.count < columns_min)
            return ctx_failf(cx, ERR_INVALID, file, "line %zu has %zu columns, not %zu", number,
                             row.count, columns_min);
        if (str_cmp(row.columns[1], r->latest) > 0)
            r->latest = row.columns[1];
        TRY(r->take(r, &row));
    }
    return ERR_OK;
}

static err read_files(struct reader *r, str path, const char *part, size_t columns_min)
{
    str *files;
    size_t count;
    TRY(term_load_files(r->load->cx, path, part, ".txt", &files, &count));
    for (size_t i = 0; i < count; i++)
        TRY(read_file(r, files[i], columns_min));
    return ERR_OK;
}

static bool is_active(const struct row *row)
{
    return str_eq(row->columns[2], S("1"));
}

static err take_concept(struct reader *r, const struct row *row)
{
    uint32_t n = term_load_concept(r->load, row->columns[0]);
    r->load->concepts[n].inactive = !is_active(row);
    return ERR_OK;
}

static err take_language(struct reader *r, const struct row *row)
{
    if (is_active(row) && str_eq(row->columns[6], str_of(preferred)))
        map_set(&r->preferred, row->columns[5], 1);
    return ERR_OK;
}

/* "Fracture of femur (disorder)" without what is in brackets at its end. */
static str without_tag(str term)
{
    if (!str_ends(term, S(")")))
        return term;
    size_t at = term.n;
    while (at > 0 && term.p[at - 1] != '(')
        at--;
    return at > 1 ? str_trim(str_slice(term, 0, at - 1)) : term;
}

static err take_description(struct reader *r, const struct row *row)
{
    uint32_t n = term_load_find(r->load, row->columns[4]);
    uint64_t found;
    if (n == TERM_NONE || !is_active(row))
        return ERR_OK;
    bool full = str_eq(row->columns[6], str_of(full_name));
    bool other = str_eq(row->columns[6], str_of(synonym));
    uint8_t good = full ? 1 : !other ? 0 : map_get(&r->preferred, row->columns[0], &found) ? 3 : 2;
    if (good)
        term_load_name(r->load, n, full ? TERM_USE_FULL_NAME : TERM_USE_SYNONYM, row->columns[5],
                       row->columns[7]);
    if (good <= r->named[n])
        return ERR_OK;
    r->named[n] = good;
    r->load->concepts[n].display = full ? without_tag(row->columns[7]) : row->columns[7];
    return ERR_OK;
}

static err take_relationship(struct reader *r, const struct row *row)
{
    struct term_load *load = r->load;
    uint32_t source = term_load_find(load, row->columns[4]);
    uint32_t target = term_load_find(load, row->columns[5]);
    if (!is_active(row))
        return ERR_OK;
    if (str_eq(row->columns[7], str_of(is_a)))
        term_load_edge(load, source, target);
    else
        term_load_attribute(load, (struct term_attribute){
            source, term_load_find(load, row->columns[7]), target });
    return ERR_OK;
}

static err take_member(struct reader *r, const struct row *row)
{
    struct term_load *load = r->load;
    if (is_active(row))
        term_load_attribute(load, (struct term_attribute){
            term_load_find(load, row->columns[5]), term_load_concept(load, str_of(reference_set)),
            term_load_find(load, row->columns[4]) });
    return ERR_OK;
}

/* Reference sets and language preferences are not in every release. */
static err read_optional(struct reader *r, str path, const char *part, size_t columns_min)
{
    struct ctx *cx = r->load->cx;
    size_t kept = cx->issues.kept, count = cx->issues.count;
    err got = read_files(r, path, part, columns_min);
    if (got != ERR_NOT_FOUND)
        return got;
    cx->issues.kept = kept;
    cx->issues.count = count;
    return ERR_OK;
}

err term_load_snomed(struct ctx *cx, str path, struct term_load *out)
{
    *out = term_load_make(cx, "http://snomed.info/sct", "SNOMED CT");
    struct reader r = { .load = out, .preferred = map_make(cx->arena), .latest = S("") };
    r.take = take_concept;
    TRY(read_files(&r, path, "sct2_Concept_", 5));
    r.named = arena_array(cx->arena, out->count + 1, 1);
    r.take = take_language;
    TRY(read_optional(&r, path, "Refset_Language", 7));
    r.take = take_description;
    TRY(read_files(&r, path, "sct2_Description_", 9));
    r.take = take_relationship;
    TRY(read_files(&r, path, "sct2_Relationship_", 8));
    r.take = take_member;
    TRY(read_optional(&r, path, "Refset_Simple", 6));
    out->version = arena_printf(cx->arena, "%.*s/%s/version/%.*s", STR_ARG(out->url), module,
                                STR_ARG(r.latest));
    return ERR_OK;
}
