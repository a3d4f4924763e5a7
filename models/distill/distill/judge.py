"""A picture of 8 bits -> the teacher's opacity map, by ONNX Runtime."""

from pathlib import Path

import numpy as np
import onnxruntime

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
STD = np.array([0.229, 0.224, 0.225], np.float32)


def normalise(picture: np.ndarray) -> np.ndarray:
    """H x W x 3 of 8 bits -> 1 x 3 x H x W as U²-Net wants it: divided by its own maximum, then by statistics."""
    scaled = picture.astype(np.float32) / max(int(picture.max()), 1)
    return ((scaled - MEAN) / STD).transpose(2, 0, 1)[None]


class Judge:
    """A loaded model with one picture in and its first output out."""

    def __init__(self, model: Path, threads: int = 2):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # As hotcut: threads that wait for work must not take the processor from another model.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if not model.is_file():
            raise SystemExit(f"{model} is missing: `make setup` fetches U²-Net")
        self.session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.input, self.output = self.session.get_inputs()[0], self.session.get_outputs()[0].name

    @property
    def size(self) -> int:
        return self.input.shape[2]

    def __call__(self, picture: np.ndarray) -> np.ndarray:
        """Opacity 0..1, not stretched, size x size, of a picture of size x size x 3."""
        return self.session.run([self.output], {self.input.name: normalise(picture)})[0][0, 0]
