"""What several checks ask: is an answer a model, is it one number, is it a known mistake."""

from __future__ import annotations

import copy
import math
import re
import reprlib
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any

import numpy as np

from helpers.exercises.judging import Hint

if TYPE_CHECKING:
    import keras


def described(thing: Any) -> str:
    """Say what an answer is, for a hint: ``"an object of dict"``, ``"nan"``, or that it is None."""
    if thing is None:
        return "None (is there a return?)"
    if isinstance(thing, str):
        return f"a text, {reprlib.repr(str(thing))}"
    if isinstance(thing, type | FunctionType | MethodType):
        return f"{thing.__name__} itself, not called"
    if isinstance(thing, Real) and not math.isfinite(thing):
        return f"{thing}"
    return f"an object of {type(thing).__name__}"


def ask(answer: Callable[..., Any], *given: Any, what: str, **named: Any) -> Any:
    """Ask an answer with fresh copies, and return what it returns.

    Args:
        answer: The learner's function.
        given: Its arguments by place: numbers, texts, arrays, lists, tuples and dictionaries.
        what: What they are, as in "it changes the history that it was given".
        named: Its arguments by name, which are not copied.

    Raises:
        Hint: ``"changed-in-place"`` if one of the copies is not afterwards what it was.
    """
    copies = copy.deepcopy(given)
    result = answer(*copies, **named)
    if not _same(copies, given):
        raise Hint(
            "changed-in-place",
            f"Your function changes the {what} that it was given: by sort(), pop(), += or "
            "an assignment, say. Whoever called it has other data afterwards. Work on a copy.",
        )
    return result


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return list(one) == list(other) and _same([*one.values()], [*other.values()])
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return np.array_equal(one, other)


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


def hint_if_flag_unknown(model: keras.Model) -> None:
    """Raise a hint if a flag was set on a model or a layer that Keras does not know.

    Raises:
        Hint: ``"unknown-flag"``.
    """
    for name in {name for one in (model, *model.layers) for name in vars(one)}:
        if re.match(r"(?i)(is_?|un)?(train|fr[eo]e?z)", name) and name != "train_function":
            raise Hint(
                "unknown-flag",
                f"You set `{name}` on a layer. Keras knows no such attribute, so it does nothing. "
                "What freezes a layer is layer.trainable = False.",
            )


def hint_if_set_on_weights(model: keras.Model) -> None:
    """Raise a hint if `trainable` was set on a layer's weights, past the layer.

    Raises:
        Hint: ``"set-on-weights"``.
    """
    for layer in model.layers:
        weights = [getattr(layer, name, None) for name in ("kernel", "gamma", "beta")]
        if any(one is not None and one.trainable != layer.trainable for one in weights):
            raise Hint(
                "set-on-weights",
                f"You set `trainable` on the weights of {layer.name}, and the layer itself still "
                f"says {layer.trainable}. Set it on the layer: it passes it on to its weights.",
            )


def require_model(answer: Any) -> keras.Model:
    """Return the answer if it is a Keras model.

    Raises:
        Hint: ``"tensor"`` if the last tensor was returned in its place, ``"no-model"`` for
            anything else; of what fit returns it says what it is.
    """
    import keras

    if isinstance(answer, keras.callbacks.History):
        raise Hint(
            "no-model",
            "You returned what fit returns, the history of the run. Return the model itself.",
        )
    if isinstance(answer, keras.KerasTensor):
        raise Hint(
            "tensor",
            "You returned the last tensor. Tie inputs and outputs into a model: "
            "keras.Model(inputs, outputs).",
        )
    if not isinstance(answer, keras.Model):
        raise Hint("no-model", f"Return a keras.Model; this is {described(answer)}.")
    return answer
