"""Files that keep the project in order: the constraints' update, the CI workflow, the citation; sizes of folders."""

import configparser
import re
import runpy
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import yaml

MOVED = runpy.run_path(".ci/constraints.py")["moved"]
BEFORE = '# Tested.\nattrs==1.0\nGone==3.0\nnumpy==2.0 ; python_version >= "3.11"\nPyYAML==6.0\n'


def test_constraints_take_the_installed_versions() -> None:
    installed = {"pyyaml": "6.1", "torch": "2.14.0+cpu", "NumPy": "2.1", "attrs": "1.0", "pip": "30", "new_one": "0.1"}
    assert MOVED(BEFORE, installed) == (
        '# Tested.\nattrs==1.0\nnew_one==0.1\nNumPy==2.1 ; python_version >= "3.11"\npyyaml==6.1\ntorch==2.14.0\n'
    )


def test_shipped_constraints_are_in_the_form_that_is_written() -> None:
    text = Path("constraints.txt").read_text(encoding="utf-8")
    rows = [line.partition(" ; ")[0].split("==") for line in text.splitlines() if not line.startswith("#")]
    assert MOVED(text, dict(rows)).splitlines()[0] == text.splitlines()[0]
    assert sorted(MOVED(text, dict(rows)).splitlines()) == sorted(text.splitlines())


def test_the_workflow_runs_files_and_pythons_that_the_project_has() -> None:
    workflow = yaml.safe_load(Path(".github/workflows/ci.yml").read_text(encoding="utf-8"))
    steps = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    scripts = re.findall(r"\.ci/\S+", "\n".join(steps))
    assert {".ci/run", ".ci/imports.py", ".ci/wheel"} == set(scripts)
    assert all(Path(script).is_file() for script in scripts)
    pythons = {
        python
        for job in workflow["jobs"].values()
        for python in job.get("strategy", {}).get("matrix", {}).get("python", [])
    }
    setup = configparser.ConfigParser()
    setup.read("setup.cfg")
    assert f">={min(pythons, key=lambda name: int(name.split('.')[1]))}" == setup["options"]["python_requires"]


def test_the_citation_has_the_version_of_the_package() -> None:
    citation = yaml.safe_load(Path("CITATION.cff").read_text(encoding="utf-8"))
    setup = configparser.ConfigParser()
    setup.read("setup.cfg")
    assert citation["version"] == setup["metadata"]["version"]
    changes = Path("CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {citation['version']} - {citation['date-released']}" in changes


def test_folders_and_files_stay_small() -> None:
    roots = ("distilkobert", "lightning_modules", "datamodules", "experiments", "tests")
    files = [path for root in roots for path in Path(root).rglob("*.py")]
    assert len(files) > 700
    wide = {str(folder): count for folder, count in Counter(path.parent for path in files).items() if count > 14}
    assert wide == {}
    assert [str(path) for path in files if len(path.read_text(encoding="utf-8").splitlines()) > 250] == []


@pytest.mark.slow
def test_every_module_imports_and_every_command_answers_help() -> None:
    done = subprocess.run([sys.executable, ".ci/imports.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^8 commands answered --help, [3-9]\d\d modules imported$", done.stdout, re.MULTILINE)
