"""The OpenAPI document as a page to read: plain HTML, no script, nothing loaded from anywhere."""

import base64
import hashlib
import json
import re
from html import escape
from typing import Any

STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; }
code, pre { font: 0.875rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
pre { overflow-x: auto; padding: 0.75rem; border: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
article { border-top: 1px solid color-mix(in srgb, currentColor 25%, transparent); padding-bottom: 1rem; }
h3 code { font-size: 1rem; }
dt { font-weight: 600; }
""".strip()

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)


def render(document: dict[str, Any]) -> str:
    """The page."""
    title = f"{document['info']['title']} {document['info']['version']}"
    operations = "".join(
        _operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "".join(_schema(name, schema) for name, schema in document["components"]["schemas"].items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main><h1>{escape(title)}</h1>{_text(document['info']['description'])}"
        f'<p><a href="openapi.json">OpenAPI document</a></p>'
        f"<h2>Operations</h2>{operations}<h2>Schemas</h2>{schemas}</main></body></html>"
    )


def _text(text: str) -> str:
    """Paragraphs, with the little Markdown that our descriptions use."""
    html = escape(text.strip())
    html = re.sub(r"`([^`]+)`", r"<code>\1</code>", html)
    html = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", html)
    return "".join(f"<p>{paragraph}</p>" for paragraph in html.split("\n\n"))


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    parts = [f"<article><h3><code>{method.upper()} {escape(path)}</code></h3>", _text(operation["description"])]
    items = [
        (f"<code>{escape(p['name'])}</code> ({p['in']})", _type(p["schema"])) for p in operation.get("parameters", [])
    ]
    items += [("Body", _content(operation["requestBody"]))] if "requestBody" in operation else []
    items += [
        (f"Answer {status}", f"{_text(answer['description'])}{_content(answer)}")
        for status, answer in operation["responses"].items()
    ]
    parts += ["<dl>", *(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in items), "</dl></article>"]
    return "".join(parts)


def _content(holder: dict[str, Any]) -> str:
    found = holder.get("content", {}).items()
    return "".join(f"<code>{escape(kind)}</code>: {_type(content['schema'])}<br>" for kind, content in found)


def _type(schema: dict[str, Any]) -> str:
    """A schema in a line: a link to a named one, or its own JSON."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[1])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    return f"<code>{escape(json.dumps({k: v for k, v in schema.items() if k != 'title'}))}</code>"


def _schema(name: str, schema: dict[str, Any]) -> str:
    text = json.dumps(schema, indent=2, ensure_ascii=False)
    return f'<article id="{escape(name)}"><h3>{escape(name)}</h3><pre tabindex="0">{escape(text)}</pre></article>'
