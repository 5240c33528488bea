/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Names of the numbers on the wire.
 */

#include "ike/v1/numbers.h"

const char *v1_payload_name(uint8_t payload)
{
	switch (payload) {
#define X(name, value, text)                                                                       \
	case value:                                                                                \
		return text;
		V1_PAYLOAD_LIST(X)
#undef X
	}
	return "unknown";
}

const char *v1_notify_name(uint16_t notify)
{
	switch (notify) {
#define X(name, value)                                                                             \
	case value:                                                                                \
		return #name;
		V1_NOTIFY_LIST(X)
#undef X
	}
	return "unknown";
}
