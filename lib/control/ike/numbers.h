/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_NUMBERS_H
#define IKE_NUMBERS_H

/*
 * Numbers of IKEv2 on the wire (RFC 7296 3, IANA "IKEv2 Parameters"), each list once: enumerator, value,
 * name for log lines. Exchanges are those of both versions: their numbers do not meet.
 */

#include <stdint.h>

#define IKE_HEADER_BYTES         28
#define IKE_PAYLOAD_HEADER_BYTES 4
#define IKE_NONCE_MIN            16
#define IKE_NONCE_MAX            256
#define IKE_COOKIE_MAX           64
#define IKE_MESSAGE_MAX          65535 /* bytes; what a UDP datagram can hold and a little more */

#define IKE_MAJOR_V1 1
#define IKE_MAJOR_V2 2

#define IKE_FLAG_INITIATOR 0x08 /* sent by the one who began the IKE SA */
#define IKE_FLAG_VERSION   0x10 /* could speak a higher major version */
#define IKE_FLAG_RESPONSE  0x20

#define IKE_EXCHANGE_LIST(X)                                                                       \
	X(IKE_SA_INIT, 34, "IKE_SA_INIT")                                                          \
	X(IKE_AUTH, 35, "IKE_AUTH")                                                                \
	X(CREATE_CHILD_SA, 36, "CREATE_CHILD_SA")                                                  \
	X(INFORMATIONAL, 37, "INFORMATIONAL")                                                      \
	X(V1_MAIN, 2, "main mode")                                                                 \
	X(V1_AGGRESSIVE, 4, "aggressive mode")                                                     \
	X(V1_INFORMATIONAL, 5, "informational exchange")                                           \
	X(V1_TRANSACTION, 6, "XAUTH or Mode-Config")                                               \
	X(V1_QUICK, 32, "quick mode")                                                              \
	X(V1_NEW_GROUP, 33, "New Group")

#define IKE_PAYLOAD_LIST(X)                                                                        \
	X(SA, 33, "SA")                                                                            \
	X(KE, 34, "KE")                                                                            \
	X(IDI, 35, "IDi")                                                                          \
	X(IDR, 36, "IDr")                                                                          \
	X(CERT, 37, "CERT")                                                                        \
	X(CERTREQ, 38, "CERTREQ")                                                                  \
	X(AUTH, 39, "AUTH")                                                                        \
	X(NONCE, 40, "Nonce")                                                                      \
	X(NOTIFY, 41, "N")                                                                         \
	X(DELETE, 42, "D")                                                                         \
	X(VENDOR, 43, "V")                                                                         \
	X(TSI, 44, "TSi")                                                                          \
	X(TSR, 45, "TSr")                                                                          \
	X(SK, 46, "SK")                                                                            \
	X(CP, 47, "CP")                                                                            \
	X(EAP, 48, "EAP")                                                                          \
	X(SKF, 53, "SKF")

/* Notify message types (3.10.1). Up to 16383 they tell of errors. */
#define IKE_NOTIFY_LIST(X)                                                                         \
	X(UNSUPPORTED_CRITICAL_PAYLOAD, 1)                                                         \
	X(INVALID_IKE_SPI, 4)                                                                      \
	X(INVALID_MAJOR_VERSION, 5)                                                                \
	X(INVALID_SYNTAX, 7)                                                                       \
	X(INVALID_MESSAGE_ID, 9)                                                                   \
	X(INVALID_SPI, 11)                                                                         \
	X(NO_PROPOSAL_CHOSEN, 14)                                                                  \
	X(INVALID_KE_PAYLOAD, 17)                                                                  \
	X(AUTHENTICATION_FAILED, 24)                                                               \
	X(SINGLE_PAIR_REQUIRED, 34)                                                                \
	X(NO_ADDITIONAL_SAS, 35)                                                                   \
	X(INTERNAL_ADDRESS_FAILURE, 36)                                                            \
	X(FAILED_CP_REQUIRED, 37)                                                                  \
	X(TS_UNACCEPTABLE, 38)                                                                     \
	X(INVALID_SELECTORS, 39)                                                                   \
	X(TEMPORARY_FAILURE, 43)                                                                   \
	X(CHILD_SA_NOT_FOUND, 44)                                                                  \
	X(INITIAL_CONTACT, 16384)                                                                  \
	X(SET_WINDOW_SIZE, 16385)                                                                  \
	X(ADDITIONAL_TS_POSSIBLE, 16386)                                                           \
	X(NAT_DETECTION_SOURCE_IP, 16388)                                                          \
	X(NAT_DETECTION_DESTINATION_IP, 16389)                                                     \
	X(COOKIE, 16390)                                                                           \
	X(USE_TRANSPORT_MODE, 16391)                                                               \
	X(REKEY_SA, 16393)                                                                         \
	X(CHILDLESS_IKEV2_SUPPORTED, 16418)                                                        \
	X(IKEV2_FRAGMENTATION_SUPPORTED, 16430)

enum ike_exchange_type {
#define X(name, value, text) EXCHANGE_##name = value,
	IKE_EXCHANGE_LIST(X)
#undef X
};
enum ike_payload_type {
	PAYLOAD_NONE = 0,
#define X(name, value, text) PAYLOAD_##name = value,
	IKE_PAYLOAD_LIST(X)
#undef X
};
enum ike_notify_type {
#define X(name, value) NOTIFY_##name = value,
	IKE_NOTIFY_LIST(X)
#undef X
};
#define IKE_NOTIFY_ERROR_LAST 16383

enum ike_protocol { PROTOCOL_NONE = 0, PROTOCOL_IKE = 1, PROTOCOL_AH = 2, PROTOCOL_ESP = 3 };
enum ike_transform_type {
	TRANSFORM_ENCR = 1,
	TRANSFORM_PRF = 2,
	TRANSFORM_INTEG = 3,
	TRANSFORM_DH = 4,
	TRANSFORM_ESN = 5,
};
#define IKE_ATTRIBUTE_KEY_LENGTH 14
#define IKE_AUTH_METHOD_PSK      2
enum ike_ts_type { TS_IPV4_ADDR_RANGE = 7, TS_IPV6_ADDR_RANGE = 8 };

/* "IKE_AUTH"; "unknown" for what is not in the lists. */
const char *ike_exchange_name(uint8_t exchange);
const char *ike_payload_name(uint8_t payload);
const char *ike_notify_name(uint16_t notify);

#endif
