"""Run lengths: how masks travel between the page and the server, and how drafts lie."""

import numpy as np

from cfcn_plugin.masks import MaskError

WORD = np.dtype('<u4')


def encode_runs(labels: np.ndarray) -> bytes:
    """The runs of labels, uint8 (H, W), row after row.

    Returns:
        Pairs of a label and the length of its run, as little endian 32-bit numbers.
    """
    flat = labels.ravel()
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    lengths = np.diff(starts, append=flat.size)
    return np.stack([flat[starts], lengths], 1).astype(WORD).tobytes()


def decode_runs(content: bytes, shape: tuple[int, int], highest: int) -> np.ndarray:
    """The labels, uint8 (H, W), of :func:`encode_runs`'s bytes.

    Args:
        content: The bytes, perhaps from a stranger.
        shape: (H, W).
        highest: The largest label.

    Raises:
        MaskError: The runs are not whole, do not fill the shape, or have a label that
            is larger than ``highest``. No memory is allocated before.
    """
    if len(content) % (2 * WORD.itemsize):
        raise MaskError(f'expected pairs of label and length, got {len(content)} bytes')
    labels, lengths = np.frombuffer(content, WORD).reshape(-1, 2).T.astype(np.int64)
    if lengths.sum() != shape[0] * shape[1]:
        raise MaskError(
            f'expected runs of {shape[0]} x {shape[1]} pixels, got '
            f'{lengths.sum()} pixels'
        )
    if labels.max(initial=0) > highest:
        raise MaskError(f'expected labels to {highest}, got {labels.max()}')
    return np.repeat(labels.astype(np.uint8), lengths).reshape(shape)
