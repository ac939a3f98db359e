"""Examples for the OpenAPI document: made of the models themselves, so that they cannot be wrong."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from pydantic import BaseModel, SecretStr

from src.auth.schemas import (
    AccountDeletion,
    ApiTokenCreated,
    ApiTokenList,
    ApiTokenNew,
    ApiTokenOut,
    Credentials,
    PasswordChange,
    PasswordReset,
    ResetMail,
    ResetOptions,
    Scope,
    SessionInfo,
    SessionList,
    SessionOut,
    UserOut,
)
from src.chat.schemas import (
    AssistantKind,
    ChatMessage,
    ChatReply,
    ChatRequest,
    ConfirmationOut,
    ConfirmationStatus,
    ConversationOut,
    ConversationPage,
    ConversationSummary,
    Delta,
    DeltaEvent,
    DoneEvent,
    Role,
    ToolCall,
    ToolResult,
    ToolStatus,
)
from src.core.errors import EXAMPLES as PROBLEMS
from src.core.health import Health, Readiness
from src.core.schema_version import REQUIRED_REVISION
from src.events.schemas import ChangeKind, Ready, TaskChange
from src.grammar.router import understood
from src.grammar.schemas import ParseRequest
from src.tasks import trash
from src.tasks.schemas import Priority, Task, TaskCreate, TaskPage, TaskUpdate, TrashedTask, TrashPage
from src.transfer.schemas import (
    Counts,
    ExportedConversation,
    ExportedTask,
    ExportFile,
    ImportFile,
    ImportResult,
)

_NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
_CONVERSATION_ID = UUID("6c8b8a7e-2f0d-4f63-8f0a-52f4d2f8a3b1")
_TASK = Task(
    id=UUID("0b1f6a52-6f0e-4f9b-9a53-1d6b7a3d8c11"),
    title="Buy milk",
    description="Two litres, the one with the blue lid.",
    completed=False,
    completed_at=None,
    priority=Priority.MEDIUM,
    due_at=_NOW + timedelta(days=9),
    tags=["home", "shop"],
    created_at=_NOW,
    updated_at=_NOW,
    version=1,
)
_USER = UserOut(id=UUID("9d3c5b2e-7a41-4c58-b1f0-3e6d8a90c7f2"), email="ada@example.com", created_at=_NOW)
_SESSION = SessionInfo(
    id=UUID("3f0e9c1a-5b7d-4c26-9a8e-1d4b6f2a7c05"),
    device="Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
    created_at=_NOW,
    last_used_at=_NOW,
    expires_at=_NOW + timedelta(days=7),
    current=True,
)
_TOKEN = ApiTokenOut(
    id=UUID("a4d7e2b9-0c53-4f18-8b6a-7e9d1c3f5a20"),
    name="Backup of my tasks",
    scope=Scope.READ,
    created_at=_NOW,
    last_used_at=None,
)
_CONFIRMATION = ConfirmationOut(
    id=UUID("f2a7c1d0-93b4-4e15-8c6a-0b5d7e9f1a23"),
    task_id=_TASK.id,
    task_title=_TASK.title,
    status=ConfirmationStatus.PENDING,
    expires_at=_NOW + timedelta(minutes=10),
)
_ASKED = ChatMessage(id=41, role=Role.USER, content="delete milk", tool_calls=[], created_at=_NOW)
_CALL = ToolCall(
    id="call_1",
    name="delete_task",
    arguments={"task_id": str(_TASK.id)},
    result=ToolResult(
        status=ToolStatus.CONFIRMATION_REQUIRED,
        detail="Not deleted yet: the user is being asked to confirm.",
        tasks=[_TASK],
        confirmation_id=_CONFIRMATION.id,
    ),
)
_CALLED = ChatMessage(id=42, role=Role.ASSISTANT, content="", tool_calls=[_CALL], created_at=_NOW)
_WORDS = "Shall I really delete “Buy milk”? Please confirm."
_ANSWERED = ChatMessage(id=43, role=Role.ASSISTANT, content=_WORDS, tool_calls=[], created_at=_NOW)
_SUMMARY = ConversationSummary(id=_CONVERSATION_ID, title="delete milk", created_at=_NOW, updated_at=_NOW)
_REPLY = ChatReply(
    conversation_id=_CONVERSATION_ID,
    assistant=AssistantKind.OFFLINE,
    messages=[_CALLED, _ANSWERED],
    confirmations=[_CONFIRMATION],
)

_EXPORT = ExportFile(
    exported_at=_NOW,
    account=_USER,
    sessions=[_SESSION],
    tokens=[_TOKEN],
    tasks=[ExportedTask(**dict(_TASK), deleted_at=None)],
    conversations=[ExportedConversation(**_SUMMARY.model_dump(), messages=[_ASKED])],
)

_MODELS: tuple[BaseModel, ...] = (
    Credentials(email="ada@example.com", password=SecretStr("correct horse battery")),
    AccountDeletion(password=SecretStr("correct horse battery")),
    SessionOut(access_token="eyJhbGciOiJIUzI1NiJ9.…", expires_at=_NOW + timedelta(days=7), user=_USER),  # noqa: S106
    _USER,
    PasswordChange(password=SecretStr("correct horse battery"), new_password=SecretStr("staple of the horse")),
    ResetMail(email=_USER.email),
    ResetOptions(mail=True),
    PasswordReset(email=_USER.email, code=SecretStr("7KQ2-M0XD-94RB-TZ3A"), password=SecretStr("staple of the horse")),
    SessionList(items=[_SESSION]),
    ApiTokenNew(name=_TOKEN.name, scope=_TOKEN.scope),
    ApiTokenCreated(**dict(_TOKEN), token="todo_…"),  # noqa: S106
    ApiTokenList(items=[_TOKEN]),
    TaskCreate(title=_TASK.title, priority=Priority.HIGH, due_at=_TASK.due_at, tags=["home", "shop"]),
    TaskUpdate(completed=True),
    _TASK,
    TaskPage(items=[_TASK], next_cursor=None, total=1),
    TrashPage(items=[TrashedTask(**dict(_TASK), deleted_at=_NOW, purged_at=_NOW + trash.LIFETIME)], next_cursor=None),
    ParseRequest(text="Pay rent fri 5pm !high #home", timezone="Europe/Berlin"),
    understood("Pay rent fri 5pm !high #home", _NOW.astimezone(ZoneInfo("Europe/Berlin"))),
    ChatRequest(message="delete milk", timezone="Europe/Berlin"),
    _REPLY,
    ConversationPage(items=[_SUMMARY], next_cursor=None, assistant=AssistantKind.OFFLINE),
    ConversationOut(
        **_SUMMARY.model_dump(), messages=[_ASKED, _CALLED, _ANSWERED], confirmations=[_CONFIRMATION], next_cursor=None
    ),
    _EXPORT,
    ImportFile.model_validate_json(_EXPORT.model_dump_json()),
    ImportResult(tasks=Counts(added=1, skipped=0), conversations=Counts(added=1, skipped=0)),
    _CONFIRMATION,
    Health(environment="development", api_version="v1", assistant="offline"),
    Readiness(schema_revision=REQUIRED_REVISION),
)


def _json(model: BaseModel) -> dict[str, Any]:
    values = model.model_dump(mode="json", exclude_unset=isinstance(model, TaskCreate | TaskUpdate | ChatRequest))
    # Nothing shows a secret by itself.
    secrets = {name: value.get_secret_value() for name, value in model if isinstance(value, SecretStr)}
    return values | secrets


def examples() -> dict[str, Any]:
    """The document's `components/examples`: by the name of a model, by an error's code, and of streams."""
    events = (DeltaEvent(data=Delta(text=_WORDS)), DoneEvent(data=_REPLY))
    stream = "".join(f"event: {event.event}\ndata: {event.data.model_dump_json()}\n\n" for event in events)
    named: dict[str, Any] = {type(model).__name__: _json(model) for model in _MODELS}
    ready, change = Ready(resumed=True), TaskChange(change=ChangeKind.UPDATED, task_id=_TASK.id, version=2)
    changes = "".join(
        f"event: {name}\ndata: {data.model_dump_json()}\nid: {number}\n\n"
        for number, name, data in ((41, "ready", ready), (42, "task", change))
    )
    streams = {"ChatEvent": stream, "Event": changes}
    return {name: {"value": value} for name, value in {**named, **PROBLEMS, **streams}.items()}
