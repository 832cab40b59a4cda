/* SPDX-License-Identifier: Apache-2.0 */
#include "uuid-random.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "hash.h"

static bool
hex_digit(char c, uint32_t *value)
{
    const char *digits = "0123456789abcdef";
    const char *p = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c)
                    : NULL;

    *value = p ? (uint32_t) (p - digits) : 0;
    return p != NULL;
}

bool
uuid_from_string(struct uuid *uuid, const char *s)
{
    unsigned int n = 0;

    memset(uuid, 0, sizeof *uuid);
    for (size_t i = 0; i < UUID_LEN; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        uint32_t digit;

        if (is_dash ? s[i] != '-' : !hex_digit(s[i], &digit)) {
            memset(uuid, 0, sizeof *uuid);
            return false;
        } else if (!is_dash) {
            uuid->parts[n / 8] = uuid->parts[n / 8] << 4 | digit;
            n++;
        }
    }
    if (s[UUID_LEN]) {
        memset(uuid, 0, sizeof *uuid);
        return false;
    }
    return true;
}

bool
uuid_is_zero(const struct uuid *uuid)
{
    return !(uuid->parts[0] | uuid->parts[1]
             | uuid->parts[2] | uuid->parts[3]);
}

bool
uuid_equals(const struct uuid *a, const struct uuid *b)
{
    return !memcmp(a, b, sizeof *a);
}

int
uuid_compare_3way(const struct uuid *a, const struct uuid *b)
{
    for (int i = 0; i < 4; i++) {
        if (a->parts[i] != b->parts[i]) {
            return a->parts[i] < b->parts[i] ? -1 : 1;
        }
    }
    return 0;
}

/* For kernels that have no random numbers to give: these only need to differ
 * from others. */
static void
improvise(struct uuid *uuid)
{
    struct {
        struct timespec now;
        pid_t pid;
        const void *address;
    } source;

    memset(&source, 0, sizeof source);
    clock_gettime(CLOCK_REALTIME, &source.now);
    source.pid = getpid();
    source.address = uuid;
    for (uint32_t i = 0; i < 4; i++) {
        uuid->parts[i] = hash_octets(&source, sizeof source, i);
    }
}

void
uuid_random(struct uuid *uuid)
{
    if (getentropy(uuid, sizeof *uuid)) {
        improvise(uuid);
    }
    uuid->parts[1] = (uuid->parts[1] & 0xffff0fff) | 0x4000;
    uuid->parts[2] = (uuid->parts[2] & 0x3fffffff) | 0x80000000;
}
