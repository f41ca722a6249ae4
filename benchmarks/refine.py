"""The worth of `refine`: how near an outline from a box or a point is to the truth.

    python -m benchmarks.refine --source type=TrimapMasks data_root=data/oxford-iiit-pet

Of each image the largest connected part of its true mask is taken. The box is around
the part; the point is a disc (5 % of the diagonal) where the part is thickest.
"""

import argparse
import time
from collections import Counter

import cv2
import numpy as np
from mmengine.config import DictAction
from mmpretrain.registry import TASK_UTILS

import cfcn_plugin.mm  # noqa: F401  registers the sources
from cfcn_plugin.annotation.load_image import load_image
from cfcn_plugin.masks import GrabCut, MaskError, MaskLoader
from cfcn_plugin.masks.io.files import walk_files
from cfcn_plugin.masks.io.stored_names import IMAGES

POINT = 0.05  # of the diagonal


def marks(true: np.ndarray) -> dict[str, np.ndarray]:
    """The marks that a person could give, uint8 {0, 1}, (H, W)."""
    left, top, width, height = cv2.boundingRect(true)
    box = np.zeros_like(true)
    box[top : top + height, left : left + width] = 1
    depth = cv2.distanceTransform(np.pad(true, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    rows, columns = np.ogrid[: true.shape[0], : true.shape[1]]
    near = np.hypot(rows - row, columns - column) <= POINT * np.hypot(*true.shape)
    return dict(around=box, inside=near.astype(np.uint8))


def largest_part(mask: np.ndarray) -> np.ndarray:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    return (labels == 1 + stats[1:, cv2.CC_STAT_AREA].argmax()).astype(np.uint8)


def iou(one: np.ndarray, other: np.ndarray) -> float:
    return (one & other).sum() / (one | other).sum()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--source',
        nargs='+',
        action=DictAction,
        required=True,
        help='the true masks, as in tools/make_masks.py',
    )
    parser.add_argument(
        '--options',
        nargs='+',
        action=DictAction,
        default={},
        help='options of GrabCut: KEY=VALUE ...',
    )
    parser.add_argument('--side', type=int, default=256, help='longest side, pixels')
    parser.add_argument('--step', type=int, default=1, help='every STEP-th image')
    args = parser.parse_args()
    cv2.setNumThreads(1)
    loader = MaskLoader(TASK_UTILS.build(dict(args.source)), missing='unguided')
    root = loader.source.data_root
    rows, ways, seconds = {'around': [], 'inside': []}, Counter(), Counter()
    names = sorted(n for n in walk_files(root, 'data_root') if n.endswith(IMAGES))
    for name in names[:: args.step]:
        try:
            image = load_image(f'{root}/{name}')
        except MaskError as error:
            print(error)
            continue
        record = loader.query(dict(img_path=f'{root}/{name}'), image.shape[:2]).record
        if record is None or not record.mask.any():
            continue
        scale = min(1, args.side / max(image.shape[:2]))
        image = cv2.resize(
            image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA
        )
        true = largest_part(
            cv2.resize(record.mask, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        )
        for mark, given in marks(true).items():
            begun = time.process_time()
            refined = GrabCut(mark, **args.options)(image, given)
            seconds[mark] += time.process_time() - begun
            ways.update({(mark, way): n for way, n in refined.ways.items()})
            rows[mark].append((iou(given, true), iou(refined.mask, true)))
    if not rows['around']:
        parser.error(f"no image below '{root}' has a mask: check --source")
    print(
        '| mark | images | IoU of the mark | IoU of the outline | 1st and 9th decile '
        '| better than the mark, % | ways | ms |\n|---|---|---|---|---|---|---|---|'
    )
    for mark, pairs in rows.items():
        given, outline = np.array(pairs).T
        low, high = np.percentile(outline, [10, 90])
        took = ', '.join(f'{way} {n}' for (of, way), n in ways.items() if of == mark)
        better = 100 * (outline > given).mean()
        print(
            f'| {mark} | {len(pairs)} | {given.mean():.2f} | {outline.mean():.2f} | '
            f'{low:.2f}, {high:.2f} | {better:.0f} | {took} | '
            f'{1000 * seconds[mark] / len(pairs):.0f} |'
        )


if __name__ == '__main__':
    main()
