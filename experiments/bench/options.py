"""The options of every benchmark. A new one is a function here, a row in `BENCHES`, and a module."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from distilkobert.tasks.kinds import TaskName
from experiments._shared.parsing.parsers import StrictParser


@dataclass(frozen=True)
class Bench:
    """One benchmark.

    Args:
        module: below `experiments.bench`; its `main(options)` prints, and gives plain numbers.
        about: one line for the list of commands.
        add_options: adds its options to a parser.
    """

    module: str
    about: str
    add_options: Callable[[StrictParser], None]


def _corpus(parser: StrictParser) -> None:
    parser.add_argument(
        "--input", nargs="+", required=True, metavar="FILE", help=".txt files or globs, plain or compressed"
    )
    parser.add_argument("--tokenizer", type=str, required=True, help="folder or hub name of the KoBERT tokenizer")
    parser.add_argument("--lines", type=int | None, help="use only this many lines, from the start")
    parser.add_argument("--num_proc", type=int, default=1, help="processes of prepare corpus; the baseline has one")


def _prepare(parser: StrictParser) -> None:
    parser.add_argument(
        "--input", nargs="+", required=True, metavar="FILE", help="files or globs, as for prepare corpus"
    )
    parser.add_argument("--tokenizer", type=str, required=True, help="folder or hub name of the tokenizer")
    parser.add_argument(
        "--num_proc", nargs="+", type=int, default=[1, 2], metavar="N", help="numbers of processes to compare"
    )
    parser.add_argument("--rounds", type=int, default=3, help="runs per variant; the median counts")


def _latency(parser: StrictParser) -> None:
    parser.add_argument(
        "--models",
        nargs="+",
        required=True,
        metavar="DIR",
        help="exported folders or ONNX files; ratios are to the first",
    )
    parser.add_argument("--output", type=str, required=True, metavar="FILE", help="JSON file that reports read")
    parser.add_argument("--lengths", nargs="+", type=int, default=[16, 64], metavar="N", help="pieces per sentence")
    parser.add_argument("--repeats", type=int, default=20, help="rounds; the median counts")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch and ONNX Runtime")
    parser.add_argument("--skip_missing", type=bool, default=False, help="skip missing folders")


def _training(parser: StrictParser, *, hidden_size: int, heads: int, batch: int, length: int, rounds: int) -> None:
    parser.add_argument("--layers", type=int, default=12, help="Transformer layers of the trained model or the teacher")
    parser.add_argument(
        "--hidden_size", type=int, default=hidden_size, help="width; feed-forward blocks are four times wider"
    )
    parser.add_argument("--heads", type=int, default=heads, help="attention heads per layer")
    parser.add_argument("--batch", type=int, default=batch, help="sequences per step")
    parser.add_argument("--length", type=int, default=length, help="tokens in the longest sequence")
    parser.add_argument("--rounds", type=int, default=rounds, help="steps per variant; the median counts")
    parser.add_argument("--threads", type=int | None, help="threads of torch; by default its own choice")


def _precision(parser: StrictParser) -> None:
    _training(parser, hidden_size=256, heads=4, batch=32, length=64, rounds=5)


def _clock(parser: StrictParser) -> None:
    parser.add_argument(
        "--clock",
        type=Literal["wall", "cpu"],
        default="wall",
        help="wall: elapsed time; cpu: processor time, for a busy machine",
    )
    parser.add_argument("--vocab_size", type=int, default=8002, help="vocabulary size; the default is KoBERT's")


def _pretrain(parser: StrictParser) -> None:
    _training(parser, hidden_size=768, heads=12, batch=16, length=128, rounds=9)
    _clock(parser)


def _finetune(parser: StrictParser) -> None:
    _training(parser, hidden_size=256, heads=4, batch=32, length=64, rounds=5)
    parser.add_argument(
        "--kinds", nargs="+", type=TaskName, default=[], metavar="KIND", help="task kinds; all by default"
    )
    parser.add_argument("--examples", type=int, default=256, help="examples per pass")
    parser.add_argument("--clock", type=Literal["wall", "cpu"], default="wall", help="as for distil")


def _inference(parser: StrictParser) -> None:
    parser.add_argument("--model", type=str, required=True, metavar="DIR", help="exported text classifier")
    parser.add_argument("--texts", type=int, default=200, help="synthetic sentences")
    parser.add_argument("--batch", type=int, default=16, help="texts per batch")
    parser.add_argument("--rounds", type=int, default=5, help="passes over the texts; the median counts")
    parser.add_argument("--threads", type=int | None, help="threads of torch; by default its own choice")


def _qa_features(parser: StrictParser) -> None:
    parser.add_argument("--input", type=str, required=True, metavar="FILE", help="KorQuAD or SQuAD file")
    parser.add_argument("--tokenizer", type=str, required=True, help="folder of the tokenizer")
    parser.add_argument("--rounds", type=int, default=3, help="passes over the file; the median counts")


def _startup(parser: StrictParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="starts per command; the median counts")


def _distil(parser: StrictParser) -> None:
    _training(parser, hidden_size=768, heads=12, batch=16, length=128, rounds=9)
    _clock(parser)
    parser.add_argument(
        "--options", nargs="+", default=[], metavar="NAME",
        type=Literal[
            "fused", "bf16_teacher", "int8_teacher", "compile", "gradient_checkpointing", "soft_targets_in_parts"
        ],
        help="options to measure as well: fused, bf16_teacher, int8_teacher, compile, gradient_checkpointing, "
        "soft_targets_in_parts",
    )  # fmt: skip
    parser.add_argument(
        "--student_layers", nargs="+", type=int, default=[0, 4, 8], metavar="N", help="teacher layers, from 0"
    )
    parser.add_argument(
        "--reference", type=str | None, metavar="DIR",
        help="checkout of the original (monologg/DistilKoBERT), whose step is measured as well; this runs its code",
    )  # fmt: skip


def _int8_teacher(parser: StrictParser) -> None:
    parser.add_argument("--teacher", type=str, required=True, metavar="DIR", help="folder or checkpoint of an encoder")
    parser.add_argument(
        "--corpus", type=str, required=True, metavar="DIR", help="prepared corpus; its held-out part is used"
    )
    parser.add_argument("--tokenizer", type=str, required=True, help="folder or hub name of the corpus' tokenizer")
    parser.add_argument("--student_layers", nargs="+", type=int, default=[0, 4, 8], metavar="N", help="as for distil")
    parser.add_argument("--tokens", type=int, default=2048, help="tokens per batch, including padding")
    parser.add_argument("--batches", type=int, default=16, help="held-out batches for the change of outputs")
    parser.add_argument("--rounds", type=int, default=5, help="steps per variant; the median counts")
    parser.add_argument("--threads", type=int | None, help="threads of torch; by default its own choice")
    parser.add_argument("--clock", type=Literal["wall", "cpu"], default="wall", help="as for distil")


def _gradients(parser: StrictParser) -> None:
    parser.add_argument(
        "--checkpoint", type=str, required=True, metavar="FILE", help="checkpoint in the run folder of a distillation"
    )
    parser.add_argument("--batches", type=int, default=8, help="held-out batches to measure")
    parser.add_argument(
        "--overrides",
        nargs="+",
        default=[],
        metavar="OPTION",
        help="options of experiments.train, such as --data.data_dir=DIR if the data has moved",
    )


def _soft_targets(parser: StrictParser) -> None:
    parser.add_argument("--tokens", type=int, default=4096, help="real tokens per batch")
    parser.add_argument("--vocab_size", type=int, default=50000, help="vocabulary size")
    parser.add_argument("--hidden_size", type=int, default=384, help="width of both networks")
    parser.add_argument("--rows", type=int, default=512, help="tokens whose logits are computed at a time")
    parser.add_argument("--rounds", type=int, default=3, help="passes; the median counts")


def _loader(parser: StrictParser) -> None:
    parser.add_argument("--corpus", type=str, required=True, metavar="DIR", help="prepared corpus")
    parser.add_argument("--tokenizer", type=str, required=True, help="folder or hub name of the corpus' tokenizer")
    parser.add_argument("--max_tokens", type=int, default=4096, help="tokens per batch, including padding")
    parser.add_argument(
        "--multiples", nargs="+", type=int, default=[1, 8, 16], metavar="N", help="values of data.pad_to_multiple_of"
    )
    parser.add_argument("--batches", type=int, default=1000, help="batches from the start of an epoch")


def _page(parser: StrictParser) -> None:
    parser.add_argument(
        "--folder", type=str, default="docs/performance", help="folder with NAME.json of the benchmarks"
    )
    parser.add_argument("--output", type=str, default="docs/performance.md", metavar="FILE", help="page to write")


def _guard(parser: StrictParser) -> None:
    parser.add_argument(
        "--stored",
        type=str,
        default="docs/performance/guard.json",
        metavar="FILE",
        help="JSON file to compare with",
    )
    parser.add_switch("store", "write the measured ratios into the file of `stored`, and compare nothing")


def _gpu(parser: StrictParser) -> None:
    parser.add_argument("--batch", type=int, default=256, help="sequences per step")
    parser.add_argument("--length", type=int, default=128, help="tokens in the longest sequence")
    parser.add_argument("--vocab_size", type=int, default=8002, help="vocabulary size; the default is KoBERT's")
    parser.add_argument("--rounds", type=int, default=9, help="steps per variant; the median counts")
    parser.add_argument(
        "--peak_tflops",
        type=float,
        default=0.0,
        help="dense bf16 peak in TFLOP/s, for an unknown device",
    )


BENCHES = {
    "corpus": Bench("inputs.corpus", "preparing a corpus, compared with an in-memory baseline", _corpus),
    "prepare": Bench("inputs.prepare", "preparing a corpus with one process and with several", _prepare),
    "distil": Bench(
        "steps.distil", "a distillation step, compared with a naive one, and the cost of capturing", _distil
    ),
    "int8_teacher": Bench(
        "steps.int8_teacher", "a distillation step with an int8 teacher: speed and change of outputs", _int8_teacher
    ),
    "gradients": Bench(
        "steps.gradients", "share of each objective in the gradient, and whether two agree in direction", _gradients
    ),
    "latency": Bench("use.latency", "latency per sentence, all models in turns", _latency),
    "pretrain": Bench("steps.pretrain", "a masked-LM step, compared with a naive one", _pretrain),
    "finetune": Bench(
        "steps.finetune", "fine-tuning of every task kind, compared with padding to one length", _finetune
    ),
    "qa_features": Bench(
        "inputs.qa_features", "question windows over contexts, compared with transformers", _qa_features
    ),
    "inference": Bench("use.inference", "texts per second in batches, compared with one at a time", _inference),
    "startup": Bench("use.startup", "processor time of every command's --help", _startup),
    "soft_targets": Bench("steps.soft_targets", "memory of soft targets, computed at once and in parts", _soft_targets),
    "loader": Bench("inputs.loader", "batches of a corpus: tokens per second, and padding to few lengths", _loader),
    "precision": Bench("steps.precision", "training in float32 and bf16 on this processor", _precision),
    "gpu": Bench("steps.gpu", "a distillation step on a CUDA device", _gpu),
    "guard": Bench("guard", "fail if a step is slower than the stored one, relative to naive steps", _guard),
    "page": Bench("page", "write docs/performance.md from the JSON files of the others", _page),
}
