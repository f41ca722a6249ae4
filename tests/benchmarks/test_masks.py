"""The benchmark's data is what it says."""
import numpy as np
from PIL import Image

from benchmarks.masks import make_data


def test_images_are_as_large_as_imagenet_s(tmp_path):
    make_data(tmp_path, 2)
    for i in range(2):
        image = tmp_path / 'images' / f'{i}.jpg'
        assert Image.open(image).size == (500, 375)
        assert 90_000 < image.stat().st_size < 130_000
        masks = [np.array(Image.open(tmp_path / folder / f'{i}.png')) > 0
                 for folder in ('masks', 'one_bit')]
        np.testing.assert_array_equal(*masks)
        assert 0.2 < masks[0].mean() < 0.5
