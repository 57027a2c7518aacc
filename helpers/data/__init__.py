"""Images for the lessons: bundled ones, a folder of the learner's own, or any TFDS set.

    stamps = load("stamps", image_size=(128, 128))
    stamps.train, stamps.val, stamps.test, stamps.class_names
    cells = load("solar-cells")  # far from ImageNet; CC BY-NC-SA 4.0, from a package of its own

Images are float32 in 0..255, shape (batch, height, width, 3); labels are int32, shape (batch,).
Training batches are shuffled anew in every epoch, from the seed; the others never are.
"""

from helpers.faces import face

__getattr__, __dir__ = face(
    __name__,
    loading="DATA SPLITS FilesOfSplit Splits load",
    images="DataProblem open_image to_rgb",
    solar_cells="MODULE Cell cells",
)
__all__ = __dir__()
