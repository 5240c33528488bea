/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Which payloads an exchange must, may, and must not repeat, as data (RFC 7296 1.2 - 1.4, appendix C).
 *
 * What is not listed may come any number of times and is ignored where it has no meaning: extensions that
 * we do not speak must not break the exchange.
 */

#include <errno.h>

#include "ike/message.h"

struct rule {
	uint8_t exchange;
	bool response;
	uint8_t payload;
	uint8_t min, max;
};

static const struct rule rules[] = {
    /* exchange, response, payload, min, max */
    {EXCHANGE_IKE_SA_INIT, false, PAYLOAD_SA, 1, 1},
    {EXCHANGE_IKE_SA_INIT, false, PAYLOAD_KE, 1, 1},
    {EXCHANGE_IKE_SA_INIT, false, PAYLOAD_NONCE, 1, 1},
    {EXCHANGE_IKE_SA_INIT, true, PAYLOAD_SA, 1, 1},
    {EXCHANGE_IKE_SA_INIT, true, PAYLOAD_KE, 1, 1},
    {EXCHANGE_IKE_SA_INIT, true, PAYLOAD_NONCE, 1, 1},

    /* Without AUTH the peer asks for EAP; without SA and TS it asks for no Child SA (RFC 6023). */
    {EXCHANGE_IKE_AUTH, false, PAYLOAD_IDI, 1, 1},
    {EXCHANGE_IKE_AUTH, false, PAYLOAD_IDR, 0, 1},
    {EXCHANGE_IKE_AUTH, false, PAYLOAD_AUTH, 0, 1},
    {EXCHANGE_IKE_AUTH, false, PAYLOAD_SA, 0, 1},
    {EXCHANGE_IKE_AUTH, false, PAYLOAD_TSI, 0, 1},
    {EXCHANGE_IKE_AUTH, false, PAYLOAD_TSR, 0, 1},
    {EXCHANGE_IKE_AUTH, true, PAYLOAD_IDR, 1, 1},
    {EXCHANGE_IKE_AUTH, true, PAYLOAD_AUTH, 1, 1},
    {EXCHANGE_IKE_AUTH, true, PAYLOAD_SA, 0, 1},
    {EXCHANGE_IKE_AUTH, true, PAYLOAD_TSI, 0, 1},
    {EXCHANGE_IKE_AUTH, true, PAYLOAD_TSR, 0, 1},

    /* KE with PFS and for the IKE SA; TSi and TSr for a Child SA. */
    {EXCHANGE_CREATE_CHILD_SA, false, PAYLOAD_SA, 1, 1},
    {EXCHANGE_CREATE_CHILD_SA, false, PAYLOAD_NONCE, 1, 1},
    {EXCHANGE_CREATE_CHILD_SA, false, PAYLOAD_KE, 0, 1},
    {EXCHANGE_CREATE_CHILD_SA, false, PAYLOAD_TSI, 0, 1},
    {EXCHANGE_CREATE_CHILD_SA, false, PAYLOAD_TSR, 0, 1},
    {EXCHANGE_CREATE_CHILD_SA, true, PAYLOAD_SA, 1, 1},
    {EXCHANGE_CREATE_CHILD_SA, true, PAYLOAD_NONCE, 1, 1},
    {EXCHANGE_CREATE_CHILD_SA, true, PAYLOAD_KE, 0, 1},
    {EXCHANGE_CREATE_CHILD_SA, true, PAYLOAD_TSI, 0, 1},
    {EXCHANGE_CREATE_CHILD_SA, true, PAYLOAD_TSR, 0, 1},
};

/* Responses that are an error, or the request for a cookie, have no other payload. */
static bool is_refusal(const struct ike_payloads *p, uint8_t exchange)
{
	struct ike_notify n;

	if (exchange == EXCHANGE_IKE_SA_INIT && ike_notify_find(p, NOTIFY_COOKIE, &n))
		return true;
	/* In IKE_AUTH an error about the Child SA comes along with IDr and AUTH. */
	return ike_notify_error(p, &n);
}

/* One that cannot be read may be any of those that matter: it is not passed over. */
static bool has_broken_notify(const struct ike_payloads *p)
{
	struct ike_notify n;

	for (unsigned i = 0; i < p->count; i++)
		if (p->list[i].type == PAYLOAD_NOTIFY && ike_notify_parse(&p->list[i], &n))
			return true;
	return false;
}

int ike_payloads_check(const struct ike_payloads *p, uint8_t exchange, bool response, uint8_t *type)
{
	bool refusal = response && is_refusal(p, exchange);

	if (has_broken_notify(p)) {
		if (type)
			*type = PAYLOAD_NOTIFY;
		return -EBADMSG;
	}
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *r = &rules[i];
		unsigned count = 0;

		if (r->exchange != exchange || r->response != response)
			continue;
		for (unsigned k = 0; k < p->count; k++)
			count += p->list[k].type == r->payload;
		if (count > r->max || (count < r->min && !refusal)) {
			if (type)
				*type = r->payload;
			return -EBADMSG;
		}
	}
	return 0;
}
