"""What a frame of the drawing page costs while a photograph is panned and zoomed.

    python -m benchmarks.drawing_frames

A headless Chromium, which draws by software on a CPU, shows a photograph of 4000 x 3000
pixels with a mask over a sixth of it. A script in the page pans, and then zooms, once a
frame for some seconds.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import psutil

from .chromium import start_chromium

TOOL = Path(__file__).parents[1] / 'tools' / 'draw_masks.py'
LOADED = 'return Boolean(window.app && app.mask && app.view.levels.length > 2)'
MASK = """
    const {mask} = app;
    mask.begin();
    mask.paint(span => {
      for (let y = 700; y < 2300; y++) {
        const half = Math.sqrt(800 ** 2 - (y - 1500) ** 2);
        span(y, Math.round(2000 - half), Math.round(2000 + half));
      }
    }, 1);
    app.endEdit();"""
FRAMES = """
    const [kind, milliseconds, done] = arguments, {view} = app, costs = [];
    const draw = view.draw, begun = performance.now(), first = view.frames;
    view.draw = () => {
      const start = performance.now();
      draw.call(view);
      costs.push(performance.now() - start);
    };
    const step = now => {
      const past = now - begun, turn = 6 * Math.PI * past / milliseconds;
      if (past > milliseconds) {
        delete view.draw;
        return done([view.frames - first, past, costs]);
      }
      if (kind === 'pan') view.pan(7 * Math.cos(turn), 5 * Math.sin(turn));
      else view.zoom(Math.exp(0.03 * Math.cos(turn)), view.centre);
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);"""


def photograph() -> np.ndarray:
    """uint8 (3000, 4000, 3): shapes over noise."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (60, 80, 3)).astype(np.uint8)
    image = cv2.resize(small, (4000, 3000), interpolation=cv2.INTER_CUBIC)
    for _ in range(60):
        x, y, radius = rng.integers((0, 0, 50), (4000, 3000, 400)).tolist()
        cv2.circle(image, (x, y), radius, rng.integers(0, 255, 3).tolist(), -1)
    noise = rng.integers(-12, 13, image.shape).astype(np.int16)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def serve(folder: Path) -> tuple[subprocess.Popen, str]:
    """The drawing page over the photograph, and its address."""
    (folder / 'images').mkdir()
    cv2.imwrite(str(folder / 'images' / 'a.jpg'), photograph())
    tool = subprocess.Popen(
        [sys.executable, '-u', TOOL, folder / 'images', '--out', folder / 'masks'],
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in tool.stdout:
        if address := re.search(r'http://\S+', line):
            return tool, address[0]
    raise RuntimeError(f'{TOOL.name} has printed no address')


def cpu_seconds(driver) -> float:
    """Of all processes of the browser so far."""
    browser = psutil.Process(driver.service.process.pid).children(recursive=True)
    return sum(sum(process.cpu_times()[:2]) for process in browser)


def measure(driver, zoom: float | None, kind: str, seconds: float) -> list[float]:
    """Frames a second, the median of their script and their CPU time in ms."""
    driver.execute_script(
        'app.view.fit(); const [zoom] = arguments;'
        'if (zoom) app.view.zoom(zoom / app.view.scale, app.view.centre)',
        zoom,
    )
    time.sleep(1)
    before = cpu_seconds(driver)
    frames, took, costs = driver.execute_async_script(FRAMES, kind, 1000 * seconds)
    spent = cpu_seconds(driver) - before
    return [1000 * frames / took, float(np.median(costs)), 1000 * spent / frames]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=3, help='of each row; 3')
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        driver = start_chromium(Path(name, 'profile'))
        if driver is None:
            parser.error('needs chromium and chromedriver (Debian: chromium-driver)')
        driver.set_script_timeout(60 + 10 * args.seconds)
        tool, address = serve(Path(name))
        try:
            driver.get(address)
            while not driver.execute_script(LOADED):
                time.sleep(0.1)
            driver.execute_script(MASK)
            size = driver.execute_script(
                'return [app.view.canvas.width, app.view.canvas.height]'
            )
            print(
                'Chromium {}, software rendering, a canvas of {} x {}; load of the '
                'machine {:.1f}\n\n| | frames a second | ms of script a frame | CPU '
                'ms a frame, all processes |\n|---|---|---|---|'.format(
                    driver.capabilities['browserVersion'], *size, os.getloadavg()[0]
                )
            )
            for text, zoom in (('fitted', None), ('1:1', 1), ('4:1', 4)):
                for kind in ('pan', 'zoom'):
                    rate, script, cpu = measure(driver, zoom, kind, args.seconds)
                    print(
                        f'| {text}, {kind} | {rate:.0f} | {script:.1f} | {cpu:.1f} |',
                        flush=True,
                    )
        finally:
            driver.quit()
            tool.terminate()
            tool.wait()


if __name__ == '__main__':
    main()
