/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/ctx.h"

/*
 * xml_tree: an XML document as elements and attributes, as much of it as FHIR uses.
 *
 * Shapes   an element in the XHTML namespace is not unfolded: `source` is its text as written.
 * Memory   the tree has memory of its own, given back by xml_tree_free or when the request ends;
 *          `source` points into the text.
 */
struct xml_attribute {
    str name, value; /* with prefix; the declarations of namespaces are among them */
};
struct xml_element {
    str name, space, prefix, source;
    struct xml_attribute *attributes;
    size_t attributes_count;
    struct xml_element *first, *last, *next, *parent;
    struct xml_element *twin; /* for the reader of the tree: the next of the same name */
    int line;
    int text_line;            /* of text that is not white space; 0: none */
};
struct xml_tree {
    struct xml_element *root;
    struct arena arena;
};

#define XML_FHIR S("http://hl7.org/fhir")
#define XML_XHTML S("http://www.w3.org/1999/xhtml")

err xml_tree_parse(struct ctx *cx, str text, struct xml_tree **out) MUST_USE;
void xml_tree_free(struct xml_tree *tree);
str xml_attribute(const struct xml_element *element, str name); /* { NULL, 0 }: not there */
