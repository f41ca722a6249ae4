"""A folder of three images."""

import pytest
from PIL import Image


@pytest.fixture
def images(tmp_path):
    for name in ('a.jpg', 'b.png', 'sub/c.jpg'):
        path = tmp_path / 'data' / 'images' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (6, 4), (200, 30, 10)).save(path)
    return tmp_path / 'data' / 'images'
