"""The drawing tool as a process of its own."""

import subprocess
import sys

import draw_masks


def start_tool(images, port, **options):
    """``tools/draw_masks.py`` on a folder of images, whose masks lie beside it."""
    command = [draw_masks.__file__, images, '--out', images.parent / 'masks']
    return subprocess.Popen(
        [sys.executable, '-u', *command, '--port', str(port)],
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )
