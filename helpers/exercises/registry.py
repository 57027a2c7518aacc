"""Every exercise's id and title, by lesson: to show progress without opening any check."""

from __future__ import annotations

EXERCISES: dict[str, dict[str, str]] = {
    "00": {
        "00.a": "the most probable label",
        "00.b": "accuracy by hand",
        "00.c": "which kind fits?",
    },
    "01": {
        "01.a": "the same network, functionally",
        "01.b": "parameters by hand",
        "01.c": "cut a model at a layer",
        "01.d": "a picture and a number",
    },
    "02": {
        "02.a": "Average pooling by hand",
        "02.b": "Pass it on",
        "02.c": "One pass",
        "02.d": "What changed?",
    },
    "03": {
        "03.a": "Only the training images",
        "03.b": "One photograph, two splits",
        "03.c": "The honest epoch",
        "03.d": "An augmentation for digits",
    },
    "04": {
        "04.a": "Keep the most accurate",
        "04.b": "The value to beat",
        "04.c": "An order for each epoch",
    },
    "05": {
        "05.a": "The last n, without BatchNorm",
        "05.b": "Go on where it stopped",
        "05.c": "A rate for each epoch",
        "05.d": "More than noise?",
    },
    "06": {
        "06.a": "Find the cut by its size",
        "06.b": "Cut, freeze, and put a head on",
        "06.c": "What the head will weigh",
        "06.d": "From a probability to a name",
    },
    "07": {
        "07.a": "Count one layer",
        "07.b": "VGG16's input by hand",
        "07.c": "From this block on",
        "07.d": "A camera with a budget",
    },
}
