"""Drawing masks by the command line: the printed text before and after."""

import os
import re
import signal
import subprocess
import urllib.request

import draw_masks
import pytest
from drawing_tool import start_tool
from PIL import Image

from cfcn_plugin.annotation.drawing import server as server_module
from cfcn_plugin.masks import MaskError


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / 'birds' / 'images'
    folder.mkdir(parents=True)
    for name in 'abc':
        Image.new('RGB', (90, 60), (40, 90, 160)).save(folder / f'{name}.jpg')
    return folder


@pytest.fixture
def sessions(monkeypatch):
    """The sessions that the tool serves; each is ended at once."""
    served = []

    class Server:
        address = 'http://127.0.0.1:1/?token=x'

        def __init__(self, session, host, port):
            served.append(session)

        def describe(self):
            return f'Draw at {self.address}'

        def run(self):
            pass

    monkeypatch.setattr(server_module, 'DrawingServer', Server)
    return served


def test_config_of_what_is_drawn_is_reported(run_tool, images, sessions, capsys):
    masks = images.parent / 'masks'
    masks.mkdir()
    Image.new('L', (90, 60), 255).save(masks / 'b.png')
    run_tool('draw_masks.py', images, '--out', masks)
    said = capsys.readouterr().out
    assert '1 of 3 images have a mask' in said
    assert "source=dict(\n      type='PNGMasks'" in said
    assert "images='images', masks='masks'" in said
    assert sessions[0].config in said


def test_classes_are_values_of_label_files(run_tool, images, sessions):
    run_tool(
        'draw_masks.py',
        images,
        '--out',
        images.parent / 'masks',
        '--classes',
        'cow',
        'plane',
    )
    assert sessions[0].queue.classes == ('cow', 'plane')
    assert 'causal=[1, 2], classes=[0, 1]' in sessions[0].config


def test_list_of_choose_guided_is_what_is_masked(run_tool, images, sessions, tmp_path):
    chosen = tmp_path / 'list.txt'
    chosen.write_text('images/c.jpg\nimages/a.jpg\n')
    run_tool('draw_masks.py', images, '--out', tmp_path / 'masks', '--list', chosen)
    assert sessions[0].queue.names == ['a.jpg', 'c.jpg']


def test_boxes_and_captions_of_files_are_shown(run_tool, images, sessions, tmp_path):
    (images.parent / 'boxes.csv').write_text(
        'filename,x0,y0,x1,y1\nimages/b.jpg,10,20,40,50\n'
    )
    captions = tmp_path / 'kinds.csv'
    captions.write_text('image,kind\nimages/b.jpg,blue tit\n')
    run_tool(
        'draw_masks.py',
        images,
        '--out',
        tmp_path / 'masks',
        '--captions',
        captions,
        '--boxes',
        'type=BoxMasks',
        f'data_root={images.parent}',
        'ann_file=boxes.csv',
    )
    session = sessions[0]
    assert session.boxes('b.jpg', (60, 90)) == [[10, 20, 40, 50, 1]]
    assert session.boxes('a.jpg', (60, 90)) == []
    assert session.overview()['captions'] == ['', 'blue tit', '']


@pytest.mark.parametrize('root', [(), ('--data-root', '.')])
def test_list_of_a_stranger_leads_out_of_no_folder(
    run_tool, images, sessions, tmp_path, root, monkeypatch
):
    monkeypatch.chdir(tmp_path / 'birds')
    Image.new('RGB', (9, 6), (1, 2, 3)).save(tmp_path / 'secret.png')
    chosen = tmp_path / 'list.txt'
    chosen.write_text('images/a.jpg\nimages/../../secret.png\n')
    with pytest.raises(MaskError, match='secret.png.*is not below'):
        run_tool(
            'draw_masks.py',
            images,
            '--out',
            tmp_path / 'birds' / 'masks',
            '--list',
            chosen,
            '--redo',
            *root,
        )
    assert not sessions and not (tmp_path / 'birds/masks').exists()


def test_without_tornado_the_remedy_is_reported(monkeypatch):
    monkeypatch.setattr(draw_masks.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(SystemExit, match=r"pip install 'cfcn_plugin\[draw\]'"):
        draw_masks.check_tornado()


def test_tool_prints_the_address_with_the_token_alone_and_ends(images):
    tool = start_tool(images, 19900, stderr=subprocess.STDOUT)
    try:
        said = []
        while 'same address' not in ''.join(said):
            said.append(tool.stdout.readline())
            assert said[-1], said
        (address,) = re.findall(r'http://\S+', ''.join(said))
        assert re.fullmatch(r'http://127\.0\.0\.1:\d+/\?token=[\w-]{40,}', address)
        port = address.split(':')[2].split('/')[0]
        assert f'ssh -L {port}:127.0.0.1:{port} ' in ''.join(said)
        urllib.request.build_opener(urllib.request.HTTPCookieProcessor).open(address)
        os.kill(tool.pid, signal.SIGINT)
        rest = tool.communicate()[0]
        assert tool.returncode == 0 and '0 of 3 images have a mask' in rest
        assert 'http' not in rest
    finally:
        tool.kill()
