"""The images of a folder."""

import numpy as np
from PIL import Image

from cfcn_plugin.annotation.samples import FolderSamples


def test_folder_gives_paths_and_names(tmp_path):
    (tmp_path / 'sub').mkdir()
    for name in ('b.jpg', 'sub/a.png'):
        Image.new('RGB', (6, 4)).save(tmp_path / name)
    samples = FolderSamples(tmp_path, loader=None)
    assert samples.names == ['b.jpg', 'sub/a.png'] and len(samples) == 2
    assert samples[1] == dict(img_path=str(tmp_path / 'sub' / 'a.png'))
    np.testing.assert_array_equal(samples.load_image(1), np.zeros((4, 6, 3)))
    assert samples.kept_fraction(1) is None
