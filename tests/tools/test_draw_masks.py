"""Drawing masks by the command line: the printed text before and after."""
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import draw_masks
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.backend_bases import KeyEvent
from PIL import Image

from cfcn_plugin.masks import MaskError

TOOL = Path(draw_masks.__file__)


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / 'birds' / 'images'
    folder.mkdir(parents=True)
    for name in 'abc':
        Image.new('RGB', (90, 60), (40, 90, 160)).save(folder / f'{name}.jpg')
    return folder


@pytest.fixture
def person(monkeypatch):
    """Presses keys in the window that the tool opens, which stays invisible."""
    keys = []

    def show():
        canvas = plt.gcf().canvas
        for key in keys:
            canvas.callbacks.process(
                'key_press_event', KeyEvent('key_press_event', canvas, key))

    monkeypatch.setattr(plt, 'show', show)
    monkeypatch.setattr(plt, 'get_backend', lambda: 'some window')
    yield keys
    plt.close('all')


def test_figure_is_closed_by_quit_and_the_config_is_reported(
        run_tool, images, person, capsys):
    masks = images.parent / 'masks'
    masks.mkdir()
    Image.new('L', (90, 60), 255).save(masks / 'b.png')
    person += ['right', 'q']
    run_tool('draw_masks.py', images, '--out', masks)
    said = capsys.readouterr().out
    assert '1 of 3 images have a mask' in said
    assert "source=dict(\n      type='PNGMasks'" in said
    assert "images='images', masks='masks'" in said
    assert plt.get_fignums() == []


def test_list_of_choose_guided_is_what_is_masked(
        run_tool, images, person, tmp_path, capsys):
    chosen = tmp_path / 'list.txt'
    chosen.write_text('images/c.jpg\nimages/a.jpg\n')
    person += ['k', 'k']
    masks = tmp_path / 'birds' / 'masks'
    run_tool('draw_masks.py', images, '--out', masks, '--list', chosen)
    assert '0 of 2 images' in capsys.readouterr().out
    assert (masks / 'skipped.txt').read_text() == 'a.jpg\nc.jpg\n'


@pytest.mark.parametrize('root', [(), ('--data-root', '.')])
def test_list_of_a_stranger_leads_out_of_no_folder(
        run_tool, images, person, tmp_path, root, monkeypatch):
    monkeypatch.chdir(tmp_path / 'birds')
    secret = tmp_path / 'secret.png'
    Image.new('RGB', (9, 6), (1, 2, 3)).save(secret)
    before = secret.read_bytes()
    chosen = tmp_path / 'list.txt'
    chosen.write_text('images/a.jpg\nimages/../../secret.png\n')
    person += ['b', 's', 's', 's', 's']
    with pytest.raises(MaskError, match='secret.png.*is not below'):
        run_tool('draw_masks.py', images, '--out', tmp_path / 'birds' / 'masks',
                 '--list', chosen, '--redo', *root)
    assert secret.read_bytes() == before and not (tmp_path / 'birds/masks').exists()


def test_without_screen_and_tornado_the_remedy_is_reported(monkeypatch):
    monkeypatch.setattr(draw_masks.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(SystemExit, match=r"pip install 'cfcn_plugin\[draw\]'"):
        draw_masks.start_server('127.0.0.1', 8988)


# ---- in a real browser -------------------------------------------------------


@pytest.fixture
def browser(tmp_path):
    webdriver = pytest.importorskip('selenium.webdriver')
    programs = shutil.which('chromium'), shutil.which('chromedriver')
    if None in programs:
        pytest.skip('needs chromium and chromedriver')
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for flag in ('headless', 'no-sandbox', 'disable-gpu', 'disable-quic',
                 'no-first-run', 'disable-background-networking',
                 'disable-component-update', 'disable-sync', 'no-proxy-server',
                 'window-size=1280,900', f'user-data-dir={tmp_path / "profile"}'):
        options.add_argument(f'--{flag}')
    service = webdriver.ChromeService(programs[1])
    driver = webdriver.Chrome(options, service)
    yield driver
    driver.quit()


@pytest.mark.slow
def test_mask_is_drawn_in_a_headless_browser(browser, images):
    from selenium.webdriver import ActionChains
    masks = images.parent / 'masks'
    tool = subprocess.Popen(
        [sys.executable, '-u', TOOL, images, '--out', masks, '--browser'],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={**os.environ, 'PYTHONPATH': str(TOOL.parents[1])})
    address = None
    while address is None:
        address = re.search(r'Draw at (\S+)', tool.stdout.readline())
    try:
        browser.get(address[1])
        canvas = _eventually(lambda: browser.find_elements('tag name', 'canvas'))[-1]

        def draw_and_save():
            # a square of 240 screen pixels, about in the middle of the image
            ActionChains(browser).move_to_element_with_offset(
                canvas, -250, -120).click_and_hold().move_by_offset(
                    240, 0).move_by_offset(0, 240).move_by_offset(
                        -240, 0).release().perform()
            ActionChains(browser).pause(1).send_keys('s').pause(1).perform()
            return (masks / 'a.png').is_file()

        _eventually(draw_and_save)  # the page has a canvas before it has an image
        mask = np.array(Image.open(masks / 'a.png'))
        assert mask.shape == (60, 90) and set(np.unique(mask)) == {0, 255}
        assert mask[28, 40] == 255 and 0.05 < (mask > 0).mean() < 0.2
        ActionChains(browser).send_keys('q').perform()
        assert tool.wait() == 0
    finally:
        tool.kill()


def _eventually(ask):
    while not (answer := ask()):
        time.sleep(0.1)
    return answer
