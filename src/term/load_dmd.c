/* SPDX-License-Identifier: Apache-2.0 */
#include "term/load.h"
#include <libxml/xmlreader.h>

/*
 * The NHS dictionary of medicines and devices, as XML.
 *
 * Source   NHSBSA dm+d data model: VTM, VMP, VMPP, AMP and AMPP files; what identifier, name and
 *          parents are called in each is in the table below.
 */
enum { PARENTS_MAX = 2, NAMES_MAX = 3, DEPTH_MAX = 40 };

static const struct kind {
    const char *file, *record, *id, *name;
    const char *parents[PARENTS_MAX];
} kinds[] = {
    { "f_vtm", "VTM", "VTMID", "NM", { NULL } },
    { "f_vmp2", "VMP", "VPID", "NM", { "VTMID" } },
    { "f_vmpp", "VMPP", "VPPID", "NM", { "VPID" } },
    { "f_amp2", "AMP", "APID", "DESC", { "VPID" } },
    { "f_ampp", "AMPP", "APPID", "NM", { "VPPID", "APID" } },
};
static const struct { const char *element; enum term_use_kind use; } other_names[NAMES_MAX] = {
    { "ABBREVNM", TERM_USE_SHORT_NAME }, { "NMPREV", TERM_USE_FORMER }, { "NM", TERM_USE_SYNONYM },
};

struct reader {
    struct term_load *load;
    const struct kind *kind;
    str id, name, parents[PARENTS_MAX], names[NAMES_MAX];
    bool invalid;
    str element;
};

static void clear(struct reader *r)
{
    r->id = r->name = (str){ 0 };
    r->invalid = false;
    for (size_t i = 0; i < PARENTS_MAX; i++)
        r->parents[i] = (str){ 0 };
    for (size_t i = 0; i < NAMES_MAX; i++)
        r->names[i] = (str){ 0 };
}

/* Parents may come in a later file: their concept is made here and named there. */
static void finish(struct reader *r)
{
    if (!r->id.n)
        return;
    uint32_t n = term_load_concept(r->load, r->id);
    r->load->concepts[n].display = r->name;
    r->load->concepts[n].inactive = r->invalid;
    for (size_t i = 0; i < PARENTS_MAX; i++)
        if (r->parents[i].n)
            term_load_edge(r->load, n, term_load_concept(r->load, r->parents[i]));
    for (size_t i = 0; i < NAMES_MAX; i++)
        term_load_name(r->load, n, other_names[i].use, S("en-GB"), r->names[i]);
}

static void take_text(struct reader *r, str text)
{
    text = str_trim(text);
    if (str_eq(r->element, str_of(r->kind->id)))
        r->id = arena_copy(r->load->cx->arena, text);
    else if (str_eq(r->element, str_of(r->kind->name)))
        r->name = arena_copy(r->load->cx->arena, text);
    else if (str_eq(r->element, S("INVALID")))
        r->invalid = str_eq(text, S("1"));
    for (size_t i = 0; i < PARENTS_MAX && r->kind->parents[i]; i++)
        if (str_eq(r->element, str_of(r->kind->parents[i])))
            r->parents[i] = arena_copy(r->load->cx->arena, text);
    for (size_t i = 0; i < NAMES_MAX; i++)
        if (str_eq(r->element, str_of(other_names[i].element)))
            r->names[i] = arena_copy(r->load->cx->arena, text);
}

static void take_node(struct reader *r, xmlTextReaderPtr xml)
{
    int type = xmlTextReaderNodeType(xml);
    const char *name = (const char *)xmlTextReaderConstName(xml);
    if (type == XML_READER_TYPE_ELEMENT && strcmp(name, r->kind->record) == 0)
        clear(r);
    if (type == XML_READER_TYPE_ELEMENT)
        r->element = arena_copy(r->load->cx->arena, str_of(name));
    if (type == XML_READER_TYPE_TEXT)
        take_text(r, str_of((const char *)xmlTextReaderConstValue(xml)));
    if (type == XML_READER_TYPE_END_ELEMENT && strcmp(name, r->kind->record) == 0)
        finish(r);
}

static err read_file(struct reader *r, str file)
{
    struct ctx *cx = r->load->cx;
    xmlTextReaderPtr xml = xmlReaderForFile(arena_cstr(cx->arena, file), NULL,
                                            XML_PARSE_NONET | XML_PARSE_NOERROR |
                                            XML_PARSE_NOWARNING);
    int step = xml ? xmlTextReaderRead(xml) : -1;
    for (; step == 1 && xmlTextReaderDepth(xml) < DEPTH_MAX; step = xmlTextReaderRead(xml))
        take_node(r, xml);
    int line = xml ? xmlTextReaderGetParserLineNumber(xml) : 0;
    xmlFreeTextReader(xml);
    return step == 0 ? ERR_OK
                     : ctx_failf(cx, ERR_INVALID, file, "line %d: not well-formed XML", line);
}

err term_load_dmd(struct ctx *cx, str path, struct term_load *out)
{
    *out = term_load_make(cx, "https://dmd.nhs.uk", "dm+d");
    struct reader r = { .load = out };
    for (size_t i = 0; i < COUNT(kinds); i++) {
        str *files;
        size_t count;
        r.kind = &kinds[i];
        TRY(term_load_files(cx, path, kinds[i].file, ".xml", &files, &count));
        for (size_t f = 0; f < count; f++)
            TRY(read_file(&r, files[f]));
    }
    return ERR_OK;
}
