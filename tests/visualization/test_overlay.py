"""Pixel values of overlays and scaled images."""

import numpy as np

from cfcn_plugin.visualization.overlay import (
    overlay_mask,
    scale_to_fit,
    screen_pixels,
    shorten_name,
)


def test_image_of_any_channels_is_shown_in_three_of_8_bits():
    grey = np.array([[7, 9]], np.uint8)
    expected = [[[7, 7, 7], [9, 9, 9]]]
    assert screen_pixels(grey).tolist() == expected
    assert screen_pixels(grey[..., None]).tolist() == expected
    assert screen_pixels(np.dstack([grey - 1, grey + 1])).tolist() == expected
    four = np.array([[[1, 2, 3, 4]]], np.uint8)
    assert screen_pixels(four).tolist() == [[[1, 2, 3]]]


def test_image_of_any_type_fills_the_screen_s_range():
    for values in (
        np.array([[100, 4000, 2050]], np.uint16),
        np.array([[-2.0, 1.9, -0.05]]),
        np.array([[-5, 5, 0]], np.int32),
    ):
        shown = screen_pixels(values)
        assert shown.dtype == np.uint8 and shown[0, :, 0].tolist() == [0, 255, 128]
    assert screen_pixels(np.full((1, 1), 9, np.uint16)).tolist() == [[[0, 0, 0]]]


def test_tint_marks_the_mask_and_leaves_the_rest():
    image = np.full((20, 20, 3), 100, np.uint8)
    mask = np.zeros((10, 10), np.uint8)
    mask[3:7, 3:7] = 1
    shown = overlay_mask(image, mask)
    assert (shown[:5] == 100).all() and (image == 100).all()
    assert (shown[10, 10] != 100).any()
    assert (shown[6, 10] == (255, 150, 0)).all() and (shown[5, 10] == 0).all()


def test_small_images_are_shown_by_whole_pixels_and_large_ones_small():
    small = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(scale_to_fit(small, 7)[::3, ::3], small)
    assert scale_to_fit(np.zeros((100, 50, 3), np.uint8), 40).shape == (40, 20, 3)
    assert scale_to_fit(np.zeros((1000, 1, 3), np.uint8), 40).shape == (40, 1, 3)


def test_long_names_keep_their_end():
    assert shorten_name('a/b.jpg', 7) == 'a/b.jpg'
    assert shorten_name('a/b/c.jpg', 6) == '…c.jpg'
