/* SPDX-License-Identifier: Apache-2.0 */
#include "fhir/patch_xml.h"
#include "fhir/xml.h"
#include "fhir/xml_tree.h"
#include <limits.h>
#include <libxml/parser.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>

enum { XPATH_STEPS_MAX = 1000000 };
#define FHIR_SPACE (const xmlChar *)"http://hl7.org/fhir"
#define DEFAULT_PREFIX "default-space"

struct patcher {
    struct ctx *cx;
    xmlDoc *document;
    xmlNode *operation;
    size_t number; /* counted from 1 */
};

static err refuse(struct patcher *p, err kind, const char *why)
{
    return ctx_failf(p->cx, kind, S(""), "XML Patch operation %zu (%s): %s", p->number,
                     (const char *)p->operation->name, why);
}

static void quiet(void *self, xmlErrorPtr error)
{
    (void)self, (void)error; /* what is wrong is told in the issue */
}

static void free_doc(void *doc)
{
    xmlFreeDoc(doc);
}

/* The text has been through xml_tree_parse: it has no DTD, and so no entities. */
static err read_doc(struct ctx *cx, str text, xmlDoc **out)
{
    struct xml_tree *tree;
    TRY(xml_tree_parse(cx, text, &tree));
    xml_tree_free(tree);
    *out = xmlReadMemory(text.p, (int)text.n, NULL, "UTF-8",
                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (!*out)
        return ctx_fail(cx, ERR_INVALID, S(""), S("the XML cannot be read"));
    ctx_defer(cx, free_doc, *out);
    return ERR_OK;
}

/* ---- XPath 1.0 has no default namespace: names without a prefix are given one ---- */

static bool is_name_start(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_name(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static char next_mark(str text, size_t at)
{
    while (at < text.n && text.p[at] == ' ')
        at++;
    return at < text.n ? text.p[at] : '\0';
}

/* "and", "or", "div", "mod" are operators where an operand stands before them. */
static bool is_operator(str name, char before)
{
    bool word = str_eq(name, S("and")) || str_eq(name, S("or")) || str_eq(name, S("div")) ||
                str_eq(name, S("mod"));
    return word && before && !memchr("[(,=<>!+-*|/@:", before, 14);
}

static bool takes_prefix(str text, size_t from, size_t to, char before)
{
    char after = next_mark(text, to);
    return before != '@' && before != ':' && before != '$' && after != '(' && after != ':' &&
           !is_operator(str_slice(text, from, to), before);
}

static str with_prefixes(struct arena *arena, str sel)
{
    struct buf buf = buf_make(arena, SIZE_MAX);
    char before = '\0'; /* the last mark that is not white space */
    for (size_t i = 0; i < sel.n;) {
        size_t from = i;
        char c = sel.p[i];
        if (c == '"' || c == '\'') {
            size_t end = str_find_char(str_slice(sel, i + 1, sel.n), c);
            i = end == STR_NONE ? sel.n : i + end + 2;
        } else if (is_name_start(c)) {
            while (i < sel.n && is_name(sel.p[i]))
                i++;
            if (takes_prefix(sel, from, i, before))
                buf_add(&buf, S(DEFAULT_PREFIX ":"));
        } else if (c >= '0' && c <= '9') {
            while (i < sel.n && is_name(sel.p[i]))
                i++;
        } else {
            i++;
        }
        buf_add(&buf, str_slice(sel, from, i));
        before = c == ' ' ? before : sel.p[i - 1];
    }
    return buf_str(&buf);
}

/* Those the patch has in scope at the operation. */
static void register_spaces(struct patcher *p, xmlXPathContext *xpath)
{
    xmlNs **spaces = xmlGetNsList(p->operation->doc, p->operation);
    const xmlChar *own = FHIR_SPACE;
    for (xmlNs **at = spaces; at && *at; at++) {
        if ((*at)->prefix)
            xmlXPathRegisterNs(xpath, (*at)->prefix, (*at)->href);
        else
            own = (*at)->href;
    }
    xmlXPathRegisterNs(xpath, (const xmlChar *)DEFAULT_PREFIX, own);
    xmlFree(spaces);
}

/* The count of nodes found; -1: not an XPath that finds nodes. No arena is touched in here. */
static int evaluate(struct patcher *p, const char *sel, xmlNode **out)
{
    xmlXPathContext *xpath = xmlXPathNewContext(p->document);
    int count = -1;
    if (!xpath)
        return -1;
    xpath->opLimit = XPATH_STEPS_MAX;
    xpath->node = (xmlNode *)p->document; /* "Patient/name" begins at the document, as "/Patient" */
    xpath->error = quiet;
    register_spaces(p, xpath);
    xmlXPathObject *found = xmlXPathEvalExpression((const xmlChar *)sel, xpath);
    if (found && found->type == XPATH_NODESET) {
        count = found->nodesetval ? found->nodesetval->nodeNr : 0;
        *out = count ? found->nodesetval->nodeTab[0] : NULL;
    }
    xmlXPathFreeObject(found);
    xmlXPathFreeContext(xpath);
    return count;
}

static err attribute(struct patcher *p, const char *name, str *out)
{
    xmlChar *value = xmlGetNoNsProp(p->operation, (const xmlChar *)name);
    if (!value)
        return ERR_OK;
    size_t length = strlen((const char *)value);
    bool fits = length <= FHIR_PATCH_XML_SEL_MAX;
    char copy[FHIR_PATCH_XML_SEL_MAX + 1];
    if (fits)
        memcpy(copy, value, length + 1);
    xmlFree(value);
    if (!fits)
        return refuse(p, ERR_LIMIT, "an attribute is too long");
    *out = arena_copy(p->cx->arena, (str){ copy, length });
    return ERR_OK;
}

static err locate(struct patcher *p, xmlNode **out)
{
    str sel = { 0 };
    TRY(attribute(p, "sel", &sel));
    if (!sel.n)
        return refuse(p, ERR_INVALID, "\"sel\" must be given");
    sel = str_trim(sel);
    int count = evaluate(p, arena_cstr(p->cx->arena, with_prefixes(p->cx->arena, sel)), out);
    if (count < 0)
        return refuse(p, ERR_INVALID, "\"sel\" is not an XPath that finds nodes");
    if (count != 1)
        return refuse(p, ERR_RULE, count ? "\"sel\" finds several nodes" : "\"sel\" finds nothing");
    return ERR_OK;
}

/* ---- content ---- */

static void set_space(xmlNode *node, xmlNs *space)
{
    for (; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE && !node->ns) {
            xmlSetNs(node, space);
            set_space(node->children, space);
        }
}

static bool is_blank(const xmlNode *node)
{
    return node->type == XML_COMMENT_NODE || node->type == XML_PI_NODE || xmlIsBlankNode(node);
}

/* The next piece of content after `node` that says something. */
static xmlNode *content_from(xmlNode *node)
{
    while (node && is_blank(node))
        node = node->next;
    return node;
}

static xmlNode *copy_into(struct patcher *p, xmlNode *content)
{
    xmlNode *root = xmlDocGetRootElement(p->document);
    xmlNode *copy = xmlDocCopyNode(content, p->document, 1);
    if (copy)
        set_space(copy, root->ns);
    return copy;
}

static bool is_element(const xmlNode *node)
{
    return node->type == XML_ELEMENT_NODE;
}

static err set_text(struct patcher *p, xmlNode *target)
{
    xmlChar *text = xmlNodeGetContent(p->operation);
    if (is_element(target->parent) && target->type == XML_ATTRIBUTE_NODE)
        xmlSetNsProp(target->parent, target->ns, target->name, text);
    else
        xmlNodeSetContent(target, text);
    xmlFree(text);
    return ERR_OK;
}

static err add_attribute(struct patcher *p, xmlNode *target, str type)
{
    const char *name = arena_cstr(p->cx->arena, str_slice(type, 1, type.n));
    if (!str_starts(type, S("@")) || !is_element(target))
        return refuse(p, ERR_INVALID, "\"type\" must be an attribute to add, as @value");
    if (xmlHasProp(target, (const xmlChar *)name))
        return refuse(p, ERR_RULE, "the attribute is there already");
    xmlChar *text = xmlNodeGetContent(p->operation);
    xmlSetProp(target, (const xmlChar *)name, text);
    xmlFree(text);
    return ERR_OK;
}

/* Puts one copy in its place; what follows goes after it. */
static xmlNode *place(xmlNode *target, xmlNode *last, str pos, xmlNode *copy)
{
    if (last)
        return xmlAddNextSibling(last, copy);
    if (str_eq(pos, S("before")))
        return xmlAddPrevSibling(target, copy);
    if (str_eq(pos, S("after")))
        return xmlAddNextSibling(target, copy);
    if (str_eq(pos, S("prepend")) && target->children)
        return xmlAddPrevSibling(target->children, copy);
    return xmlAddChild(target, copy);
}

static err add(struct patcher *p, xmlNode *target)
{
    str type = { 0 }, pos = { 0 };
    TRY(attribute(p, "type", &type));
    TRY(attribute(p, "pos", &pos));
    if (type.n)
        return add_attribute(p, target, type);
    bool beside = str_eq(pos, S("before")) || str_eq(pos, S("after"));
    if (pos.n && !beside && !str_eq(pos, S("prepend")))
        return refuse(p, ERR_INVALID, "\"pos\" is before, after or prepend");
    if (!is_element(target) || (beside && target == xmlDocGetRootElement(p->document)))
        return refuse(p, ERR_RULE, "there is no element here to add to");
    xmlNode *last = NULL, *at = content_from(p->operation->children);
    if (!at)
        return refuse(p, ERR_INVALID, "there is nothing to add");
    for (; at; at = content_from(at->next)) {
        xmlNode *copy = is_element(at) ? copy_into(p, at) : NULL;
        if (!copy)
            return refuse(p, ERR_INVALID, "only elements can be added; an attribute by \"type\"");
        last = place(target, last, pos, copy);
    }
    return ERR_OK;
}

static err replace(struct patcher *p, xmlNode *target)
{
    if (!is_element(target))
        return set_text(p, target);
    xmlNode *content = content_from(p->operation->children);
    if (!content || !is_element(content) || content_from(content->next))
        return refuse(p, ERR_INVALID, "an element is replaced by exactly one element");
    xmlNode *copy = copy_into(p, content);
    if (!copy)
        return refuse(p, ERR_LIMIT, "the content is too large");
    xmlFreeNode(xmlReplaceNode(target, copy));
    return ERR_OK;
}

/* FHIR has no elements with nothing in them: one that is left so goes as well. */
static void prune(struct patcher *p, xmlNode *node)
{
    xmlNode *root = xmlDocGetRootElement(p->document);
    while (node && node != root && !node->children && !node->properties) {
        xmlNode *parent = node->parent;
        xmlUnlinkNode(node);
        xmlFreeNode(node);
        node = parent;
    }
}

static err remove_node(struct patcher *p, xmlNode *target)
{
    xmlNode *parent = target->parent;
    if (target == xmlDocGetRootElement(p->document))
        return refuse(p, ERR_RULE, "the resource itself cannot be removed");
    if (target->type == XML_ATTRIBUTE_NODE) {
        xmlRemoveProp((xmlAttr *)target);
    } else {
        xmlUnlinkNode(target);
        xmlFreeNode(target);
    }
    prune(p, parent);
    return ERR_OK;
}

static const struct {
    const char *name;
    err (*apply)(struct patcher *p, xmlNode *target);
} operations[] = { { "add", add }, { "replace", replace }, { "remove", remove_node } };

static err apply(struct patcher *p)
{
    for (size_t i = 0; i < COUNT(operations); i++) {
        xmlNode *target = NULL;
        if (!str_eq(str_of((const char *)p->operation->name), str_of(operations[i].name)))
            continue;
        TRY(locate(p, &target));
        if (target->type != XML_ELEMENT_NODE && target->type != XML_ATTRIBUTE_NODE &&
            target->type != XML_TEXT_NODE)
            return refuse(p, ERR_RULE, "\"sel\" must find an element, an attribute or a text");
        return operations[i].apply(p, target);
    }
    return refuse(p, ERR_INVALID, "the operation must be add, replace or remove");
}

static err result(struct patcher *p, struct json *out)
{
    xmlChar *text = NULL;
    int bytes = 0;
    xmlDocDumpMemoryEnc(p->document, &text, &bytes, "UTF-8");
    struct buf buf = buf_make(p->cx->arena, SIZE_MAX);
    ctx_defer(p->cx, xmlFree, text);
    buf_add(&buf, (str){ (const char *)text, bytes > 0 ? (size_t)bytes : 0 });
    if (fhir_xml_read(p->cx, buf_str(&buf), out))
        return ctx_fail(p->cx, ERR_RULE, S(""),
                        S("XML Patch: the result is not a resource of FHIR R4"));
    return ERR_OK;
}

err fhir_patch_xml(struct ctx *cx, struct json resource, str diff, struct json *out)
{
    struct patcher p = { .cx = cx };
    struct buf text = buf_make(cx->arena, INT_MAX);
    xmlDoc *patch;
    TRY(fhir_xml_write(cx, resource, false, &text));
    TRY(read_doc(cx, buf_str(&text), &p.document));
    TRY(read_doc(cx, diff, &patch));
    xmlNode *root = xmlDocGetRootElement(patch);
    if (!str_eq(str_of((const char *)root->name), S("diff")))
        return ctx_fail(cx, ERR_INVALID, S(""), S("an XML Patch must be a diff element"));
    for (xmlNode *at = root->children; at; at = at->next) {
        if (!is_element(at))
            continue;
        p.operation = at;
        if (++p.number > FHIR_PATCH_XML_OPS_MAX)
            return refuse(&p, ERR_LIMIT, "a patch may not have so many operations");
        TRY(apply(&p));
    }
    return result(&p, out);
}
