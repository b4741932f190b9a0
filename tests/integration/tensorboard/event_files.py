"""What TensorBoard's event files of a run hold beside scalars."""

from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.hparams import metadata


def read_events(folder: Path) -> EventAccumulator:
    """All events of a run folder."""
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    return events


def texts(folder: Path, tag: str) -> dict[int, str]:
    """Pages of a text tag by step."""
    found = read_events(folder).Tensors(f"{tag}/text_summary")
    return {event.step: event.tensor_proto.string_val[0].decode("utf-8") for event in found}


def images(folder: Path, tag: str) -> dict[int, bytes]:
    """PNG files of an image tag by step."""
    return {event.step: event.encoded_image_string for event in read_events(folder).Images(tag)}


def custom_charts(folder: Path) -> dict[str, list[str]]:
    """Tags of each chart on the custom-scalars page, by `category/title`."""
    (event,) = read_events(folder).Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
    return {
        f"{part.title}/{chart.title}": list(chart.multiline.tag) for part in layout.category for chart in part.chart
    }


def hparams(folder: Path) -> dict[str, Any]:
    """Settings in the hparams tab."""
    content = read_events(folder).SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
    start = metadata.parse_session_start_info_plugin_data(content)
    return {name: getattr(value, str(value.WhichOneof("kind"))) for name, value in start.hparams.items()}
