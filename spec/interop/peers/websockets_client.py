"""Python's websockets as a client. Arguments: the server, then the names of the cases, which cases.js describes."""

import asyncio
import itertools
import json
import sys
import time
from urllib.parse import quote

import websockets

BASE, *NAMES = sys.argv[1:]
FRAGMENTS = ["frag", "mènt", "", "ed 🌍"]
numbers = itertools.count(1)


def connect(path, subprotocols=None):
    return websockets.connect(BASE + path, subprotocols=subprotocols, max_size=None)


def pattern(length):
    return bytes((index * 31 + 7) % 251 for index in range(length))


def same(actual, expected):
    assert actual == expected, f"expected {expected!r:.120}, got {actual!r:.120}"


def echoes(*messages):
    async def run():
        async with connect("/echo") as socket:
            for message in messages:
                answer, _ = await asyncio.gather(socket.recv(), socket.send(message))
                same(answer, message)

    return run


async def burst():
    async with connect("/echo") as socket:

        async def send():
            for n in range(1000):
                await socket.send(f"message {n}")

        async def receive():
            for n in range(1000):
                same(await socket.recv(), f"message {n}")

        await asyncio.gather(send(), receive())


async def fragments_sent():
    async with connect("/echo") as socket:

        async def parts():
            for index, part in enumerate(FRAGMENTS):
                yield part
                if index == 0:
                    await socket.ping("between")

        await socket.send(parts())
        same(await socket.recv(), "".join(FRAGMENTS))
        await socket.send([pattern(1), pattern(70_000), b""])
        same(await socket.recv(), pattern(1) + pattern(70_000))


async def fragments_received():
    async with connect("/fragments") as socket:
        same(await socket.recv(), "".join(FRAGMENTS))
        same(await socket.recv(), "".join(FRAGMENTS).encode())


async def ping_sent():
    async with connect("/echo") as socket:
        await (await socket.ping("are you there?"))
        await (await socket.ping("x" * 125))


async def ping_received():
    async with connect("/pinged") as socket:
        same(await socket.recv(), "pong came")


def close_sent(code, reason):
    async def run():
        name = f"{time.time_ns()}-{next(numbers)}"
        async with connect(f"/echo?id={name}") as socket:
            await socket.close(code, reason)
        async with connect(f"/closed?id={name}") as observer:
            same(json.loads(await observer.recv()), {"code": code, "reason": reason})

    return run


def close_received(code, reason):
    async def run():
        async with connect(f"/close?code={code}&reason={quote(reason)}") as socket:
            await socket.wait_closed()
            same((socket.close_code, socket.close_reason), (code, reason))

    return run


def negotiates(offered, expected):
    async def run():
        async with connect("/echo", offered) as socket:
            same(socket.subprotocol, expected)

    return run


def refuses(path, status):
    async def run():
        try:
            async with connect(path):
                pass
        except websockets.InvalidStatusCode as error:
            same(error.status_code, status)
        else:
            raise AssertionError(f"{path} was not refused")

    return run


CASES = {
    "text": echoes("hello", "Grüße, 世界, مرحبا, 🌍"),
    "binary": echoes(pattern(256), pattern(1)),
    "empty": echoes("", b"", ""),
    "125 B": echoes(pattern(125), "x" * 125),
    "126 B": echoes(pattern(126), "x" * 126),
    "65,535 B": echoes(pattern(65_535), "x" * 65_535),
    "65,536 B": echoes(pattern(65_536), "x" * 65_536),
    "5 MB": echoes(pattern(5_000_000), "größe" * 700_000),
    "burst of 1,000": burst,
    "fragments sent": fragments_sent,
    "fragments received": fragments_received,
    "ping sent": ping_sent,
    "ping received": ping_received,
    "close 1000 sent": close_sent(1000, ""),
    "close 4000 sent": close_sent(4000, "tschüß"),
    "close 1001 received": close_received(1001, "going"),
    "close 4321 received": close_received(4321, "schöner Grund"),
    "subprotocol": negotiates(["x", "chat.v2"], "chat.v2"),
    "no subprotocol": negotiates(None, None),
    "refused 403": refuses("/refused", 403),
    "refused 404": refuses("/nowhere", 404),
}


async def main():
    for name in NAMES:
        detail = ""
        try:
            await asyncio.wait_for(CASES[name](), 15)
        except Exception as error:  # a failed case is a result
            detail = f"{type(error).__name__}: {error}"
        print(json.dumps({"case": name, "ok": detail == "", "detail": detail}), flush=True)


asyncio.run(main())
