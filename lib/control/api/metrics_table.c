/* SPDX-License-Identifier: BSD-3-Clause */

/* The metrics. A new one is a new row; dashboards and alert rules in config/ use these names. */

#include "api/metrics_table.h"

#include <stddef.h>

#define SYSTEM     "show system", NULL
#define WORKER     "show system", "workers"
#define PORT       "show ports", NULL
#define ATTACHMENT "show attachments", NULL
#define CONNECTION "show connections", NULL
#define TUNNEL     "show tunnels", NULL
#define SA         "show sas", NULL
#define TABLE      "show tables", NULL
#define LEDGER     "show counters", NULL
#define PUNT       "show punts", NULL
#define BGP        "show bgp", NULL
#define POLICER    "show policers", NULL
#define METER      "show metering", NULL

#define OF_PORT       "name=port"
#define OF_ATTACHMENT "name=attachment,kind"
#define OF_CONNECTION "name=connection"
#define OF_TUNNEL     "name=tunnel,connection"
#define OF_SA         "tunnel,type,spi-in=spi"
#define OF_LEDGER     "name,kind"
#define OF_BGP        "name=peer,attachment"
#define OF_POLICER    "object,kind,direction"
#define OF_METER      "name=attachment,kind,path"

/* clang-format off */
const struct metric_row metric_rows[] = {
	{SYSTEM, NULL, "transitd_build", METRIC_INFO, NULL, "version,dpdk,crypto", "what runs"},
	{SYSTEM, "uptime-seconds", "transitd_uptime_seconds", METRIC_GAUGE, NULL, NULL, "since the start"},
	{SYSTEM, "huge-pages", "transitd_huge_pages", METRIC_BOOL, NULL, NULL, "whether memory is in huge pages"},
	{SYSTEM, "buffers", "transitd_buffers", METRIC_GAUGE, NULL, NULL, "packet buffers there are"},
	{SYSTEM, "buffers-in-use", "transitd_buffers_in_use", METRIC_GAUGE, NULL, NULL, "packet buffers in use, also by queues of ports"},
	{SYSTEM, "ike-sas", "transitd_ike_sas", METRIC_GAUGE, NULL, NULL, "IKE SAs"},
	{SYSTEM, "half-open-ike-sas", "transitd_half_open_ike_sas", METRIC_GAUGE, NULL, NULL, "IKE SAs of peers that are not authenticated yet"},
	{SYSTEM, "longest-control-round-ms", "transitd_longest_control_round_milliseconds", METRIC_GAUGE, NULL, NULL, "the longest round of the control loop so far"},

	{WORKER, "packets", "transitd_worker_packets", METRIC_COUNTER, NULL, "worker", "packets taken from ports"},
	{WORKER, "rounds", "transitd_worker_rounds", METRIC_COUNTER, NULL, "worker", "rounds over the queues"},
	{WORKER, "busy-cycles", "transitd_worker_busy_cycles", METRIC_COUNTER, NULL, "worker", "processor cycles of rounds with packets"},
	{WORKER, "idle-cycles", "transitd_worker_idle_cycles", METRIC_COUNTER, NULL, "worker", "processor cycles of rounds without"},
	{WORKER, "stalled", "transitd_worker_stalled", METRIC_BOOL, NULL, "worker", "whether it makes no rounds"},

	{PORT, "link", "transitd_port_up", METRIC_IS, "up", OF_PORT, "whether the link is up"},
	{PORT, "rx-packets", "transitd_port_rx_packets", METRIC_COUNTER, NULL, OF_PORT, "frames received"},
	{PORT, "rx-bytes", "transitd_port_rx_bytes", METRIC_COUNTER, NULL, OF_PORT, "bytes received"},
	{PORT, "tx-packets", "transitd_port_tx_packets", METRIC_COUNTER, NULL, OF_PORT, "frames sent"},
	{PORT, "tx-bytes", "transitd_port_tx_bytes", METRIC_COUNTER, NULL, OF_PORT, "bytes sent"},
	{PORT, "rx-missed", "transitd_port_rx_missed", METRIC_COUNTER, NULL, OF_PORT, "frames lost because no worker took them in time"},
	{PORT, "rx-errors", "transitd_port_rx_errors", METRIC_COUNTER, NULL, OF_PORT, "frames received with an error"},
	{PORT, "tx-errors", "transitd_port_tx_errors", METRIC_COUNTER, NULL, OF_PORT, "frames that could not be sent"},
	{PORT, "steering", "transitd_port_steering_packets", METRIC_MAP, "verdict", OF_PORT, "frames of an interface shared with the host, by what became of them"},

	{ATTACHMENT, "state", "transitd_attachment_up", METRIC_IS, "up", OF_ATTACHMENT, "whether it carries traffic"},
	{ATTACHMENT, "associated-table", "transitd_attachment", METRIC_INFO, NULL, "name=attachment,kind,owner,associated-table=table", "its owner and table"},

	{CONNECTION, "redundancy", "transitd_connection_redundant", METRIC_IS, "MET", OF_CONNECTION, "whether both tunnels are up, over different gateways"},
	{CONNECTION, "tunnels-up", "transitd_connection_tunnels_up", METRIC_GAUGE, NULL, OF_CONNECTION, "tunnels that are up"},
	{CONNECTION, "tunnels", "transitd_connection_tunnels", METRIC_COUNT, NULL, OF_CONNECTION, "tunnels that are configured"},

	{TUNNEL, "state", "transitd_tunnel_up", METRIC_IS, "up", OF_TUNNEL, "whether it is up"},
	{TUNNEL, "state", "transitd_tunnel_state", METRIC_STATE, "state", OF_TUNNEL, "its state, as a label"},
	{TUNNEL, "state-seconds", "transitd_tunnel_state_seconds", METRIC_GAUGE, NULL, OF_TUNNEL, "for how long"},
	{TUNNEL, "error", "transitd_tunnel_error", METRIC_STATE, "code", OF_TUNNEL, "its last error, as a label"},
	{TUNNEL, "times-up", "transitd_tunnel_ups", METRIC_COUNTER, NULL, OF_TUNNEL, "how often it came up"},
	{TUNNEL, "rekeys", "transitd_tunnel_rekeys", METRIC_COUNTER, NULL, OF_TUNNEL, "rekeys of its SAs"},
	{TUNNEL, "received-packets", "transitd_tunnel_received_packets", METRIC_COUNTER, NULL, OF_TUNNEL, "packets decrypted"},
	{TUNNEL, "received-bytes", "transitd_tunnel_received_bytes", METRIC_COUNTER, NULL, OF_TUNNEL, "bytes decrypted"},
	{TUNNEL, "sent-packets", "transitd_tunnel_sent_packets", METRIC_COUNTER, NULL, OF_TUNNEL, "packets encrypted"},
	{TUNNEL, "sent-bytes", "transitd_tunnel_sent_bytes", METRIC_COUNTER, NULL, OF_TUNNEL, "bytes of the ESP packets sent; payload is metered by attachment"},
	{TUNNEL, "inner-mtu", "transitd_tunnel_inner_mtu_bytes", METRIC_GAUGE, NULL, OF_TUNNEL, "largest inner packet; 0 while it is down"},

	{SA, "state", "transitd_sa_state", METRIC_STATE, "state", OF_SA, "an IKE or ESP SA, its state as a label"},
	{SA, "age-seconds", "transitd_sa_age_seconds", METRIC_GAUGE, NULL, OF_SA, "since it was made"},
	{SA, "expire-in-seconds", "transitd_sa_expires_seconds", METRIC_GAUGE, NULL, OF_SA, "until it ends"},
	{SA, "packets-in", "transitd_sa_received_packets", METRIC_COUNTER, NULL, OF_SA, "packets decrypted"},
	{SA, "bytes-in", "transitd_sa_received_bytes", METRIC_COUNTER, NULL, OF_SA, "bytes decrypted"},
	{SA, "packets-out", "transitd_sa_sent_packets", METRIC_COUNTER, NULL, OF_SA, "packets encrypted"},
	{SA, "bytes-out", "transitd_sa_sent_bytes", METRIC_COUNTER, NULL, OF_SA, "bytes encrypted"},
	{SA, "replayed", "transitd_sa_replayed_packets", METRIC_COUNTER, NULL, OF_SA, "packets dropped as replays"},
	{SA, "integrity-failures", "transitd_sa_integrity_failures", METRIC_COUNTER, NULL, OF_SA, "packets whose integrity check failed"},

	{TABLE, "routes", "transitd_table_routes", METRIC_GAUGE, NULL, "name=table", "prefixes with a winner"},
	{TABLE, "candidates", "transitd_table_candidates", METRIC_GAUGE, NULL, "name=table", "routes that compete"},
	{TABLE, "associated", "transitd_table_associations", METRIC_COUNT, NULL, "name=table", "attachments looked up here"},

	{LEDGER, "received", "transitd_received_packets", METRIC_COUNTER, NULL, OF_LEDGER, "the ledger: packets received"},
	{LEDGER, "received-bytes", "transitd_received_bytes", METRIC_COUNTER, NULL, OF_LEDGER, "bytes received"},
	{LEDGER, "created", "transitd_created_packets", METRIC_COUNTER, NULL, OF_LEDGER, "fragments made beyond the first"},
	{LEDGER, "delivered", "transitd_delivered_packets", METRIC_COUNTER, NULL, OF_LEDGER, "packets that left through a port"},
	{LEDGER, "decrypted", "transitd_decrypted_packets", METRIC_COUNTER, NULL, OF_LEDGER, "packets that went on as packets of a tunnel"},
	{LEDGER, "punted", "transitd_punted_packets", METRIC_COUNTER, NULL, OF_LEDGER, "packets for the control lcore"},
	{LEDGER, "absorbed", "transitd_absorbed_packets", METRIC_COUNTER, NULL, OF_LEDGER, "fragments that went into a whole packet"},
	{LEDGER, "drops", "transitd_dropped_packets", METRIC_MAP, "reason", OF_LEDGER, "packets dropped, by reason"},
	{LEDGER, "sent", "transitd_sent_packets", METRIC_COUNTER, NULL, OF_LEDGER, "packets sent out here, whoever received them"},
	{LEDGER, "sent-bytes", "transitd_sent_bytes", METRIC_COUNTER, NULL, OF_LEDGER, "bytes sent out here; of a tunnel as ESP"},
	{LEDGER, "balance", "transitd_ledger_balance_packets", METRIC_GAUGE, NULL, OF_LEDGER, "packets under way; anything else that stays is a fault"},

	{POLICER, "cir", "transitd_policer_rate_bits_per_second", METRIC_GAUGE, NULL, OF_POLICER, "its rate; 0: packets alone are limited"},
	{POLICER, "packet-rate", "transitd_policer_rate_packets_per_second", METRIC_GAUGE, NULL, OF_POLICER, "its rate; 0: bytes alone are limited"},
	{POLICER, "passed-packets", "transitd_policer_passed_packets", METRIC_COUNTER, NULL, OF_POLICER, "packets within the rate"},
	{POLICER, "passed-bytes", "transitd_policer_passed_bytes", METRIC_COUNTER, NULL, OF_POLICER, "bytes within the rate"},
	{POLICER, "dropped-packets", "transitd_policer_dropped_packets", METRIC_COUNTER, NULL, OF_POLICER, "packets above the rate"},
	{POLICER, "dropped-bytes", "transitd_policer_dropped_bytes", METRIC_COUNTER, NULL, OF_POLICER, "bytes above the rate"},

	{METER, "seconds", "transitd_metered_seconds", METRIC_GAUGE, NULL, OF_METER, "for how long it has been metered"},
	{METER, "received-packets", "transitd_metered_received_packets", METRIC_COUNTER, NULL, OF_METER, "packets received from the attachment"},
	{METER, "received-bytes", "transitd_metered_received_bytes", METRIC_COUNTER, NULL, OF_METER, "payload received: bytes of IP packets, of tunnels after decryption"},
	{METER, "sent-packets", "transitd_metered_sent_packets", METRIC_COUNTER, NULL, OF_METER, "packets sent to the attachment"},
	{METER, "sent-bytes", "transitd_metered_sent_bytes", METRIC_COUNTER, NULL, OF_METER, "payload sent: bytes of IP packets, of tunnels before encryption"},
	{METER, "encrypted-received-bytes", "transitd_metered_received_encrypted_bytes", METRIC_COUNTER, NULL, OF_METER, "the same as ESP, with outer header"},
	{METER, "encrypted-sent-bytes", "transitd_metered_sent_encrypted_bytes", METRIC_COUNTER, NULL, OF_METER, "the same as ESP, with outer header"},

	{PUNT, "taken", "transitd_punt_taken_packets", METRIC_COUNTER, NULL, "class", "packets that control took"},
	{PUNT, "rate-limited", "transitd_punt_limited_packets", METRIC_COUNTER, NULL, "class", "dropped above the rate of the class"},
	{PUNT, "queue-full", "transitd_punt_full_packets", METRIC_COUNTER, NULL, "class", "dropped because the queue was full"},

	{BGP, "state", "transitd_bgp_up", METRIC_IS, "established", OF_BGP, "whether the session is established"},
	{BGP, "state", "transitd_bgp_state", METRIC_STATE, "state", OF_BGP, "its state, as a label"},
	{BGP, "state-seconds", "transitd_bgp_state_seconds", METRIC_GAUGE, NULL, OF_BGP, "for how long"},
	{BGP, "received-prefixes", "transitd_bgp_received_prefixes", METRIC_GAUGE, NULL, OF_BGP, "prefixes that the peer announces"},
	{BGP, "accepted-prefixes", "transitd_bgp_accepted_prefixes", METRIC_GAUGE, NULL, OF_BGP, "of these, those that are used"},
	{BGP, "stale-prefixes", "transitd_bgp_stale_prefixes", METRIC_GAUGE, NULL, OF_BGP, "kept while the peer restarts"},
	{BGP, "advertised-prefixes", "transitd_bgp_advertised_prefixes", METRIC_GAUGE, NULL, OF_BGP, "prefixes announced to the peer"},
	{BGP, "waiting-prefixes", "transitd_bgp_waiting_prefixes", METRIC_GAUGE, NULL, OF_BGP, "changes that the peer has not been told yet"},
	{BGP, "bgp_updates_received", "transitd_bgp_received_updates", METRIC_COUNTER, NULL, OF_BGP, "UPDATE messages received"},
	{BGP, "bgp_updates_sent", "transitd_bgp_sent_updates", METRIC_COUNTER, NULL, OF_BGP, "UPDATE messages sent"},
	{BGP, "bgp_treated_as_withdraw", "transitd_bgp_treated_as_withdraw", METRIC_COUNTER, NULL, OF_BGP, "malformed UPDATE messages that withdrew what they named"},
	{BGP, "bgp_established", "transitd_bgp_establishments", METRIC_COUNTER, NULL, OF_BGP, "how often the session was established"},
	{BGP, "bgp_lost", "transitd_bgp_losses", METRIC_COUNTER, NULL, OF_BGP, "how often an established session was lost"},
	{0},
};
/* clang-format on */
