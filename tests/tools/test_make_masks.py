"""Making PNG masks by the command line, from options, a fragment and a config."""

import csv
import json
import os
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from mask_formats import EPS
from mmpretrain.registry import TASK_UTILS
from PIL import Image

CONFIG = Path(__file__).parents[2] / 'configs/cfcn_efficientnet-lite0_waterbirds.py'


@pytest.fixture
def birds(waterbirds_root):
    return waterbirds_root / 'waterbirds100'


@pytest.fixture
def make(run_tool, birds, tmp_path):
    """Make masks of the birds' boxes in the folder ``m``, with more arguments."""

    def make(*arguments, images=birds / 'images', root=birds, file='labels.csv'):
        source = ('type=BoxMasks', f'data_root={root}', f'ann_file={file}')
        common = ('--images', images, '--out', tmp_path / 'm', '--jobs', 1)
        run_tool('make_masks.py', *common, *arguments, '--source', *source)

    return make


def printed_source(capsys):
    """The source that the tool says to write, built."""
    said = capsys.readouterr().out
    line = re.search(r'source=(dict\(.*\))', said)[1]
    return said, TASK_UTILS.build(eval(line))


def expected(sample=(64, 96)):
    mask = np.zeros(sample, np.uint8)
    mask[16:31, 24:72] = 1  # the boxes of the fixture
    return mask


def read(source, birds, number):
    return source(dict(img_path=birds / f'images/{number:03d}.jpg', ori_shape=(64, 96)))


def test_options_make_a_folder_that_the_printed_config_reads(
    make, birds, tmp_path, capsys
):
    make()
    said, source = printed_source(capsys)
    assert '24 of 24 images have a mask' in said
    np.testing.assert_array_equal(read(source, birds, 7).mask, expected())
    with (tmp_path / 'm' / 'index.csv').open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 24 and rows[0]['image'] == '000.jpg'


@pytest.mark.parametrize('suffix', ['py', 'json'])
def test_file_with_a_source(run_tool, birds, tmp_path, capsys, suffix):
    source = dict(type='BoxMasks', data_root=str(birds), ann_file='labels.csv')
    file = tmp_path / f'source.{suffix}'
    file.write_text(
        f'source = {source!r}' if suffix == 'py' else json.dumps(dict(source=source))
    )
    run_tool(
        'make_masks.py',
        file,
        '--images',
        birds / 'images',
        '--out',
        tmp_path / 'm',
        '--jobs',
        1,
    )
    _, source = printed_source(capsys)
    np.testing.assert_array_equal(read(source, birds, 0).mask, expected())


def test_config_makes_masks_of_the_training_images(run_tool, birds, tmp_path, capsys):
    run_tool(
        'make_masks.py', CONFIG, '--out', tmp_path / 'm', '--jobs', 1, data=birds.parent
    )
    said, source = printed_source(capsys)
    assert '8 of 8 images' in said
    np.testing.assert_array_equal(read(source, birds, 1).mask, expected())
    assert read(source, birds, 9) is None  # an image for validation


def test_failures_are_listed_and_the_exit_code_is_1(make, tmp_path, capsys):
    boxes = tmp_path / 'boxes.json'
    boxes.write_text(
        json.dumps(
            {'images/000.jpg': [[900, 0, 950, 5]], 'images/001.jpg': [[0, 0, 5, 5]]}
        )
    )
    with pytest.raises(SystemExit) as ended:
        make(file=boxes)
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert '1 of 24 images have a mask' in said
    assert 'it lies outside the image of 96 x 64 pixels' in said


def test_names_that_do_not_meet_are_shown(make, tmp_path):
    boxes = tmp_path / 'boxes.json'
    boxes.write_text(json.dumps({'000.jpg': [[0, 0, 5, 5]]}))
    with pytest.raises(SystemExit, match=r"begin with \['000.jpg'\].*'images/000.jpg'"):
        make(file=boxes)


def test_source_without_images_is_reported(run_tool, tmp_path):
    with pytest.raises(ValueError, match='with --images'):
        run_tool('make_masks.py', '--out', tmp_path, '--source', 'type=BoxMasks')


def test_names_that_drive_a_terminal_or_are_not_utf_8_end_nothing(
    make, birds, tmp_path, capsys
):
    images, boxes = tmp_path / 'images', {}
    images.mkdir()
    names = ['\x1b[2J.jpg', 'a\n.jpg', '$x^$.jpg', os.fsdecode(b'caf\xe9.jpg'), 'z.jpg']
    for name in names:
        shutil.copyfile(birds / 'images/000.jpg', images / name)
        boxes[f'images/{name}'] = [[0, 0, 5, 5]]
    boxes['images/\x1b[2J.jpg'] = [[900, 0, 950, 5]]  # outside the image
    (tmp_path / 'boxes.json').write_text(json.dumps(boxes))
    with pytest.raises(SystemExit):
        make(images=images, root=tmp_path, file='boxes.json')
    said = capsys.readouterr().out
    assert '3 of 5 images have a mask' in said and '\x1b' not in said
    assert r'  \x1b[2J.jpg: ' in said
    assert r'caf\udce9.jpg: its name is not UTF-8' in said
    with (tmp_path / 'm' / 'index.csv').open(newline='', encoding='utf-8') as stream:
        rows = list(csv.DictReader(stream))
    assert [row['image'] for row in rows] == sorted(names[1:3] + names[4:])


def test_wrong_first_try_leaves_the_folder_free(make, birds, capsys):
    wrong = dict(root=birds / 'images', file=birds / 'labels.csv')
    with pytest.raises(SystemExit):
        make(**wrong)
    make()
    assert '24 of 24 images have a mask' in capsys.readouterr().out
    with pytest.raises(FileExistsError, match='masks of another origin'):
        make(**wrong)


def test_files_that_are_postscript_start_no_program(make, birds, tmp_path, ghostscript):
    data, out = tmp_path / 'data', tmp_path / 'm'
    shutil.copytree(birds, data)
    (data / 'images' / '002.jpg').write_bytes(EPS)
    out.mkdir()
    (out / '003.png').write_bytes(EPS)  # a mask from elsewhere
    with pytest.raises(SystemExit):
        make(images=data / 'images', root=data)
    assert (out / '003.png').read_bytes() == EPS
    assert not ghostscript.exists()


def test_marks_become_outlines_with_counts_and_a_sheet(make, birds, tmp_path, capsys):
    make(
        '--refine',
        'grabcut',
        '--refine-options',
        'most=0.01',
        '--sheet',
        tmp_path / 'sheet.png',
    )
    said, source = printed_source(capsys)
    assert 'Marks became 0 outlines (0.0%), ' in said
    assert '24 ellipses in the mark (100.0%)' in said
    assert '  019.jpg: 1 ellipses in the mark\n  ... and 4 more: column' in said
    assert read(source, birds, 7).mask.sum() < expected().sum()
    assert Image.open(tmp_path / 'sheet.png').width > 900
    with pytest.raises(FileExistsError, match='masks of another origin'):
        make()
    with pytest.raises(SystemExit):
        make('--sheet', tmp_path / 'b.png')
    assert '--sheet need --refine' in capsys.readouterr().err
