"""What a corpus is to be made from: input files, tokenizer and settings; checked, and encoded into shards."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from distilkobert.corpus.manifest import MANIFEST_FORMAT, Manifest
from distilkobert.corpus.preparation.encoding import BatchEncoder
from distilkobert.corpus.preparation.shards import Shard, ShardFolder, named_shard
from distilkobert.corpus.sequences import CorpusSettings, EncodedLines
from distilkobert.io.reading.inputs import expand_inputs, size_of
from distilkobert.io.reading.remote import InputFile
from distilkobert.io.reading.text_blocks import TextBlock, read_blocks
from distilkobert.io.reading.texts import TextKind, text_kind
from distilkobert.tokenizers.loading import TextEncoder, load_tokenizer

_LINES_AT_A_TIME = 2000


OnProgress: TypeAlias = Callable[[int, int, int], None]
"""Called with the bytes just read, the lines just finished, and the bytes of all files there are to read."""


@dataclass(frozen=True)
class CorpusWork:
    """Input files, and how they become sequences.

    Args:
        files: The files, in order.
        tokenizer: What encodes them.
        settings: How text becomes sequences.
        field: Where the text is in `.jsonl` and `.parquet` files.
        kind: What is in the files, whatever their names say.
    """

    files: tuple[InputFile, ...]
    tokenizer: TextEncoder
    settings: CorpusSettings
    field: str | None
    kind: TextKind | None

    @classmethod
    def find(
        cls, inputs: Sequence[str], tokenizer: str, settings: CorpusSettings, field: str | None, kind: TextKind | None
    ) -> "CorpusWork":
        """Look for the files and load the tokenizer.

        Raises:
            FileNotFoundError: An input or the tokenizer is missing.
            ConnectionError: An input's address cannot be reached.
            ValueError: A setting does not fit inputs or tokenizer.
        """
        files = expand_inputs(inputs)
        if field is not None and all(text_kind(file, kind) == "txt" for file in files):
            raise ValueError(f"field is {field!r}, but the inputs are .txt files, which have no fields; leave it out")
        loaded = load_tokenizer(tokenizer)
        if settings.max_tokens <= (specials := loaded.frame.special_count(1)):
            raise ValueError(f"max_tokens is {settings.max_tokens}; expected more than the {specials} special tokens")
        return cls(tuple(files), loaded, settings, field, kind)

    def origin(self, inputs: Sequence[dict[str, Any]]) -> Manifest:
        """What a manifest says of all this.

        Args:
            inputs: description of each file.
        """
        return {
            "format": MANIFEST_FORMAT,
            "tokenizer": {"fingerprint": self.tokenizer.fingerprint, "vocab_size": self.tokenizer.vocab_size},
            "inputs": list(inputs),
            "settings": {
                **asdict(self.settings),
                "field": self.field,
                **({} if self.kind is None else {"kind": self.kind}),
            },
        }

    def shard(self, files: Sequence[InputFile], inputs: Sequence[dict[str, Any]]) -> Shard:
        """The shard of some of the files.

        Args:
            files: the files.
            inputs: description of each.
        """
        origin = self.origin(())
        return named_shard(files, inputs, {name: origin[name] for name in ("tokenizer", "settings")})

    def encode(
        self, shards: Sequence[Shard], store: ShardFolder, num_proc: int, on_progress: OnProgress | None
    ) -> None:
        """Encode the shards that are not there yet.

        Args:
            shards: all that are wanted.
            store: where they are, or come to.
            num_proc: processes that encode.
            on_progress: reports.
        """
        total = sum(size_of(file) for shard in shards for file in shard.files)

        def report(new_bytes: int, new_lines: int) -> None:
            if on_progress is not None:
                on_progress(new_bytes, new_lines, total)

        def reported(encoded: Iterable[EncodedLines]) -> Iterator[EncodedLines]:
            for lines in encoded:
                report(0, lines.counts.read)
                yield lines

        with BatchEncoder(self.tokenizer, self.settings, num_proc) as encoder:
            for shard in shards:
                if store.has(shard):
                    report(sum(map(size_of, shard.files)), store.counts(shard).read)
                else:
                    batches = self._batches(shard.files, lambda count: report(count, 0))
                    store.write(shard, reported(encoder.encode(batches)))

    def _batches(self, files: Sequence[InputFile], on_read: Callable[[int], None]) -> Iterator[list[TextBlock]]:
        batch: list[TextBlock] = []
        missing = _LINES_AT_A_TIME

        def wanted() -> int:
            return missing

        for file in files:
            for block, count in read_blocks(file, wanted, self.field, on_read, self.kind):
                batch.append(block)
                missing -= count
                if not missing:
                    yield batch
                    batch, missing = [], _LINES_AT_A_TIME
        if batch:
            yield batch
