"""Small helpers for the course *Transfer Learning with Keras: every claim runs*.

A lesson shows Keras; these helpers only take away plotting, logging, file finding and checking.

===============  ==================================================================
room             what it holds
===============  ==================================================================
``session``      `start` a lesson; the seed; the folder for what a learner makes
``faces``        `face`: rooms of a package that open when they are needed
``files``        `whole`: a file is written whole or not at all; `digest`
``network``      `reachable`: whether there is a network, within seconds
``cards``        `Card`: how claims, exercises and progress are shown
``claims``       `fact` and `claim`: a sentence, its evidence, and whether it holds
``intervals``    95 % intervals over photographs and over seeds
``ladder``       one problem through lessons 02 to 07: the rungs climbed so far
``kept``         small files of the learner that several kernels share
``data``         `load` -> training, validation and test images
``backbones``    pretrained weights and where they come from
``freezing``     the layer table; freeze, unfreeze and cut a base model
``features``     run a frozen base once and keep what comes out
``engine``       a frozen model through LiteRT, kept from lesson to lesson
``look_inside``  Grad-CAM: where in an image a model looked
``callbacks``    TensorBoard run folders, one line of progress an epoch
``plots``        every figure, each with a sentence in words
``exercises``    attempt, check, adopt; progress
===============  ==================================================================
"""

from helpers.session import SEED, graphics_card, start

__all__ = ["SEED", "graphics_card", "start"]
