/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * banned: calls that have hurt others and have a safer name here. Every file is compiled with this.
 */
#pragma GCC poison strcpy strcat sprintf vsprintf strtok gets atoi atol atof rand srand localtime gmtime
