"""Which network addresses a calendar may be fetched from."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_IN_HOUSE = tuple(map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")))
# Where clouds hand out passwords to whoever asks from within (the IPv4 ones are link-local or not global).
_METADATA = frozenset(map(ip_address, ("fd00:ec2::254", "fd20:ce::254")))
_NAT64, _TEREDO = ip_network("64:ff9b::/96"), ip_network("2001::/32")
Address = IPv4Address | IPv6Address


def refusal(text: str) -> str:
    """Why nothing is ever fetched from this address, "" when it may be: it is public, or in-house."""
    address = _meant(ip_address(text))
    if address in _METADATA or address.is_link_local:
        return "an address of the machine's own network"
    if address.is_loopback or address.is_unspecified:
        return "this machine itself"
    if is_in_house(text) or (address.is_global and not address.is_multicast and not address.is_reserved):
        return ""
    return "an address that is not on the internet"


def is_in_house(text: str) -> bool:
    """Whether this is an address of a network within the house (RFC 1918, RFC 4193)."""
    address = _meant(ip_address(text))
    return address not in _METADATA and any(address in network for network in _IN_HOUSE)


def _meant(address: Address) -> Address:
    """The IPv4 address that is reached through an IPv6 one that only wraps it."""
    if not isinstance(address, IPv6Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.teredo[1] if address.teredo and address in _TEREDO else address
