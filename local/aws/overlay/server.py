"""The HTTP server: MiniStack's application with the control interface in front of it."""
import asyncio
import importlib.metadata
import logging
import os
import threading

import ministack.app as ministack_app
from hypercorn.asyncio import serve
from hypercorn.config import Config

from overlay import control, functions, http_apis, install


class Stop:
    """A wish to end, which threads and signal handlers may utter before the server runs."""

    def __init__(self):
        self._asked = threading.Event()
        self._loop = None
        self._wake = None

    def ask(self):
        self._asked.set()
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)

    async def wait(self):
        self._wake = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        if not self._asked.is_set():
            await self._wake.wait()


@control.route("GET", "health")
def _health(_body, _headers):
    return {"status": "ok", "ministack": importlib.metadata.version("ministack"), "pid": os.getpid()}


async def _app(scope, receive, send):
    if scope["type"] == "http" and scope["path"].startswith(control.PREFIX):
        await control.handle(scope, receive, send)
    else:
        await ministack_app.app(scope, receive, send)


def run(listener, lambda_endpoint_url, stopping, say):
    """Serves until asked to stop, and says so once requests are answered."""
    asyncio.run(_run(listener, lambda_endpoint_url, stopping, say))


async def _run(listener, lambda_endpoint_url, stopping, say):
    port = listener.getsockname()[1]
    install.all_concerns()
    functions.set_endpoint(lambda_endpoint_url or f"http://127.0.0.1:{port}")
    http_apis.set_port(port)
    # Scripts that a container image would run at its start are not ours to run.
    ministack_app._run_init_scripts = lambda: None
    ministack_app._collect_scripts = lambda *_directories: []
    smtp_port = await install.start_listeners()

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.keep_alive_timeout = 75
    config.graceful_timeout = 0.2
    config.loglevel = "WARNING"
    config.errorlog = logging.getLogger("hypercorn.error")

    started = asyncio.Event()

    async def app(scope, receive, send):
        if scope["type"] != "lifespan":
            return await _app(scope, receive, send)

        async def tell(message):
            if message["type"] == "lifespan.startup.complete":
                started.set()
            await send(message)

        await ministack_app.app(scope, receive, tell)

    serving = asyncio.ensure_future(serve(app, config, shutdown_trigger=stopping.wait))
    waiting = asyncio.ensure_future(started.wait())
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not serving.done():
        # The socket listens already: a request that comes before the server accepts waits in its queue.
        say({"port": port, "smtpPort": smtp_port})
    await serving
