"""Small helpers for the course *Transfer Learning with Keras: every claim runs*.

A lesson shows Keras; these helpers only take away plotting, logging, file finding and checking.

=================  ==============================================================
room               what it holds
=================  ==============================================================
``data``           `load` -> training, validation and test images
``backbones``      pretrained weights and where they come from
``freezing``       the layer table; freeze and unfreeze parts of a base model
``features``       run a frozen base once and keep what comes out
``callbacks``      TensorBoard run folders, one line of progress an epoch
``plots``          every figure, each with a sentence in words
``claims``         `claim`: a sentence, its evidence, and whether it holds
``exercises``      attempt, check, adopt; progress
``course``         for maintainers: stamp, refresh and measure the notebooks
``publish``        for maintainers: pages, slides, and the address that a fork changes
=================  ==============================================================
"""

from helpers.session import SEED, graphics_card, start

__all__ = ["SEED", "graphics_card", "start"]
