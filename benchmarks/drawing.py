"""The worth of the drawing page's assisted outline, by the true masks of photographs.

    python -m benchmarks.drawing --source type=TrimapMasks data_root=DATA

The object of an image is the largest connected part of its true mask. In the place of a
person, the tool gets the box around the object, and then dots of cause or context, each
in the middle of the largest area that is still wrong.
"""

import argparse
import time

import cv2
import numpy as np

from cfcn_plugin.annotation.drawing.outlines import Outline, OutlineAssistant, Stroke
from cfcn_plugin.annotation.drawing.source_boxes import build_source
from cfcn_plugin.annotation.load_image import load_image
from cfcn_plugin.masks import MaskLoader
from cfcn_plugin.masks.io.files import walk_files
from cfcn_plugin.masks.io.stored_names import IMAGES

from .refine import iou, largest_part

DOTS = 3
THICK = 0.4  # a dot's radius, of the depth of the area that is wrong


def whole(outline: Outline, shape: tuple[int, int]) -> np.ndarray:
    """The outline as a mask of the image."""
    mask = np.zeros(shape, np.uint8)
    height, width = outline.mask.shape
    mask[outline.top : outline.top + height, outline.left : outline.left + width] = (
        outline.mask
    )
    return mask


def next_dot(found: np.ndarray, true: np.ndarray) -> Stroke:
    """A dot in the middle of the largest wrong area."""
    wrong = (found != true).astype(np.uint8)
    depth = cv2.distanceTransform(np.pad(wrong, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    radius = max(1.0, THICK * float(depth.max()))
    return Stroke(((column + 0.5, row + 0.5),), radius, int(true[row, column]))


def measure(name: str, image: np.ndarray, true: np.ndarray) -> tuple[list, list]:
    """IoU of the box, the outline, and after each dot; seconds of each request."""
    left, top, width, height = cv2.boundingRect(true)
    box = np.zeros_like(true)
    box[top : top + height, left : left + width] = 1
    assistant, strokes = OutlineAssistant(), ()
    scores, seconds = [iou(box, true)], []
    for _ in range(1 + DOTS):
        begun = time.process_time()
        outline = assistant.propose(
            name, image, ((left, top, left + width, top + height),), strokes
        )
        seconds.append(time.process_time() - begun)
        found = whole(outline, true.shape)
        scores.append(iou(found, true))
        strokes = *strokes, next_dot(found, true)
    return scores, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--source',
        nargs='+',
        metavar='KEY=VALUE',
        required=True,
        help='the true masks, as --boxes of tools/draw_masks.py',
    )
    parser.add_argument('-n', type=int, default=20, help='photographs')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    loader = MaskLoader(build_source(args.source), missing='unguided')
    root = loader.source.data_root
    names = sorted(n for n in walk_files(root, 'data_root') if n.endswith(IMAGES))
    scores, seconds = [], []
    for name in names[:: max(1, len(names) // (2 * args.n))]:
        if len(scores) == args.n:
            break
        image = load_image(f'{root}/{name}')
        record = loader.query(dict(img_path=f'{root}/{name}'), image.shape[:2]).record
        if record is not None and record.mask.any():
            for result, one in zip(
                (scores, seconds), measure(name, image, largest_part(record.mask))
            ):
                result.append(one)
    if not scores:
        parser.error(f"no image below '{root}' has a mask: check --source")
    print(
        f'{len(scores)} photographs\n\n| | mean IoU | lowest | CPU seconds |\n'
        '|---|---|---|---|'
    )
    texts = [
        'box alone',
        'box and its outline',
        *(f'and {count} dot{"s" * (count > 1)}' for count in range(1, DOTS + 1)),
    ]
    took = [0, *np.mean(seconds, 0)]
    for text, some, spent in zip(texts, np.transpose(scores), took):
        print(f'| {text} | {some.mean():.2f} | {some.min():.2f} | {spent:.2f} |')


if __name__ == '__main__':
    main()
