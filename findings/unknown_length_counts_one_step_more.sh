#!/usr/bin/env bash
# Keras 3.15.1 on TensorFlow 2.21.0, CPU, Python 3.11.
#
# Guess, written down first: after `fit` over a dataset of 5 batches for 3 epochs,
# `optimizer.iterations` is 15, however the dataset was made.
#
# Seen: where TensorFlow does not know the dataset's length (`from_generator`, `filter`, `unbatch`),
# it is 18. In every epoch Keras asks for a batch more to learn that there is none. That step ends
# in OutOfRange and callbacks never see it, but what needs no data has already run in it: the step
# counter, and AdamW's weight decay. So a schedule in steps runs ahead of the data by one step an
# epoch, and weights decay once more an epoch. With `assert_cardinality(5)` it is 15, as guessed.
#
# What to do: give such a dataset its length, `dataset.apply(tf.data.experimental.assert_cardinality(n))`.
# Where to look: keras/src/backend/tensorflow/trainer.py (fit catches the error outside of the step),
# keras/src/optimizers/base_optimizer.py (the counter and the decay stand beside the gradients).
#
# Exits 0 while this is so, and otherwise if it changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install -q tensorflow==2.21.0 keras==3.15.1 numpy==2.4.6
cat > "$work/count.py" <<'PYTHON'
import numpy as np
import tensorflow as tf
import keras

BATCHES, EPOCHS, RATE, DECAY = 5, 3, 0.1, 0.5


def batches():
    for _ in range(BATCHES):
        yield np.zeros((8, 4), "float32"), np.zeros((8, 1), "float32")


def trained(known):
    signature = (tf.TensorSpec((None, 4)), tf.TensorSpec((None, 1)))
    dataset = tf.data.Dataset.from_generator(batches, output_signature=signature)
    if known:
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(BATCHES))
    # Inputs of zero: no gradient ever reaches the kernel, so only the decay changes it.
    dense = keras.layers.Dense(1, kernel_initializer="ones", use_bias=False)
    model = keras.Sequential([keras.Input((4,)), dense])
    model.compile(keras.optimizers.AdamW(RATE, weight_decay=DECAY), "mse")
    seen = []
    count = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    model.fit(dataset, epochs=EPOCHS, verbose=0, callbacks=[count])
    kernel = float(dense.get_weights()[0][0, 0])
    decays = np.log(kernel) / np.log(1 - RATE * DECAY)
    return len(seen), int(model.optimizer.iterations), round(decays)


found = {("known" if known else "unknown"): trained(known) for known in (True, False)}
for length, (seen, steps, decays) in found.items():
    print(f"length {length}: {seen} batches, iterations {steps}, weights decayed {decays} times")
assert found["known"] == (15, 15, 15), "the ordinary case has changed"
assert found["unknown"] == (15, 18, 18), "the surprise has changed: Keras may have mended it"
PYTHON
TF_CPP_MIN_LOG_LEVEL=3 "$work/env/bin/python" "$work/count.py" 2> "$work/log" || { tail -5 "$work/log" >&2; exit 1; }
