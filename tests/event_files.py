"""Reads the event files of a run folder with TensorBoard itself and compares
them with metrics.csv.

    pip install tensorboard
    python tests/event_files.py RUN_FOLDER
"""

import csv
import pathlib
import struct
import sys

from tensorboard.backend.event_processing import event_accumulator

TAGS = {
    "train/loss": "train_loss",
    "train/accuracy": "train_accuracy",
    "val/loss": "val_loss",
    "val/accuracy": "val_accuracy",
    "lr": "lr",
    "images_per_second": "images_per_second",
}


def single(text):
    """The number as the 4 bytes of an event hold it."""
    return struct.unpack("f", struct.pack("f", float(text)))[0]


def main(folder):
    files = sorted(pathlib.Path(folder).glob("events.out.tfevents.*"))
    assert files, f"{folder} has no event file"
    rows = list(csv.DictReader(open(pathlib.Path(folder) / "metrics.csv")))
    assert rows, f"{folder} has no epoch"
    # One reader for all files, as TensorBoard reads a folder.
    reader = event_accumulator.EventAccumulator(str(folder), size_guidance={"scalars": 0})
    reader.Reload()
    assert reader.file_version == 2.0, reader.file_version
    found = set(reader.Tags()["scalars"])
    for tag, column in TAGS.items():
        expected = [(int(row["step"]), row[column]) for row in rows if row[column]]
        assert (tag in found) == bool(expected), tag
        if not expected:
            continue
        events = reader.Scalars(tag)
        assert [event.step for event in events] == [step for step, _ in expected], tag
        for event, (step, text) in zip(events, expected):
            # metrics.csv keeps one decimal of images_per_second.
            room = 0.06 if tag == "images_per_second" else 0.0
            assert abs(event.value - single(text)) <= room, (tag, step, event.value, text)
        assert all(event.wall_time > 1.6e9 for event in events), tag
    print(f"{len(files)} event file(s), {len(rows)} epochs, {len(found)} tags: as metrics.csv")


if __name__ == "__main__":
    main(sys.argv[1])
