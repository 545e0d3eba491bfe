"""Python's websockets as a server. Prints {"port": n}, and ends when its standard input does."""

import asyncio
import http
import json
import sys
from urllib.parse import parse_qs, urlsplit

import websockets
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

FRAGMENTS = ["frag", "mènt", "", "ed 🌍"]
REFUSALS = {"/refused": http.HTTPStatus.FORBIDDEN, "/nowhere": http.HTTPStatus.NOT_FOUND}
closings = {}


async def refuse(path, _headers):
    status = REFUSALS.get(urlsplit(path).path)
    return None if status is None else (status, [], b"not you\n")


class Protocol(websockets.WebSocketServerProtocol):
    """Demands of compression what the query says."""

    def process_extensions(self, headers, available_extensions):
        demand = parse_qs(urlsplit(self.path).query).get("demand")
        if demand is not None:
            available_extensions = [factory(json.loads(demand[0]))]
        return super().process_extensions(headers, available_extensions)


def factory(demand):
    return ServerPerMessageDeflateFactory(
        server_no_context_takeover=demand.get("serverNoContextTakeover", False),
        client_no_context_takeover=demand.get("clientNoContextTakeover", False),
        server_max_window_bits=demand.get("serverMaxWindowBits"),
        client_max_window_bits=demand.get("clientMaxWindowBits"),
    )


async def agreed(socket, query):
    await socket.send(socket.response_headers.get("Sec-WebSocket-Extensions", ""))
    await echo(socket, query)


async def echo(socket, query):
    closing = closings[query.get("id")] = asyncio.get_running_loop().create_future()
    try:
        async for message in socket:
            await socket.send(message)
    except websockets.ConnectionClosed:
        pass  # any code but 1000 and 1001
    await socket.wait_closed()
    closing.set_result({"code": socket.close_code, "reason": socket.close_reason})


async def close(socket, query):
    await socket.close(int(query["code"]), query["reason"])


async def closed(socket, query):
    await socket.send(json.dumps(await closings[query["id"]]))


async def pinged(socket, _query):
    await asyncio.wait_for(await socket.ping("are you there?"), 5)
    await socket.send("pong came")


async def fragments(socket, _query):
    await socket.send(FRAGMENTS)
    await socket.send([part.encode() for part in FRAGMENTS])


PATHS = {"/echo": echo, "/agreed": agreed, "/close": close, "/closed": closed, "/pinged": pinged, "/fragments": fragments}


async def serve(socket, path):
    url = urlsplit(path)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    await PATHS[url.path](socket, query)


async def main():
    options = {"process_request": refuse, "subprotocols": ["chat.v2", "chat.v1"], "max_size": None}
    options["create_protocol"] = Protocol
    async with websockets.serve(serve, "127.0.0.1", 0, **options) as server:
        print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
