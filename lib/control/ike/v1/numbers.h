/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_V1_NUMBERS_H
#define IKE_V1_NUMBERS_H

/*
 * Numbers of IKEv1 on the wire (RFC 2407, 2408, 2409, 3947; IANA "ISAKMP" and "IPsec" registries), each list
 * once: enumerator, value, name for log lines.
 */

#include <stdint.h>

#define V1_FLAG_ENCRYPTED 0x01
#define V1_FLAG_COMMIT    0x02
#define V1_FLAG_AUTH_ONLY 0x04

#define V1_PAYLOAD_LIST(X)                                                                         \
	X(SA, 1, "SA")                                                                             \
	X(KE, 4, "KE")                                                                             \
	X(ID, 5, "ID")                                                                             \
	X(CERT, 6, "CERT")                                                                         \
	X(CERTREQ, 7, "CR")                                                                        \
	X(HASH, 8, "HASH")                                                                         \
	X(SIG, 9, "SIG")                                                                           \
	X(NONCE, 10, "NONCE")                                                                      \
	X(NOTIFY, 11, "N")                                                                         \
	X(DELETE, 12, "D")                                                                         \
	X(VENDOR, 13, "VID")                                                                       \
	X(ATTRIBUTES, 14, "ATTR")                                                                  \
	X(NATD, 20, "NAT-D")                                                                       \
	X(NATOA, 21, "NAT-OA")                                                                     \
	X(NATD_DRAFT, 130, "NAT-D")                                                                \
	X(NATOA_DRAFT, 131, "NAT-OA")                                                              \
	X(FRAGMENT, 132, "FRAGMENT")

/* Notify message types (RFC 2408 3.14.1, RFC 2407 4.6.3). Up to 16383 they tell of errors. */
#define V1_NOTIFY_LIST(X)                                                                          \
	X(INVALID_PAYLOAD_TYPE, 1)                                                                 \
	X(DOI_NOT_SUPPORTED, 2)                                                                    \
	X(SITUATION_NOT_SUPPORTED, 3)                                                              \
	X(INVALID_COOKIE, 4)                                                                       \
	X(INVALID_MAJOR_VERSION, 5)                                                                \
	X(INVALID_MINOR_VERSION, 6)                                                                \
	X(INVALID_EXCHANGE_TYPE, 7)                                                                \
	X(INVALID_FLAGS, 8)                                                                        \
	X(INVALID_MESSAGE_ID, 9)                                                                   \
	X(INVALID_PROTOCOL_ID, 10)                                                                 \
	X(INVALID_SPI, 11)                                                                         \
	X(INVALID_TRANSFORM_ID, 12)                                                                \
	X(ATTRIBUTES_NOT_SUPPORTED, 13)                                                            \
	X(NO_PROPOSAL_CHOSEN, 14)                                                                  \
	X(BAD_PROPOSAL_SYNTAX, 15)                                                                 \
	X(PAYLOAD_MALFORMED, 16)                                                                   \
	X(INVALID_KEY_INFORMATION, 17)                                                             \
	X(INVALID_ID_INFORMATION, 18)                                                              \
	X(INVALID_HASH_INFORMATION, 23)                                                            \
	X(AUTHENTICATION_FAILED, 24)                                                               \
	X(NOTIFY_SA_LIFETIME, 27)                                                                  \
	X(UNSUPPORTED_EXCHANGE_TYPE, 29)                                                           \
	X(UNEQUAL_PAYLOAD_LENGTHS, 30)                                                             \
	X(CONNECTED, 16384)                                                                        \
	X(RESPONDER_LIFETIME, 24576)                                                               \
	X(REPLAY_STATUS, 24577)                                                                    \
	X(INITIAL_CONTACT, 24578)                                                                  \
	X(R_U_THERE, 36136)                                                                        \
	X(R_U_THERE_ACK, 36137)

enum v1_payload_type {
#define X(name, value, text) V1_PAYLOAD_##name = value,
	V1_PAYLOAD_LIST(X)
#undef X
};
enum v1_notify_type {
#define X(name, value) V1_NOTIFY_##name = value,
	V1_NOTIFY_LIST(X)
#undef X
};
#define V1_NOTIFY_ERROR_LAST 16383

#define V1_DOI_IPSEC     1
#define V1_IDENTITY_ONLY 1 /* the situation (RFC 2407 4.2) */

#define V1_PROTOCOL_ISAKMP 1
#define V1_PROTOCOL_AH     2
#define V1_PROTOCOL_ESP    3

#define V1_TRANSFORM_KEY_IKE 1

/* Attributes of phase 1 (RFC 2409 appendix A). */
enum v1_attribute {
	V1_ATTR_ENCRYPTION = 1,
	V1_ATTR_HASH = 2,
	V1_ATTR_METHOD = 3,
	V1_ATTR_GROUP = 4,
	V1_ATTR_GROUP_TYPE = 5,
	V1_ATTR_LIFE_TYPE = 11,
	V1_ATTR_LIFE_DURATION = 12,
	V1_ATTR_KEY_LENGTH = 14,
};
#define V1_METHOD_PSK 1

/* Attributes of phase 2 (RFC 2407 4.5). */
enum v1_esp_attribute {
	V1_ESP_LIFE_TYPE = 1,
	V1_ESP_LIFE_DURATION = 2,
	V1_ESP_GROUP = 3,
	V1_ESP_MODE = 4,
	V1_ESP_AUTH = 5,
	V1_ESP_KEY_LENGTH = 6,
};
#define V1_LIFE_SECONDS   1
#define V1_LIFE_KILOBYTES 2

/* Encapsulation modes (RFC 2407 4.5, RFC 3947 5.1, and the drafts before it). */
#define V1_MODE_TUNNEL           1
#define V1_MODE_UDP_TUNNEL       3
#define V1_MODE_UDP_TUNNEL_DRAFT 61443

/* Identities that are selectors (RFC 2407 4.6.2.1). */
enum v1_id_type {
	V1_ID_IPV4_ADDR = 1,
	V1_ID_IPV4_SUBNET = 4,
	V1_ID_IPV6_ADDR = 5,
	V1_ID_IPV6_SUBNET = 6,
	V1_ID_IPV4_RANGE = 7,
	V1_ID_IPV6_RANGE = 8,
};

/* "SA"; "unknown" for what is not in the lists. */
const char *v1_payload_name(uint8_t payload);
const char *v1_notify_name(uint16_t notify);

#endif
