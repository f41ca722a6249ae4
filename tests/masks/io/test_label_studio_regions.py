"""Label Studio's run lengths, against its own encoder's bytes and a slow encoder."""

import numpy as np
import pytest

from cfcn_plugin.masks import MaskError
from cfcn_plugin.masks.io.label_studio_regions import decode_brush

SHAPE = (3, 4)
# what label_studio_sdk 2.0.19 writes for the mask below
PUBLISHED = bytes([0, 0, 0, 48, 57, 27, 254, 19, 0, 159, 254, 248, 4, 127, 224])
MASK = [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]


def encode(pixels, lengths=(3, 4, 8, 16), repeat=True, count=None, bits=8):
    """Runs of RGBA values, by the description of the format; or one by one."""
    values = np.asarray(pixels, np.uint8).ravel().tolist()
    text = f'{len(values) if count is None else count:032b}{bits - 1:05b}'
    text += ''.join(f'{n - 1:04b}' for n in lengths)
    at = 0
    while at < len(values):
        end = at + 1
        while repeat and end < len(values) and values[end] == values[at]:
            end += 1
        size = next(i for i, n in enumerate(lengths) if end - at <= 2**n)
        text += f'{repeat:b}{size:02b}{end - at - 1:0{lengths[size]}b}'
        text += ''.join(
            f'{v:08b}' for v in (values[at : at + 1] if repeat else values[at:end])
        )
        at = end
    text += '0' * (-len(text) % 8)
    return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


def rgba(alpha):
    pixels = np.zeros((*np.shape(alpha), 4), np.uint8)
    pixels[..., 3] = alpha
    return pixels


def test_published_encoder_s_bytes():
    mask = decode_brush(PUBLISHED, SHAPE)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, MASK)


@pytest.mark.parametrize('repeat', [True, False])
@pytest.mark.parametrize('shape', [(1, 1), (5, 7), (40, 30)])
def test_alpha_of_half_or_more_is_the_mask(shape, repeat):
    alpha = np.random.default_rng(0).integers(0, 256, shape)
    mask = decode_brush(encode(rgba(alpha), repeat=repeat), shape)
    np.testing.assert_array_equal(mask, alpha >= 128)


def test_long_runs():
    alpha = np.zeros((100, 200), int)
    alpha[30:] = 255
    pixels = np.repeat(alpha[..., None], 4, axis=2)
    np.testing.assert_array_equal(decode_brush(encode(pixels), alpha.shape), alpha > 0)


@pytest.mark.parametrize(
    'data,text',
    [
        (b'', 'malformed run lengths.*ends at bit 0'),
        (PUBLISHED[:6], 'malformed run lengths.*ends at bit 48.*export again'),
        (PUBLISHED[:12], 'malformed run lengths'),
        (
            encode(rgba(MASK), count=2**32 - 1),
            '4294967295 values of 8 bits, expected 4 of 8 for each of 4 x 3 pixels',
        ),
        (encode(rgba(np.zeros((4, 4)))), '64 values of 8 bits'),
        (encode(rgba(MASK), bits=9), '48 values of 9 bits'),
        (encode(rgba(np.zeros((4, 4))), count=48), 'a run ends at 64 of 48'),
    ],
)
def test_malformed_data_is_refused_before_it_is_believed(data, text):
    with pytest.raises(MaskError, match=text):
        decode_brush(data, SHAPE)
