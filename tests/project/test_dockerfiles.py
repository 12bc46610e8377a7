"""The images, as far as they can be held to their promises without an engine that builds them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILES = ("Dockerfile.api", "Dockerfile.worker")
VENV = "/opt/venv"
API_FILES_OF_WORKER = {
    "worker/__init__.py",
    "worker/contract.py",
    "worker/packed.py",
    "worker/celery_app.py",
}


class Instruction(NamedTuple):
    """One instruction of a Dockerfile: `name` in capitals, `rest` with its continued lines joined."""

    name: str
    rest: str


def instructions(dockerfile: str) -> list[Instruction]:
    """Every instruction in order, without comments."""
    lines = (ROOT / dockerfile).read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", text)
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def stages(dockerfile: str) -> list[list[Instruction]]:
    """The instructions by stage; each stage begins with its FROM."""
    found: list[list[Instruction]] = []
    for instruction in instructions(dockerfile):
        if instruction.name == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


def copied(stage: list[Instruction]) -> list[tuple[str, str]]:
    """What a stage takes from the checkout: (source, target) pairs."""
    pairs: list[tuple[str, str]] = []
    for name, rest in stage:
        if name == "COPY" and not rest.startswith("--from"):
            *sources, target = rest.split()
            pairs += [(source, target) for source in sources]
    return pairs


def copy_into(directory: Path, stage: list[Instruction]) -> None:
    """Do what the stage's COPY instructions do, relative to `directory`."""
    for source, target in copied(stage):
        origin = ROOT / source
        if origin.is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(origin, directory / target, ignore=ignore, dirs_exist_ok=True)
        else:
            (directory / target).mkdir(parents=True, exist_ok=True)
            shutil.copy(origin, directory / target)


def exec_form(rest: str) -> list[str]:
    """The command of a CMD or HEALTHCHECK in exec form. Raises ValueError for the shell form."""
    command: list[str] = json.loads(rest[rest.index("[") :])
    return command


def last(dockerfile: str, name: str) -> Instruction:
    """The one instruction `name` of the last stage."""
    (found,) = [each for each in stages(dockerfile)[-1] if each.name == name]
    return found


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
class TestEveryImage:
    def test_base_images_are_slim_and_pinned_by_tag(self, dockerfile: str) -> None:
        for stage in stages(dockerfile):
            assert re.match(r"python:3\.11[\w.]*-slim-\w+( AS \w+)?$", stage[0].rest)

    def test_its_processes_run_as_a_numeric_user_that_is_not_root(self, dockerfile: str) -> None:
        uid, gid = last(dockerfile, "USER").rest.split(":")
        assert int(uid) > 0
        assert int(gid) > 0

    def test_commands_and_health_checks_need_no_shell(self, dockerfile: str) -> None:
        for name in ("CMD", "HEALTHCHECK"):
            assert exec_form(last(dockerfile, name).rest)[0] == "python"

    def test_dependencies_are_installed_before_any_code_is_copied(self, dockerfile: str) -> None:
        first, final = stages(dockerfile)
        assert {source for source, _ in copied(first)} == {"pyproject.toml", "constraints.txt"}
        assert not any("pip" in rest for name, rest in final if name == "RUN")

    def test_only_pinned_versions_are_installed(self, dockerfile: str) -> None:
        installs = [
            rest for name, rest in instructions(dockerfile) if "pip" in rest and name == "RUN"
        ]
        assert installs
        assert all("-c constraints.txt" in rest for rest in installs)

    def test_everything_copied_exists_and_enters_the_build_context(self, dockerfile: str) -> None:
        lines = (ROOT / ".dockerignore").read_text().splitlines()
        allowed = {line[1:] for line in lines if line.startswith("!")}
        for stage in stages(dockerfile):
            for source, _ in copied(stage):
                assert (ROOT / source).exists(), source
                parents = {str(path) for path in (Path(source), *Path(source).parents)}
                assert parents & allowed, f"{source} is kept out by .dockerignore"


def test_the_build_context_lets_in_nothing_that_is_not_named() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert not [rule for rule in rules if rule.startswith("!.") or "env" in rule or "data" in rule]


def test_the_api_image_holds_of_the_worker_only_the_wire_and_the_celery_app() -> None:
    sources = {source for source, _ in copied(stages("Dockerfile.api")[-1])}
    assert sources == {"api/", *API_FILES_OF_WORKER}


def test_the_worker_image_takes_the_index_of_torch_as_an_argument() -> None:
    names = {rest.split("=")[0] for name, rest in stages("Dockerfile.worker")[0] if name == "ARG"}
    assert names == {"TORCH_INDEX"}


def python_in(directory: Path, python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in `directory` with an environment as bare as a container's."""
    environment = {
        "PATH": os.environ["PATH"],
        "DID_HASH_KEY": "0" * 64,
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [python, *arguments],
        cwd=directory,
        env=environment,
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def api_image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The front end's files and its Python, made by the Dockerfile's own instructions: (directory, python)."""
    build, app = tmp_path_factory.mktemp("build"), tmp_path_factory.mktemp("app")
    venv = tmp_path_factory.mktemp("opt") / "venv"
    first, final = stages("Dockerfile.api")
    copy_into(build, first)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for name, rest in first:
        if name == "RUN":
            command = re.sub(r"--mount=\S+\s*", "", rest).replace(VENV, str(venv))
            subprocess.run(["/bin/sh", "-c", command], cwd=build, env=environment, check=True)
    copy_into(app, final)
    return app, str(venv / "bin" / "python")


@pytest.mark.e2e
@pytest.mark.timeout(600)  # installs from the package index
class TestApiImage:
    def test_its_files_and_dependencies_are_enough_for_the_front_end(
        self, api_image: tuple[Path, str]
    ) -> None:
        app, python = api_image
        done = python_in(app, python, "-c", "import api.app, api.__main__; print(api.__file__)")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(str(app))

    def test_it_holds_neither_torch_nor_numpy(self, api_image: tuple[Path, str]) -> None:
        app, python = api_image
        code = (
            "import importlib.util as u; print([n for n in ('torch', 'numpy') if u.find_spec(n)])"
        )
        assert python_in(app, python, "-c", code).stdout.strip() == "[]"

    def test_its_command_names_a_module_that_it_holds(self, api_image: tuple[Path, str]) -> None:
        app, _ = api_image
        _, flag, module = exec_form(last("Dockerfile.api", "CMD").rest)
        assert flag == "-m"
        assert (app / module / "__main__.py").is_file()

    def test_its_health_check_fails_where_nothing_listens(
        self, api_image: tuple[Path, str]
    ) -> None:
        app, python = api_image
        _, flag, code = exec_form(last("Dockerfile.api", "HEALTHCHECK").rest)
        done = python_in(app, python, flag, f"import os; os.environ['PORT'] = '1'; {code}")
        assert done.returncode != 0
        assert "ConnectionRefusedError" in done.stderr


@pytest.fixture(scope="module")
def worker_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The worker image's files. Its Python is this test's own: a second torch would cost minutes and gigabytes."""
    app = tmp_path_factory.mktemp("app")
    copy_into(app, stages("Dockerfile.worker")[-1])
    return app


@pytest.mark.e2e
class TestWorkerImage:
    @pytest.mark.parametrize(
        "module",
        ["worker.online", "worker.bulk", "worker.background", "worker.beat", "worker.health"],
    )
    def test_its_files_are_enough_for_every_role(self, worker_files: Path, module: str) -> None:
        code = f"import {module} as m; print(m.__file__)"
        done = python_in(worker_files, sys.executable, "-c", code)
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(str(worker_files))

    def test_its_files_are_enough_for_scoring_and_retraining(self, worker_files: Path) -> None:
        code = "import worker.retraining, worker.scoring, worker.jobs.chunk"
        done = python_in(worker_files, sys.executable, "-c", code)
        assert done.returncode == 0, done.stderr

    def test_it_holds_the_model_and_its_manifest(self, worker_files: Path) -> None:
        names = {path.name for path in (worker_files / "models" / "production").iterdir()}
        assert "model.pth" in names
        assert len(names) > 1

    def test_its_health_check_fails_where_no_worker_answers(self, worker_files: Path) -> None:
        command = exec_form(last("Dockerfile.worker", "HEALTHCHECK").rest)[1:]
        done = python_in(worker_files, sys.executable, *command)
        assert done.returncode == 1
        assert "health_cannot_run" in done.stdout + done.stderr
