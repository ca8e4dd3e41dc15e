"""Generated text, compiled by Numba and kept on disk under the digest of the text."""

from __future__ import annotations

import os
import sys
import tempfile
from functools import lru_cache
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import Lock
from types import ModuleType

ONE_AT_A_TIME = Lock()


def loaded(text: str) -> ModuleType:
    """The module of this text; what it compiles is kept in the user's cache, or not at all where there is none to write to.

    Nothing is ever kept in a folder that others can write to: compiled code is loaded without further checks.
    """
    with ONE_AT_A_TIME:
        return _loaded(text)


@lru_cache(8)
def _loaded(text: str) -> ModuleType:
    name = f"bence_simulate_{sha256(text.encode()).hexdigest()[:24]}"
    path = _kept(name, text)
    if path is None:
        module = ModuleType(name)
        module.__dict__["KEEP"] = False
        sys.modules[name] = module
        exec(compile(text, f"<{name}>", "exec"), module.__dict__)
        return module
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    module.__dict__["KEEP"] = True
    sys.modules[name] = module  # Numba finds what it has kept by the name of the module
    spec.loader.exec_module(module)
    return module


def _kept(name: str, text: str) -> Path | None:
    """The file of this text, written whole and once: its time is part of what Numba's own record goes by."""
    path = _folder() / f"{name}.py"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.is_file() or path.read_text("utf-8") != text:
            handle, draft = tempfile.mkstemp(dir=path.parent, suffix=".draft")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(draft, path)
        return path if os.access(path.parent, os.W_OK) else None
    except OSError:
        return None


def _folder() -> Path:
    if sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local"
    elif sys.platform == "darwin":
        home = Path.home() / "Library/Caches"
    else:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "bence" / "simulate"
