"""The signature against vectors from outside."""

import base64
import hashlib
import hmac

import pytest

from gateway.push.signature import read_keys, sign

#: The vector that the reference libraries of Standard Webhooks test themselves with
#: (standard-webhooks/standard-webhooks, libraries/*/tests).
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID, TIMESTAMP, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
EXPECTED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_published_vector() -> None:
    assert sign(read_keys(SECRET), ID, TIMESTAMP, BODY) == EXPECTED


def test_the_prefix_may_be_missing_as_in_the_libraries() -> None:
    assert read_keys(SECRET.removeprefix("whsec_")) == read_keys(SECRET)


def test_two_keys_give_two_signatures_so_that_a_key_can_be_changed() -> None:
    new = base64.b64encode(b"n" * 32).decode()
    signatures = sign(read_keys(f"{SECRET} whsec_{new}"), ID, TIMESTAMP, BODY).split(" ")
    by_hand = hmac.new(b"n" * 32, f"{ID}.{TIMESTAMP}.".encode() + BODY, hashlib.sha256).digest()

    assert signatures == [EXPECTED, "v1," + base64.b64encode(by_hand).decode()]


@pytest.mark.parametrize("secret", ["", "   ", "whsec_", "whsec_!!!", "whsec_c2hvcnQ=", "whsec_" + "A" * 200])
def test_what_is_no_key_is_refused_without_showing_it(secret: str) -> None:
    with pytest.raises(ValueError, match="secret") as refused:
        read_keys(secret)

    assert len(secret.strip()) < 9 or secret.removeprefix("whsec_") not in str(refused.value)
