import pytest
from flask import Flask
from hypothesis import given, strategies as st

from marketplace.core.ciphers import Unreadable
from marketplace.core.encryption import Keyring, fingerprint

OLD, NEW = f"k1:{'11' * 32}", f"k2:{'22' * 32}"


@given(plain=st.text())
def test_what_was_encrypted_reads_back(plain: str) -> None:
    ring = Keyring(OLD)

    assert ring.decrypt(ring.encrypt(plain, "person.phone"), "person.phone") == plain


def test_equal_values_look_different_at_rest() -> None:
    ring = Keyring(OLD)

    assert ring.encrypt("13800002045", "person.phone") != ring.encrypt("13800002045", "person.phone")


def test_a_new_key_encrypts_and_the_old_one_still_reads() -> None:
    stored = Keyring(OLD).encrypt("13800002045", "person.phone")
    ring = Keyring(f"{NEW},{OLD}")

    assert ring.decrypt(stored, "person.phone") == "13800002045"
    assert not ring.is_newest(stored)
    assert ring.is_newest(ring.encrypt("1", "person.phone"))


def test_a_value_cannot_be_moved_altered_or_read_without_its_key() -> None:
    stored = Keyring(OLD).encrypt("13800002045", "person.phone")
    altered = stored[:-6] + ("AAAA" if stored[-6:-2] != "AAAA" else "BBBB") + stored[-2:]

    for ring, text, purpose in (
        (Keyring(OLD), stored, "person.email"),
        (Keyring(OLD), altered, "person.phone"),
        (Keyring(NEW), stored, "person.phone"),
    ):
        with pytest.raises(Unreadable):
            ring.decrypt(text, purpose)


@pytest.mark.parametrize("described", ["", "k1", "k1:abcd", f"k 1:{'11' * 32}", f"k1:{'zz' * 32}"])
def test_bad_keys_are_refused(described: str) -> None:
    with pytest.raises(ValueError):
        Keyring(described)


def test_fingerprints_find_equal_values_of_one_purpose_only(app: Flask) -> None:
    assert fingerprint("a", "person.phone") == fingerprint("a", "person.phone")
    assert fingerprint("a", "person.phone") != fingerprint("a", "person.email")
    assert fingerprint("a", "person.phone") != "a"
