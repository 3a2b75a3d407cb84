"""The house rules that a machine can check: purity, sizes, mirrors, promises, templates."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "portal").rglob("*.py"))
MIRRORED = [path for layer in ("core", "services") for path in sorted((ROOT / "portal" / layer).glob("*.py"))]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SDKS = ("O365", "msal", "twilio", "jira", "requests")
IMPURE = ("flask", "sqlalchemy", "rq", "redis", "requests")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_core_drags_in_nothing_of_the_shells():
    modules = [f"portal.core.{path.stem}" for path in (ROOT / "portal/core").glob("*.py") if path.stem != "__init__"]
    code = f"import sys, importlib\nfor m in {modules!r}: importlib.import_module(m)\n"
    code += f"print([m for m in {IMPURE!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_no_process_loads_an_sdk_before_it_is_needed():
    code = f"import sys, portal.app\nprint([m for m in {SDKS!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_a_file_has_at_most_500_lines_and_a_function_60(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 500
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = node.end_lineno - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", [path for path in MIRRORED if path.stem != "__init__"], ids=_name)
def test_every_public_function_is_called_by_name_in_its_mirror_test(path):
    functions = [
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    ]
    if not functions:
        return
    folder = ROOT / "tests" / path.parent.name
    mirrors = [folder / f"test_{path.stem}.py", *folder.glob(f"test_{path.stem}_*.py")]
    text = "\n".join(mirror.read_text() for mirror in mirrors if mirror.exists())
    assert text, f"there is no tests/{path.parent.name}/test_{path.stem}.py"
    missing = [name for name in functions if not re.search(rf"\b{name}\b", text)]
    assert not missing, f"not called in its mirror test: {', '.join(missing)}"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_public_functions_of_core_and_services_have_docstrings(path):
    if path.parent.name not in ("core", "services"):
        return
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node) or _is_plain_class(node), f"{node.name} has no docstring"


def _is_plain_class(node: ast.AST) -> bool:
    """A value with fields whose names say it all."""
    return isinstance(node, ast.ClassDef) and not any(isinstance(child, ast.FunctionDef) for child in node.body)


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_templates_carry_no_inline_script_or_style_and_load_nothing_from_outside(path):
    text = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"""\sstyle=["']|\son[a-z]+=["']|hx-on|<style""", text)
    assert not re.search(r"""(src|href)=["']https?://[^"']*\.(js|css)""", text)


@pytest.mark.parametrize("path", [path for path in TEMPLATES if "{% extends" in path.read_text()], ids=_name)
def test_every_page_has_a_title(path):
    text = path.read_text()
    extends = re.search(r'extends "([^"]+)"', text).group(1)
    assert "block title" in text or extends not in ("base.html", "public.html")


def test_every_post_form_carries_the_token():
    for path in TEMPLATES:
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", path.read_text(), re.S | re.I):
            assert re.search(r"csrf|hidden\(|caller\(", form), f"{_name(path)}: {form[:120]}"


def test_each_promise_names_a_test_that_exists():
    text = (ROOT / "docs/promises.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(set(re.findall(r"^## (\d+)", text, re.M))) == 8
    assert len(named) >= 8
    for file, test in named:
        assert (ROOT / file).exists(), file
        assert re.search(rf"def {test}\b", (ROOT / file).read_text()), f"{file}::{test}"


def test_every_vendored_file_is_named_with_version_and_licence():
    text = (ROOT / "static/vendor/README.md").read_text()
    for path in (ROOT / "static/vendor").iterdir():
        assert path.name == "README.md" or path.name in text, path.name


@pytest.mark.parametrize("name", ["growth", "latency", "mail", "roster", "runtime", "seed", "spelling"])
def test_every_benchmark_still_finds_what_it_measures(name):
    importlib.import_module(f"benchmarks.{name}")
