"""Images of two classes, with masks."""

import pytest
from masked_folder import COUNT, blob, write


@pytest.fixture
def root(tmp_path):
    """Images that are white where their mask is 1; the last of each class has none."""
    for label in 'ab':
        for number in range(COUNT):
            mask = blob(number)
            write(
                tmp_path / f'images/{label}/{number}.png',
                mask[..., None].repeat(3, -1) * 255,
            )
            if number < COUNT - 1:
                write(tmp_path / f'masks/{label}/{number}.png', mask * 255)
    return tmp_path
