/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Names of the numbers on the wire.
 */

#include "ike/numbers.h"

const char *ike_exchange_name(uint8_t exchange)
{
	switch (exchange) {
#define X(name, value, text)                                                                       \
	case value:                                                                                \
		return text;
		IKE_EXCHANGE_LIST(X)
#undef X
	}
	return "unknown";
}

const char *ike_payload_name(uint8_t payload)
{
	switch (payload) {
#define X(name, value, text)                                                                       \
	case value:                                                                                \
		return text;
		IKE_PAYLOAD_LIST(X)
#undef X
	}
	return "unknown";
}

const char *ike_notify_name(uint16_t notify)
{
	switch (notify) {
#define X(name, value)                                                                             \
	case value:                                                                                \
		return #name;
		IKE_NOTIFY_LIST(X)
#undef X
	}
	return "unknown";
}
