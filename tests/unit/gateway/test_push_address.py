"""No notice goes where it must not: the corpus of tricks with addresses (reliability S5)."""

import ipaddress
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.push.address import make_resolver, refusal

LOCAL = [
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fc00::1",
    "fd12:3456::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:192.168.0.1", "2002:7f00:1::", "2002:c0a8:101::",
    "64:ff9b::127.0.0.1", "64:ff9b::a00:1", "::127.0.0.1", "198.18.0.1", "192.0.2.1", "240.0.0.1",
]  # fmt: skip
NEVER = [
    "0.0.0.0", "::", "169.254.169.254", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "224.0.0.1",  # noqa: S104
    "255.255.255.255", "ff02::1", "::ffff:0.0.0.0", "2002:a9fe:a9fe::", "::169.254.169.254",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "114.114.114.114", "2001:4860:4860::8888", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("text", LOCAL)
def test_private_and_loopback_addresses_need_leave(text: str) -> None:
    assert refusal(ipaddress.ip_address(text), is_local_allowed=False)


@pytest.mark.parametrize("text", ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.9", "::ffff:127.0.0.1"])
def test_with_leave_they_may(text: str) -> None:
    assert not refusal(ipaddress.ip_address(text), is_local_allowed=True)


@pytest.mark.parametrize("text", NEVER)
@pytest.mark.parametrize("allowed", [True, False])
def test_some_addresses_are_never_a_receiver(text: str, allowed: bool) -> None:
    assert refusal(ipaddress.ip_address(text), is_local_allowed=allowed)


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses_may(text: str) -> None:
    assert not refusal(ipaddress.ip_address(text), is_local_allowed=False)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::1]", "localhost"])
async def test_odd_spellings_are_judged_by_what_they_mean(host: str) -> None:
    with ThreadPoolExecutor(1) as executor:
        found = await make_resolver(executor)(host, 80)

    assert found
    assert all(refusal(address, is_local_allowed=False) for address in found)
