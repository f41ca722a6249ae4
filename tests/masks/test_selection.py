"""The choice of guided images: nested, stateless, by class, from a list."""

import pytest

from cfcn_plugin.masks import (
    MaskError,
    MaskLoader,
    PNGMasks,
    choose_guided,
    format_guided_list,
    guidance_rank,
    read_guided_list,
)

KEYS = [f'images/{i:04d}.jpg' for i in range(4000)]
IMAGES = [(key, i % 3) for i, key in enumerate(KEYS[:60])]


# ---- rank ------------------------------------------------------------------


def test_rank_depends_on_image_and_seed_alone():
    first = [guidance_rank(key) for key in KEYS[:50]]
    assert [guidance_rank(key) for key in reversed(KEYS[:50])] == first[::-1]
    assert [guidance_rank(key, 1) for key in KEYS[:50]] != first


def test_rank_is_the_same_in_every_process_and_release():
    # blake2b of '3:images/0000.jpg', 8 bytes, over 2**64
    assert guidance_rank('images/0000.jpg', 3) == 0.5399400749095133


@pytest.mark.parametrize('seed', range(3))
def test_ranks_are_roughly_uniform(seed):
    ranks = [guidance_rank(key, seed) for key in KEYS]
    assert all(0 <= rank < 1 for rank in ranks)
    for tenth in range(1, 10):
        fraction = sum(rank < tenth / 10 for rank in ranks) / len(ranks)
        assert fraction == pytest.approx(tenth / 10, abs=0.04)  # five sigma


# ---- choosing --------------------------------------------------------------


@pytest.mark.parametrize('per_class', [False, True])
def test_fewer_are_inside_more(per_class):
    chosen = [
        set(choose_guided(IMAGES, n, per_class=per_class)) for n in (1, 5, 12, 20)
    ]
    assert chosen[0] < chosen[1] < chosen[2] < chosen[3]


def test_exact_number_in_order_of_name():
    chosen = choose_guided(IMAGES, 7)
    assert len(chosen) == 7 and chosen == sorted(chosen)
    assert chosen == choose_guided(reversed(IMAGES), 7)
    assert chosen != choose_guided(IMAGES, 7, seed=1)


def test_chosen_are_those_under_a_threshold_of_rank():
    chosen = set(choose_guided(IMAGES, 7))
    highest = max(guidance_rank(key) for key in chosen)
    assert chosen == {key for key, _ in IMAGES if guidance_rank(key) <= highest}


def test_per_class_takes_as_many_of_each():
    labels = dict(IMAGES)
    chosen = [labels[key] for key in choose_guided(IMAGES, 4, per_class=True)]
    assert {label: chosen.count(label) for label in set(chosen)} == {0: 4, 1: 4, 2: 4}


def test_image_with_several_labels_counts_for_each():
    images = [('both', [0, 1]), ('zero', [0]), ('one', [1])]
    assert choose_guided(images, 2, per_class=True) == ['both', 'one', 'zero']
    assert 'both' in choose_guided([('both', (0, 1))], 1, per_class=True)


@pytest.mark.parametrize(
    'count,per_class,message',
    [
        (61, False, '61 images are asked for, and the training set has 60'),
        (21, True, '21 images are asked for, and class 0 has 20'),
        (0, False, '`n` must be at least 1, got 0'),
        (-2, True, '`n` must be at least 1, got -2'),
    ],
)
def test_impossible_number_says_what_there_is(count, per_class, message):
    with pytest.raises(ValueError, match=message):
        choose_guided(IMAGES, count, per_class=per_class)


# ---- lists -----------------------------------------------------------------


def test_list_is_read_without_blank_lines_and_spaces(tmp_path):
    file = tmp_path / 'guided.txt'
    file.write_text('images/a.jpg\n\n  images/ä b.jpg \r\n', encoding='utf-8')
    assert read_guided_list(str(file)) == {'images/a.jpg', 'images/ä b.jpg'}


def test_missing_list_names_file_and_the_tool(tmp_path):
    file = tmp_path / 'guided.txt'
    with pytest.raises(FileNotFoundError, match='tools/choose_guided.py') as caught:
        read_guided_list(str(file))
    assert f"'{file}'" in str(caught.value)


def test_list_may_begin_with_a_byte_order_mark_and_is_utf_8(tmp_path):
    file = tmp_path / 'guided.txt'
    file.write_text('ä.jpg\n', encoding='utf-8-sig')
    assert read_guided_list(str(file)) == {'ä.jpg'}
    file.write_text('ä.jpg\n', encoding='latin1')
    with pytest.raises(ValueError, match="guided.txt': not text in UTF-8"):
        read_guided_list(str(file))


@pytest.mark.parametrize('text', ['', '\n \n'])
def test_empty_list_says_what_was_expected(tmp_path, text):
    file = tmp_path / 'guided.txt'
    file.write_text(text)
    with pytest.raises(ValueError, match='is empty: expected one path') as caught:
        read_guided_list(str(file))
    assert f"'{file}'" in str(caught.value)


NAMES = [
    'a.jpg',
    'sub/ä b.jpg',
    'a\u0308.jpg',
    'a\u2028b.jpg',
    'a.jpg\x85',
    '\x0ca.jpg',
    '\u3000a.jpg',
    'a\\b.jpg',
    '"a".jpg',
    '#a.jpg',
    'a\tb.jpg',
    'a.jpg\ufeff',
]
NO_LINES = [
    'a\nb.jpg',
    'a.jpg\n',
    'a\r.jpg',
    ' a.jpg',
    'a.jpg ',
    '\ta.jpg',
    '\udcff.jpg',
    '\u3000',
    '\ufeffa.jpg',
    '',
]


def test_every_name_of_a_written_list_is_read_again(tmp_path):
    file = tmp_path / 'guided.txt'
    file.write_text(format_guided_list(NAMES), encoding='utf-8')
    assert read_guided_list(str(file)) == set(NAMES)


@pytest.mark.parametrize('name', NO_LINES)
def test_name_that_is_no_line_is_refused_at_writing(name):
    with pytest.raises(MaskError) as caught:
        format_guided_list(['a.jpg', name])
    assert str(caught.value).startswith(f'image {name!a} cannot be a line of a li')


def test_name_that_is_no_utf_8_has_a_rank():
    assert 0 <= guidance_rank('\udcff.jpg') < 1


@pytest.mark.parametrize(
    'listed,image,shown',
    [
        ('\xe4.jpg', 'a\u0308.jpg', '\xe4.jpg'),
        ('a\u0308.jpg', '\xe4.jpg', '\xe4.jpg'),
        ('b\\a.jpg', 'b/a.jpg', 'b/a.jpg'),
    ],
)
def test_list_chooses_an_image_in_any_form_of_its_name(tmp_path, listed, image, shown):
    (tmp_path / 'guided.txt').write_text(f'{listed}\n', encoding='utf-8')
    loader = MaskLoader(PNGMasks('masks'), image_list=str(tmp_path / 'guided.txt'))
    assert loader.is_chosen(image) and not loader.is_chosen('c.jpg')
    assert loader.unknown_lines([image]) == set()
    assert loader.unknown_lines(['c.jpg']) == {shown}
