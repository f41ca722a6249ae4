"""Draw masks: outline the object in a few training images, on a page in the browser.

  draw_masks.py data/x/train --out data/x/masks --list list.txt
  draw_masks.py data/x/train --out data/x/masks \\
      --boxes type=BoxMasks data_root=data/x ann_file=boxes.csv

Open the printed address; ? on the page shows the keys. Images with a mask are done. Run
the tool again to continue with the other images. It needs tornado:
pip install 'cfcn_plugin[draw]'
"""

# ruff: noqa: E402  (arguments are parsed before the slow imports)
import argparse
import importlib.util
import webbrowser
from pathlib import Path

import _launch
import _one_line_errors


def parse_args() -> argparse.Namespace:
    parser = _launch.new_parser(__doc__)
    parser.add_argument('images', type=Path, help='folder of images')
    parser.add_argument('--out', type=Path, required=True, help='folder of masks')
    parser.add_argument(
        '--list', help='file by tools/choose_guided.py: annotate only these images'
    )
    parser.add_argument(
        '--data-root', help="folder that the list's paths are relative to"
    )
    parser.add_argument(
        '--boxes',
        nargs='+',
        metavar='KEY=VALUE',
        help='a mask source: begin with the boxes around its masks',
    )
    parser.add_argument(
        '--classes',
        nargs='+',
        default=(),
        metavar='NAME',
        help='one mask a class, in label files: the names, in the order of labels',
    )
    parser.add_argument(
        '--captions', help='CSV file: image, and columns to show with the image'
    )
    parser.add_argument(
        '--redo',
        action='store_true',
        help='show also images with a mask, and replace the mask when saving',
    )
    parser.add_argument(
        '--window', action='store_true', help='open the page in the default browser'
    )
    parser.add_argument(
        '--host', default='127.0.0.1', help='address or name to serve at'
    )
    parser.add_argument('--port', type=int, default=8988)
    return parser.parse_args()


if __name__ == '__main__':
    _one_line_errors.install()
    ARGS = parse_args()

from cfcn_plugin.annotation.drawing.captions import read_captions
from cfcn_plugin.annotation.drawing.session import DrawingSession
from cfcn_plugin.annotation.drawing.source_boxes import SourceBoxes, build_source
from cfcn_plugin.annotation.image_list import names_below
from cfcn_plugin.annotation.png_folder import png_masks_config
from cfcn_plugin.annotation.queue import AnnotationQueue
from cfcn_plugin.masks import read_guided_list
from cfcn_plugin.printable import printable


def main(args: argparse.Namespace) -> None:
    check_tornado()
    root, names = args.data_root, None
    if args.list is not None:
        keys = sorted(read_guided_list(args.list))
        root, names = names_below(args.images, keys, root)
    queue = AnnotationQueue(args.images, args.out, names, args.redo, args.classes)
    config = config_text(args, root)
    session = DrawingSession(
        queue,
        config,
        boxes=args.boxes
        and SourceBoxes(build_source(args.boxes), args.images, bool(args.classes)),
        captions=args.captions
        and read_captions(args.captions, args.images, queue.names),
    )
    serve(session, args)
    session.drafts.close()
    print(f'{len(queue.done)} of {len(queue)} images have a mask.')
    drafts = session.drafts.names(queue.names)
    if drafts:
        print(
            'Drawn and not saved, run the tool again to continue:',
            *map(printable, drafts),
            sep='\n  ',
        )
    if queue.done:
        print(f'In the config:\n  {config}')


def serve(session: DrawingSession, args: argparse.Namespace) -> None:
    """Serve the page until its user ends it."""
    from cfcn_plugin.annotation.drawing.server import DrawingServer

    server = DrawingServer(session, args.host, args.port)
    print(server.describe(), flush=True)
    if args.window:
        webbrowser.open(server.address)
    server.run()


def config_text(args: argparse.Namespace, root: str | None) -> str:
    """The line for a config that reads the masks."""
    count = len(args.classes)
    options = (
        dict(causal=[*range(1, count + 1)], classes=[*range(count)]) if count else {}
    )
    source = png_masks_config(args.images, args.out, root, **options)
    inner = ', '.join(f'{key}={value!r}' for key, value in source.items())
    return (
        "dict(type='LoadActivationMask', missing='unguided', "
        f'source=dict(\n      {inner}))'
    )


def check_tornado() -> None:
    if importlib.util.find_spec('tornado') is None:
        raise SystemExit("Drawing needs tornado: pip install 'cfcn_plugin[draw]'")


if __name__ == '__main__':
    main(ARGS)
