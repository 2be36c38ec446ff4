"""A hash table of words, laid out in arrays, so that it works from a file as from memory.

Words are bytes; word i is content[offsets[i]:offsets[i + 1]]. The table names, for every slot, a word or -1; a word
stands in the first free slot from its hash on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fuzzyjoin.kernels.jit import inlined, kernel

if TYPE_CHECKING:
    from fuzzyjoin.kernels.types import Int32Array, Int64Array, UInt8Array

__all__ = ["find_words", "word_table"]

FNV_OFFSET = np.uint64(14695981039346656037)
FNV_PRIME = np.uint64(1099511628211)


@inlined
def hash_of(content: UInt8Array, start: int, end: int) -> int:
    """FNV-1a, its upper half folded into the lower: the slot is taken from the lowest bits."""
    value = FNV_OFFSET
    for place in range(start, end):
        value = (value ^ np.uint64(content[place])) * FNV_PRIME
    return int((value ^ (value >> np.uint64(32))) & np.uint64(0x7FFFFFFF))


@inlined
def are_equal(
    content: UInt8Array, start: int, end: int, other_content: UInt8Array, other_start: int, other_end: int
) -> bool:
    """Whether two words are the same bytes."""
    if end - start != other_end - other_start:
        return False
    equal = True
    for place in range(end - start):
        equal &= content[start + place] == other_content[other_start + place]
    return equal


@kernel
def word_table(content: UInt8Array, offsets: Int64Array) -> Int32Array:
    """A table of distinct words, at most half full; its size is a power of two, at least 2."""
    words = offsets.size - 1
    slots = 2
    while slots < 2 * words:
        slots *= 2
    table = np.full(slots, -1, np.int32)
    for word in range(words):
        slot = hash_of(content, offsets[word], offsets[word + 1]) & (slots - 1)
        while table[slot] >= 0:
            slot = (slot + 1) & (slots - 1)
        table[slot] = word
    return table


@kernel
def find_words(
    table: Int32Array, content: UInt8Array, offsets: Int64Array, asked_content: UInt8Array, asked_offsets: Int64Array
) -> Int64Array:
    """The position of each word asked for among the words of the table, -1 where it is none of them."""
    found = np.full(asked_offsets.size - 1, -1, np.int64)
    for asked in range(found.size):
        start = asked_offsets[asked]
        end = asked_offsets[asked + 1]
        slot = hash_of(asked_content, start, end) & (table.size - 1)
        while table[slot] >= 0:
            word = table[slot]
            if are_equal(asked_content, start, end, content, offsets[word], offsets[word + 1]):
                found[asked] = word
                break
            slot = (slot + 1) & (table.size - 1)
    return found
