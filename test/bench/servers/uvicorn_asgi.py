"""python-socketio on uvicorn."""

import socket

import socketio
import uvicorn

sio = socketio.AsyncServer(async_mode="asgi")


@sio.on("echo")
async def echo(sid, data):
    await sio.emit("echo", data, to=sid)


@sio.on("ask")
async def ask(sid, data):
    return data


@sio.on("cast")
async def cast(sid, data):
    await sio.emit("cast", data)


async def page(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"12")]})
    await send({"type": "http.response.body", "body": b"Hello, world"})


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(2048)
print(f"listening on {listener.getsockname()[1]}", flush=True)
app = socketio.ASGIApp(sio, page)
uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([listener])
