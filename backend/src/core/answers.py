"""Answers with an entity tag (RFC 9110): who knows a version need not read it again, and changes only what it knows."""

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Response
from pydantic import BaseModel

_TAG = re.compile(r'(?:W/)?"([^"]*)"')

ETAG: dict[str, Any] = {"ETag": {"description": "Names this version.", "schema": {"type": "string"}}}
"""The header, for an OpenAPI answer."""

NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "Unchanged: `If-None-Match` names this version."}}
"""The answer to who knows it already, for OpenAPI."""


def _tags(header: str | None) -> frozenset[str] | None:
    """The tags in a header. Weak ones count: a proxy that compresses makes all of them weak."""
    if header is None:
        return None
    return frozenset("*") if header.strip() == "*" else frozenset(_TAG.findall(header))


@dataclass(frozen=True)
class IfMatch:
    """What a client says of the version that it changes."""

    versions: frozenset[int] | None
    """Those that may be changed; None: any."""

    given: bool


async def _if_match(
    if_match: Annotated[
        str | None,
        Header(description="The `ETag` of what is to be changed: 412 if it has changed since. `*`: whatever it is."),
    ] = None,
) -> IfMatch:
    tags = _tags(if_match)
    if tags is None or "*" in tags:
        return IfMatch(None, given=tags is not None)
    # Longer ones are no versions, and no numbers of the database's.
    return IfMatch(frozenset(int(tag) for tag in tags if re.fullmatch("[0-9]{1,9}", tag)), given=True)


async def _if_none_match(
    if_none_match: Annotated[str | None, Header(description="An `ETag`: 304 if this is it.")] = None,
) -> frozenset[str]:
    return _tags(if_none_match) or frozenset()


IfMatchDep = Annotated[IfMatch, Depends(_if_match)]

KnownDep = Annotated[frozenset[str], Depends(_if_none_match)]
"""The tags of what the client knows."""


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def answer(
    body: BaseModel,
    *,
    status: int = 200,
    tag: str | None = None,
    known: frozenset[str] = frozenset(),
    headers: dict[str, str] | None = None,
) -> Response:
    """An answer with its entity tag, by default of its content; 304 where the client knows it.

    Written by the model itself: FastAPI would make and check it a second time.
    """
    content = body.model_dump_json().encode()
    tag = tag or f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {**(headers or {}), "ETag": tag}
    if "*" in known or tag.strip('"') in known:
        return Response(status_code=304, headers=headers)
    return Response(content, status, headers, "application/json")
