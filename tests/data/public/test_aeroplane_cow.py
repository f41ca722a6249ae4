"""Which images of VOC 2012 are Aeroplane-Cow."""

import pytest

from cfcn_plugin.data.public.aeroplane_cow import list_aeroplane_cow


def lists(root, **files):
    (root / 'ImageSets/Main').mkdir(parents=True)
    for name, flags in files.items():
        text = ''.join(f'2008_{i:06d} {flag:>2}\n' for i, flag in enumerate(flags))
        (root / f'ImageSets/Main/{name}.txt').write_text(text)
    return root


# 0 to 5: plane; cow; neither; both; a difficult cow beside a plane; a difficult plane
FLAGS = dict(
    aeroplane_train=[1, -1, -1, 1, 1, 0],
    cow_train=[-1, 1, -1, 1, 0, -1],
    aeroplane_val=[-1],
    cow_val=[1],
)


def test_an_image_shows_one_of_the_two_for_sure_and_not_the_other(tmp_path):
    list_aeroplane_cow(lists(tmp_path, **FLAGS))
    assert (tmp_path / 'aeroplane-cow.csv').read_text().split() == [
        'filename,label,split',
        'JPEGImages/2008_000000.jpg,aeroplane,train',
        'JPEGImages/2008_000001.jpg,cow,train',
        'JPEGImages/2008_000000.jpg,cow,test',
    ]


def test_the_list_of_an_earlier_run_is_not_overwritten(tmp_path):
    list_aeroplane_cow(lists(tmp_path, **FLAGS))
    with pytest.raises(FileExistsError, match='aeroplane-cow.csv. exists'):
        list_aeroplane_cow(tmp_path)


def test_missing_list_says_which_tree_is_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match='aeroplane_train.txt.*VOC 2012'):
        list_aeroplane_cow(tmp_path)


@pytest.mark.parametrize(
    'flags,message',
    [
        (dict(cow_train=[-1, 2, 1, 1, 1, 1]), r"cow_train.txt', line 2: .* got .* 2'"),
        (dict(cow_train=[-1]), 'name other images'),
    ],
)
def test_lists_that_are_not_vocs_are_refused(tmp_path, flags, message):
    with pytest.raises(ValueError, match=message):
        list_aeroplane_cow(lists(tmp_path, **{**FLAGS, **flags}))
    assert not (tmp_path / 'aeroplane-cow.csv').exists()
