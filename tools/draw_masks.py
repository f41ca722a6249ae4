"""Draw masks: outline the object in a few training images.

Opens a window or, on a machine without a screen, serves the same figure to a browser
(matplotlib's WebAgg, which needs tornado: pip install 'cfcn_plugin[draw]'). Images
with a mask are done. Run the tool again to continue with the other images.
"""
import argparse
import importlib.util
import socket
from pathlib import Path

import matplotlib
from matplotlib import pyplot as plt

from cfcn_plugin.annotation.png_folder import png_masks_config
from cfcn_plugin.annotation.queue import AnnotationQueue, names_below
from cfcn_plugin.masks import read_guided_list
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
    parser.add_argument('--host', default='127.0.0.1', help='address to serve at')
    parser.add_argument('--port', type=int, default=8988)
    args = parser.parse_args()
    root, names = args.data_root, None
    if args.list is not None:
        keys = sorted(read_guided_list(args.list))
        root, names = names_below(args.images, keys, root)
    queue = AnnotationQueue(args.images, args.out, names, args.redo)
    browser = args.browser or plt.get_backend().lower() == 'agg'
    if browser:
        serve(args.host, args.port)
    figure = plt.figure('Draw masks', figsize=SIZE, dpi=100)
    canvas = MaskCanvas(figure, queue, quit=stop if browser else plt.close)
    if browser:
        print_address(args.host)
    plt.show()
    done = len(queue.done)
    print(f'{done} of {len(queue)} images have a mask.')
    if canvas.unsaved:
        print('Drawn and not saved:', *canvas.unsaved, sep='\n  ')
    if done:
        source = png_masks_config(args.images, args.out, root)
        print("In the config:\n  dict(type='LoadActivationMask', missing='unguided', "
              f'source=dict(\n      {format_options(source)}))')


def format_options(source: dict) -> str:
    return ', '.join(f'{key}={value!r}' for key, value in source.items())


# ---- in the browser ----------------------------------------------------------


def serve(host: str, port: int) -> None:
    """Make matplotlib serve figures without opening a browser."""
    if importlib.util.find_spec('tornado') is None:
        raise SystemExit(
            'There is no window to draw in: no screen, or no Tk or Qt for Python. '
            "Drawing in a browser needs tornado: pip install 'cfcn_plugin[draw]'")
    matplotlib.rcParams.update({
        'webagg.address': host,
        'webagg.port': port,
        'webagg.open_in_browser': False
    })
    plt.switch_backend('WebAgg')


def print_address(host: str) -> None:
    from matplotlib.backends.backend_webagg import WebAggApplication
    WebAggApplication.initialize()  # selects another port if the port is in use
    port = WebAggApplication.port
    print(f'Draw at http://{host}:{port}/1 (q there, or Ctrl+C here, ends it).')
    if host in ('127.0.0.1', 'localhost'):
        print('From another machine, first\n'
              f'  ssh -L {port}:127.0.0.1:{port} {socket.gethostname()}\n'
              f'and then open http://127.0.0.1:{port}/1 there.', flush=True)
    else:
        print('Anyone who can open this address can see the images and draw.',
              flush=True)


def stop() -> None:
    """End plt.show after the last update was sent to the browser."""
    from tornado.ioloop import IOLoop
    IOLoop.current().call_later(0.2, IOLoop.current().stop)


if __name__ == '__main__':
    main()
