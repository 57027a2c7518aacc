"""What several checks ask: is an answer a model, is it one number, is it a known mistake."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.exercises.judging import Hint

if TYPE_CHECKING:
    import keras


def described(thing: Any) -> str:
    """Say what an answer is, for a hint: ``"an object of dict"``, ``"nan"``, or that it is None."""
    if thing is None:
        return "None (is there a return?)"
    if isinstance(thing, Real) and not math.isfinite(thing):
        return f"{thing}"
    return f"an object of {type(thing).__name__}"


def number(answer: Any) -> int | float | None:
    """Return an answer as a number of Python's if it is one finite number, else None.

    One number is an int or a float, of Python's or NumPy's, also where it stands in an array or
    tensor without axes. A truth value is none, nor is a text, a list or NaN.
    """
    if isinstance(answer, str | list | tuple | Mapping) or np.ndim(answer) != 0:
        return None
    value = answer if isinstance(answer, Real) else np.asarray(answer)[()]
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real):
        return None
    if isinstance(value, Integral):
        return int(value)
    return float(value) if math.isfinite(value) else None


def require_number(answer: Any, wanted: str = "one number") -> int | float:
    """Return the answer as a number of Python's.

    Args:
        answer: What the learner's function returned.
        wanted: What it should be, as it follows "Return" in a hint.

    Raises:
        Hint: ``"not-a-number"`` if it is none, by the rule of `number`.
    """
    found = number(answer)
    if found is None:
        raise Hint("not-a-number", f"Return {wanted}; this is {described(answer)}.")
    return found


def close(found: Any, wanted: Any, atol: float = 1e-6) -> bool:
    """Whether two numbers or arrays have one shape, and values that differ by `atol` at most."""
    return np.shape(found) == np.shape(wanted) and bool(
        np.allclose(found, wanted, rtol=0, atol=atol)
    )


def hint_if_known(
    found: Any,
    mistakes: Mapping[str, tuple[Any, str]],
    same: Callable[[Any, Any], bool] = close,
) -> None:
    """Raise the hint of the first known mistake that leads to what was found.

    Args:
        found: What the learner's function returned.
        mistakes: From a hint's code to what that mistake returns, and the hint's sentence.
        same: Whether two results are the same; `close` unless told.

    Raises:
        Hint: The mistake is known. Otherwise nothing happens.
    """
    for code, (result, sentence) in mistakes.items():
        if same(found, result):
            raise Hint(code, sentence)


def require_model(answer: Any) -> keras.Model:
    """Return the answer if it is a Keras model.

    Raises:
        Hint: ``"tensor"`` if the last tensor was returned in its place, ``"no-model"`` for
            anything else.
    """
    import keras

    if isinstance(answer, keras.KerasTensor):
        raise Hint(
            "tensor",
            "You returned the last tensor. Tie inputs and outputs into a model: "
            "keras.Model(inputs, outputs).",
        )
    if not isinstance(answer, keras.Model):
        raise Hint("no-model", f"Return a keras.Model; this is {described(answer)}.")
    return answer
