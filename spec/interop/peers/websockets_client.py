"""Python's websockets as a client. Arguments: the server, the game, then the names of the cases.

cases.js and compression-cases.js describe them.
"""

import asyncio
import functools
import itertools
import json
import random
import sys
import time
from urllib.parse import quote

import websockets
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

BASE, GAME, *NAMES = sys.argv[1:]
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


TAKEOVERS = [
    {},
    {"serverNoContextTakeover": True},
    {"clientNoContextTakeover": True},
    {"serverNoContextTakeover": True, "clientNoContextTakeover": True},
]
WINDOWS = [(bits, 23 - bits) for bits in range(8, 16)] + [(bits, bits) for bits in range(8, 16)]
MIXED = [f"{index}: {'grün und gelb, ' * (index * 10)}" for index in range(20)]


def factory(offer):
    return ClientPerMessageDeflateFactory(
        server_no_context_takeover=offer.get("serverNoContextTakeover", False),
        client_no_context_takeover=offer.get("clientNoContextTakeover", False),
        server_max_window_bits=offer.get("serverMaxWindowBits"),
        client_max_window_bits=offer.get("clientMaxWindowBits", True),
    )


def connect_compressed(path, offer={}, demand={}):
    query = f"{'&' if '?' in path else '?'}demand={quote(json.dumps(demand))}"
    return websockets.connect(BASE + path + query, extensions=[factory(offer)], compression=None, max_size=None)


@functools.lru_cache(None)
def noise(length, seed):
    data = bytearray(length)
    for at in range(length):
        seed = (seed * 1_664_525 + 1_013_904_223) & 0xFFFFFFFF
        data[at] = seed >> 24
    return bytes(data)


@functools.lru_cache(None)
def conversation():
    text = json.dumps([{"id": id, "name": f"jemand {id % 7}", "ok": id % 3 == 0} for id in range(40)])
    mixture = "世界, مرحبا, 🌍 " * 300 + text
    noises = [noise(700, 1), noise(40_000, 2), noise(40_000, 2), noise(700, 1)]
    return ["", "hello", text, text, b"", mixture, *noises, "", text, bytes(70_000), "hello"]


def assert_agreed(answer, wanted):
    name, *params = [part.strip() for part in answer.split(";")]
    same(name, "permessage-deflate")
    agreed = dict((param + "=").split("=")[:2] for param in params)
    for side in ("server", "client"):
        if wanted.get(f"{side}NoContextTakeover"):
            same(f"{side}_no_context_takeover" in agreed, True)
        bits = wanted.get(f"{side}MaxWindowBits")
        if bits is not None:
            same(int(agreed.get(f"{side}_max_window_bits", 15)), bits)


async def talks_with(offer, demand):
    async with connect_compressed("/agreed", offer, demand) as socket:
        assert_agreed(await socket.recv(), {**offer, **demand})
        for message in conversation():
            echo, _ = await asyncio.gather(socket.recv(), socket.send(message))
            same(echo, message)
        await (await socket.ping("between"))
        await socket.send("after the ping")
        same(await socket.recv(), "after the ping")


def each_takeover(run):
    async def each():
        for takeover in TAKEOVERS:
            try:
                await run(takeover)
            except Exception as error:
                raise AssertionError(f"{takeover}: {type(error).__name__}: {error}") from error

    return each


def for_windows(verb, run):
    def bound(bits):
        return each_takeover(lambda takeover: run({**bits, **takeover}))

    return {
        f"{verb} {server}/{client}": bound({"serverMaxWindowBits": server, "clientMaxWindowBits": client})
        for server, client in WINDOWS
    }


def compressed_echo(make):
    async def run():
        message = make()
        async with connect_compressed("/agreed") as socket:
            await socket.recv()
            echo, _ = await asyncio.gather(socket.recv(), socket.send(message))
            same(echo, message)

    return run


async def sent_smaller():
    async with connect_compressed("/counted") as socket:
        await socket.send("x")
        before = int(await socket.recv())
        await socket.send("again and " * 10_000)
        assert int(await socket.recv()) - before < 5_000


async def mixture_received():
    async with connect_compressed("/mixed") as socket:
        for message in MIXED:
            same(await socket.recv(), message)


async def compressed_fragments_received():
    async with connect_compressed("/fragments") as socket:
        same(await socket.recv(), "".join(FRAGMENTS))
        same(await socket.recv(), "".join(FRAGMENTS).encode())


async def compressed_fragments_sent():
    parts = [noise(5_000, 4), b"", noise(5_000, 4), bytes(70_000)]
    async with connect_compressed("/agreed") as socket:
        await socket.recv()

        async def texts():
            for index, part in enumerate(FRAGMENTS):
                yield part
                if index == 0:
                    await socket.ping("between")

        for _ in range(2):
            await socket.send(texts())
            same(await socket.recv(), "".join(FRAGMENTS))
            await socket.send(parts)
            same(await socket.recv(), b"".join(parts))


async def closed_with_a_reason():
    name = f"{time.time_ns()}-{next(numbers)}"
    async with connect_compressed(f"/agreed?id={name}") as socket:
        await socket.recv()
        texts = [f"{n} and {'again ' * n}" for n in range(100)]
        for text in texts:
            await socket.send(text)
        for text in texts:
            same(await socket.recv(), text)
        await socket.close(4000, "tschüß")
    async with connect_compressed(f"/closed?id={name}") as observer:
        same(json.loads(await observer.recv()), {"code": 4000, "reason": "tschüß"})


COMPRESSION_CASES = {
    "agreed by default": lambda: talks_with({}, {}),
    **for_windows("client asks", lambda parameters: talks_with(parameters, {})),
    **for_windows("server asks", lambda parameters: talks_with({}, parameters)),
    "what is sent is smaller": sent_smaller,
    "mixture received": mixture_received,
    "fragments received": compressed_fragments_received,
    "fragments sent, ping between": compressed_fragments_sent,
    "closed with a reason": closed_with_a_reason,
    "16 MB of text": compressed_echo(lambda: "größe und " * 1_398_100 + "äöü"),
    "16 MB of noise": compressed_echo(lambda: random.Random(3).randbytes(16_777_216)),
}

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
    cases = {"plain": CASES, "compression": COMPRESSION_CASES}[GAME]
    for name in NAMES:
        detail = ""
        try:
            await asyncio.wait_for(cases[name](), 25)
        except Exception as error:  # a failed case is a result
            detail = f"{type(error).__name__}: {error}"
        print(json.dumps({"case": name, "ok": detail == "", "detail": detail}), flush=True)


asyncio.run(main())
