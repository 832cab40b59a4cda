/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ACTIONS_H
#define ACTIONS_H 1

/* Datapath actions.
 *
 * They are executed straight from their attributes: action_check.c has made
 * sure, when the flow came in, that every size and nesting is right, so that
 * execution need not look. */

#include <stddef.h>

struct datapath;
struct nlattr;
struct packet;
struct worker;

int actions_check(const void *, size_t size);
void actions_execute(struct worker *, struct datapath *, struct packet *,
                     const struct nlattr *, size_t size);

#endif /* actions.h */
