"""Structures of Thrift's compact protocol, in which a Parquet file writes its headers.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

import struct
from typing import Any

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12
_WHOLE = (4, 5, 6)  # of 16, 32 and 64 bits
DEEPEST = 16
"""Structures and lists within each other; those of Parquet are half as deep."""


def read_struct(data: memoryview, place: int) -> tuple[dict[int, Any], int]:
    """The structure that begins at a place, its values by the numbers of their fields, and the place behind it.

    Whole numbers and truth values are themselves, binary ones slices of the data, lists and sets lists.

    Raises:
        ValueError, IndexError, struct.error: it is none.
    """
    return _struct(data, place, 0)


def _struct(data: memoryview, place: int, depth: int) -> tuple[dict[int, Any], int]:
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    found: dict[int, Any] = {}
    number = 0
    while True:
        head = data[place]
        place += 1
        if head == 0:
            return found, place
        kind, step = head & 15, head >> 4
        if step:
            number += step
        else:
            number, place = _whole(data, place)
        if kind in (_TRUE, _FALSE):
            found[number] = kind == _TRUE
        else:
            found[number], place = _value(data, place, kind, depth)


def _value(data: memoryview, place: int, kind: int, depth: int) -> tuple[Any, int]:
    if kind in _WHOLE:
        return _whole(data, place)
    if kind == _BINARY:
        length, place = _unsigned(data, place)
        if length > len(data) - place:
            raise ValueError("longer than what holds it")
        return data[place : place + length], place + length
    if kind == _STRUCT:
        return _struct(data, place, depth + 1)
    if kind in (_LIST, _SET):
        return _list(data, place, depth)
    if kind in (_TRUE, _FALSE, _BYTE):  # a truth value in a list is a byte
        return data[place], place + 1
    if kind == _DOUBLE:
        return struct.unpack_from("<d", data, place)[0], place + 8
    if kind == _MAP:
        return _map(data, place, depth)
    raise ValueError("no kind of value")


def _list(data: memoryview, place: int, depth: int) -> tuple[list[Any], int]:
    head = data[place]
    place += 1
    length, kind = head >> 4, head & 15
    if length == 15:
        length, place = _unsigned(data, place)
    if length > len(data) - place:  # each takes a byte at least
        raise ValueError("longer than what holds it")
    found = []
    for _ in range(length):
        value, place = _value(data, place, kind, depth + 1)
        found.append(value)
    return found, place


def _map(data: memoryview, place: int, depth: int) -> tuple[dict[Any, Any], int]:
    length, place = _unsigned(data, place)
    if not length:
        return {}, place
    kinds = data[place]
    place += 1
    if length > len(data) - place:
        raise ValueError("longer than what holds it")
    for _ in range(length):
        _, place = _value(data, place, kinds >> 4, depth + 1)
        _, place = _value(data, place, kinds & 15, depth + 1)
    return {}, place  # Parquet has none whose entries are asked for


def _unsigned(data: memoryview, place: int) -> tuple[int, int]:
    found = shift = 0
    while shift < 70:
        byte = data[place]
        place += 1
        found |= (byte & 127) << shift
        if byte < 128:
            return found, place
        shift += 7
    raise ValueError("a number of more than 64 bits")


def _whole(data: memoryview, place: int) -> tuple[int, int]:
    """Zigzag: 0, −1, 1, −2, …"""
    found, place = _unsigned(data, place)
    return (found >> 1) ^ -(found & 1), place
