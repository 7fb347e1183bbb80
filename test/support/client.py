"""
The Python client of test/clients.test.ts. It connects, has a conversation with the server, disconnects, and prints what
it received as JSON:

    /usr/bin/python3 client.py URL (threads|asyncio) TRANSPORT...
"""
import asyncio
import json
import sys
import threading

import socketio

PATIENCE = 20


def question(data):
    return {"got": list(data)}


def with_threads(url, transports):
    client = socketio.Client(reconnection=False)
    said = []
    heard = threading.Event()

    @client.on("said")
    def on_said(*words):
        said.extend(words)
        heard.set()

    client.on("question", question)
    client.connect(url, transports=transports, wait_timeout=PATIENCE)
    transport = client.transport()
    echo = client.call("echo", {"text": "火の粉 🔥", "nested": [None, True, 1.5]}, timeout=PATIENCE)
    reverse = client.call("reverse", bytes([1, 2, 255, 0]), timeout=PATIENCE)
    client.emit("say", ("hello", bytes([3, 4])))
    heard.wait(PATIENCE)
    asked = client.call("ask me", timeout=PATIENCE)
    client.disconnect()
    return report(transport, echo, reverse, said, asked)


async def with_asyncio(url, transports):
    client = socketio.AsyncClient(reconnection=False)
    said = []
    heard = asyncio.Event()

    @client.on("said")
    async def on_said(*words):
        said.extend(words)
        heard.set()

    client.on("question", question)
    await client.connect(url, transports=transports, wait_timeout=PATIENCE)
    transport = client.transport()
    echo = await client.call("echo", {"text": "火の粉 🔥", "nested": [None, True, 1.5]}, timeout=PATIENCE)
    reverse = await client.call("reverse", bytes([1, 2, 255, 0]), timeout=PATIENCE)
    await client.emit("say", ("hello", bytes([3, 4])))
    await asyncio.wait_for(heard.wait(), PATIENCE)
    asked = await client.call("ask me", timeout=PATIENCE)
    await client.disconnect()
    return report(transport, echo, reverse, said, asked)


def report(transport, echo, reverse, said, asked):
    words = [list(word) if isinstance(word, bytes) else word for word in said]
    return {"transport": transport, "echo": echo, "reverse": list(reverse), "said": words, "asked": asked}


address, kind, *wanted = sys.argv[1:]
outcome = with_threads(address, wanted) if kind == "threads" else asyncio.run(with_asyncio(address, wanted))
print(json.dumps(outcome))
