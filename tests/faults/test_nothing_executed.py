"""Nothing that a file names is executed: checked over the sources, and with files that try."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from transformers import AutoConfig, AutoModelForMaskedLM, BertConfig

from distilkobert.io.pretrained import build_from_config, load_pretrained
from distilkobert.models.teachers import load_teacher
from distilkobert.tokenizers.loading import load_tokenizer
from experiments.bench.use.latency import bench_latency
from experiments.predict.model import kind_of

ROOT = Path(__file__).parents[2]
PACKAGES = ("datamodules", "distilkobert", "experiments", "lightning_modules")
LOADING = "distilkobert/io/pretrained.py"
READING = "distilkobert/io/checkpoint_files.py"
FORBIDDEN = (
    "eval", "exec", "pickle.load", "pickle.loads", "pickle.Unpickler", "yaml.load", "yaml.unsafe_load",
    "yaml.full_load", "torch.jit.load", "torch.hub.load", "marshal.loads", "dill.load", "joblib.load",
)  # fmt: skip


def offences(source: str, place: str) -> Iterator[str]:
    """Calls by which a file could have its code run."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in ("torch", "pickle", "numpy", "yaml"):
            yield from (f"import of {alias.name}" for alias in node.names if alias.name in ("load", "loads"))
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
        method = name.rpartition(".")[2]
        if method in ("from_pretrained", "from_config") and place != LOADING and not name.startswith("KoBertTokenizer"):
            yield name
        if keywords.get("trust_remote_code", "False") != "False" or keywords.get("allow_pickle", "False") != "False":
            yield f"{name} that allows code"
        if name == "torch.load" and (place != READING or keywords.get("weights_only") != "True"):
            yield name
        if name in FORBIDDEN:
            yield name


def test_the_sources_load_in_one_place_only() -> None:
    found = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            found[place] = list(offences(path.read_text(encoding="utf-8"), place))
    assert len(found) > 100
    assert {place: names for place, names in found.items() if names} == {}
    assert "trust_remote_code=False" in (ROOT / LOADING).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "line",
    [
        "AutoModel.from_pretrained(x)",
        "kind.from_pretrained(x, trust_remote_code=False)",
        "table[task].from_config(config)",
        "load(kind, trust_remote_code=True)",
        "load(kind, trust_remote_code=asked)",
        "torch.load(x)",
        "torch.load(x, weights_only=True)",
        "np.load(x, allow_pickle=True)",
        "from torch import load",
        "pickle.load(x)",
        "yaml.load(x)",
        "eval(x)",
    ],
)
def test_the_check_sees(line: str) -> None:
    assert list(offences(line, "distilkobert/models/other.py"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model of a type of its own, whose code leaves a file when it is imported."""
    folder = tmp_path / "model"
    folder.mkdir()
    mark = f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\n"
    (folder / "own.py").write_text(f"{mark}class OwnConfig: pass\nclass OwnModel: pass\nclass OwnTokenizer: pass\n")
    names = {"AutoConfig": "own.OwnConfig", "AutoModel": "own.OwnModel", "AutoModelForMaskedLM": "own.OwnModel"}
    content = {"model_type": "own", "architectures": ["OwnForSequenceClassification"], "auto_map": names}
    (folder / "config.json").write_text(json.dumps(content))
    tokenizer = {"auto_map": {"AutoTokenizer": ["own.OwnTokenizer", None]}, "tokenizer_class": "OwnTokenizer"}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    (folder / "model.safetensors").touch()
    return folder


@pytest.mark.parametrize(
    "read",
    [kind_of, load_teacher, load_tokenizer, lambda folder: bench_latency([str(folder)])],
    ids=["predict", "teacher", "tokenizer", "latency"],
)
def test_code_of_a_folder_is_not_run_and_nobody_is_asked(
    read: Callable[[Path], object], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    with pytest.raises(ValueError, match="model: ") as caught:
        read(folder)
    assert "trust_remote_code" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_a_known_type_is_read_with_the_code_of_transformers(folder: Path, tmp_path: Path) -> None:
    config = BertConfig(hidden_size=8, num_hidden_layers=0, num_attention_heads=1, intermediate_size=8, vocab_size=9)
    content = {**config.to_dict(), "auto_map": {"AutoConfig": "own.OwnConfig", "AutoModelForMaskedLM": "own.OwnModel"}}
    (folder / "config.json").write_text(json.dumps(content))
    found = load_pretrained(AutoConfig, folder)
    assert type(found) is BertConfig
    assert type(build_from_config(AutoModelForMaskedLM, found)).__module__.startswith("transformers.")
    assert not (tmp_path / "ran").exists()


@pytest.mark.slow
def test_an_answer_in_the_pipe_runs_nothing(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "experiments.predict", "--model", str(folder)]
    ended = subprocess.run(command, input="y\nreview\n", capture_output=True, text=True, check=False, cwd=ROOT)
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        f"error: {folder}: its config.json refers to its own Python code (auto_map), which is never run"
    )
    assert ended.stdout == ""
    assert not (tmp_path / "ran").exists()
