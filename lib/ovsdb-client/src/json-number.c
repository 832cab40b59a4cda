/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers in JSON.  Neither direction depends on the program's locale. */

#include "json.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>

/* A decimal number taken apart: digits * 10**exponent. */
struct decimal {
    bool negative;
    bool exact;                 /* 'digits' has all of them. */
    uint64_t digits;
    int exponent;
};

#define MAX_EXPONENT 100000     /* Far beyond what a double can hold. */

static bool
is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static void
add_digit(struct decimal *d, char c, bool is_fraction)
{
    unsigned int digit = (unsigned int) (c - '0');

    if (d->exact && d->digits <= (UINT64_MAX - digit) / 10) {
        d->digits = d->digits * 10 + digit;
        d->exponent -= is_fraction && d->exponent > -MAX_EXPONENT;
    } else {
        d->exact &= !digit;
        d->exponent += !is_fraction && d->exponent < MAX_EXPONENT;
    }
}

static const char *
parse_exponent(const char **p, const char *end, struct decimal *d)
{
    bool negative = false;
    int exponent = 0;

    if (*p < end && (**p == '+' || **p == '-')) {
        negative = *(*p)++ == '-';
    }
    if (!is_digit(*p, end)) {
        return "exponent must contain at least one digit";
    }
    for (; is_digit(*p, end); (*p)++) {
        if (exponent < MAX_EXPONENT) {
            exponent = exponent * 10 + (**p - '0');
        }
    }
    d->exponent += negative ? -exponent : exponent;
    return NULL;
}

/* Checks the grammar, and takes the number apart. */
static const char *
parse_decimal(const char **p, const char *end, struct decimal *d)
{
    *d = (struct decimal) { .exact = true };
    if (**p == '-') {
        d->negative = true;
        (*p)++;
    }
    if (!is_digit(*p, end)) {
        return "'-' must be followed by a digit";
    }
    if (**p == '0') {
        (*p)++;
        if (is_digit(*p, end)) {
            return "leading zeros not allowed";
        }
    }
    for (; is_digit(*p, end); (*p)++) {
        add_digit(d, **p, false);
    }
    if (*p < end && **p == '.') {
        (*p)++;
        if (!is_digit(*p, end)) {
            return "decimal point must be followed by digit";
        }
        for (; is_digit(*p, end); (*p)++) {
            add_digit(d, **p, true);
        }
    }
    if (*p < end && (**p == 'e' || **p == 'E')) {
        (*p)++;
        return parse_exponent(p, end, d);
    }
    return NULL;
}

/* Stores 'd' as an integer if it is one and fits. */
static bool
to_integer(struct decimal d, int64_t *integer)
{
    if (!d.exact) {
        return false;
    }
    while (d.exponent < 0 && d.digits && d.digits % 10 == 0) {
        d.digits /= 10;
        d.exponent++;
    }
    if (!d.digits) {
        *integer = 0;
        return true;
    }
    for (; d.exponent > 0 && d.digits <= UINT64_MAX / 10; d.exponent--) {
        d.digits *= 10;
    }
    if (d.exponent) {
        return false;
    } else if (!d.negative && d.digits <= INT64_MAX) {
        *integer = (int64_t) d.digits;
        return true;
    } else if (d.negative && d.digits <= (uint64_t) INT64_MAX + 1) {
        *integer = (int64_t) -d.digits;
        return true;
    }
    return false;
}

/* Reads a real number, with "." as the decimal point in every locale. */
static const char *
to_real(const char *text, size_t size, double *real)
{
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t) 0);
    locale_t previous = uselocale(c_locale);
    char *copy = memcpy(xmalloc(size + 1), text, size);

    copy[size] = '\0';
    *real = strtod(copy, NULL);
    free(copy);
    uselocale(previous);
    if (c_locale) {
        freelocale(c_locale);
    }
    return isfinite(*real) ? NULL : "number outside valid range";
}

const char *
json_parse_number(const char **p, const char *end, struct json *value)
{
    const char *start = *p;
    struct decimal decimal;
    const char *error = parse_decimal(p, end, &decimal);

    if (error) {
        return error;
    } else if (to_integer(decimal, &value->integer)) {
        value->type = JSON_INTEGER;
        return NULL;
    }
    value->type = JSON_REAL;
    return to_real(start, (size_t) (*p - start), &value->real);
}

/* Prints the shortest of 15 to 17 digits that reads back as the same. */
void
json_print_real(struct strbuf *b, double real)
{
    char text[64];

    if (!isfinite(real)) {
        strbuf_puts(b, "0");    /* JSON has neither infinities nor NaN. */
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(text, sizeof text, "%.*g", precision, real);
        if (fabs(strtod(text, NULL) - real) <= 0) {
            break;
        }
    }
    for (const char *p = text; *p; p++) {
        if (strchr("+-0123456789eE", *p)) {
            strbuf_putc(b, *p);
        } else if (p == text || strchr("-0123456789", p[-1])) {
            strbuf_putc(b, '.');    /* Whatever the locale's point is. */
        }
    }
}
