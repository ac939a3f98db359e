"""The code that is being worked on: files below one folder, which nobody else writes."""

import ast
import base64
import hashlib
import importlib.util
import os
import py_compile
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

_CACHE = "__pycache__"


class Tree:
    """Files by their paths below `root`, such as src/main.py."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def begin(self, origin: Path) -> None:
        """Take over the code that the image has, compiled as it is, unless a container before did."""
        if not (self.root / origin.name).exists():
            shutil.copytree(origin, self.root / origin.name)

    def manifest(self) -> dict[str, str]:
        """The SHA-256 digests of all files."""
        files = (p for p in self.root.rglob("*") if p.is_file() and _CACHE not in p.parts)
        return {p.relative_to(self.root).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}

    def imports(self) -> list[str]:
        """The modules that the code asks for and does not have itself."""
        own = {path.name for path in self.root.iterdir()}
        names: set[str] = set()
        for path in self.root.rglob("*.py"):
            with suppress(SyntaxError, ValueError):
                for node in ast.walk(ast.parse(path.read_bytes())):
                    if isinstance(node, ast.Import):
                        names.update(alias.name for alias in node.names)
                    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                        names.add(node.module)
        return sorted(name for name in names if name.partition(".")[0] not in own)

    def apply(self, write: Mapping[str, str], delete: Iterable[str]) -> None:
        """Write files, given in base64, and delete others. Nobody ever sees half of a file."""
        written = {self._path(name): base64.b64decode(data) for name, data in write.items()}
        deleted = [self._path(name) for name in delete]
        fresh = {}
        for path, data in written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh[path] = path.with_name(f".{path.name}.new")
            fresh[path].write_bytes(data)
        for path, temporary in fresh.items():
            temporary.replace(path)
            _forget_compiled(path)
            if path.suffix == ".py":
                # Times, which are whole seconds there, would not tell two saves apart.
                py_compile.compile(str(path), quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        for path in deleted:
            path.unlink(missing_ok=True)
            _forget_compiled(path)
            self._tidy(path.parent)

    def _path(self, name: str) -> Path:
        pure = PurePosixPath(name)
        if not name or pure.is_absolute() or ".." in pure.parts:
            raise ValueError(f"{name!r} is no path below the code")
        return self.root / pure

    def _tidy(self, folder: Path) -> None:
        """Remove folders that nothing is left in: Python would take them for packages."""
        while folder != self.root and folder.exists() and {p.name for p in folder.iterdir()} <= {_CACHE}:
            shutil.rmtree(folder)
            folder = folder.parent


def _forget_compiled(path: Path) -> None:
    if path.suffix == ".py":
        Path(importlib.util.cache_from_source(os.fspath(path))).unlink(missing_ok=True)
