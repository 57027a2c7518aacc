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
        "02.c": "What changed?",
        "02.d": "A head of your own",
    },
    "03": {
        "03.a": "Only the training images",
        "03.b": "One photograph, two splits",
        "03.c": "An augmentation for digits",
        "03.d": "Fifty labels",
    },
    "04": {
        "04.a": "Keep the most accurate",
        "04.b": "The value to beat",
        "04.c": "An order for each epoch",
        "04.d": "The model at its best",
    },
    "05": {
        "05.a": "The last n, without BatchNorm",
        "05.b": "Go on where it stopped",
        "05.c": "Fine-tune it yourself",
        "05.d": "More than noise?",
    },
    "06": {
        "06.a": "Find the cut by its size",
        "06.b": "Cut, freeze, and put a head on",
        "06.c": "What the head will weigh",
        "06.d": "See with half a network",
    },
    "07": {
        "07.a": "Count one layer",
        "07.b": "A camera with a budget",
        "07.c": "From this block on",
        "07.d": "The best head for its size",
    },
    "08": {
        "08.a": "Surer than right",
        "08.b": "From gradients to heat",
        "08.c": "A temperature of your own",
        "08.d": "Find the planted labels",
    },
}
