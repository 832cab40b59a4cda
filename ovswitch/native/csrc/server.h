/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVER_H
#define SERVER_H 1

/* The forwarder's control socket and the control thread's loop.
 *
 * Clients are connections of a SOCK_SEQPACKET socket: see
 * docs/datapath-protocol.md.  The control thread reads their requests.  Any
 * thread sends upcalls: straight to the socket as long as it takes them, else
 * to the connection's queue.  That holds upcalls up to a bound, beyond which
 * they are lost, and replies up to a greater one, beyond which the client is
 * disconnected. */

#include "datapath.h"

struct server;

struct server *server_create(int listen_fd, const char *socket_path);
struct upcall_sink server_sink(struct server *);
int server_run(struct server *, struct forwarder *);
void server_destroy(struct server *);

#endif /* server.h */
