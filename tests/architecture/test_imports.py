"""Imports point downwards only, and importing a module does nothing else."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

IMPORT_ALL = """
import importlib, json, logging, pkgutil, signal, sys, threading

now, done = "", []
WRITING = set("wxa+")

def look(event, args):
    if event in {"socket.__new__", "subprocess.Popen", "os.system", "os.fork", "sqlite3.connect"}:
        done.append((now, event))
    elif event in {"os.mkdir", "os.remove", "os.rename", "os.chdir", "os.putenv", "os.unsetenv"}:
        done.append((now, event))
    elif event == "open" and set(str(args[1] or "")) & WRITING:
        done.append((now, f"open {args[0]} for writing"))

sys.addaudithook(look)
signals = {number: signal.getsignal(number) for number in signal.valid_signals()}
hook = sys.excepthook
imported = []
for package in sys.argv[1:]:
    for found in [None, *pkgutil.walk_packages([package], f"{package}.")]:
        now = found.name if found else package
        if now.startswith("gateway.store.migrations."):
            continue  # Alembic's scripts, run by Alembic inside a migration
        importlib.import_module(now)
        imported.append(now)
        if threading.active_count() > 1:
            done.append((now, "a thread"))
        if logging.getLogger().handlers:
            done.append((now, "a handler of logs"))
        if sys.excepthook is not hook or signals != {n: signal.getsignal(n) for n in signals}:
            done.append((now, "a hook or signal handler"))
print(json.dumps({"imported": imported, "done": done}))
"""
PACKAGES = ("config", "connectors", "gateway", "recordings", "routing")


def test_the_contracts_of_import_linter_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_importing_any_module_opens_starts_and_writes_nothing() -> None:
    command = [sys.executable, "-B", "-W", "error", "-c", IMPORT_ALL, *PACKAGES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["done"] == []
    assert {"gateway.app", "gateway.__main__", "connectors.asterisk.tracker"} <= set(outcome["imported"])
