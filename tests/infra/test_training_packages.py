"""The training worker gets along with the packages that MLflow's machine installs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.infra.test_training import unit_environment
from tests.support import listed_packages
from tests.support.machines.host_layer import SOURCE

# Each module by itself, as some import others only when they are called.
IMPORT_ALL = """
import importlib, pkgutil
import training.registry, training.worker
for room in (training.registry, training.worker):
    for module in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
        importlib.import_module(module.name)
        print(module.name)
"""
TRAIN = """
import sys
from training.recipes.catalog import find_recipe
from training.train_pipeline import train
recipe = find_recipe(sys.argv[3])
print(train(recipe, recipe.parameters(), 1).recipe.name)
"""


def on_the_machine(code: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run code with the layer's modules and the machine's packages."""
    command = [sys.executable, listed_packages.__file__, str(SOURCE / "requirements.txt"), code, *arguments]
    environ = os.environ | {"PYTHONPATH": str(SOURCE / "linked")}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)


def test_worker_and_registry_import_only_what_is_installed(tmp_path: Path) -> None:
    done = on_the_machine(IMPORT_ALL, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {"training.worker.task", "training.registry.trained_model"} <= set(done.stdout.split())


@pytest.mark.parametrize("recipe", unit_environment()["OFFPATH_TRAINING_RECIPES"].split(","))
def test_the_machines_recipes_train_with_what_is_installed(recipe: str, tmp_path: Path) -> None:
    done = on_the_machine(TRAIN, recipe, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == recipe


@pytest.mark.parametrize("package", ["typer", "rich", "tokenizers"])
def test_what_the_machine_lacks_cannot_be_imported(package: str, tmp_path: Path) -> None:
    done = on_the_machine(f"import {package}", folder=tmp_path)
    assert f"ModuleNotFoundError: No module named '{package}'" in done.stderr
