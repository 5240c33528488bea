/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IKE_ERROR_H
#define IKE_ERROR_H

/*
 * What can go wrong with a tunnel, as stable codes (T27).
 *
 * The codes are for the operator of this side: the wire carries only the standard notify. A code
 * names the field of the configuration that does not fit, and the report carries both values as far
 * as the protocol shows them. The list below is the one source of the enumerator, the printed name
 * and the suggestion; names are never changed or reused.
 */

/*  X(enumerator suffix, printed name, suggestion) */
#define IKE_ERROR_LIST(X)                                                                          \
	X(NONE, "None", "")                                                                        \
	X(PSK_MISMATCH, "PskMismatch", "configure the same pre-shared key on both sides")          \
	X(PEER_ID_MISMATCH, "PeerIdMismatch",                                                      \
	    "make the peer's local ID equal remote-id here, and its remote ID equal local-id")     \
	X(IKE_VERSION_MISMATCH, "IkeVersionMismatch",                                              \
	    "configure the same IKE version on both sides")                                        \
	X(NEGOTIATION_MODE_MISMATCH, "NegotiationModeMismatch",                                    \
	    "configure the same IKEv1 negotiation mode (main or aggressive) on both sides")        \
	X(ENCRYPTION_ALGORITHM_MISMATCH, "EncryptionAlgorithmMismatch",                            \
	    "configure an encryption algorithm that both sides offer")                             \
	X(AUTHENTICATION_ALGORITHM_MISMATCH, "AuthenticationAlgorithmMismatch",                    \
	    "configure an authentication algorithm that both sides offer")                         \
	X(DH_GROUP_MISMATCH, "DhGroupMismatch",                                                    \
	    "configure a Diffie-Hellman group of the IKE phase that both sides offer")             \
	X(PFS_MISMATCH, "PfsMismatch",                                                             \
	    "configure the same Diffie-Hellman group (PFS) of the IPsec phase on both sides")      \
	X(ESN_MISMATCH, "EsnMismatch", "use extended sequence numbers on both sides or on none")   \
	X(PROPOSAL_MISMATCH, "ProposalMismatch",                                                   \
	    "compare encryption, authentication and DH group of both sides")                       \
	X(TRAFFIC_SELECTOR_MISMATCH, "TrafficSelectorMismatch",                                    \
	    "make the local and peer CIDRs of one side the mirror of the other's")                 \
	X(AUTHENTICATION_FAILED, "AuthenticationFailed",                                           \
	    "the peer refused us: compare pre-shared key, local-id and remote-id")                 \
	X(NO_RESPONSE, "NoResponse",                                                               \
	    "check the peer's address, its firewall (UDP 500 and 4500) and that it runs IKE")      \
	X(PEER_DEAD, "PeerDead",                                                                   \
	    "the peer stopped answering: check the path to it and that it is running")             \
	X(PEER_DELETED, "PeerDeleted", "the peer closed the SA: look into its log")                \
	X(PEER_REFUSED, "PeerRefused", "the peer refused the request: look into its log")          \
	X(PEER_UNKNOWN, "PeerUnknown",                                                             \
	    "add a tunnel for this peer address, or stop the peer from connecting")                \
	X(MESSAGE_MALFORMED, "MessageMalformed",                                                   \
	    "the peer sent what the protocol does not allow: check its software version")          \
	X(LIFETIME_EXPIRED, "LifetimeExpired",                                                     \
	    "the SA could not be replaced in time: see the earlier errors of this tunnel")         \
	X(LIMIT_REACHED, "LimitReached", "raise the limit of SAs, or find out who uses them up")   \
	X(INSTALL_FAILED, "InstallFailed",                                                         \
	    "the data path refused the SA: check memory and the crypto devices")                   \
	X(KEY_USED_UP, "KeyUsedUp",                                                                \
	    "give a new manual key, or `esn: yes`, which has numbers for centuries")               \
	X(STATE_UNUSABLE, "StateUnusable",                                                         \
	    "make the state directory readable and writable, and keep its files as they are")

#define IKE_ERROR_ENUM(suffix, name, suggestion) IKE_ERROR_##suffix,
enum ike_error_code { IKE_ERROR_LIST(IKE_ERROR_ENUM) IKE_ERROR_COUNT };
#undef IKE_ERROR_ENUM

/* "PskMismatch"; never NULL. */
const char *ike_error_name(enum ike_error_code code);
/* One line for the operator; "" for IKE_ERROR_NONE. */
const char *ike_error_suggestion(enum ike_error_code code);

/* A report. The texts are printable (base/text) and live only during the call that hands them over.
 */
struct ike_error {
	enum ike_error_code code;
	const char *field; /* of the configuration ("ike.dh-group"), or "" */
	const char
	    *ours; /* our value, or what we offered; "" when it does not apply or is secret */
	const char *theirs; /* what the peer sent; "" when the protocol does not show it */
};

#endif
