/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/xml_tree.h"
#include "fhir/xml.h"
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <limits.h>

/*
 * libxml2 calls back for each tag. The callbacks allocate from an arena of the tree's own, which
 * has no cap and so never jumps over libxml2's frames; the number of elements is what is limited.
 */
struct builder {
    struct xml_tree *tree;
    struct xml_element *here;
    xmlParserCtxt *parser;
    str text;
    int xhtml_depth;  /* open elements within, and with, a narrative */
    size_t count;
    err kind;         /* of the first fault */
    const char *why;
    char message[256];
    int line;
};

static void stop(struct builder *b, err kind, const char *why)
{
    if (b->kind == ERR_OK) {
        b->kind = kind;
        b->why = why;
        b->line = b->parser->input ? b->parser->input->line : 0;
    }
    xmlStopParser(b->parser);
}

/* Only the first fault is kept: what follows it is mostly its echo. */
static void on_error(void *self, const char *format, ...)
{
    struct builder *b = self;
    const xmlError *error = xmlCtxtGetLastError(b->parser);
    (void)format;
    if (b->kind != ERR_OK || !error)
        return;
    b->kind = ERR_INVALID;
    b->line = error->line;
    str said = str_trim(str_of(error->message));
    snprintf(b->message, sizeof b->message, "%.*s", STR_ARG(said));
    b->why = b->message;
}

static void on_doctype(void *self, const xmlChar *name, const xmlChar *public_id,
                       const xmlChar *system_id)
{
    (void)name, (void)public_id, (void)system_id;
    stop(self, ERR_INVALID, "a document type declaration is not allowed");
}

/* How far the parser has read, as a place in the text. */
static size_t position(const struct builder *b)
{
    long at = xmlByteConsumed(b->parser);
    return at < 0 ? 0 : (size_t)at > b->text.n ? b->text.n : (size_t)at;
}

/* Name and value take turns, ended by NULL. */
static void add_attributes(struct builder *b, struct xml_element *element, const xmlChar **pairs)
{
    struct arena *arena = &b->tree->arena;
    size_t count = 0;
    while (pairs && pairs[2 * count])
        count++;
    element->attributes = arena_array(arena, count, sizeof *element->attributes);
    element->attributes_count = count;
    for (size_t i = 0; i < count; i++)
        element->attributes[i] = (struct xml_attribute){
            arena_copy(arena, str_of((const char *)pairs[2 * i])),
            arena_copy(arena, str_of((const char *)pairs[2 * i + 1]))
        };
}

/* A namespace is declared by the nearest "xmlns" or "xmlns:PREFIX" on the way to the root. */
static str space_of(struct builder *b, const struct xml_element *element)
{
    char name[64] = "xmlns";
    if (element->prefix.n)
        snprintf(name, sizeof name, "xmlns:%.*s", STR_ARG(element->prefix));
    for (const struct xml_element *at = element; at; at = at->parent) {
        if (at != element && str_eq(at->prefix, element->prefix))
            return at->space;
        str space = xml_attribute(at, str_of(name));
        if (str_given(space))
            return str_eq(space, XML_FHIR) ? XML_FHIR : space;
    }
    if (element->prefix.n)
        stop(b, ERR_INVALID, "a prefix whose namespace is not declared");
    return S("");
}

static void append(struct xml_tree *tree, struct xml_element *parent, struct xml_element *element)
{
    element->parent = parent;
    if (!parent)
        tree->root = element;
    else if (parent->last)
        parent->last->next = element;
    else
        parent->first = element;
    if (parent)
        parent->last = element;
}

static struct xml_element *add_element(struct builder *b, str name, const xmlChar **attributes)
{
    struct xml_element *element = arena_zero(&b->tree->arena, sizeof *element);
    size_t colon = str_find_char(name, ':');
    name = arena_copy(&b->tree->arena, name);
    element->prefix = colon == STR_NONE ? S("") : str_slice(name, 0, colon);
    element->name = colon == STR_NONE ? name : str_slice(name, colon + 1, name.n);
    element->line = b->parser->input->line;
    append(b->tree, b->here, element);
    add_attributes(b, element, attributes);
    element->space = space_of(b, element);
    return b->here = element;
}

/* The parser stands behind the attributes, which cannot hold '<': the tag began at the last one. */
static void begin_source(struct builder *b, struct xml_element *element)
{
    size_t at = position(b);
    while (at > 0 && b->text.p[at - 1] != '<')
        at--;
    element->source = (str){ b->text.p + at - (at > 0), 0 };
}

static void on_start(void *self, const xmlChar *name, const xmlChar **attributes)
{
    struct builder *b = self;
    if (b->xhtml_depth > 0) {
        b->xhtml_depth++;
        return;
    }
    if (++b->count > FHIR_XML_ELEMENTS_MAX) {
        stop(b, ERR_LIMIT, "too many elements");
        return;
    }
    struct xml_element *element = add_element(b, str_of((const char *)name), attributes);
    if (str_eq(element->space, XML_XHTML)) {
        b->xhtml_depth = 1;
        begin_source(b, element);
    }
}

static void on_end(void *self, const xmlChar *name)
{
    struct builder *b = self;
    (void)name;
    if (b->xhtml_depth > 0 && --b->xhtml_depth > 0)
        return;
    struct xml_element *element = b->here;
    if (!element)
        return;
    if (element->source.p)
        element->source.n = (size_t)(b->text.p + position(b) - element->source.p);
    b->here = element->parent;
}

static void on_text(void *self, const xmlChar *text, int bytes)
{
    struct builder *b = self;
    str part = { (const char *)text, (size_t)bytes };
    if (b->xhtml_depth == 0 && b->here && !b->here->text_line && str_trim(part).n > 0)
        b->here->text_line = b->parser->input->line;
}

static void run(struct builder *b)
{
    /* Not XML_SAX2_MAGIC: names come with their prefix, and namespaces are resolved here. */
    static const xmlSAXHandler handler = {
        .initialized = 1, .internalSubset = on_doctype, .startElement = on_start,
        .endElement = on_end, .characters = on_text, .ignorableWhitespace = on_text,
        .error = on_error, .fatalError = on_error,
    };
    b->parser = xmlCreateMemoryParserCtxt(b->text.p, (int)b->text.n);
    if (!b->parser) {
        b->kind = ERR_INVALID;
        b->why = "there is no document";
        return;
    }
    /* NOENT resolves "&amp;" in attributes; with no DTD there are no entities but XML's own. */
    xmlCtxtUseOptions(b->parser, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC | XML_PARSE_NOENT);
    *b->parser->sax = handler;
    b->parser->sax2 = 0;
    b->parser->userData = b;
    xmlParseDocument(b->parser);
    if (b->kind == ERR_OK && (!b->parser->wellFormed || !b->tree->root))
        stop(b, ERR_INVALID, "not well-formed");
    xmlFreeDoc(b->parser->myDoc);
    xmlFreeParserCtxt(b->parser);
}

static void free_tree(void *tree)
{
    xml_tree_free(tree);
}

err xml_tree_parse(struct ctx *cx, str text, struct xml_tree **out)
{
    if (str_starts(text, S("\xEF\xBB\xBF")))
        text = str_slice(text, 3, text.n);
    if (str_trim(text).n == 0)
        return ctx_fail(cx, ERR_INVALID, S(""), S("XML: the text is empty"));
    if (text.n > INT_MAX)
        return ctx_fail(cx, ERR_LIMIT, S(""), S("XML: the text is larger than 2 GiB"));
    if (str_trim(text).p[0] != '<')
        return ctx_fail(cx, ERR_INVALID, S(""), S("XML: a document in UTF-8 begins with '<'"));
    struct xml_tree *tree = arena_zero(cx->arena, sizeof *tree);
    tree->arena = arena_make(SIZE_MAX);
    ctx_defer(cx, free_tree, tree);
    struct builder b = { .tree = tree, .text = text };
    run(&b);
    if (b.kind)
        return ctx_failf(cx, b.kind, S(""), "XML line %d: %s", b.line, b.why);
    *out = tree;
    return ERR_OK;
}

void xml_tree_free(struct xml_tree *tree)
{
    arena_free(&tree->arena);
    tree->root = NULL;
}

str xml_attribute(const struct xml_element *element, str name)
{
    for (size_t i = 0; i < element->attributes_count; i++)
        if (str_eq(element->attributes[i].name, name))
            return element->attributes[i].value;
    return (str){ 0 };
}
