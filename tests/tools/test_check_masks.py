"""Checking a config's data by the command line."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from mask_formats import EPS
from PIL import Image

CONFIG = Path(__file__).parents[2] / 'configs/cfcn_efficientnet-lite0_waterbirds.py'


def check(run_tool, *arguments, data):
    with pytest.raises(SystemExit) as ended:
        run_tool('check_masks.py', CONFIG, '--jobs', 1, *arguments, data=data)
    return ended.value.code


@pytest.fixture
def spoiled(waterbirds_root, tmp_path):
    """A copy in which image 2 is cut, 3 has a box outside, 4 none, 5 is turned."""
    data = tmp_path / 'data'
    shutil.copytree(waterbirds_root, data)
    images = data / 'waterbirds100' / 'images'
    (images / '002.jpg').write_bytes(b'nothing')
    exif = Image.Exif()
    exif[0x0112] = 3
    Image.open(images / '005.jpg').copy().save(images / '005.jpg', exif=exif)
    boxes = [('filename', 'x0', 'y0', 'x1', 'y1')]
    boxes += [(f'images/{i:03d}.jpg', 24, 16, 72, 31) for i in (0, 1, 2, 5, 6, 7)]
    boxes += [('images/003.jpg', 900, 16, 950, 31), ('images/999.jpg', 0, 0, 5, 5)]
    with (data / 'waterbirds100' / 'boxes.csv').open('w', newline='') as stream:
        csv.writer(stream).writerows(boxes)
    return data


OPTIONS = (
    '--cfg-options',
    'train_dataloader.dataset.pipeline.1.source.ann_file=boxes.csv',
)


def test_good_data_ends_with_0_and_no_sheet(
    run_tool, waterbirds_root, tmp_path, capsys
):
    sheet = tmp_path / 'sheet.png'
    assert check(run_tool, '--sheet', sheet, data=waterbirds_root) == 0
    out = capsys.readouterr().out
    assert 'The guided map has 4 x 4 cells' in out
    assert '8 of 8 images are guided' in out and 'No contact sheet' in out
    assert not sheet.exists()
    assert check(run_tool, '--split', 'val', data=waterbirds_root) == 0


def test_all_that_is_wrong_is_reported_and_the_exit_code_is_1(
    run_tool, spoiled, tmp_path, capsys
):
    sheet, findings = tmp_path / 'sheet.png', tmp_path / 'findings.json'
    assert (
        check(run_tool, '--sheet', sheet, '--json', findings, *OPTIONS, data=spoiled)
        == 1
    )
    said = capsys.readouterr().out
    assert '5 of 8 images are guided' in said
    assert 'STOPS 1 ' in said and "'images/999.jpg'" in said
    content = json.loads(findings.read_text())
    assert content['counts'] == dict(image=1, unusable=1, missing=1, turned=1)
    assert {p['image'][-7:-4]: p['stops'] for p in content['problems']} == {
        '002': True,
        '003': True,
        '004': True,
        '005': False,
    }
    with Image.open(sheet) as image:
        assert image.width > 900  # four images side by side


def test_sheet_holds_no_more_than_asked_for(run_tool, spoiled, tmp_path, capsys):
    check(
        run_tool, '--sheet', tmp_path / 'sheet.png', '--most', 2, *OPTIONS, data=spoiled
    )
    with Image.open(tmp_path / 'sheet.png') as image:
        assert image.width < 900


@pytest.mark.parametrize('option', ['--json', '--sheet'])
def test_existing_file_is_kept_and_told_before_the_work(
    run_tool, waterbirds_root, tmp_path, option, capsys
):
    file = tmp_path / 'mine'
    file.write_text('mine')
    (tmp_path / 'link').symlink_to(tmp_path / 'elsewhere')
    for name, error in (
        ('mine', FileExistsError),
        ('link', FileExistsError),
        ('nowhere/a', FileNotFoundError),
    ):
        with pytest.raises(error, match=name):
            run_tool(
                'check_masks.py', CONFIG, option, tmp_path / name, data=waterbirds_root
            )
    assert file.read_text() == 'mine' and 'guided' not in capsys.readouterr().out


def test_names_of_files_are_printed_without_terminal_escapes(
    run_tool, spoiled, tmp_path, capsys
):
    name = 'images/\x1b[2J$x^$\u202e.jpg'
    images = spoiled / 'waterbirds100'
    (images / 'images/002.jpg').rename(images / name)
    table = images / 'labels.csv'
    table.write_text(table.read_text().replace('images/002.jpg', name))
    check(run_tool, '--sheet', tmp_path / 'sheet.png', *OPTIONS, data=spoiled)
    said = capsys.readouterr().out
    assert r'images/\x1b[2J$x^$\u202e.jpg: ' in said
    assert not {'\x1b', '\u202e'} & set(said)


def test_image_that_the_pipeline_loads_without_its_orientation_stops(
    run_tool, spoiled, tmp_path
):
    findings = tmp_path / 'findings.json'
    check(
        run_tool,
        '--json',
        findings,
        '--sheet',
        tmp_path / 'sheet.png',
        *OPTIONS,
        'train_dataloader.dataset.pipeline.0.color_type=unchanged',
        data=spoiled,
    )
    problem, _ = [
        p for p in json.loads(findings.read_text())['problems'] if '005' in p['image']
    ]
    assert problem['kind'] == 'unusable' and problem['stops']
    assert 'was loaded without it' in problem['reason']


@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_image_that_is_postscript_is_told_and_starts_no_program(
    run_tool, spoiled, tmp_path, capsys, ghostscript, backend
):
    (spoiled / 'waterbirds100' / 'images' / '002.jpg').write_bytes(EPS)
    findings = tmp_path / 'findings.json'
    check(
        run_tool,
        '--json',
        findings,
        '--sheet',
        tmp_path / 'sheet.png',
        *OPTIONS,
        f'train_dataloader.dataset.pipeline.0.imdecode_backend={backend}',
        data=spoiled,
    )
    problems = json.loads(findings.read_text())['problems']
    assert [p['kind'] for p in problems if '002' in p['image']] == ['image']
    assert not ghostscript.exists()
