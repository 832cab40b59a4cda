/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CHECK_H
#define CHECK_H 1

/* Ends the program, and says where, if a condition does not hold. */

#include <stdio.h>
#include <stdlib.h>

#define CHECK(CONDITION)                                                \
    do {                                                                \
        if (!(CONDITION)) {                                             \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__,      \
                    __func__, #CONDITION);                              \
            exit(1);                                                    \
        }                                                               \
    } while (0)

#endif /* check.h */
