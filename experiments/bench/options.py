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
    parser.add_argument("--input", nargs="+", required=True, metavar="FILE", help=".txt files or globs, maybe packed")
    parser.add_argument("--tokenizer", type=str, required=True, help="folder or hub name of the KoBERT tokenizer")
    parser.add_argument("--lines", type=int | None, help="use only this many lines, from the start")
    parser.add_argument("--num_proc", type=int, default=1, help="processes of ours; the usual way has one")


def _prepare(parser: StrictParser) -> None:
    parser.add_argument(
        "--input", nargs="+", required=True, metavar="FILE", help="files or globs, as for prepare corpus"
    )
    parser.add_argument("--tokenizer", type=str, required=True, help="folder or hub name of the tokenizer")
    parser.add_argument("--num_proc", nargs="+", type=int, default=[1, 2], metavar="N", help="processes of each way")
    parser.add_argument("--rounds", type=int, default=3, help="preparations of each way; medians count")


def _latency(parser: StrictParser) -> None:
    parser.add_argument(
        "--models", nargs="+", required=True, metavar="DIR", help="exported folders, ONNX files; ratios to the first"
    )
    parser.add_argument("--output", type=str, required=True, metavar="FILE", help="JSON file that reports read")
    parser.add_argument("--lengths", nargs="+", type=int, default=[16, 64], metavar="N", help="pieces in a sentence")
    parser.add_argument("--repeats", type=int, default=20, help="rounds; the median over them counts")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch and ONNX Runtime")
    parser.add_argument("--skip_missing", type=bool, default=False, help="leave out folders that are not there")


def _training(parser: StrictParser, *, hidden_size: int, heads: int, batch: int, length: int, rounds: int) -> None:
    parser.add_argument("--layers", type=int, default=12, help="Transformer layers of the trained model or the teacher")
    parser.add_argument(
        "--hidden_size", type=int, default=hidden_size, help="width; the feed-forward blocks have four times it"
    )
    parser.add_argument("--heads", type=int, default=heads, help="attention heads in a layer")
    parser.add_argument("--batch", type=int, default=batch, help="sequences in a step")
    parser.add_argument("--length", type=int, default=length, help="tokens in the longest sequence")
    parser.add_argument("--rounds", type=int, default=rounds, help="steps of each way; medians count")
    parser.add_argument("--threads", type=int | None, help="threads of torch; by default its own number")


def _precision(parser: StrictParser) -> None:
    _training(parser, hidden_size=256, heads=4, batch=32, length=64, rounds=5)


def _clock(parser: StrictParser) -> None:
    parser.add_argument(
        "--clock",
        type=Literal["wall", "cpu"],
        default="wall",
        help="cpu: processor time, for a machine with other work",
    )
    parser.add_argument("--vocab_size", type=int, default=8002, help="pieces; the default is KoBERT's number")


def _pretrain(parser: StrictParser) -> None:
    _training(parser, hidden_size=768, heads=12, batch=16, length=128, rounds=9)
    _clock(parser)


def _finetune(parser: StrictParser) -> None:
    _training(parser, hidden_size=256, heads=4, batch=32, length=64, rounds=5)
    parser.add_argument(
        "--kinds", nargs="+", type=TaskName, default=[], metavar="KIND", help="task kinds; all by default"
    )
    parser.add_argument("--examples", type=int, default=256, help="examples of a pass")
    parser.add_argument("--clock", type=Literal["wall", "cpu"], default="wall", help="as for distil")


def _inference(parser: StrictParser) -> None:
    parser.add_argument("--model", type=str, required=True, metavar="DIR", help="exported classifier of texts")
    parser.add_argument("--texts", type=int, default=200, help="synthetic sentences")
    parser.add_argument("--batch", type=int, default=16, help="texts at a time")
    parser.add_argument("--rounds", type=int, default=5, help="times that all are classified; medians count")
    parser.add_argument("--threads", type=int | None, help="threads of torch; by default its own number")


def _qa_features(parser: StrictParser) -> None:
    parser.add_argument("--input", type=str, required=True, metavar="FILE", help="KorQuAD or SQuAD file")
    parser.add_argument("--tokenizer", type=str, required=True, help="folder of the tokenizer")
    parser.add_argument("--rounds", type=int, default=3, help="times that all is encoded; medians count")


def _startup(parser: StrictParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="times that every command is started")


def _distil(parser: StrictParser) -> None:
    _training(parser, hidden_size=768, heads=12, batch=16, length=128, rounds=9)
    _clock(parser)
    parser.add_argument(
        "--options", nargs="+", default=[], metavar="NAME",
        type=Literal[
            "fused", "bf16_teacher", "int8_teacher", "compile", "gradient_checkpointing", "soft_targets_in_parts"
        ],
        help="options whose step is timed too: fused, bf16_teacher, int8_teacher, compile, gradient_checkpointing, "
        "soft_targets_in_parts",
    )  # fmt: skip
    parser.add_argument(
        "--student_layers", nargs="+", type=int, default=[0, 4, 8], metavar="N", help="teacher layers, from 0"
    )
    parser.add_argument(
        "--reference", type=str | None, metavar="DIR",
        help="checkout of the original (monologg/DistilKoBERT), whose own step is timed too; its code is run",
    )  # fmt: skip


def _int8_teacher(parser: StrictParser) -> None:
    parser.add_argument("--teacher", type=str, required=True, metavar="DIR", help="folder or checkpoint of an encoder")
    parser.add_argument(
        "--corpus", type=str, required=True, metavar="DIR", help="prepared corpus, for its held-out part"
    )
    parser.add_argument("--tokenizer", type=str, required=True, help="folder or hub name of the corpus' tokenizer")
    parser.add_argument("--student_layers", nargs="+", type=int, default=[0, 4, 8], metavar="N", help="as for distil")
    parser.add_argument("--tokens", type=int, default=2048, help="tokens of a batch, padding included")
    parser.add_argument("--batches", type=int, default=16, help="held-out batches over which the change is measured")
    parser.add_argument("--rounds", type=int, default=5, help="steps of each way; medians count")
    parser.add_argument("--threads", type=int | None, help="threads of torch; by default its own number")
    parser.add_argument("--clock", type=Literal["wall", "cpu"], default="wall", help="as for distil")


def _gradients(parser: StrictParser) -> None:
    parser.add_argument("--checkpoint", type=str, required=True, metavar="FILE", help="of a distillation's run folder")
    parser.add_argument("--batches", type=int, default=8, help="held-out batches that are measured")
    parser.add_argument(
        "--overrides", nargs="+", default=[], metavar="OPTION", help="options of the trainer, for what has moved"
    )


def _soft_targets(parser: StrictParser) -> None:
    parser.add_argument("--tokens", type=int, default=4096, help="real tokens of a batch")
    parser.add_argument("--vocab_size", type=int, default=50000, help="pieces")
    parser.add_argument("--hidden_size", type=int, default=384, help="width of both networks")
    parser.add_argument("--rows", type=int, default=512, help="tokens whose logits exist at a time")
    parser.add_argument("--rounds", type=int, default=3, help="passes; their median counts")


def _loader(parser: StrictParser) -> None:
    parser.add_argument("--corpus", type=str, required=True, metavar="DIR", help="prepared corpus")
    parser.add_argument("--tokenizer", type=str, required=True, help="folder or hub name of the corpus' tokenizer")
    parser.add_argument("--max_tokens", type=int, default=4096, help="tokens of a batch, padding included")
    parser.add_argument(
        "--multiples", nargs="+", type=int, default=[1, 8, 16], metavar="N", help="values of data.pad_to_multiple_of"
    )
    parser.add_argument("--batches", type=int, default=1000, help="batches from the start of an epoch")


def _page(parser: StrictParser) -> None:
    parser.add_argument("--folder", type=str, default="docs/performance", help="holds NAME.json of benchmarks")
    parser.add_argument("--output", type=str, default="docs/performance.md", metavar="FILE", help="page to write")


def _guard(parser: StrictParser) -> None:
    parser.add_argument(
        "--stored", type=str, default="docs/performance/guard.json", metavar="FILE", help="ratios that are kept"
    )
    parser.add_argument("--store", action="store_true", help="store what is measured")


def _gpu(parser: StrictParser) -> None:
    parser.add_argument("--batch", type=int, default=256, help="sequences in a step")
    parser.add_argument("--length", type=int, default=128, help="tokens in the longest sequence")
    parser.add_argument("--vocab_size", type=int, default=8002, help="pieces")
    parser.add_argument("--rounds", type=int, default=9, help="steps of each way; medians count")
    parser.add_argument("--peak_tflops", type=float, default=0.0, help="of a device that is not known")


BENCHES = {
    "corpus": Bench("inputs.corpus", "preparing a corpus, against the usual way", _corpus),
    "prepare": Bench("inputs.prepare", "preparing a corpus with one process and with several", _prepare),
    "distil": Bench("steps.distil", "a distillation step, against a naive one, and what capturing costs", _distil),
    "int8_teacher": Bench(
        "steps.int8_teacher", "a distillation step with a teacher in int8, and what it changes", _int8_teacher
    ),
    "gradients": Bench("steps.gradients", "how much each objective of a checkpoint pulls, and whither", _gradients),
    "latency": Bench("use.latency", "time for a sentence, of all models in turns", _latency),
    "pretrain": Bench("steps.pretrain", "a masked-LM step, against a naive one", _pretrain),
    "finetune": Bench("steps.finetune", "fine-tuning of every task kind, against padding to one length", _finetune),
    "qa_features": Bench(
        "inputs.qa_features", "windows of questions over contexts, against the usual way", _qa_features
    ),
    "inference": Bench("use.inference", "texts a second, against one at a time", _inference),
    "startup": Bench("use.startup", "processor time of every command's --help", _startup),
    "soft_targets": Bench("steps.soft_targets", "memory of soft targets, at once and in parts", _soft_targets),
    "loader": Bench("inputs.loader", "batches of a corpus: tokens a second, and padding to few lengths", _loader),
    "precision": Bench("steps.precision", "training in float32 and bf16 on this processor", _precision),
    "gpu": Bench("steps.gpu", "a distillation step on a CUDA device", _gpu),
    "guard": Bench("guard", "refuse what is slower than it was, against naive steps", _guard),
    "page": Bench("page", "write docs/performance.md from the numbers of the others", _page),
}
