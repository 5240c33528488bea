/* SPDX-License-Identifier: BSD-3-Clause */

/* The tables of transitctl. A new column is a new row here. */

#include "transitctl/views.h"

#include <string.h>

static const struct column ports[] = {
    {"name", "PORT", COLUMN_TEXT},
    {"device", "DEVICE", COLUMN_TEXT},
    {"link", "LINK", COLUMN_TEXT},
    {"mac", "MAC", COLUMN_TEXT},
    {"mtu", "MTU", COLUMN_COUNT},
    {"rx-queues", "RXQ", COLUMN_COUNT},
    {"tx-queues", "TXQ", COLUMN_COUNT},
    {"rx-packets", "RX-PACKETS", COLUMN_COUNT},
    {"rx-bytes", "RX-BYTES", COLUMN_BYTES},
    {"tx-packets", "TX-PACKETS", COLUMN_COUNT},
    {"tx-bytes", "TX-BYTES", COLUMN_BYTES},
    {"rx-missed", "MISSED", COLUMN_COUNT},
    {"rx-errors", "RX-ERR", COLUMN_COUNT},
    {"tx-errors", "TX-ERR", COLUMN_COUNT},
};

static const struct column attachments[] = {
    {"name", "ATTACHMENT", COLUMN_TEXT},
    {"kind", "KIND", COLUMN_TEXT},
    {"state", "STATE", COLUMN_TEXT},
    {"port", "PORT", COLUMN_TEXT},
    {"vlan", "VLAN", COLUMN_COUNT},
    {"address", "ADDRESS", COLUMN_TEXT},
    {"connection", "CONNECTION", COLUMN_TEXT},
    {"associated-table", "TABLE", COLUMN_TEXT},
    {"propagates-to", "PROPAGATES-TO", COLUMN_TEXT},
    {"owner", "OWNER", COLUMN_TEXT},
};

static const struct column connections[] = {
    {"name", "CONNECTION", COLUMN_TEXT},
    {"attachment", "ATTACHMENT", COLUMN_TEXT},
    {"ha", "HA", COLUMN_TEXT},
    {"gateway-type", "GATEWAY", COLUMN_TEXT},
    {"routing-mode", "ROUTING", COLUMN_TEXT},
    {"redundancy", "REDUNDANCY", COLUMN_TEXT},
    {"tunnels", "TUNNELS", COLUMN_PAIRS},
    {"owner", "OWNER", COLUMN_TEXT},
    {"redundancy-reason", "not redundant", COLUMN_NOTE},
};

static const struct column tunnels[] = {
    {"name", "TUNNEL", COLUMN_TEXT},
    {"state", "STATE", COLUMN_TEXT},
    {"state-seconds", "SINCE", COLUMN_SECONDS},
    {"eligible", "ELIGIBLE", COLUMN_YES},
    {"gateway-address", "GATEWAY", COLUMN_TEXT},
    {"peer-address", "PEER", COLUMN_TEXT},
    {"inner-mtu", "MTU", COLUMN_COUNT},
    {"received-packets", "RX-PACKETS", COLUMN_COUNT},
    {"received-bytes", "RX-BYTES", COLUMN_BYTES},
    {"sent-packets", "TX-PACKETS", COLUMN_COUNT},
    {"sent-bytes", "TX-BYTES", COLUMN_BYTES},
    {"rekeys", "REKEYS", COLUMN_COUNT},
    {"error", "ERROR", COLUMN_TEXT},
    {"not-eligible-because", "carries no routes", COLUMN_NOTE},
    {"error-text", "", COLUMN_NOTE},
    {"suggestion", "suggestion", COLUMN_NOTE},
};

static const struct column health[] = {
    {"name", "TUNNEL", COLUMN_TEXT},
    {"state", "STATE", COLUMN_TEXT},
    {"state-seconds", "SINCE", COLUMN_SECONDS},
    {"source", "SOURCE", COLUMN_TEXT},
    {"destination", "DESTINATION", COLUMN_TEXT},
    {"interval", "INTERVAL", COLUMN_COUNT},
    {"retries", "RETRIES", COLUMN_COUNT},
    {"switch-route", "SWITCH-ROUTE", COLUMN_YES},
    {"sent", "SENT", COLUMN_COUNT},
    {"answered", "ANSWERED", COLUMN_COUNT},
    {"missed", "MISSED", COLUMN_COUNT},
    {"rtt-ms", "RTT-MS", COLUMN_COUNT},
};

static const struct column bfd[] = {
    {"name", "SESSION", COLUMN_TEXT},
    {"state", "STATE", COLUMN_TEXT},
    {"peer-state", "PEER-STATE", COLUMN_TEXT},
    {"state-seconds", "SINCE", COLUMN_SECONDS},
    {"local", "LOCAL", COLUMN_TEXT},
    {"peer", "PEER", COLUMN_TEXT},
    {"transmit-ms", "SEND-MS", COLUMN_COUNT},
    {"detect-ms", "DETECT-MS", COLUMN_COUNT},
    {"times-up", "TIMES-UP", COLUMN_COUNT},
    {"sent", "SENT", COLUMN_COUNT},
    {"received", "RECEIVED", COLUMN_COUNT},
    {"diagnostic", "DIAGNOSTIC", COLUMN_TEXT},
};

static const struct column metering[] = {
    {"name", "ATTACHMENT", COLUMN_TEXT},
    {"kind", "KIND", COLUMN_TEXT},
    {"path", "PATH", COLUMN_TEXT},
    {"seconds", "SINCE", COLUMN_SECONDS},
    {"received-packets", "RX-PACKETS", COLUMN_COUNT},
    {"received-bytes", "RX-BYTES", COLUMN_BYTES},
    {"sent-packets", "TX-PACKETS", COLUMN_COUNT},
    {"sent-bytes", "TX-BYTES", COLUMN_BYTES},
    {"encrypted-received-bytes", "ESP-RX", COLUMN_BYTES},
    {"encrypted-sent-bytes", "ESP-TX", COLUMN_BYTES},
};

static const struct column policers[] = {
    {"object", "OBJECT", COLUMN_TEXT},
    {"kind", "KIND", COLUMN_TEXT},
    {"direction", "DIRECTION", COLUMN_TEXT},
    {"cir", "BIT/S", COLUMN_COUNT},
    {"cbs", "BURST", COLUMN_BYTES},
    {"packet-rate", "PACKETS/S", COLUMN_COUNT},
    {"packet-burst", "BURST", COLUMN_COUNT},
    {"passed-packets", "PASSED", COLUMN_COUNT},
    {"passed-bytes", "PASSED-BYTES", COLUMN_BYTES},
    {"dropped-packets", "DROPPED", COLUMN_COUNT},
    {"dropped-bytes", "DROPPED-BYTES", COLUMN_BYTES},
};

static const struct column diagnose[] = {
    {"name", "OBJECT", COLUMN_TEXT},
    {"severity", "SEVERITY", COLUMN_TEXT},
    {"code", "CODE", COLUMN_TEXT},
    {"finding", "FINDING", COLUMN_TEXT},
    {"suggestion", "suggestion", COLUMN_NOTE},
};

static const struct column sas[] = {
    {"tunnel", "TUNNEL", COLUMN_TEXT},
    {"type", "TYPE", COLUMN_TEXT},
    {"state", "STATE", COLUMN_TEXT},
    {"role", "ROLE", COLUMN_TEXT},
    {"spi-in", "SPI-IN", COLUMN_TEXT},
    {"spi-out", "SPI-OUT", COLUMN_TEXT},
    {"algorithms", "ALGORITHMS", COLUMN_TEXT},
    {"local", "LOCAL", COLUMN_TEXT},
    {"remote", "REMOTE", COLUMN_TEXT},
    {"age-seconds", "AGE", COLUMN_SECONDS},
    {"rekey-in-seconds", "REKEY-IN", COLUMN_SECONDS},
    {"packets-in", "PACKETS-IN", COLUMN_COUNT},
    {"packets-out", "PACKETS-OUT", COLUMN_COUNT},
    {"replayed", "REPLAYED", COLUMN_COUNT},
    {"integrity-failures", "BAD-ICV", COLUMN_COUNT},
};

static const struct column tables[] = {
    {"name", "TABLE", COLUMN_TEXT},
    {"routes", "ROUTES", COLUMN_COUNT},
    {"candidates", "CANDIDATES", COLUMN_COUNT},
    {"associated", "ASSOCIATED", COLUMN_TEXT},
    {"learns-from", "LEARNS-FROM", COLUMN_TEXT},
};

static const struct column routes[] = {
    {"table", "TABLE", COLUMN_TEXT},
    {"prefix", "PREFIX", COLUMN_TEXT},
    {"used", "USED", COLUMN_YES},
    {"type", "TYPE", COLUMN_TEXT},
    {"attachment", "ATTACHMENT", COLUMN_TEXT},
    {"next-hops", "NEXT-HOPS", COLUMN_TEXT},
    {"carried-by", "CARRIED-BY", COLUMN_TEXT},
    {"state", "STATE", COLUMN_TEXT},
    {"refused-to", "REFUSED-TO", COLUMN_TEXT},
    {"refused-to-more", "AND-MORE", COLUMN_COUNT},
    {"not-used-because", "NOT-USED-BECAUSE", COLUMN_TEXT},
};

static const struct column bgp[] = {
    {"name", "PEER", COLUMN_TEXT},
    {"attachment", "ATTACHMENT", COLUMN_TEXT},
    {"peer-address", "ADDRESS", COLUMN_TEXT},
    {"peer-asn", "ASN", COLUMN_COUNT},
    {"state", "STATE", COLUMN_TEXT},
    {"state-seconds", "SINCE", COLUMN_SECONDS},
    {"received-prefixes", "RECEIVED", COLUMN_COUNT},
    {"accepted-prefixes", "ACCEPTED", COLUMN_COUNT},
    {"advertised-prefixes", "ADVERTISED", COLUMN_COUNT},
    {"last-error", "last error", COLUMN_NOTE},
};

static const struct column neighbors[] = {
    {"address", "ADDRESS", COLUMN_TEXT},
    {"interface", "INTERFACE", COLUMN_TEXT},
    {"mac", "MAC", COLUMN_TEXT},
    {"state", "STATE", COLUMN_TEXT},
    {"age-seconds", "AGE", COLUMN_SECONDS},
    {"waiting-packets", "WAITING", COLUMN_COUNT},
    {"pinned", "PINNED", COLUMN_YES},
};

static const struct column counters[] = {
    {"name", "SLOT", COLUMN_TEXT},
    {"kind", "KIND", COLUMN_TEXT},
    {"received", "RECEIVED", COLUMN_COUNT},
    {"delivered", "DELIVERED", COLUMN_COUNT},
    {"decrypted", "DECRYPTED", COLUMN_COUNT},
    {"punted", "PUNTED", COLUMN_COUNT},
    {"dropped", "DROPPED", COLUMN_COUNT},
    {"sent", "SENT", COLUMN_COUNT},
    {"balance", "BALANCE", COLUMN_COUNT},
    {"drops", "dropped", COLUMN_NOTE},
};

static const struct column history[] = {
    {"revision", "REVISION", COLUMN_COUNT},
    {"time", "TIME", COLUMN_TEXT},
    {"user", "USER", COLUMN_COUNT},
    {"changes", "CHANGES", COLUMN_COUNT},
    {"how", "HOW", COLUMN_TEXT},
};

static const struct column help[] = {
    {"name", "COMMAND", COLUMN_TEXT},
    {"arguments", "ARGUMENTS", COLUMN_TEXT},
    {"help", "WHAT IT DOES", COLUMN_TEXT},
};

#define VIEW(command, columns)                                                                     \
	{                                                                                          \
		command, columns, sizeof(columns) / sizeof((columns)[0])                           \
	}

static const struct view views[] = {
    VIEW("show ports", ports),
    VIEW("show attachments", attachments),
    VIEW("show connections", connections),
    VIEW("show tunnels", tunnels),
    VIEW("show health", health),
    VIEW("show bfd", bfd),
    VIEW("show metering", metering),
    VIEW("show policers", policers),
    VIEW("diagnose", diagnose),
    VIEW("show sas", sas),
    VIEW("show tables", tables),
    VIEW("show routes", routes),
    VIEW("show bgp", bgp),
    VIEW("show neighbors", neighbors),
    VIEW("show counters", counters),
    VIEW("history", history),
    VIEW("help", help),
};

const struct view *view_of(const char *command)
{
	for (unsigned i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		size_t len = strlen(views[i].command);

		if (!strncmp(command, views[i].command, len) &&
		    (command[len] == '\0' || command[len] == ' '))
			return &views[i];
	}
	return NULL;
}

void result_print(const char *command, const json_t *result, FILE *to)
{
	const struct view *view = view_of(command);
	struct column guessed[32];

	if (json_is_string(result)) { /* a whole file */
		fputs(json_string_value(result), to);
		return;
	}
	if (json_is_object(result)) {
		object_print(result, to);
		return;
	}
	if (json_array_size(result) == 0) {
		fputs("none\n", to);
		return;
	}
	if (!json_is_object(json_array_get(result, 0))) {
		json_dumpf(result, to, JSON_INDENT(2) | JSON_ENCODE_ANY);
		fputc('\n', to);
	} else if (view) {
		table_print(result, view->columns, view->count, to);
	} else {
		table_print(result, guessed, columns_guess(result, guessed, 32), to);
	}
}
