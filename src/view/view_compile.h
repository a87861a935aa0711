/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "view/view.h"

/* view_compile: what a compiled view is. For view_compile.c and view_run.c. */
enum view_each { VIEW_ONCE, VIEW_FOR_EACH, VIEW_FOR_EACH_OR_NULL, VIEW_REPEAT };

struct view_select {
    enum view_each each;
    const struct path **paths;      /* of forEach: one; of repeat: all */
    size_t paths_count;
    const struct path **columns;    /* its own columns, in order */
    size_t columns_count, first;    /* first: their place in the view's columns */
    struct view_select *selects, *unions;
    size_t selects_count, unions_count;
    size_t width;                   /* values in one of its rows */
};
struct view {
    str name;
    uint16_t type;
    struct view_column *columns;
    size_t columns_count;
    struct view_select root;        /* the view's selects, nested in one */
    const struct path **where;
    size_t where_count;
    struct path_variable *constants; /* one more place is left for rowIndex */
    size_t constants_count;
};
