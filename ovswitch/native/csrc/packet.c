/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <stdlib.h>
#include <sys/mman.h>

/* The buffers come from one anonymous mapping, so that those that are never
 * used cost no memory. */
void
arena_init(struct packet_arena *arena, void (*reclaim)(void *), void *aux)
{
    size_t size = ARENA_BUFFERS * sizeof(struct packet_buf);
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        abort();
    }
    arena->buffers = p;
    arena->free = NULL;
    arena->reclaim = reclaim;
    arena->aux = aux;
    for (int i = ARENA_BUFFERS - 1; i >= 0; i--) {
        struct packet_buf *b = &arena->buffers[i];

        b->arena = arena;
        b->next_free = arena->free;
        arena->free = b;
    }
}

void
arena_uninit(struct packet_arena *arena)
{
    munmap(arena->buffers, ARENA_BUFFERS * sizeof(struct packet_buf));
}

/* Returns a buffer with one reference, or NULL if even reclaiming gave
 * none. */
struct packet_buf *
arena_get(struct packet_arena *arena)
{
    struct packet_buf *b;

    if (OVS_UNLIKELY(!arena->free)) {
        arena->reclaim(arena->aux);
    }
    b = arena->free;
    if (b) {
        arena->free = b->next_free;
        b->n_refs = 1;
    }
    return b;
}

void
packet_buf_unref(struct packet_buf *b)
{
    if (b && !--b->n_refs) {
        b->next_free = b->arena->free;
        b->arena->free = b;
    }
}

/* Makes 'p' the 'size' octets at 'data', in memory that stays valid until the
 * batch is over, with headroom from 'base' on.  The key's tunnel and register
 * parts must be all zeros, as they are after the first initialisation; the
 * rest of the key is left to flow_extract(). */
void
packet_init(struct packet *p, uint8_t *data, uint32_t size, uint8_t *base)
{
    p->data = data;
    p->size = size;
    p->base = base;
    p->buf = NULL;
    p->shared = false;
    p->cutlen = 0;
    memset(&p->offload, 0, sizeof p->offload);
}

/* Makes 'p' a copy of 'size' octets, with an all-zeros key.  Returns false if
 * there is no buffer or the packet is too big for one. */
bool
packet_init_copy(struct packet *p, struct packet_arena *arena,
                 const void *octets, uint32_t size)
{
    struct packet_buf *b;

    memset(&p->key, 0, sizeof p->key);
    if (size > PACKET_ROOM - PACKET_HEADROOM) {
        return false;
    }
    b = arena_get(arena);
    if (!b) {
        return false;
    }
    packet_init(p, b->room + PACKET_HEADROOM, size, b->room);
    memcpy(p->data, octets, size);
    p->buf = b;
    return true;
}

/* Makes 'p' a second packet with the content of 'from'.  Both share the
 * octets until one of them changes them. */
void
packet_clone(struct packet *p, struct packet *from)
{
    from->shared = true;
    *p = *from;
    packet_buf_ref(p->buf);
}

/* Lets go of the buffer of 'p'. */
void
packet_uninit(struct packet *p)
{
    packet_buf_unref(p->buf);
    p->buf = NULL;
}

/* Gives 'p' octets that nobody else looks at, with headroom.  Returns false
 * if there is no buffer: the caller drops the packet. */
static bool
packet_move(struct packet *p, struct packet_arena *arena)
{
    struct packet_buf *b = NULL;

    if (p->size <= PACKET_ROOM - PACKET_HEADROOM) {
        b = arena_get(arena);
    }
    if (!b) {
        return false;
    }
    memcpy(b->room + PACKET_HEADROOM, p->data, p->size);
    packet_buf_unref(p->buf);
    p->buf = b;
    p->base = b->room;
    p->data = b->room + PACKET_HEADROOM;
    p->shared = false;
    return true;
}

/* Makes it safe to change the octets of 'p'. */
bool
packet_own(struct packet *p, struct packet_arena *arena)
{
    return OVS_LIKELY(!p->shared) || packet_move(p, arena);
}

static void
adjust_ofs(uint16_t *ofs, int delta)
{
    if (*ofs != NO_OFS) {
        *ofs += delta;
    }
}

static void
adjust_all(struct packet *p, int delta)
{
    adjust_ofs(&p->l2_5_ofs, delta);
    adjust_ofs(&p->l3_ofs, delta);
    adjust_ofs(&p->l4_ofs, delta);
    if (p->offload.needs_csum) {
        p->offload.csum_start += delta;
    }
}

/* Adds 'size' octets in front, whose content the caller provides. */
bool
packet_push(struct packet *p, struct packet_arena *arena, uint32_t size)
{
    if (size > PACKET_HEADROOM || p->size + size > UINT16_MAX) {
        return false;
    }
    if (p->shared || (uint32_t) (p->data - p->base) < size) {
        if (!packet_move(p, arena)) {
            return false;
        }
    }
    p->data -= size;
    p->size += size;
    adjust_all(p, size);
    return true;
}

/* Takes 'size' octets off the front, at most as many as there are.  This
 * changes no octet, so that sharing does not matter. */
void
packet_pull(struct packet *p, uint32_t size)
{
    p->data += size;
    p->size -= size;
    adjust_all(p, -(int) size);
}
