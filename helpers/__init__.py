"""Small helpers for the course *Transfer Learning with Keras: every claim runs*.

A lesson shows Keras; these helpers only take away plotting, logging, file finding and checking.

=============  ==================================================================
room           what it holds
=============  ==================================================================
``session``    `start` a lesson; the seed; the folder for what a learner makes
``files``      `whole`: a file is written whole or not at all; `digest`
``network``    `reachable`: whether there is a network, within seconds
``cards``      `Card`: how claims, exercises and progress are shown
``claims``     `claim`: a sentence, its evidence, and whether it holds
``data``       `load` -> training, validation and test images
``backbones``  pretrained weights and where they come from
``freezing``   the layer table; freeze, unfreeze and cut a base model
``features``   run a frozen base once and keep what comes out
``callbacks``  TensorBoard run folders, one line of progress an epoch
``resume``     back a run up, and resume it bit for bit after a kill
``plots``      every figure, each with a sentence in words
``exercises``  attempt, check, adopt; progress
=============  ==================================================================
"""

from helpers.session import SEED, graphics_card, start

__all__ = ["SEED", "graphics_card", "start"]
