"""A split of a data set on the Hugging Face hub as a Parquet file, through `datasets`: no code of it is run."""

from pathlib import Path
from typing import Any

from distilkobert.io.files import atomic_file


def hub_table(name: str, config: str | None, split: str, cache: Path) -> Path:
    """Download a split and keep it as a Parquet file; classes are written by their names.

    Args:
        name: `owner/name` on the hub, or a folder with data files.
        config: configuration of the data set; None where it has one.
        split: name of the split, such as `validation`.
        cache: folder of the file.

    Raises:
        ValueError: there is no such data set, configuration or split, it needs code to be run, or there is no network.
    """
    from datasets import load_dataset

    try:
        data = load_dataset(name, config, split=split)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"hub data set {name!r} (configuration {config or 'none'}, split {split!r}) could not be loaded: {reason}. "
            "Check hub, hub_config and hub_splits, or save it as files and name them with train_file"
        ) from error
    slug = "-".join(part for part in (name.strip("/").replace("/", "-"), config, split) if part)
    target = cache / f"{slug}-{data._fingerprint}.parquet"
    if not target.is_file():
        import pyarrow.parquet as pq

        cache.mkdir(parents=True, exist_ok=True)
        with atomic_file(target) as partial:
            pq.write_table(_with_names(data), partial)
    return target


def _with_names(data: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc
    from datasets import ClassLabel

    table = data.with_format("arrow")[:]
    for place, (column, feature) in enumerate(data.features.items()):
        if isinstance(feature, ClassLabel):
            numbers = table[column]
            known = pc.if_else(pc.greater_equal(numbers, 0), numbers, pa.scalar(None, numbers.type))
            table = table.set_column(place, column, pc.take(pa.array(feature.names), known))
    return table
