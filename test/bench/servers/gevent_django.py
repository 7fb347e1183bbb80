"""The tutorial's server: python-socketio and Django on gevent."""

from gevent import monkey

monkey.patch_all()

import django  # noqa: E402
from django.conf import settings  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from gevent import pywsgi  # noqa: E402
from geventwebsocket.handler import WebSocketHandler  # noqa: E402
import socketio  # noqa: E402

settings.configure(ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, SECRET_KEY="benchmark")
django.setup()
urlpatterns = [path("", lambda request: HttpResponse("Hello, world"))]

from django.core.wsgi import get_wsgi_application  # noqa: E402

sio = socketio.Server(async_mode="gevent")


@sio.on("echo")
def echo(sid, data):
    sio.emit("echo", data, to=sid)


@sio.on("ask")
def ask(sid, data):
    return data


@sio.on("cast")
def cast(sid, data):
    sio.emit("cast", data)


app = socketio.WSGIApp(sio, get_wsgi_application())
server = pywsgi.WSGIServer(("127.0.0.1", 0), app, handler_class=WebSocketHandler, log=None)
server.start()
print(f"listening on {server.server_port}", flush=True)
server.serve_forever()
