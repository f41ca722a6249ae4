"""The sheet of suspicious images."""

import numpy as np
import pytest
from PIL import Image

from cfcn_plugin.visualization.contact_sheet import Entry, contact_sheet


def entry(**kwargs):
    image = np.full((30, 40, 3), (20, 60, 200), np.uint8)
    mask = np.zeros((30, 40), np.uint8)
    mask[5:20, 5:20] = 1
    return Entry(
        **{**dict(image=image, mask=mask, name='a.jpg', reason='no mask'), **kwargs}
    )


def colours(path):
    with Image.open(path) as sheet:
        return {rgb for _, rgb in sheet.convert('RGB').getcolors(1 << 20)}


def test_sheet_shows_image_and_outline(tmp_path):
    contact_sheet(tmp_path / 'sheet.png', [entry()], 'to look at')
    seen = colours(tmp_path / 'sheet.png')
    assert (20, 60, 200) in seen and (255, 150, 0) in seen


def test_image_that_cannot_be_read_is_grey(tmp_path):
    contact_sheet(tmp_path / 'sheet.png', [entry(image=None, mask=None)])
    seen = colours(tmp_path / 'sheet.png')
    assert (190, 190, 190) in seen and (20, 60, 200) not in seen


def test_reasons_that_stop_a_run_are_red(tmp_path):
    for stops in (True, False):
        contact_sheet(tmp_path / 'sheet.png', [entry(stops=stops)])
        assert ((192, 35, 44) in colours(tmp_path / 'sheet.png')) is stops


@pytest.mark.parametrize('count', [1, 6, 7, 13])
def test_sheet_has_room_for_any_number(tmp_path, count):
    contact_sheet(tmp_path / 'sheet.png', [entry()] * count)
    with Image.open(tmp_path / 'sheet.png') as sheet:
        assert sheet.height > 250 * -(-count // 6)


def test_mask_of_another_size_is_scaled(tmp_path):
    contact_sheet(tmp_path / 'sheet.png', [entry(mask=np.eye(3, dtype=np.uint8))])
    assert (255, 150, 0) in colours(tmp_path / 'sheet.png')
