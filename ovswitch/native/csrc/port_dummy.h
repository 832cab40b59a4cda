/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PORT_DUMMY_H
#define PORT_DUMMY_H 1

/* Ports without devices, for the dummy datapath: what they transmit goes to
 * one function. */

#include "port.h"

typedef void dummy_transmit_func(struct port *, const void *octets,
                                 uint32_t size);

extern const struct port_class dummy_port_class;
extern dummy_transmit_func *dummy_transmit;

#endif /* port_dummy.h */
