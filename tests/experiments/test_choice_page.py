"""The page of a choice counts each class of an image, and escapes all names."""

import re

import numpy as np

from cfcn_plugin.annotation.choice import Chosen
from cfcn_plugin.experiments.choice_page import write_choice_page


def test_an_image_of_two_classes_is_in_the_groups_of_both(tmp_path):
    file = tmp_path / 'choice.html'
    write_choice_page(
        file,
        'a <title>',
        'random',
        [('a.jpg', 0), ('b.jpg', [0, 1]), ('c.jpg', 1)],
        [Chosen(1, 'by chance')],
        lambda index: np.full((8, 8, 3), 40 * index, np.uint8),
        names=['<cat>'],
        command='python & more',
    )
    text = file.read_text()
    assert 'a &lt;title&gt;' in text and 'python &amp; more' in text
    assert '1 of 3 training images, chosen by random. Each image has' in text
    assert re.findall(r'<h2>(.*)</h2>', text) == ['&lt;cat&gt;', 'class 1']
    assert text.count('src="data:image/png;base64,') == 2
    rows = re.findall(r'<td>(.*?)</td>\s*<td.*?>(\d+)</td><td.*?>(\d+)</td>', text)
    assert rows == [('&lt;cat&gt;', '1', '2'), ('1', '1', '2')]
