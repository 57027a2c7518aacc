"""Exercises: attempt, check, adopt; and the learner's progress.

A lesson has three cells for each exercise: a stub to fill in, ``check("05.b", answer)``, and a
folded solution that ends in ``answer = adopt("05.b", answer, reference)``. The checks live in
one module a lesson, ``lesson_00.py`` and so on, each with a dictionary ``EXERCISES``.

=============  ================================================================
room           what it holds
=============  ================================================================
``judging``    `check`, `adopt` and what they rest on
``probes``     what several checks ask of an answer: is it a model, one number?
``progress``   what was tried and passed, and the card that shows it
``registry``   every exercise's id and title, as plain text
``open_task``  what is trained by an answer, judged on images that it has not seen
``errors``     what an error of Python, NumPy or Keras means, in a sentence
``deadline``   an end for an answer that never comes to one
=============  ================================================================

A room is opened when one of its names is asked for.
"""

from helpers.faces import face

__getattr__, __dir__ = face(
    __name__,
    judging="Exercise Hint Result adopt check evaluate find has_dots is_stub",
    probes="described require_model",
    progress="reset_progress show_progress",
)
__all__ = __dir__()
