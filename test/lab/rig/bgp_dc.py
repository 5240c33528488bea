# SPDX-License-Identifier: BSD-3-Clause
"""Data centers of the standard topology that speak BGP in their tunnels: what differs in the startup file, and speakers."""

from . import bgp

ASN = {1: 65010, 2: 65020}


def addresses(dc, i):
    """(the gateway's, the router's) of the session in tunnel i (from 0) of a data center."""
    return f"169.254.{10 + dc}.{4 * i + 2}", f"169.254.{10 + dc}.{4 * i + 1}"


def configure(config, dc, **settings):
    """In a startup file of world.config(): sessions in both tunnels, and no static route to the data center."""
    for i, letter in enumerate("ab"):
        config["customer-gateways"][f"dc{dc}-{letter}"]["asn"] = ASN[dc]
        config["vpn-connections"][f"dc{dc}"]["tunnels"][i]["bgp"] = {
            "cidr": f"169.254.{10 + dc}.{4 * i}/30", "local-ip": addresses(dc, i)[1], **settings}
    del config["attachments"][f"dc{dc}"]["routes"]


def speaker(place, i, make=bgp.Bird, **session):
    """One on gateway i of a place (site.DataCenter), which announces the data center; start() it once route() is done."""
    gateway, (own, router) = place.gateways[i], addresses(place.number, i)
    gateway.ip("addr add", f"{own}/32", "dev lo")
    return make(gateway, f"{make.__name__.lower()}-{gateway.name}", ASN[place.number],
                [bgp.Session(own, router, **session)], [place.prefix])


def route(place, i):
    """The way to the router's end, through the tunnel: charon has made its device by then."""
    own, router = addresses(place.number, i)
    place.gateways[i].ip("route replace", router, "dev ipsec0 src", own)
