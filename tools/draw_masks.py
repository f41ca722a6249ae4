"""Draw masks: outline the object in a few training images.

Opens a window or, on a machine without a screen, serves the same figure to a browser
(matplotlib's WebAgg, which needs tornado: pip install 'cfcn_plugin[draw]'). Images
with a mask are done. Run the tool again to continue with the other images.
"""
import argparse
import importlib.util
from pathlib import Path

from matplotlib import pyplot as plt

from cfcn_plugin.annotation.png_folder import png_masks_config
from cfcn_plugin.annotation.queue import AnnotationQueue, names_below
from cfcn_plugin.masks import read_guided_list
from cfcn_plugin.printable import printable
from cfcn_plugin.visualization.drawing import MaskCanvas
from cfcn_plugin.visualization.drawing_panel import SIZE


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('images', type=Path, help='folder of images')
    parser.add_argument('--out', type=Path, required=True, help='folder of masks')
    parser.add_argument(
        '--list', help='file by tools/choose_guided.py: annotate only these images')
    parser.add_argument(
        '--data-root', help="folder that the list's paths are relative to")
    parser.add_argument(
        '--redo',
        action='store_true',
        help='show also images with a mask, and replace the mask when saving')
    parser.add_argument(
        '--browser', action='store_true', help='use the browser, also with a screen')
    parser.add_argument(
        '--host', default='127.0.0.1', help='address or name to serve at')
    parser.add_argument('--port', type=int, default=8988)
    args = parser.parse_args()
    root, names = args.data_root, None
    if args.list is not None:
        keys = sorted(read_guided_list(args.list))
        root, names = names_below(args.images, keys, root)
    queue = AnnotationQueue(args.images, args.out, names, args.redo)
    browser = args.browser or plt.get_backend().lower() == 'agg'
    server = start_server(args.host, args.port) if browser else None
    figure = plt.figure('Draw masks', figsize=SIZE, dpi=100)
    canvas = MaskCanvas(figure, queue, quit=server.stop if browser else plt.close)
    if browser:
        print(server.describe(), flush=True)
        server.run()
    else:
        plt.show()
    done = len(queue.done)
    print(f'{done} of {len(queue)} images have a mask.')
    if canvas.unsaved:
        print('Drawn and not saved:', *map(printable, canvas.unsaved), sep='\n  ')
    if done:
        source = png_masks_config(args.images, args.out, root)
        print("In the config:\n  dict(type='LoadActivationMask', missing='unguided', "
              f'source=dict(\n      {format_options(source)}))')


def format_options(source: dict) -> str:
    return ', '.join(f'{key}={value!r}' for key, value in source.items())


def start_server(host: str, port: int):
    """Start to serve figures to a browser; matplotlib's figures are its from now on."""
    if importlib.util.find_spec('tornado') is None:
        raise SystemExit(
            'There is no window to draw in: no screen, or no Tk or Qt for Python. '
            "Drawing in a browser needs tornado: pip install 'cfcn_plugin[draw]'")
    from cfcn_plugin.visualization.drawing_server import DrawingServer
    plt.switch_backend('WebAgg')
    return DrawingServer(host, port)


if __name__ == '__main__':
    main()
