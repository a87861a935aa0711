/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef BANNED_AFTER /* meson.build: a library's header that uses one of these names itself */
#include BANNED_AFTER
#endif

/*
 * banned: calls that have hurt others and have a safer name here. Every file is compiled with this.
 */
#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atof rand srand localtime gmtime
