"""Where pretrained backbones and their weights come from, with or without a network.

The lessons call Keras themselves: these rooms only find files and check them. A room opens when
one of its names is first asked for.
"""

from helpers.faces import face

__getattr__, __dir__ = face(
    __name__,
    lite0="EfficientNetLite0",
    labels="WeightsProblem decode_predictions imagenet_labels",
    official="preprocessing_for table weights_for",
)
__all__ = __dir__()
