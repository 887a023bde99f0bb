"""The DES cipher (FIPS 46-3), encrypting single blocks: VNC authentication needs it, and Python's own library has none.

Tables number bits as the standard does: from 1, the first being the most significant.
"""

from __future__ import annotations

from collections.abc import Sequence

_INITIAL = tuple(bit for first in (58, 60, 62, 64, 57, 59, 61, 63) for bit in range(first, 0, -8))
_FINAL = tuple(_INITIAL.index(bit) + 1 for bit in range(1, 65))
_EXPANSION = tuple((4 * group + step - 1) % 32 + 1 for group in range(8) for step in range(6))
# fmt: off
_PERMUTATION = (
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
)
_KEY = (
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44, 36,
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12, 4,
)
_ROUND_KEY = (
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
)
# fmt: on
_SHIFTS = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
_BOXES = tuple(
    tuple(int(digit, 16) for digit in digits)
    for digits in (
        "e4d12fb83a6c5907" "0f74e2d1a6cb9538" "41e8d62bfc973a50" "fc8249175b3ea06d",
        "f18e6b34972dc05a" "3d47f28ec01a69b5" "0e7ba4d158c6932f" "d8a13f42b67c05e9",
        "a09e63f51dc7b428" "d709346a285ecbf1" "d6498f30b12c5ae7" "1ad069874fe3b52c",
        "7de3069a1285bc4f" "d8b56f03472c1ae9" "a690cb7df13e5284" "3f06a1d8945bc72e",
        "2c417ab6853fd0e9" "eb2c47d150fa3986" "421bad78f9c5630e" "b8c71e2d6f09a453",
        "c1af92680d34e75b" "af427c9561de0b38" "9ef528c3704a1db6" "432c95fabe17608d",
        "4b2ef08d3c975a61" "d0b7491ae35c2f86" "14bdc37eaf680592" "6bd814a7950fe23c",
        "d2846fb1a93e50c7" "1fd8a374c56b0e92" "7b419ce206adf358" "21e74a8dfc90356b",
    )
)


def _permuted(value: int, width: int, table: Sequence[int]) -> int:
    result = 0
    for bit in table:
        result = result << 1 | value >> (width - bit) & 1
    return result


def _round_keys(key: bytes) -> list[int]:
    halves = _permuted(int.from_bytes(key), 64, _KEY)
    left, right = halves >> 28, halves & 0xFFFFFFF
    keys = []
    for shift in _SHIFTS:
        left = (left << shift | left >> (28 - shift)) & 0xFFFFFFF
        right = (right << shift | right >> (28 - shift)) & 0xFFFFFFF
        keys.append(_permuted(left << 28 | right, 56, _ROUND_KEY))
    return keys


def _mixed(half: int, round_key: int) -> int:
    expanded = _permuted(half, 32, _EXPANSION) ^ round_key
    result = 0
    for number, box in enumerate(_BOXES):
        six = expanded >> (42 - 6 * number) & 63
        row, column = six >> 4 & 2 | six & 1, six >> 1 & 15
        result = result << 4 | box[16 * row + column]
    return _permuted(result, 32, _PERMUTATION)


def encrypt(key: bytes, block: bytes) -> bytes:
    """One block of 8 bytes under a key of 8 bytes, whose parity bits are not looked at."""
    if len(key) != 8 or len(block) != 8:
        raise ValueError("DES has keys and blocks of 8 bytes")
    both = _permuted(int.from_bytes(block), 64, _INITIAL)
    left, right = both >> 32, both & 0xFFFFFFFF
    for round_key in _round_keys(key):
        left, right = right, left ^ _mixed(right, round_key)
    return _permuted(right << 32 | left, 64, _FINAL).to_bytes(8)
