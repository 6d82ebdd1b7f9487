# SPDX-License-Identifier: GPL-3.0-or-later
"""Points of elliptic curves, as far as public keys are points: sshd refuses one that is not on its curve.

It does take an Ed25519 point of small order, for which anybody can make signatures.
"""

from __future__ import annotations

# Each curve y^2 = x^3 - 3x + b by its prime, its b and its order (FIPS 186).
_CURVES = {
    "nistp256": (
        2**256 - 2**224 + 2**192 + 2**96 - 1,
        0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    ),
    "nistp384": (
        2**384 - 2**128 - 2**96 + 2**32 - 1,
        int(
            "b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef",
            16,
        ),
        int(
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
            16,
        ),
    ),
    "nistp521": (
        2**521 - 1,
        int(
            "0051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef1"
            "09e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00",
            16,
        ),
        int(
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
            "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
            16,
        ),
    ),
}

_P = 2**255 - 19
# The y of the points of small order, each of which has two signs, and those that are written with a y beyond the prime.
_SMALL_ORDER = (
    0,
    1,
    _P - 1,
    _P,
    _P + 1,
    2707385501144840649318225287225658788936804267575313519463743609750303402022,
    _P - 2707385501144840649318225287225658788936804267575313519463743609750303402022,
)
WEAK_ED25519 = frozenset((y | sign << 255).to_bytes(32, "little") for y in _SMALL_ORDER for sign in (0, 1))


def is_point(curve: str, point: bytes) -> bool:
    """Whether an uncompressed point is on its curve, and within the bounds that OpenSSH sets for public keys."""
    prime, b, order = _CURVES[curve]
    size = len(point) // 2
    x, y = (int.from_bytes(point[1 + size * half :][:size], "big") for half in (0, 1))
    if any(number.bit_length() <= order.bit_length() // 2 or number >= order - 1 for number in (x, y)):
        return False
    return (y * y - (x * x * x - 3 * x + b)) % prime == 0
