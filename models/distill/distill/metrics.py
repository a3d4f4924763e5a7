"""Maps of opacity -> how good they are: against the truth, and against the teacher."""

import numpy as np

CLEAR_IOU = 0.9


def iou(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of what is opaque by more than half, 1 if neither has anything."""
    a, b = a >= 0.5, b >= 0.5
    union = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / union if union else 1.0


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """In dB, of opacities 0..1; at most 60, so that one perfect picture does not decide a mean."""
    return min(60.0, -10 * np.log10(max(float(np.square(a - b).mean()), 1e-6)))


def stretch(opacity: np.ndarray) -> np.ndarray:
    """As hotcut and rembg use a map: its own least value becomes 0 and its greatest 1."""
    low, high = float(opacity.min()), float(opacity.max())
    return (opacity - low) / max(high - low, 1e-6)


def is_clear(teacher: np.ndarray, mirrored: np.ndarray) -> bool:
    """Whether the teacher sees the same in a photo as in its mirror image, and sees something."""
    return bool((teacher >= 0.5).any()) and iou(teacher, mirrored) >= CLEAR_IOU
