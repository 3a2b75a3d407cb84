"""`make mutants`: break 30 places of the modules the product exists for, one at a time; tests should notice 27 or more.

Works on a copy of the tree, so nothing here is ever broken. Seeded: the same places each time (`--seed N` for others).
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODULES = (
    "core/paging", "core/escalation", "core/answers", "core/roster", "core/rotations", "core/calendars",
    "core/wallclock", "core/swaps", "core/threading", "core/intake", "core/mail_kinds", "core/breaker",
    "core/tickets", "core/retry", "core/leases", "services/paging", "services/notifications",
    "services/mail_intake", "services/escalation", "services/shifts",
)  # fmt: skip
_SWAPS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip


def places(tree: ast.AST) -> list[ast.AST]:
    """Nodes inside functions that can be broken."""
    found = []
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if (
                    (isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPS)
                    or (isinstance(node, ast.BinOp) and type(node.op) in _SWAPS)
                    or isinstance(node, ast.BoolOp)
                    or (isinstance(node, ast.Constant) and isinstance(node.value, bool))
                    or (isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not))
                ):
                    found.append(node)
    return found


def mutate(source: str, index: int) -> tuple[str, str]:
    """The source with place `index` broken, and what was done."""
    tree = copy.deepcopy(ast.parse(source))
    node = places(tree)[index]
    before = ast.unparse(node)
    if isinstance(node, ast.Compare):
        node.ops[0] = _SWAPS[type(node.ops[0])]()
    elif isinstance(node, ast.BinOp | ast.BoolOp):
        node.op = _SWAPS[type(node.op)]()
    elif isinstance(node, ast.Constant):
        node.value = not node.value
    elif isinstance(node, ast.UnaryOp):
        node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
    return ast.unparse(tree), f"line {node.lineno}: {before}  ->  {ast.unparse(node)}"


def tests_of(module: str) -> list[str]:
    """The mirror tests of a module."""
    layer, name = module.split("/")
    folder = ROOT / "tests" / layer
    files = [folder / f"test_{name}.py", *folder.glob(f"test_{name}_*.py")]
    if layer == "services":
        files.append(folder / "test_kill_points.py")
    return [str(file.relative_to(ROOT)) for file in files if file.exists()]


def main() -> int:
    """0 when at least nine of ten were caught."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=30)
    parser.add_argument("--only", action="append", choices=MODULES, help="this module, may be given several times")
    options = parser.parse_args()
    every = []
    for module in options.only or MODULES:
        source = (ROOT / "portal" / f"{module}.py").read_text()
        every += [(module, index) for index in range(len(places(ast.parse(source))))]
    chosen = random.Random(options.seed).sample(every, min(options.count, len(every)))
    survivors = []
    with tempfile.TemporaryDirectory() as folder:
        copy_of = Path(folder) / "tree"
        ignore = shutil.ignore_patterns(".git", ".venv", "instance", "__pycache__", ".*_cache")
        shutil.copytree(ROOT, copy_of, ignore=ignore)
        for module, index in chosen:
            path = copy_of / "portal" / f"{module}.py"
            source = (ROOT / "portal" / f"{module}.py").read_text()
            broken, what = mutate(source, index)
            path.write_text(broken)
            command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests_of(module)]
            env_path = {"PYTHONPATH": str(copy_of), "PYTHONDONTWRITEBYTECODE": "1"}
            done = subprocess.run(
                command, cwd=copy_of, capture_output=True, env={**os.environ, **env_path}, check=False
            )
            path.write_text(source)
            is_caught = done.returncode != 0
            print(f"{'caught  ' if is_caught else 'SURVIVED'} {module} {what}", flush=True)
            if not is_caught:
                survivors.append((module, what))
    caught = len(chosen) - len(survivors)
    print(f"\n{caught} of {len(chosen)} caught (seed {options.seed})")
    return 0 if caught * 10 >= len(chosen) * 9 else 1


if __name__ == "__main__":
    sys.exit(main())
