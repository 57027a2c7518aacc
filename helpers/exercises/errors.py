"""What an error of Python, NumPy or Keras means, and what to do about it."""

from __future__ import annotations

import re

MEANINGS = {  # what stands in the error's kind and message, and the sentence for it
    r"NameError: name '(relu|softmax|sigmoid|tanh|adam|sgd)'": "Keras knows {0} by its name, which "
    'is a text: put it between quotation marks, "{0}".',
    r"NameError: name '(\w+)'": "Nothing is called {0} here: import or define it, or say where it "
    "lives, as in layers.Dense.",
    r"(?:keyword argument|arguments passed to \w+: \{|not recognized: \{) ?'(\w+)'": "There is no "
    "argument {0}: look up how it is spelt today.",
    r"for \+: '\w*Path' and 'str'": "Join a path and a text with a slash: folder / 'a_name'.",
    r"'NoneType' object": "Something is None: what a function without a return gives, or one like "
    "list.sort() that changes its list.",
    r"for /: 'str' and": "A text has no slash operator: leave the path a Path, or make it one, "
    "pathlib.Path(text).",
    r"'(\w+)' object is not callable": "Round brackets call a function, and this is of the kind "
    "{0}: entries go in square brackets, and a flag is set with =.",
    r"'(\w+)' object is not subscriptable": "Square brackets take from a list or a dictionary, and "
    "this is of the kind {0}: which of its attributes is meant, .layers, .history, .epoch?",
    r"SeedSequence expects int|expected non-negative integer": "A generator is seeded with whole "
    "numbers that are not negative: np.random.default_rng([seed, epoch]).",
    r"'dict' object has no attribute '(\w+)'": "What stands before .{0} is a dictionary already, "
    "with its entries in square brackets. Is it one attribute too many?",
    r"'(tuple|list)' object has no attribute '(\w+)'": "A {0} is neither an array nor one of its "
    "own elements: np.{1}(...) or np.asarray(...) takes it, and [0] is its first element.",
    r"KeyError": "The dictionary has no such key; its keys() are those it has.",
    r"can only concatenate list": "A list is no number: take one of its elements, values[-1], or "
    "its length.",
    r"object has no attribute '(in|out)put_shape'": "Layers of Keras 3 have no {0}put_shape: write "
    "layer.{0}put.shape.",
    r"expects 1 input\(s\), but it received (\d+) input tensors": "The layer takes one tensor and "
    "got a list of {0}. layers.Concatenate()([a, b]) makes one of several.",
    r"called on a list of at least": "Concatenate takes a list, and has two pairs of round "
    "brackets: layers.Concatenate()([a, b]).",
    r"^TypeError: Layer.__init__\(\) takes 1 positional": "A model needs both ends: "
    "keras.Model(inputs, outputs).",
    r"'(?:Functional|Sequential)' object has no attribute '(\w+)'": "A model has nothing called "
    "{0}. A layer of it is model.get_layer(name).",
    r"module '(keras[\w.]*)' has no attribute '(\w+)'": "There is no {1} in {0} today. Classes "
    "begin with a capital, layers.Flatten, and what was experimental has moved to keras.layers.",
    r"Cannot convert '\d+' to a shape": "A shape is one thing, in brackets of its own: "
    "keras.Input((28, 28)).",
    r"layer isn't built": "Without an Input the layers do not know yet how many weights they need: "
    "begin with keras.Input.",
    r"KerasTensor cannot be used": "TensorFlow's functions take numbers, and while a model is "
    "built there are none yet: take a layer, or what has the same name in keras.ops.",
    r"Only input tensors may be passed .*Dataset element_spec": "A layer takes tensors, not a "
    "whole dataset: dataset.map(lambda images, labels: (layer(images), labels)).",
    r"(?:Only input tensors may be|Inputs to a layer should be tensors).*<(\w+) name=": "The layer "
    "{0} stands where a tensor belongs. Call it on a tensor first: {0}(...)(x), or "
    "Concatenate()([a, b]) for several.",
    r"too many positional arguments": "A layer takes its tensors as one argument: several go into "
    "a list, layer([a, b]).",
    r"`data_format` argument must be one of": "First the layer is made, then called: "
    "layers.GlobalAveragePooling2D()(x), with two pairs of brackets.",
    r"(?i)cannot convert it to a NumPy array": "NumPy takes numbers, and this is a placeholder for "
    "them: take a layer, or keras.ops in place of np.",
    r"(?i)KerasTensor": "Did a layer get the tensor where its settings belong? First the layer is "
    "made, then called: layers.Flatten()(x).",
    r"not connected to `inputs`": "A model begins at the input from which its outputs were "
    "computed: base.input, not a new keras.Input.",
    r"indices must be integers or slices, not (?:numpy\.)?float": "A place in a list is a whole "
    "number. Does a value stand there? np.argmax(values) is the place of the largest.",
    r"indices must be integers": "A list goes by numbers, not by names. base.get_layer(name) is a "
    "layer by its name; [layer.name for layer in base.layers].index(name) is its place.",
    r"'[^']*' is not in list": "The list does not hold that text. Is it the name that the function "
    "was given? And base.layers holds layers, not names: ask each for layer.name.",
    r"Could not interpret .* identifier": "Is that name spelt as in the documentation?",
    r"should be tensors\. Got|Only input tensors": "A model or layer is called with a tensor. A "
    "layer by its name is base.get_layer(name), and what comes out of it .output.",
    r"missing \d+ required": "Something that it needs was left out of the brackets.",
    r"No such layer": "Look the name up: print([layer.name for layer in base.layers]).",
    r"'NoneType' and '\w+'|'\w+' and 'NoneType'": "One side is None. In a Keras shape the first "
    "number, for the images, is None; rows and columns come after it.",
    r"values to unpack": "Left of the = stand more or fewer names than there are values. Print "
    "what is unpacked.",
    r"expects \d+ (?:named )?input|expects \d+ inputs": "A pair (inputs, labels) goes to fit as "
    "two arguments: model.fit(*pair).",
    r"'list' object cannot be interpreted as an integer|as a data type": "NumPy takes several axes "
    "as a tuple: axis=(1, 2).",
    r"cannot reshape array of size": "So many numbers do not fit into that shape. Is one of its "
    "sizes a fixed number? Take it from x.shape.",
    r"could not be broadcast": "Arrays of two shapes meet here: print both. Of lists of arrays, "
    "take one pair after another, with zip.",
    r"'numpy.ndarray' object has no attribute '(\w+)'": "An array has no {0}, as a list may have. "
    "np.argmax finds the place of the largest, np.flatnonzero places where something holds.",
    r"unhashable type: '(?:numpy\.)?(\w+)'": "A set or a dictionary cannot hold an {0}: it can "
    "change. Go through them with a loop.",
    r"is incompatible with the layer": "The layer got a tensor of another shape than it was made "
    "for. Was it called on the right one, and only once?",
    r"inhomogeneous shape": "Arrays of different shapes make no array together. Go through the "
    "list and take one after another.",
    r"only integer scalar arrays": "A whole array stands where one number belongs: take one of its "
    "elements, [0].",
    r"instances of 'int' and 'str' in get_layer$": "get_layer(index=...) takes a place, a whole "
    "number. A layer by its name is model.get_layer(name).",
    r"not supported between instances of '(\w+)' and '(\w+)'": "An {0} and a {1} cannot be put in "
    "order. Is one of them a name, where a number belongs?",
    r"must have the same rank": "Labels as whole numbers go with sparse_categorical_crossentropy; "
    "categorical_crossentropy wants one-hot rows.",
    r"dtype='string' is not a valid dtype": "Is ['accuracy'] the third argument of compile? Today "
    "that is loss_weights: write metrics=['accuracy'].",
    r"takes 1 positional argument but 2 were given": "The function was given one thing more than "
    "it takes. A dataset of pairs hands its map's function two: lambda images, labels: ...",
    r"truth value of an array": "A whole array was asked for yes or no. Which of its elements "
    "counts, or all(), or any()?",
    r"index \d+ is out of bounds|index out of range": "There is no such place: the list is "
    "shorter. Places are counted from 0.",
}
LONGEST = 200
"""Characters of an error's own words that are quoted: Keras may list each of a hundred layers."""


def meaning(kind: str, message: str, answer: str, inside: str = "") -> str:
    """Say what an error means, in a sentence; nothing where its own words have to do.

    Args:
        kind: The error's class, as in ``"KeyError"``.
        message: Its own words.
        answer: The name of the learner's function.
        inside: The name of the function in which it was raised.
    """
    if message.startswith(f"{answer}() ") and "argument" in message:
        return "Keep the arguments that the function has in the exercise's cell."
    for pattern, sentence in MEANINGS.items():
        if found := re.search(pattern, f"{kind}: {message} in {inside}"):
            return sentence.format(*found.groups())
    return ""


def shortened(message: str) -> str:
    """Return an error's own words, cut where they get long."""
    return message if len(message) <= LONGEST else f"{message[:LONGEST].rstrip()} …"
