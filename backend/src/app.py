"""Puts the application together."""

import asyncio
import signal
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import FrameType

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from src.auth.account_router import router as account_router
from src.auth.account_router import tokens_router
from src.auth.reset_router import router as reset_router
from src.auth.router import router as auth_router
from src.chat.assistant import Assistant
from src.chat.offline import OfflineAssistant
from src.chat.router import router as chat_router
from src.core.client import ClientAddress
from src.core.database import Database
from src.core.docs import install_docs
from src.core.errors import install_error_handlers
from src.core.health import router as health_router
from src.core.mail import Mailer
from src.core.metrics import Metrics
from src.core.middleware import BodyLimit, CrossOriginProtection, RequestContext
from src.core.settings import Settings
from src.events.hub import Hub
from src.events.router import router as events_router
from src.grammar.router import router as grammar_router
from src.sweep import sweep_again_and_again
from src.tasks.router import router as tasks_router
from src.tasks.router import trash_router
from src.transfer.router import router as transfer_router
from src.transfer.schemas import MAX_IMPORT_BYTES

SETTLE_SECONDS = 2.0
"""How long a process that ends waits for answers that were broken off to be written down."""


def create_app(settings: Settings) -> FastAPI:
    """The application with its own database pool and metrics."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        _on_sigterm(app.state.hub.close)
        sweeper = asyncio.create_task(sweep_again_and_again(app.state.database))
        yield
        sweeper.cancel()
        await asyncio.wait({sweeper})
        await app.state.hub.stop()
        # uvicorn has cancelled what took longer than its grace period, but does not wait for it.
        if answers := [task for task in app.state.answers if not task.done()]:
            await asyncio.wait(answers, timeout=SETTLE_SECONDS)
        await app.state.assistant.close()
        await app.state.database.close()
        # uvicorn sends itself the signal again once all is done, and would end as killed instead of with 0.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    app = FastAPI(
        title="Todo API",
        version="1.0.0",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.metrics = Metrics()
    app.state.database = Database(settings.database_url.get_secret_value(), app.state.metrics.overloads.inc)
    app.state.hub = Hub(app.state.database)
    app.state.assistant = _assistant(settings)
    app.state.mailer = Mailer(settings.smtp_url.get_secret_value()) if settings.smtp_url else None
    app.state.answers = weakref.WeakSet[asyncio.Task[None]]()

    for router in (
        auth_router,
        account_router,
        reset_router,
        tokens_router,
        tasks_router,
        trash_router,
        chat_router,
        grammar_router,
        events_router,
        transfer_router,
        health_router,
    ):
        app.include_router(router)
    install_error_handlers(app)
    install_docs(app)
    _build_routes(app)

    # The last one added is the outermost.
    app.add_middleware(BodyLimit, larger={"/api/import": MAX_IMPORT_BYTES})
    app.add_middleware(CrossOriginProtection, trusted_origins=settings.trusted_origins)
    if settings.trusted_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.trusted_origins,
            allow_credentials=True,
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "X-Request-ID", "X-User-Id"],
            expose_headers=["ETag", "Location", "X-Request-ID", "Retry-After"],
            max_age=600,
        )
    app.add_middleware(RequestContext, metrics=app.state.metrics)
    if settings.trusted_proxies:
        app.add_middleware(ClientAddress, trusted_proxies=settings.trusted_proxies)
    return app


def _build_routes(app: FastAPI) -> None:
    """Have what FastAPI leaves to the first request, 0.2 s of models and validators, done before there is one."""
    for route in app.routes:
        route.matches({"type": "http", "method": "GET", "path": "/", "headers": []})


def _on_sigterm(end: Callable[[], None]) -> None:
    """Call `end` on the loop when the process is asked to end, before uvicorn waits for what still runs."""
    if threading.current_thread() is not threading.main_thread():
        return  # a test: signals are the main thread's
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGTERM)

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(end)
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, handle)


def _assistant(settings: Settings) -> Assistant:
    if settings.openai_api_key is None:
        return OfflineAssistant()
    # Only where it is used: an HTTP client is a good part of the memory and of the time to start.
    from src.chat.openai import OpenAIAssistant

    key = settings.openai_api_key.get_secret_value()
    return OpenAIAssistant(settings.openai_base_url, key, settings.openai_model)
