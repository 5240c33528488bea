/* SPDX-License-Identifier: BSD-3-Clause */

/* From a startup file to what of each port's traffic is the router's. */

#include <stdlib.h>

#include "conf/conf.h"
#include "testing.h"
#include "transitd/steering.h"

static struct conf *load(const char *text)
{
	struct conf_errors errors;
	struct conf *conf = NULL;

	conf_errors_init(&errors);
	if (conf_load_buffer("test", text, strlen(text), NULL, &conf, &errors) < 0) {
		conf_errors_print(&errors, stderr);
		fail();
	}
	conf_errors_fini(&errors);
	return conf;
}

static bool has_vlan(const struct port_steering *s, uint16_t vlan, enum port_share share)
{
	for (unsigned i = 0; i < s->vlan_count; i++) {
		if (s->vlan[i].vlan == vlan && s->vlan[i].share == share)
			return true;
	}
	return false;
}

static bool has_address(const struct port_steering *s, uint16_t vlan, const char *address)
{
	struct ip_addr a;

	assert_int_equal(ip_parse(address, &a), 0);
	for (unsigned i = 0; i < s->address_count; i++) {
		if (s->address[i].vlan == vlan && ip_eq(&s->address[i].address, &a))
			return true;
	}
	return false;
}

static const char file[] =
    "ports:\n"
    "  wan0: {device: 'af_xdp:eth0', address: 203.0.113.10/24, gateway: 203.0.113.1}\n"
    "  wan1: {device: 'af_xdp:eth1', vlan: 7, address: [198.51.100.2/24, '2001:db8::2/64']}\n"
    "  lan0: {device: 'af_xdp:eth2'}\n"
    "  own0: {device: 'af_xdp:eth3', exclusive: yes, mac: '02:00:00:00:00:01'}\n"
    "transit-router: {cidr: 203.0.113.32/29}\n"
    "customer-gateways: {cgw: {address: 192.0.2.1}, near: {address: 10.255.0.2}}\n"
    "vpn-connections:\n"
    "  private:\n"
    "    mode: single\n"
    "    gateway-type: private\n"
    "    tunnels: [{customer-gateway: near, gateway-address: 10.255.9.1, via: line}]\n"
    "attachments:\n"
    "  dc1: {kind: vpn, connection: {mode: single, tunnels: [{customer-gateway: cgw, "
    "gateway-address: 203.0.113.33}]}}\n"
    "  hidden: {kind: vpn, connection: private}\n"
    "  vpc-a: {kind: vpc, port: lan0, vlan: 100, address: 10.1.255.254/16}\n"
    "  vpc-b: {kind: vpc, port: lan0, address: 10.2.255.254/16}\n"
    "  line: {kind: vbr, port: lan0, vlan: 200, address: 10.255.0.1/30}\n"
    "  vpc-c: {kind: vpc, port: own0, address: 10.3.255.254/16}\n";

static void uplinks_get_their_addresses(void **state)
{
	struct conf *conf = load(file);
	struct port_steering s;

	steering_make(conf, "wan0", &s);
	assert_false(s.everything);
	assert_int_equal(s.vlan_count, 1);
	assert_true(has_vlan(&s, 0, PORT_SHARE_ADDRESSED));
	assert_int_equal(s.address_count, 2);
	assert_true(has_address(&s, 0, "203.0.113.10"));
	assert_true(has_address(&s, 0, "203.0.113.33"));
	steering_fini(&s);

	steering_make(conf, "wan1", &s);
	assert_true(has_vlan(&s, 7, PORT_SHARE_ADDRESSED));
	assert_true(has_address(&s, 7, "198.51.100.2"));
	assert_true(has_address(&s, 7, "2001:db8::2"));
	assert_true(has_address(&s, 7, "203.0.113.33"));
	assert_int_equal(s.address_count, 3); /* the private gateway address is on no uplink */
	steering_fini(&s);
	conf_free(conf);
}

static void attachments_get_their_vlans(void **state)
{
	struct conf *conf = load(file);
	struct port_steering s;

	steering_make(conf, "lan0", &s);
	assert_int_equal(s.vlan_count, 3);
	assert_true(has_vlan(&s, 100, PORT_SHARE_ALL));
	assert_true(has_vlan(&s, 200, PORT_SHARE_ALL));
	assert_true(has_vlan(&s, 0, PORT_SHARE_REST));
	assert_true(has_address(&s, 0, "10.2.255.254"));
	steering_fini(&s);

	steering_make(conf, "own0", &s);
	assert_true(s.everything);
	assert_int_equal(conf_find_port(conf, "own0")->mac.bytes[5], 1);
	steering_fini(&s);

	steering_make(conf, "gone", &s);
	assert_int_equal(s.vlan_count + s.address_count, 0);
	steering_fini(&s);
	conf_free(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(uplinks_get_their_addresses),
	    cmocka_unit_test(attachments_get_their_vlans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
